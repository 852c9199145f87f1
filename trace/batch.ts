/** What crosses the wire between a role and the monitor, and how much of it at most. */
import * as v from "valibot";
import { type Read, read, readJson } from "../plumbing/read_json.ts";
import { MAX_EVENT_BYTES, NameSchema, TraceEventSchema } from "./events.ts";

/** Events of one batch. */
export const MAX_BATCH = 500;
/** Of a batch as JSON. */
export const MAX_BATCH_BYTES = 1024 * 1024;
/** Names of clients of one process that are alive; of more than these nobody hears that they are gone. */
export const MAX_ALIVE = 100;

const BatchSchema = v.object({
  events: v.pipe(v.array(v.unknown()), v.maxLength(MAX_BATCH, `must have at most ${MAX_BATCH} events`)),
  /** How many events the sender had no room for since its last batch. */
  lost: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
  /** The clients of the sender that are alive. */
  alive: v.optional(
    v.pipe(v.array(NameSchema), v.maxLength(MAX_ALIVE, `must have at most ${MAX_ALIVE} names`)),
    [],
  ),
});

export interface Batch {
  /** Each as JSON. */
  events: Buffer[];
  lost: number;
  /** The names of the clients that are alive, and of the processes that have told that they stopped. */
  alive: string[];
  stopped: string[];
}

/** Reads a batch. An event that is wrong counts as lost, and takes no other with it; if all are, the batch is wrong. */
export function readBatch(json: string): Read<Batch> {
  const batch = readJson(BatchSchema, json);
  if ("problem" in batch) return batch;
  const { alive, lost } = batch.value;
  const stopped: string[] = [];
  const all = batch.value.events.map((event, index) => readEvent(event, index, stopped));
  const events = all.flatMap((event) => ("value" in event ? [event.value] : []));
  const wrong = all.find((event) => "problem" in event);
  if (wrong !== undefined && events.length === 0) return wrong;
  return { value: { events, lost: lost + all.length - events.length, alive, stopped } };
}

function readEvent(input: unknown, index: number, stopped: string[]): Read<Buffer> {
  const event = read(TraceEventSchema, input);
  if ("problem" in event) return { problem: `event ${index}: ${event.problem}` };
  const json = Buffer.from(JSON.stringify(event.value));
  if (json.length > MAX_EVENT_BYTES)
    return { problem: `event ${index} has more than ${MAX_EVENT_BYTES} bytes` };
  if (event.value.event === "stopped") stopped.push(event.value.process);
  return { value: json };
}
