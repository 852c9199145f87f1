/** What discovery and the monitor share as HTTP servers: how they listen, read a body, and refuse. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";

const MAX_REQUEST_BYTES = 64 * 1024;

export interface CreateHonoOptions {
  /** Who answers, for the error messages. */
  name: string;
  log: Log;
}

/** Makes an app whose every error is JSON, `{error: "…"}`, and says what to do about it. */
export function createHono({ name, log }: CreateHonoOptions): Hono {
  const app = new Hono();
  app.notFound((c) =>
    c.json({ error: `Cannot find ${c.req.path}: docs/PROTOCOL.md lists what there is` }, 404),
  );
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    log.error(`cannot answer ${c.req.method} ${c.req.path}: ${error.message}`);
    return c.json({ error: `Cannot answer: an error inside ${name}, its log says more` }, 500);
  });
  return app;
}

/**
 * Reads the JSON body of a call, from Node's own request: hono's would first be made into a web `Request`,
 * which takes as long as all the rest.
 *
 * @param what the call wants to do, for the error messages
 * @param parse reads the body, or says what is wrong with it
 * @throws {HTTPException} 413, 415 or 400, with what is wrong
 */
export async function readBody<T>(
  c: Context,
  what: string,
  parse: (json: string) => { value: T } | { problem: string },
  maxBytes = MAX_REQUEST_BYTES,
): Promise<T> {
  const { incoming }: { incoming: IncomingMessage } = c.env;
  if (!/^application\/json\b/i.test(incoming.headers["content-type"] ?? "")) {
    throw new HTTPException(415, {
      message: `Cannot ${what}: send the header Content-Type: application/json`,
    });
  }
  const body = parse(await readText(incoming, maxBytes));
  if ("value" in body) return body.value;
  throw new HTTPException(400, { message: `Cannot ${what}: ${body.problem}` });
}

async function readText(incoming: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = Number(incoming.headers["content-length"] ?? 0); // what it says; then what has come
  if (bytes <= maxBytes) {
    bytes = 0;
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > maxBytes) break;
      chunks.push(chunk);
    }
  }
  if (bytes <= maxBytes) return Buffer.concat(chunks).toString();
  throw new HTTPException(413, { message: `Cannot read body: it has more than ${maxBytes} bytes` });
}

export function wrongMethod(c: Context, allowed: string) {
  return c.json({ error: `Cannot ${c.req.method} ${c.req.path}: use ${allowed}` }, 405, { Allow: allowed });
}

/** Listens; resolves when it does. */
export async function serve(
  app: Hono,
  { host, port }: { host: string; port: number },
): Promise<{ port: number; close(): void }> {
  const server = createAdaptorServer({ fetch: app.fetch, createServer }) as Server;
  return {
    port: await listen(server, port, host),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
