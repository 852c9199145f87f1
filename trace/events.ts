/** What an event is: the one schema of the record, of the way to the monitor, and of the monitor's page. */
import * as v from "valibot";

/** The longest note, in UTF-16 units; `tell` cuts what is longer. */
export const MAX_NOTE = 300;
/**
 * The longest line of JSON that `tell` makes of an event, in bytes. All but `ackedBy` is under 4 KiB; `tell`
 * leaves `ackedBy` out where it would be longer: of some 13,000 receivers.
 */
export const MAX_EVENT_BYTES = 512 * 1024;

/** Of a process, a message or a receiver. */
export const NameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const milliseconds = v.pipe(v.number(), v.minValue(0), v.maxValue(2 ** 31));
const MAX_DATE = 8.64e15; // the last that JavaScript has
const outcome = v.picklist(["acked", "undelivered", "unknown"]);

/** What discovery is called, where processes are named. */
export const DISCOVERY = "discovery";

/** Of a client: from when to when it was there, what it did with a message, and what it learned. */
export const CLIENT_EVENTS = [
  "started",
  "listed",
  "sent",
  "retried",
  "ack received",
  "ack ignored",
  "timed out",
  "connection failed",
  "gave up",
  "group acked",
  "stopped",
] as const;
/** Of a receiver: what it did with a message, and whether it is in the group. */
export const RECEIVER_EVENTS = ["joined", "left", "received", "fault", "processed", "acked"] as const;
/**
 * Of discovery: from when to when it was there, and whose lease began, goes on, and is over. Its clock is its own: no
 * message brings it another's.
 */
export const DISCOVERY_EVENTS = [
  "started",
  "registered",
  "heartbeat",
  "left",
  "expired",
  "replaced",
  "stopped",
] as const;
/** What the teacher's desk did to a process, `from` says which: a signal was sent, it was started, its faults were chosen. */
export const DESK_EVENTS = [
  "killed",
  "suspended",
  "resumed",
  "told to end",
  "launched",
  "given fault",
  "given rate",
] as const;
export type DeskEvent = (typeof DESK_EVENTS)[number];
/**
 * Of the monitor: nothing is heard any more of a client or of discovery, `from` says which; it is heard again; and what its
 * page's desk did.
 */
export const MONITOR_EVENTS = ["unreachable", "reachable", ...DESK_EVENTS] as const;

export const TraceEventSchema = v.object({
  event: v.picklist([...CLIENT_EVENTS, ...RECEIVER_EVENTS, ...DISCOVERY_EVENTS, ...MONITOR_EVENTS]),
  /** Where it happened: `client-4f2a`, or a receiver's name, which stays when its id changes. */
  process: NameSchema,
  /** Lamport time. */
  clock: time,
  /** Time on the wall, in milliseconds since 1970; for people, never for order. */
  at: v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_DATE)),
  /** The message's id. */
  message: v.optional(NameSchema),
  attempt: v.optional(time),
  /** How long the attempt waits for its ack, in milliseconds. */
  timeout: v.optional(milliseconds),
  /** The id of the receiver that it is about. */
  receiver: v.optional(NameSchema),
  /** What who acked calls itself, where that isn't the id of whom the client asked: another has its address by now. */
  acker: v.optional(NameSchema),
  /** The process that the message came from, that the monitor heard or not, or to which the desk did something. */
  from: v.optional(NameSchema),
  /** The Lamport time that came with the message or the ack. */
  heard: v.optional(time),
  duplicate: v.optional(v.boolean()),
  fault: v.optional(NameSchema),
  /** How long the lease lasts from now on, in milliseconds. */
  lease: v.optional(milliseconds),
  outcome: v.optional(outcome),
  /** How many acks a send to the group needed, and the ids of the receivers that they came from, unless too many. */
  need: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  ackedBy: v.optional(v.array(NameSchema)),
  /** In words: why it failed, what the fault does, the beginning of the body, an address. */
  note: v.optional(v.pipe(v.string(), v.maxLength(MAX_NOTE))),
});
export type TraceEvent = v.InferOutput<typeof TraceEventSchema>;
export type EventName = TraceEvent["event"];
export type EventDetails = Omit<TraceEvent, "event" | "process" | "clock" | "at">;
