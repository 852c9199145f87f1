/** What etcd answers, as schemas, and the keys under which the group is there. The files of this room use them. */
import * as v from "valibot";
import { ReceiverSchema } from "../lib/messages.ts";

/** Everything of the group is under this prefix: one reading of it shows the group as it was at one moment. */
export const PREFIX = "/ack-group/";
/** The registry's id: made once, by the first discovery. */
export const BORN = `${PREFIX}born`;
/** There for the time of a lease after that: until then who was in the group before may not be back. */
export const YOUNG = `${PREFIX}young`;
/** Up to which revision of etcd it was told who has expired. */
export const TOLD = `${PREFIX}told`;
/** Under it each receiver at its address, as it is listed: one address, one receiver. */
export const RECEIVERS = `${PREFIX}receivers/`;

export const toBase64 = (text: string): string => Buffer.from(text).toString("base64");

/** All keys that begin so. */
export function under(prefix: string) {
  return { key: toBase64(prefix), range_end: toBase64(`${prefix.slice(0, -1)}0`) }; // after "/" comes "0"
}

const bytes = v.optional(
  v.pipe(
    v.string(),
    v.transform((base64) => Buffer.from(base64, "base64").toString()),
  ),
  "",
);
/** Where it is zero it is left out. A revision is far from 2^53. */
const number = v.optional(v.pipe(v.string(), v.transform(Number), v.safeInteger()), "0");

export const KeyValueSchema = v.object({
  key: bytes,
  value: bytes,
  create_revision: number,
  mod_revision: number,
});
export type KeyValue = v.InferOutput<typeof KeyValueSchema>;

const header = v.object({ revision: number });
const kvs = v.optional(v.array(KeyValueSchema), []);
export const RangeSchema = v.object({ header, kvs, more: v.optional(v.boolean(), false), count: number });
export const TransactionSchema = v.object({
  header,
  succeeded: v.optional(v.boolean(), false),
  responses: v.optional(v.array(v.object({ response_range: v.optional(v.object({ kvs }), {}) })), []),
});
/** Of a lease that is granted or revoked there is nothing to know but that it is. */
export const DoneSchema = v.object({});
export const LeaseSchema = v.object({ keys: v.optional(v.array(bytes), []) });
export const KeptAliveSchema = v.object({ result: v.object({ ID: v.string(), TTL: number }) });
export const WatchedSchema = v.object({
  result: v.object({
    header,
    created: v.optional(v.boolean(), false),
    canceled: v.optional(v.boolean(), false),
    compact_revision: number,
    events: v.optional(v.array(v.object({ kv: KeyValueSchema, prev_kv: v.optional(KeyValueSchema) })), []),
  }),
});

/** What stands under a receiver's key. */
export const StoredSchema = v.object({
  ...ReceiverSchema.entries,
  /** It is about to be taken away, so that it hasn't expired when it is gone. */
  isLeaving: v.optional(v.boolean(), false),
});
