/** The group as it is on etcd, read anew only when something has changed there. The registry on etcd lists from it. */
import { randomUUID } from "node:crypto";
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
const READ_WITHIN_MS = 2700; // with what was asked before, it is less than the 5 s for which a client waits for a list

/** What was read last. */
export interface Group {
  etcd: Etcd;
  ttlMs: number;
  /** The registry's id; undefined until etcd has answered. */
  id: string | undefined;
  /** Of etcd, which counts every change of a key. */
  revision: number;
  isComplete: boolean;
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
  return header.revision;
}

/** Takes the registry's id from what stands there; if there is none, the registry begins: etcd is new, or was emptied. */
export async function settle(group: Group, purpose: Purpose, born: KeyValue | undefined): Promise<void> {
  const id = born?.value ?? (await beginRegistry(group, purpose));
  if (id !== group.id) group.revision = 0;
  group.id = id;
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
  return responses[0]?.response_range.kvs[0]?.value ?? id;
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
  const purpose = begin("list receivers", READ_WITHIN_MS);
  const { kvs, revision } = await readPages(group.etcd, purpose);
  const receivers = new Map<string, wire.Receiver>();
  for (const { key, value } of kvs.toSorted((a, b) => a.create_revision - b.create_revision)) {
    const receiver = key.startsWith(RECEIVERS) ? readJson(wire.ReceiverSchema, value) : { problem: "" };
    if ("value" in receiver) receivers.set(receiver.value.id, receiver.value);
  }
  const known = group.receivers;
  for (const [id, receiver] of receivers) receivers.set(id, known.get(id) ?? receiver);
  const come = [...receivers.values()].filter(({ id }) => !known.has(id));
  const gone = [...known.values()].filter(({ id }) => !receivers.has(id));
  group.id = kvs.find(({ key }) => key === BORN)?.value ?? group.id;
  group.isComplete = !kvs.some(({ key }) => key === YOUNG);
  Object.assign(group, { receivers, revision });
  group.onRead(come, gone);
}

/** All keys of the group, as they were at one revision. */
async function readPages(etcd: Etcd, purpose: Purpose): Promise<{ kvs: KeyValue[]; revision: number }> {
  const kvs: KeyValue[] = [];
  let at: number | undefined;
  for (let key = under(PREFIX).key; ; ) {
    const body = {
      ...under(PREFIX),
      key,
      limit: `${PAGE}`,
      ...(at === undefined ? {} : { revision: `${at}` }),
    };
    const page = await ask(etcd, purpose, { path: "kv/range", body, schema: RangeSchema });
    at ??= page.header.revision;
    kvs.push(...page.kvs);
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined || kvs.length > 2 * wire.MAX_RECEIVERS) return { kvs, revision: at };
    key = toBase64(`${last.key}\0`);
  }
}
