/**
 * The discovery server: the phone book that forgets. It knows which receivers are in the group right
 * now, and nothing about messages.
 *
 * A receiver registers, gets an id, and says every 10 s with a heartbeat that it is still there. What it has is a
 * lease: unheard for 30 s, it is dropped, as nobody can tell a dead process from a silent one. All of it is in
 * memory: after a restart the list is empty, heartbeats get a 404, and the receivers register again.
 *
 *     tsx discovery.ts                  on port 5000; --port 0: on one that the system picks
 */
import { randomUUID } from "node:crypto";
import type { Context, Hono } from "hono";
import * as wire from "./lib/messages.ts";
import { answerBytes } from "./plumbing/answers.ts";
import * as http from "./plumbing/http_server.ts";
import { createJsonList } from "./plumbing/json_list.ts";
import * as kind from "./plumbing/kinds.ts";
import { createLog, type Log } from "./plumbing/log.ts";
import { LOG_OPTIONS, option, parseOptions } from "./plumbing/options.ts";
import { readBody } from "./plumbing/read_body.ts";
import { readJson } from "./plumbing/read_json.ts";
import { runIfMain } from "./plumbing/run.ts";
import { openOutlets, TRACE_OPTIONS } from "./trace/outlets.ts";
import { createTrace, type Outlet, type Trace } from "./trace/trace.ts";

export const OPTIONS = {
  ...http.httpOptions("5000"),
  "receiver-ttl": option(kind.duration, "30s", "how long a receiver stays listed without a heartbeat"),
  "sweep-every": option(kind.interval, "5s", "how often expired receivers are removed from memory"),
  monitor: TRACE_OPTIONS.monitor,
  ...LOG_OPTIONS,
};

/** A receiver is in the group until its lease ends; each heartbeat renews it. */
type Lease = { receiver: wire.Receiver; renewedAt: number };

export type Registry = ReturnType<typeof createRegistry>;

/** What happened to a member of the group. */
export type Change = { event: "registered" | "replaced" | "expired" | "left"; receiver: wire.Receiver };

export function createRegistry(
  ttlMs: number,
  { maxReceivers = wire.MAX_RECEIVERS, maxBytes = wire.MAX_LIST_BYTES, now = () => performance.now() } = {},
) {
  return {
    ...{ ttlMs, startedAt: now() },
    now, // in milliseconds, by a clock that doesn't jump when the system's is set
    leases: new Map<string, Lease>(), // by id, in the order in which they registered
    idAt: new Map<string, string>(), // host:port → id
    json: createJsonList<wire.Receiver>({ maxItems: maxReceivers, maxBytes, now }),
  };
}

/** @returns what changed; `registered` is the last of it, unless the registry is full */
export function register(registry: Registry, where: wire.Registration): Change[] {
  const { leases, idAt, json, now } = registry;
  const address = `${where.host}:${where.port}`;
  // One address, one receiver: who registers it again was restarted there.
  const before = leases.get(idAt.get(address) ?? "");
  const changes = before ? [remove(registry, before, "replaced")] : [];
  const receiver = { id: randomUUID(), ...where, last_seen: Date.now() / 1000 };
  if (!json.hasRoomFor(receiver)) changes.push(...sweep(registry));
  if (!json.hasRoomFor(receiver)) return changes;

  leases.set(receiver.id, { receiver, renewedAt: now() });
  idAt.set(address, receiver.id);
  json.add(receiver);
  return [...changes, { event: "registered", receiver }];
}

/** A lease that has not ended. */
function find(registry: Registry, id: string): Lease | undefined {
  const lease = registry.leases.get(id);
  return lease && isValid(registry, lease) ? lease : undefined;
}

/** Renews a lease. @returns false for an id that isn't in the group (any more) */
export function heartbeat(registry: Registry, id: string): boolean {
  const lease = find(registry, id);
  if (lease === undefined) return false;
  lease.renewedAt = registry.now();
  lease.receiver.last_seen = Date.now() / 1000;
  return true;
}

/** Who is in the group at this moment. */
export function list(registry: Registry): wire.Receiver[] {
  return [...registry.leases.values()]
    .filter((lease) => isValid(registry, lease))
    .map(({ receiver }) => receiver);
}

/** The same as JSON, for all who ask until somebody comes, leaves, or has a lease that ends. */
export function listAsJson(registry: Registry): Buffer<ArrayBuffer> {
  const ends = () => [...registry.leases.values()].map(({ renewedAt }) => renewedAt + registry.ttlMs);
  return registry.json.write(() => ({ items: list(registry), ends: ends() }));
}

