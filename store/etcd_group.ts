/** The group as it is on etcd, read anew only when something has changed there. The registry on etcd lists from it. */
import { randomUUID } from "node:crypto";
import { HTTPException } from "hono/http-exception";
import * as wire from "../lib/messages.ts";
import { readJson } from "../plumbing/read_json.ts";
import {
  BORN,
  DoneSchema,
  type KeyValue,
  PREFIX,
  RangeSchema,
  RECEIVERS,
  TransactionSchema,
  toBase64,
  under,
  YOUNG,
} from "./etcd_answers.ts";
import { ask, askUnless, begin, type Etcd, type Purpose, THERE_ALREADY } from "./etcd_calls.ts";
import { createId, leaseOf } from "./receiver_ids.ts";

const PAGE = 5000; // of keys, read at a time
const MAX_PAGES = 40;
const READ_WITHIN_MS = 4000; // all of them: a client waits 5 s for its list

/** What was read last. */
export interface Group {
  etcd: Etcd;
  ttlMs: number;
  /** The registry's id; undefined until etcd has answered. */
  id: string | undefined;
  /** Of etcd, which counts every change of a key. */
  revision: number;
  isComplete: boolean;
  /** When etcd answered last, and until when those may be missing whose leases ended while it stood still. */
  heardAt: number;
  shakenUntil: number;
  receivers: Map<string, wire.Receiver>;
  /** Hears who is new in the list, and who isn't in it any more. */
  onRead: (come: wire.Receiver[], gone: wire.Receiver[]) => void;
  reading: Promise<void> | undefined;
}

export function createGroup(etcd: Etcd, ttlMs: number, onRead: Group["onRead"]): Group {
  return {
    etcd,
    ttlMs,
    id: undefined,
    revision: 0,
    isComplete: false,
    heardAt: performance.now(),
    shakenUntil: 0,
    receivers: new Map(),
    onRead,
    reading: undefined,
  };
}

/** Asks for the revision that is the last one now: what is read of a revision as late is the group as it is. */
export async function askRevision(group: Group, purpose: Purpose): Promise<number> {
  const range = { path: "kv/range", body: { key: toBase64(BORN) }, schema: RangeSchema };
  const { kvs, header } = await ask(group.etcd, purpose, range);
  await settle(group, purpose, kvs[0]);
  const now = performance.now();
  if (now - group.heardAt >= group.ttlMs / 2) group.shakenUntil = now + group.ttlMs;
  group.heardAt = now;
  return header.revision;
}

/** Takes the registry's id from what stands there; if there is none, the registry begins: etcd is new, or was emptied. */
export async function settle(group: Group, purpose: Purpose, born: KeyValue | undefined): Promise<void> {
  const id = born ? readName(born, purpose) : await beginRegistry(group, purpose);
  if (id !== group.id) group.revision = 0;
  group.id = id;
}

/** It goes into a header of every answer. */
function readName({ key, value }: KeyValue, { what }: Pick<Purpose, "what">): string {
  if (/^[\w-]{1,128}$/.test(value)) return value;
  const message = `Cannot ${what}: on etcd, ${key} is no name of a registry; delete it`;
  throw new HTTPException(503, { message });
}

async function beginRegistry({ etcd, ttlMs }: Group, purpose: Purpose): Promise<string> {
  const lease = leaseOf(createId());
  await grant(etcd, purpose, lease, ttlMs);
  const id = randomUUID();
  const [key, value] = [toBase64(BORN), toBase64(id)];
  const body = {
    compare: [{ target: "CREATE", key, create_revision: "0" }],
    success: [{ request_put: { key, value } }, { request_put: { key: toBase64(YOUNG), value, lease } }],
    failure: [{ request_range: { key } }],
  };
  const { responses } = await ask(etcd, purpose, { path: "kv/txn", body, schema: TransactionSchema });
  const there = responses[0]?.response_range.kvs[0];
  return there ? readName(there, purpose) : id; // another discovery was first
}

/** @param lease a number that nobody else has taken: if it is there, then by a call whose answer was lost */
export async function grant(
  etcd: Etcd,
  purpose: Purpose,
  lease: string | undefined,
  ttlMs: number,
): Promise<void> {
  const body = { ID: lease, TTL: `${ttlMs / 1000}` };
  await askUnless(THERE_ALREADY, etcd, purpose, { path: "lease/grant", body, schema: DoneSchema });
}

/** Reads the group, unless what is known of it is as late as that revision. Who asks meanwhile waits for the same reading. */
export async function readUpTo(group: Group, revision: number): Promise<void> {
  // A reading that is under way may have begun too early; the one after it has not.
  for (let readings = 0; readings < 2 && group.revision < revision; readings++) {
    group.reading ??= read(group).finally(() => (group.reading = undefined));
    await group.reading;
  }
}

async function read(group: Group): Promise<void> {
  const { etcd, receivers: known } = group;
  const found: { at: number; receiver: wire.Receiver }[] = [];
  let revision = 0;
  let [isComplete, id] = [true, group.id];
  for await (const page of readPages(etcd)) {
    revision ||= page.header.revision;
    for (const keyValue of page.kvs) {
      const { key, value, create_revision } = keyValue;
      if (key === BORN) id = readName(keyValue, { what: "list receivers" });
      if (key === YOUNG) isComplete = false;
      const receiver = key.startsWith(RECEIVERS) ? readJson(wire.ReceiverSchema, value) : undefined;
      if (receiver && "value" in receiver)
        found.push({ at: create_revision, receiver: known.get(receiver.value.id) ?? receiver.value });
    }
  }
  found.sort((a, b) => a.at - b.at); // in the order in which they registered
  const receivers = new Map(found.map(({ receiver }) => [receiver.id, receiver]));
  const come = [...receivers.values()].filter((receiver) => !known.has(receiver.id));
  const gone = [...known.values()].filter((receiver) => !receivers.has(receiver.id));
  Object.assign(group, { id, isComplete, receivers, revision });
  group.onRead(come, gone);
}

/** All keys of the group, as they were at one revision. */
async function* readPages(etcd: Etcd) {
  const { what, endsAt } = begin("list receivers", READ_WITHIN_MS);
  let [key, revision] = [under(PREFIX).key, "0"]; // the one that is the last now
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const body = { ...under(PREFIX), key, limit: `${PAGE}`, revision };
    const purpose = { what, endsAt: Math.min(endsAt, begin(what).endsAt) };
    const page = await ask(etcd, purpose, { path: "kv/range", body, schema: RangeSchema });
    yield page;
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return;
    key = toBase64(`${last.key}\0`);
    if (pages === 0) revision = `${page.header.revision}`;
  }
}
