/**
 * The registry on etcd (`discovery.ts --store URL,…`): any number of discoveries on one etcd, or on one cluster of it, have
 * one group. A receiver is a key that etcd drops when its lease ends, and a heartbeat renews that lease. Nothing of the
 * group is kept here but copies; what etcd's nodes have not agreed on didn't happen.
 */
import { HTTPException } from "hono/http-exception";
import type { Registry } from "../discovery.ts";
import * as wire from "../lib/messages.ts";
import { createJsonList } from "../plumbing/json_list.ts";
import type { Log } from "../plumbing/log.ts";
import { UsageError } from "../plumbing/options.ts";
import { TSX } from "../plumbing/printable.ts";
import type { OnChange } from "../trace/changes.ts";
import { RangeSchema, RECEIVERS, under } from "./etcd_answers.ts";
import { ask, begin, createEtcd, endEtcd, NotEtcdError } from "./etcd_calls.ts";
import { askRevision, createGroup, readUpTo } from "./etcd_group.ts";
import { checkExpiries, createExpiries, followExpiries } from "./expiries.ts";
import { createKeepalives } from "./keepalives.ts";
import { createLastHeard } from "./last_heard.ts";
import { leave, register } from "./membership.ts";
import { leaseOf } from "./receiver_ids.ts";

const MIN_LEASE_MS = 2000; // a shorter one lasts as long

export interface EtcdRegistryOptions {
  /** Of etcd's nodes. */
  urls: readonly string[];
  log: Log;
  /** @default as in memory */
  maxReceivers?: number;
  maxBytes?: number;
}

type Store = ReturnType<typeof createStore>;

function createStore(
  ttlMs: number,
  onChange: OnChange,
  { urls, log, maxReceivers = wire.MAX_RECEIVERS, maxBytes = wire.MAX_LIST_BYTES }: EtcdRegistryOptions,
) {
  const etcd = createEtcd(urls);
  const json = createJsonList<wire.Receiver>({
    maxItems: maxReceivers,
    maxBytes,
    now: () => performance.now(),
  });
  const group = createGroup(etcd, ttlMs, (come, gone) => {
    for (const receiver of gone) json.remove(receiver);
    for (const receiver of come) json.add(receiver);
  });
  return {
    ...{ etcd, log, onChange, group, json },
    keepAlive: createKeepalives(etcd),
    lastHeard: createLastHeard(ttlMs),
    expiries: createExpiries(etcd, log, (receiver) => onChange("expired", receiver)),
  };
}

/**
 * @throws {UsageError} for a lease that etcd can't keep
 * @throws {Error} "Cannot …" when something else than etcd answers; an etcd that is away is waited for
 */
export async function openEtcdRegistry(...settings: Parameters<typeof createStore>): Promise<Registry> {
  const [ttlMs] = settings;
  checkLease(ttlMs);
  const store = createStore(...settings);
  const end = new AbortController();
  await greet(store);
  void followExpiries(store.expiries, end.signal);
  return {
    get id() {
      return store.group.id;
    },
    ttlMs,
    register: (where) => register(store, where),
    heartbeat: (id) => heartbeat(store, id),
    list: () => list(store),
    leave: (id) => leave(store, id),
    sweep: () => {
      checkExpiries(store.expiries);
      askRevision(store.group, begin("look at etcd")).catch(() => {}); // its registry may be another by now
    },
    count: () => count(store),
    close() {
      end.abort();
      endEtcd(store.etcd);
    },
  };
}

function checkLease(ttlMs: number): void {
  if (ttlMs < MIN_LEASE_MS || ttlMs % 1000 !== 0)
    throw new UsageError(
      `Cannot start discovery: --receiver-ttl is ${ttlMs}ms; with --store it takes whole seconds, 2s or more\n` +
        `Try: ${TSX} discovery.ts --store http://localhost:2379 --receiver-ttl 30s`,
    );
}

/** Says whether etcd is there. */
async function greet({ etcd, group, log }: Store): Promise<void> {
  try {
    await askRevision(group, begin("start discovery"));
    log.info(`the group is on etcd, at ${etcd.nodes.map(({ url }) => url).join(", ")}`);
  } catch (error) {
    if (error instanceof NotEtcdError || !(error instanceof HTTPException)) throw error;
    log.warn(`waiting for etcd: ${error.message}`);
  }
}

async function heartbeat({ keepAlive, lastHeard }: Store, id: string): Promise<boolean> {
  const lease = leaseOf(id);
  if (lease === undefined || !(await keepAlive(lease))) return false;
  lastHeard.note(id);
  return true;
}

async function list({ group, json, lastHeard }: Store) {
  await readUpTo(group, await askRevision(group, begin("list receivers")));
  const make = () => ({ items: [...group.receivers.values()].map(lastHeard.date), ends: [] });
  const isComplete = group.isComplete && performance.now() >= group.shakenUntil;
  return { json: json.write(make), isComplete };
}

async function count({ etcd }: Store): Promise<number> {
  const body = { ...under(RECEIVERS), count_only: true };
  return (await ask(etcd, begin("count receivers"), { path: "kv/range", body, schema: RangeSchema })).count;
}
