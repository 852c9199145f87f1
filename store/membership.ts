/** How a receiver comes into the group on etcd, and leaves it. The registry on etcd does it through here. */
import { HTTPException } from "hono/http-exception";
import type * as wire from "../lib/messages.ts";
import type { JsonList } from "../plumbing/json_list.ts";
import { readJson } from "../plumbing/read_json.ts";
import type { Change, OnChange } from "../trace/changes.ts";
import {
  BORN,
  DoneSchema,
  type KeyValue,
  LeaseSchema,
  RECEIVERS,
  StoredSchema,
  TransactionSchema,
  toBase64,
} from "./etcd_answers.ts";
import { ask, askUnless, begin, type Etcd, NOT_FOUND, type Purpose } from "./etcd_calls.ts";
import { type Group, grant, readUpTo, settle } from "./etcd_group.ts";
import { createId, leaseOf } from "./receiver_ids.ts";

const MAX_RECEIVER_BYTES = 1200; // of its JSON

export interface Membership {
  etcd: Etcd;
  group: Group;
  /** How much of a list there is already. */
  json: JsonList<wire.Receiver>;
  onChange: OnChange;
}

/** @returns the new id, unless the group is full */
export async function register(
  membership: Membership,
  where: wire.Registration,
): Promise<string | undefined> {
  const purpose = begin("register");
  const receiver = { id: createId(), ...where, last_seen: Date.now() / 1000 };
  const key = `${RECEIVERS}${where.host}:${where.port}`;
  let isPut = false;
  // Others may register the same address at this time: again, until nobody is there, or the time is over.
  while (!isPut) {
    const { there, revision } = await look(membership, purpose, key);
    isPut = readStored(there)?.id === receiver.id; // by a call whose answer was lost
    if (isPut) break;
    if (there !== undefined) await remove(membership, purpose, there, "replaced");
    else if (await isFull(membership, receiver, revision)) return undefined;
    else isPut = await put(membership, purpose, key, receiver);
  }
  membership.onChange("registered", receiver);
  return receiver.id;
}

/** Who is at an address, and as of which revision. */
async function look({ etcd, group }: Membership, purpose: Purpose, key: string) {
  const body = { success: [key, BORN].map((each) => ({ request_range: { key: toBase64(each) } })) };
  const { header, responses } = await ask(etcd, purpose, { path: "kv/txn", body, schema: TransactionSchema });
  const [there, born] = responses.map(({ response_range }) => response_range.kvs[0]);
  await settle(group, purpose, born);
  return { there, revision: header.revision };
}

/** The group is read only if so many may have come since it was that this one may be too much. */
async function isFull(
  { group, json }: Membership,
  receiver: wire.Receiver,
  revision: number,
): Promise<boolean> {
  const unseen = Math.max(0, revision - group.revision);
  if (json.hasRoomFor(receiver, { items: unseen, bytes: unseen * MAX_RECEIVER_BYTES })) return false;
  await readUpTo(group, revision);
  return !json.hasRoomFor(receiver);
}

/** @returns false if there is somebody at this address by now */
async function put({ etcd, group }: Membership, purpose: Purpose, key: string, receiver: wire.Receiver) {
  const lease = leaseOf(receiver.id);
  await grant(etcd, purpose, lease, group.ttlMs);
  const value = toBase64(JSON.stringify(receiver));
  const body = {
    compare: [{ target: "CREATE", key: toBase64(key), create_revision: "0" }],
    success: [{ request_put: { key: toBase64(key), value, lease } }],
  };
  return (await ask(etcd, purpose, { path: "kv/txn", body, schema: TransactionSchema })).succeeded;
}

/** @returns false for an id that isn't in the group (any more) */
export async function leave(membership: Membership, id: string): Promise<boolean> {
  const { etcd } = membership;
  const purpose = begin("leave");
  const lease = leaseOf(id);
  if (lease === undefined) return false;
  for (;;) {
    const its = { path: "lease/timetolive", body: { ID: lease, keys: true }, schema: LeaseSchema };
    const [key] = (await ask(etcd, purpose, its)).keys;
    const { there } = key === undefined ? {} : await look(membership, purpose, key);
    if (there === undefined) return false;
    if (await remove(membership, purpose, there, "left")) return true;
  }
}

/**
 * Takes a receiver off the list in one step with its lease, so that there is no moment at which it isn't listed and its
 * heartbeat is still taken. It is marked before, so that nobody tells that it has expired; who has marked it tells why.
 *
 * @returns false if another did
 */
async function remove(membership: Membership, purpose: Purpose, there: KeyValue, change: Change) {
  const { etcd, onChange } = membership;
  const stored = readStored(there);
  const lease = leaseOf(stored?.id ?? "");
  if (stored === undefined || lease === undefined)
    throw new HTTPException(503, {
      message: `Cannot ${purpose.what}: on etcd, ${there.key} is no receiver; delete it`,
    });
  const key = toBase64(there.key);
  const value = toBase64(JSON.stringify({ ...stored, isLeaving: true }));
  const body = {
    compare: [{ target: "MOD", key, mod_revision: `${there.mod_revision}` }],
    success: [{ request_put: { key, value, ignore_lease: true } }],
  };
  const isMine =
    !stored.isLeaving &&
    (await ask(etcd, purpose, { path: "kv/txn", body, schema: TransactionSchema })).succeeded;
  const revoke = { path: "lease/revoke", body: { ID: lease }, schema: DoneSchema };
  if (isMine || stored.isLeaving) await askUnless(NOT_FOUND, etcd, purpose, revoke);
  if (isMine) onChange(change, stored);
  return isMine;
}

function readStored(there: KeyValue | undefined) {
  const stored = readJson(StoredSchema, there?.value ?? "");
  return "value" in stored ? stored.value : undefined;
}