/** False for the time of a lease after the start: who was in the group before comes back with its heartbeats. */
export function isComplete({ startedAt, ttlMs, now }: Registry): boolean {
  return now() - startedAt >= ttlMs;
}

/** A receiver leaves the group. @returns nothing for an id that isn't in it (any more) */
export function leave(registry: Registry, id: string): Change[] {
  const lease = find(registry, id);
  return lease ? [remove(registry, lease, "left")] : [];
}

/** Frees the memory of expired leases, which count for nothing already. */
export function sweep(registry: Registry): Change[] {
  const expired = [...registry.leases.values()].filter((lease) => !isValid(registry, lease));
  return expired.map((lease) => remove(registry, lease, "expired"));
}

function isValid({ now, ttlMs }: Registry, { renewedAt }: Lease): boolean {
  return now() - renewedAt < ttlMs;
}

function remove(registry: Registry, lease: Lease, event: Change["event"]): Change {
  const { id, host, port } = lease.receiver;
  registry.json.remove(lease.receiver);
  registry.leases.delete(id);
  registry.idAt.delete(`${host}:${port}`);
  return { event: isValid(registry, lease) ? event : "expired", receiver: lease.receiver };
}

/** The HTTP calls, apart from any socket. */
export function createApp(registry: Registry, trace: Trace, log: Log): Hono {
  const app = http.createHono({ name: "discovery", log });

  app.post("/register", async (c) => {
    const where = await readBody(c, "register", (json) => readJson(wire.RegistrationSchema, json));
    const changes = register(registry, where);
    tell(trace, changes, registry.ttlMs);
    const last = changes.at(-1);
    if (last?.event !== "registered")
      return c.json({ error: "Cannot register: the group is full; try again later" }, 503);
    return c.json({ message: "Receiver registered", id: last.receiver.id }, 201);
  });

  app.post("/heartbeat", async (c) => {
    const { id } = await readBody(c, "take heartbeat", (json) => readJson(wire.HeartbeatSchema, json));
    if (!heartbeat(registry, id)) return unknownId(c);
    trace.tell("heartbeat", { receiver: id, lease: registry.ttlMs });
    return c.json({ message: "Heartbeat received" });
  });

  app.get("/receivers", (c) =>
    answerBytes(c, listAsJson(registry), { "X-Complete": isComplete(registry) ? "yes" : "no" }),
  );

  app.delete("/receivers/:id", (c) => {
    const changes = leave(registry, c.req.param("id"));
    tell(trace, changes, registry.ttlMs);
    return changes.length > 0 ? c.body(null, 204) : unknownId(c);
  });

  return app.get("/health", (c) => c.json({ status: "ok", receivers: list(registry).length }));
}

function unknownId(c: Context) {
  return c.json({ error: "Cannot find this id: it expired, left or never was; register again" }, 404);
}

function tell(trace: Trace, changes: Change[], ttlMs: number): void {
  for (const { event, receiver } of changes) {
    const lease = event === "registered" ? ttlMs : undefined;
    trace.tell(event, { receiver: receiver.id, note: `${receiver.host}:${receiver.port}`, lease });
  }
}

/** Listens; resolves when it does. */
export async function startDiscovery(
  options: http.ServeOptions & { receiverTtlMs: number; sweepEveryMs: number },
  log: Log,
  outlets: readonly Outlet[] = [],
): Promise<{ port: number; close(): void }> {
  const trace = createTrace("discovery", { log, outlets });
  const registry = createRegistry(options.receiverTtlMs);
  trace.tell("started", {});
  const sweeping = setInterval(() => tell(trace, sweep(registry), registry.ttlMs), options.sweepEveryMs);
  const onClose = () => {
    clearInterval(sweeping);
    trace.tell("stopped", {});
  };
  return http.serve(createApp(registry, trace, log), { ...options, onClose });
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("discovery", OPTIONS, argv, {
    about: "The discovery server: who is in the group right now.",
    example: "discovery.ts --port 5000 --receiver-ttl 30s",
  });
  const log = createLog("discovery", options);
  const settings = { ...options, receiverTtlMs: options.receiverTtl, sweepEveryMs: options.sweepEvery };
  const discovery = await startDiscovery(settings, log, await openOutlets(options));
  log.info(`listening on ${options.host}, port ${discovery.port}`);
  return http.closeWhenAborted(discovery, signal, log);
}

await runIfMain(import.meta, main);

/*
$ npx tsx discovery.ts
22:07:26 discovery info: 3bb83f3a registered, laptop:46841
22:08:26 discovery info: 3bb83f3a expired, laptop:46841
*/
