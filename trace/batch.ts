/** What crosses the wire between a role and the monitor. */
import * as v from "valibot";
import { TraceEventSchema } from "./events.ts";

/** Events of one batch. */
export const MAX_BATCH = 500;

export const BatchSchema = v.object({
  events: v.pipe(v.array(TraceEventSchema), v.maxLength(MAX_BATCH, `must have at most ${MAX_BATCH} events`)),
  /** How many events the sender had no room for since its last batch. */
  lost: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
});
