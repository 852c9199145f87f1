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
import type { Hono } from "hono";
import * as wire from "./lib/messages.ts";
import { answerBytes } from "./plumbing/answers.ts";
import * as http from "./plumbing/http_server.ts";
import { createJsonList } from "./plumbing/json_list.ts";
import * as kind from "./plumbing/kinds.ts";
import { createLog, type Log } from "./plumbing/log.ts";
import { LOG_OPTIONS, option, optional, parseOptions } from "./plumbing/options.ts";
import { readBody } from "./plumbing/read_body.ts";
import { readJson } from "./plumbing/read_json.ts";
import { runIfMain } from "./plumbing/run.ts";
import { type Change, type OnChange, tellChanges } from "./trace/changes.ts";
import { openOutlets, TRACE_OPTIONS } from "./trace/outlets.ts";
import { createTrace, type Outlet, type Trace } from "./trace/trace.ts";

export const OPTIONS = {
  ...http.httpOptions("5000"),
  "receiver-ttl": option(kind.duration, "30s", "how long a receiver stays listed without a heartbeat"),
  "sweep-every": option(kind.interval, "5s", "how often expired receivers are removed from memory"),
  store: optional(kind.etcdUrls, "an etcd that keeps the group, for several discoveries [default: memory]"),
  monitor: TRACE_OPTIONS.monitor,
  ...LOG_OPTIONS,
};

/** A receiver is in the group until its lease ends; each heartbeat renews it. */
type Lease = { receiver: wire.Receiver; renewedAt: number };
type Table = ReturnType<typeof createTable>;

function createTable(
  ttlMs: number,
  onChange: OnChange,
  { maxReceivers = wire.MAX_RECEIVERS, maxBytes = wire.MAX_LIST_BYTES, now = () => performance.now() } = {},
) {
  return {
    ...{ ttlMs, onChange, startedAt: now() },
    now, // in milliseconds, by a clock that doesn't jump when the system's is set
    leases: new Map<string, Lease>(), // by id, in the order in which they registered
    idAt: new Map<string, string>(), // host:port → id
    json: createJsonList<wire.Receiver>({ maxItems: maxReceivers, maxBytes, now }),
  };
}

/** @returns the new id, unless the table is full */
function register(table: Table, where: wire.Registration): string | undefined {
  const { leases, idAt, json, now } = table;
  const address = `${where.host}:${where.port}`;
  // One address, one receiver: who registers it again was restarted there.
  const before = leases.get(idAt.get(address) ?? "");
  if (before) remove(table, before, "replaced");
  const receiver = { id: randomUUID(), ...where, last_seen: Date.now() / 1000 };
  if (!json.hasRoomFor(receiver)) sweep(table);
  if (!json.hasRoomFor(receiver)) return undefined;

  leases.set(receiver.id, { receiver, renewedAt: now() });
  idAt.set(address, receiver.id);
  json.add(receiver);
  table.onChange("registered", receiver);
  return receiver.id;
}

/** Renews a lease. @returns false for an id that isn't in the group (any more) */
function heartbeat(table: Table, id: string): boolean {
  const lease = table.leases.get(id);
  if (!lease || !isValid(table, lease)) return false;
  lease.renewedAt = table.now();
  lease.receiver.last_seen = Date.now() / 1000;
  return true;
}

/** Who is in the group at this moment, and when which lease ends. */
function list(table: Table): { items: wire.Receiver[]; ends: number[] } {
  const valid = [...table.leases.values()].filter((lease) => isValid(table, lease));
  const ends = valid.map(({ renewedAt }) => renewedAt + table.ttlMs);
  return { items: valid.map(({ receiver }) => receiver), ends };
}

/** A receiver leaves the group. @returns false for an id that isn't in it (any more) */
function leave(table: Table, id: string): boolean {
  const lease = table.leases.get(id);
  if (!lease || !isValid(table, lease)) return false;
  remove(table, lease, "left");
  return true;
}

