/** What discovery and the monitor share as HTTP servers: how they listen, read a body, and refuse. */
import { createServer, type Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import type * as v from "valibot";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import { readJson } from "./messages.ts";

export interface CreateHonoOptions {
  /** Who answers, for the error messages. */
  name: string;
  log: Log;
  /** A longer body is refused. */
  maxBodyBytes: number;
}

/** Makes an app whose every error is JSON, `{error: "…"}`, and says what to do about it. */
export function createHono({ name, log, maxBodyBytes }: CreateHonoOptions): Hono {
  const app = new Hono();
  const tooLarge = `Cannot read body: it has more than ${maxBodyBytes} bytes`;
  app.use(bodyLimit({ maxSize: maxBodyBytes, onError: (c) => c.json({ error: tooLarge }, 413) }));
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
 * Reads the JSON body of a call that wants to do `what`.
 *
 * @throws {HTTPException} 415 or 400, with what is wrong
 */
export async function readBody<S extends v.GenericSchema>(c: Context, what: string, schema: S) {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json\b/i.test(type)) {
    throw new HTTPException(415, {
      message: `Cannot ${what}: send the header Content-Type: application/json`,
    });
  }
  const body = readJson(schema, await c.req.text());
  if ("value" in body) return body.value;
  throw new HTTPException(400, { message: `Cannot ${what}: ${body.problem}` });
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
