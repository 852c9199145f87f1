/**
 * The discovery server: the phone book that forgets. It knows which receivers are in the group right
 * now, and nothing about messages.
 *
 * A receiver registers, gets an id, and says every 10 s with a heartbeat that it is still there. What
 * it has is a lease: unheard for 30 s, it is dropped, as nobody can tell a dead process from a silent
 * one. Clients ask for the list. All of it is in memory: after a restart the list is empty, heartbeats
 * get a 404, and the receivers register again.
 *
 *     tsx discovery.ts                  on port 5000
 *     tsx discovery.ts --port 0         on a port that the system picks
 */
import type { Context, Hono } from "hono";
import { HeartbeatSchema, RegistrationSchema } from "./lib/messages.ts";
import { createRegistry, type Registry } from "./lib/registry.ts";
import { createHono, readBody, serve, wrongMethod } from "./plumbing/http_server.ts";
import { createLog, type Log } from "./plumbing/log.ts";
import {
  duration,
  interval,
  LOG_OPTIONS,
  optionalUrl,
  parseOptions,
  port,
  text,
} from "./plumbing/options.ts";
import { runIfMain, untilAborted } from "./plumbing/run.ts";
import { openOutlets } from "./trace/outlets.ts";
import { createTrace, type Outlet } from "./trace/trace.ts";

const OPTIONS = {
  host: text("0.0.0.0", "the address it listens on"),
  port: port("5000", "the port it listens on; 0: one that the system picks"),
  "receiver-ttl": duration("30s", "how long a receiver stays listed without a heartbeat"),
  "sweep-every": interval("5s", "how often expired receivers are removed"),
  monitor: optionalUrl("the monitor that gets each event [default: none]"),
  ...LOG_OPTIONS,
};

const MAX_BODY_BYTES = 64 * 1024;

/** The HTTP calls, apart from any socket. */
export function createApp(registry: Registry, log: Log): Hono {
  const app = createHono({ name: "discovery", log });

  app.post("/register", async (c) => {
    const where = await readBody(c, RegistrationSchema, { what: "register", maxBytes: MAX_BODY_BYTES });
    const id = registry.register(where);
    if (id === undefined)
      return c.json({ error: "Cannot register: the group is full; try again later" }, 503);
    return c.json({ message: "Receiver registered", id }, 201);
  });

  app.post("/heartbeat", async (c) => {
    const { id } = await readBody(c, HeartbeatSchema, { what: "take heartbeat", maxBytes: MAX_BODY_BYTES });
    return registry.heartbeat(id) ? c.json({ message: "Heartbeat received" }) : unknownId(c);
  });

  app.get("/receivers", (c) =>
    c.json(registry.list(), 200, { "X-Complete": registry.isComplete() ? "yes" : "no" }),
  );

  app.delete("/receivers/:id", (c) => (registry.leave(c.req.param("id")) ? c.body(null, 204) : unknownId(c)));

  app.get("/health", (c) => c.json({ status: "ok", receivers: registry.list().length }));

  app.all("/register", (c) => wrongMethod(c, "POST"));
  app.all("/heartbeat", (c) => wrongMethod(c, "POST"));
  app.all("/receivers", (c) => wrongMethod(c, "GET, HEAD"));
  app.all("/receivers/:id", (c) => wrongMethod(c, "DELETE"));
  app.all("/health", (c) => wrongMethod(c, "GET, HEAD"));

  return app;
}

function unknownId(c: Context) {
  return c.json({ error: "Cannot find this id: it expired, left or never was; register again" }, 404);
}

/** Listens; resolves when it does. */
export async function startDiscovery(
  options: { host: string; port: number; receiverTtl: number; sweepEvery: number },
  log: Log,
  outlets: readonly Outlet[] = [],
): Promise<{ port: number; close(): void }> {
  const ttlMs = options.receiverTtl;
  const trace = createTrace("discovery", { log, outlets });
  const registry = createRegistry({
    ttlMs,
    onChange(event, { id, host, port }) {
      const lease = event === "registered" ? ttlMs : undefined;
      trace.tell(event, { receiver: id, note: `${host}:${port}`, lease });
    },
    onHeartbeat({ id }) {
      trace.tell("heartbeat", { receiver: id, lease: ttlMs });
    },
  });
  const server = await serve(createApp(registry, log), options);
  const sweeping = setInterval(registry.sweep, options.sweepEvery);
  return {
    port: server.port,
    close() {
      clearInterval(sweeping);
      server.close();
    },
  };
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("discovery", OPTIONS, argv, {
    about: "The discovery server: who is in the group right now.",
    example: "tsx discovery.ts --port 5000 --receiver-ttl 30s",
  });
  const log = createLog("discovery", options);
  const discovery = await startDiscovery(options, log, await openOutlets(options));
  log.info(`listening on ${options.host}, port ${discovery.port}`);
  await untilAborted(signal);
  discovery.close();
  log.info("stopped");
  return 0;
}

await runIfMain(import.meta, main);

/*
$ tsx discovery.ts
22:07:21 discovery info: listening on 0.0.0.0, port 5000
22:07:26 discovery info: 3bb83f3a registered, laptop:46841
22:08:26 discovery info: 3bb83f3a expired, laptop:46841

$ curl localhost:5000/receivers
[{"id":"3bb83f3a-6e50-4e42-8bb9-74313da2e446","host":"laptop","port":46841,"last_seen":1795471676.551}]
*/