/** Frees the memory of expired leases, which count for nothing already. */
function sweep(table: Table): void {
  for (const lease of table.leases.values()) if (!isValid(table, lease)) remove(table, lease, "expired");
}

function isValid({ now, ttlMs }: Table, { renewedAt }: Lease): boolean {
  return now() - renewedAt < ttlMs;
}

function remove(table: Table, lease: Lease, change: Change): void {
  const { id, host, port } = lease.receiver;
  table.json.remove(lease.receiver);
  table.leases.delete(id);
  table.idAt.delete(`${host}:${port}`);
  table.onChange(isValid(table, lease) ? change : "expired", lease.receiver);
}

export type Registry = ReturnType<typeof createRegistry>;

/** What the calls need of a registry, with the table above. */
export function createRegistry(...settings: Parameters<typeof createTable>) {
  const table = createTable(...settings);
  return {
    id: randomUUID() as string | undefined, // two discoveries that say the same one have the same group
    ttlMs: table.ttlMs,
    register: async (where: wire.Registration) => register(table, where),
    heartbeat: async (id: string) => heartbeat(table, id),
    list: async () => ({
      json: table.json.write(() => list(table)), // once for all who ask, until somebody comes, leaves or has expired
      // Not for the time of a lease after the start: who was in the group before comes back with its heartbeats.
      isComplete: table.now() - table.startedAt >= table.ttlMs,
    }),
    leave: async (id: string) => leave(table, id),
    sweep: () => sweep(table),
    count: async () => list(table).items.length,
    close() {},
  };
}

/** The HTTP calls, apart from any socket. */
export function createApp(registry: Registry, trace: Trace, log: Log): Hono {
  const app = http.createHono({ name: "discovery", log });
  const unknownId = { error: "Cannot find this id: it expired, left or never was; register again" };

  app.post("/register", async (c) => {
    const where = await readBody(c, "register", (json) => readJson(wire.RegistrationSchema, json));
    const id = await registry.register(where);
    if (id === undefined)
      return c.json({ error: "Cannot register: the group is full; try again later" }, 503);
    return c.json({ message: "Receiver registered", id }, 201);
  });

  app.post("/heartbeat", async (c) => {
    const { id } = await readBody(c, "take heartbeat", (json) => readJson(wire.HeartbeatSchema, json));
    if (!(await registry.heartbeat(id))) return c.json(unknownId, 404);
    trace.tell("heartbeat", { receiver: id, lease: registry.ttlMs });
    return c.json({ message: "Heartbeat received" });
  });

  app.get("/receivers", async (c) => {
    const { json, isComplete } = await registry.list();
    return answerBytes(c, json, { "X-Complete": isComplete ? "yes" : "no" });
  });

  app.delete("/receivers/:id", async (c) =>
    (await registry.leave(c.req.param("id"))) ? c.body(null, 204) : c.json(unknownId, 404),
  );

  return app.get("/health", async (c) => c.json({ status: "ok", receivers: await registry.count() }));
}

type Settings = http.ServeOptions & {
  receiverTtlMs: number;
  sweepEveryMs: number;
  store?: string[] | undefined;
};

/** Listens; resolves when it does. */
export async function startDiscovery(options: Settings, log: Log, outlets: readonly Outlet[] = []) {
  const { receiverTtlMs: ttlMs, store } = options;
  const trace = createTrace("discovery", { log, outlets });
  const onChange = tellChanges(trace, ttlMs);
  const registry = store
    ? await (await import("./store/etcd_registry.ts")).openEtcdRegistry(ttlMs, onChange, { urls: store, log })
    : createRegistry(ttlMs, onChange);
  trace.tell("started", {});
  const sweeping = setInterval(() => registry.sweep(), options.sweepEveryMs);
  const onClose = () => {
    clearInterval(sweeping);
    registry.close();
    trace.tell("stopped", {});
  };
  const headers = () => ({ "X-Registry": registry.id });
  return http.serve(createApp(registry, trace, log), { ...options, log, headers, onClose });
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
