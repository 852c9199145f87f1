/** What discovery and the monitor share as HTTP servers: how they listen, and refuse. */
import {
  createServer,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { Server as HttpsServer } from "node:https";
import { Server as TlsServer } from "node:tls";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { createHostCheck } from "./allowed_hosts.ts";
import { CONNECTION_LIMITS, type ConnectionLimits, watchConnections } from "./connections.ts";
import { GROUP_OPTIONS, type GroupFile } from "./group_file.ts";
import * as kind from "./kinds.ts";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import { option, optional } from "./options.ts";
import { untilAborted } from "./run.ts";

const MAX_HEADER_BYTES = 8 * 1024;
const MAX_HEADERS = 100;

/** What each of the two takes. */
export function httpOptions(port: string) {
  return {
    host: option(kind.text, "0.0.0.0", "the address it listens on"),
    port: option(kind.port, port, "the port it listens on; 0: one that the system picks"),
    "allow-host": optional(
      kind.hostNames,
      "further names by which it is reached, comma separated [default: none]",
    ),
    ...GROUP_OPTIONS,
  };
}

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

/** Answers 405 to each method that a path of the app doesn't take. */
function refuseOtherMethods(app: Hono): void {
  const methodsOf = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method === "ALL") continue;
    const methods = methodsOf.get(path) ?? new Set();
    methodsOf.set(path, methods.add(method));
    if (method === "GET") methods.add("HEAD");
  }
  for (const [path, methods] of methodsOf) {
    const allowed = [...methods].sort().join(", ");
    app.all(path, (c) => {
      const error = `Cannot ${c.req.method} ${c.req.path}: use ${allowed}`;
      return c.json({ error }, 405, { Allow: allowed });
    });
  }
}

export interface ServeOptions {
  host: string;
  port: number;
  /** The names, besides its own and `localhost`, by which it is reached. @default none */
  allowHost?: readonly string[] | undefined;
  /** Only members of the group are answered. @default none: everybody is */
  groupFile?: GroupFile | undefined;
  /** With a group file: strangers are answered, too; the app has to ask who is one. @default {false} */
  admitsStrangers?: boolean;
  /** Is told of those who are not let in. */
  log?: Log | undefined;
  /** What every answer carries; asked for each. @default none */
  headers?: () => Record<string, string | undefined>;
  /** Called when it is closed, also when it can't listen. */
  onClose?: () => void;
}

export interface HttpServer {
  port: number;
  close(): void;
}

/** Listens; resolves when it does. */
export async function serve(
  app: Hono,
  options: ServeOptions,
  limits: ConnectionLimits = CONNECTION_LIMITS,
): Promise<HttpServer> {
  const { host, port, allowHost = [], headers, onClose = () => {} } = options;
  refuseOtherMethods(app);
  const answer = getRequestListener(app.fetch);
  const whyNot = createHostCheck([host, ...allowHost]);
  const server = await createFor(options, settingsOf(limits), (incoming, outgoing) => {
    if (!connections.isThere(outgoing)) return;
    for (const [name, value] of Object.entries(headers?.() ?? {})) if (value) outgoing.setHeader(name, value);
    const problem = whyNot(incoming.headers);
    if (problem === undefined) answer(incoming, outgoing);
    else refuse(outgoing, 403, problem);
  });
  server.maxHeadersCount = MAX_HEADERS;
  const connections = watchConnections(server, limits);
  if (server instanceof TlsServer)
    (await import("./handshakes.ts")).watchHandshakes(server, { ...connections, log: options.log });
  server.once("close", onClose);
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  try {
    return { port: await listen(server, port, host), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Without a group file, nothing of TLS is made. */
async function createFor(
  { groupFile, admitsStrangers }: ServeOptions,
  settings: ServerOptions,
  onRequest: RequestListener,
): Promise<Server | HttpsServer> {
  if (groupFile === undefined) return createServer(settings, onRequest);
  const https = await import("node:https");
  const { tlsOptions } = await import("./handshakes.ts");
  return https.createServer({ ...settings, ...tlsOptions(groupFile, admitsStrangers) }, onRequest);
}

function settingsOf({ requestWithinMs, checkEveryMs }: ConnectionLimits) {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestWithinMs,
    requestTimeout: requestWithinMs,
    connectionsCheckingInterval: checkEveryMs,
  };
}

/** Waits until a role is to end. @returns its exit code */
export async function closeWhenAborted(server: HttpServer, signal: AbortSignal, log: Log): Promise<number> {
  await untilAborted(signal);
  server.close();
  log.info("stopped");
  return 0;
}

function refuse(outgoing: ServerResponse, status: number, error: string): void {
  outgoing.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify({ error }));
}
