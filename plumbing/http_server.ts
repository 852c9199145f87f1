/** What discovery and the monitor share as HTTP servers: how they listen, and refuse. */
import { createServer, type Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";

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

/** Answers 405 to each method that a path of the app doesn't take; called when all its paths are there. */
export function refuseOtherMethods(app: Hono): Hono {
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
  return app;
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
