/**
 * What happens in a process, event by event, each with its Lamport time. One event, several outlets: a
 * line of the log for people, a line of the record (`--record`) for the checker, a place in the monitor's
 * picture (`--monitor`) for the class.
 *
 * The Lamport clock (L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System",
 * 1978) is a number that every event raises by one. A message carries the time of its sending, and who
 * receives it sets its own clock past that. So whatever may have caused an event has a lower number,
 * even where the clocks on the wall disagree.
 */
import * as v from "valibot";
import { type Log, shortId } from "../plumbing/log.ts";

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const milliseconds = v.pipe(v.number(), v.minValue(0), v.maxValue(2 ** 31));
const outcome = v.picklist(["acked", "undelivered", "unknown"]);

/** Of a client: what it did with a message, and what it learned. */
export const CLIENT_EVENTS = [
  "listed",
  "sent",
  "retried",
  "ack received",
  "ack ignored",
  "timed out",
  "connection failed",
  "gave up",
  "group acked",
] as const;
/** Of a receiver: what it did with a message, and whether it is in the group. */
export const RECEIVER_EVENTS = ["joined", "left", "received", "fault", "processed", "acked"] as const;
/** Of discovery: whose lease began, goes on, and is over. Its clock is its own: no message brings it another's. */
export const DISCOVERY_EVENTS = ["registered", "heartbeat", "expired", "replaced"] as const;

export const TraceEventSchema = v.object({
  event: v.picklist([...CLIENT_EVENTS, ...RECEIVER_EVENTS, ...DISCOVERY_EVENTS]),
  /** Where it happened: `client-4f2a`, or a receiver's name, which stays when its id changes. */
  process: name,
  /** Lamport time. */
  clock: time,
  /** Time on the wall, in milliseconds since 1970; for people, never for order. */
  at: v.number(),
  /** The message's id. */
  message: v.optional(name),
  attempt: v.optional(time),
  /** How long the attempt waits for its ack, in milliseconds. */
  timeout: v.optional(milliseconds),
  /** The id of the receiver that it is about. */
  receiver: v.optional(name),
  /** The process that the message came from. */
  from: v.optional(name),
  /** The Lamport time that came with the message or the ack. */
  heard: v.optional(time),
  duplicate: v.optional(v.boolean()),
  fault: v.optional(name),
  /** How long the lease lasts from now on, in milliseconds. */
  lease: v.optional(milliseconds),
  outcome: v.optional(outcome),
  /** How many acks a send to the group needed, and the ids of the receivers that they came from. */
  need: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  ackedBy: v.optional(v.array(name)),
  /** In words: why it failed, the beginning of the body, an address. */
  note: v.optional(v.pipe(v.string(), v.maxLength(300))),
});
export type TraceEvent = v.InferOutput<typeof TraceEventSchema>;
export type EventName = TraceEvent["event"];
export type EventDetails = Omit<TraceEvent, "event" | "process" | "clock" | "at">;

/** Takes each event, at once: when it returns, the event is on its way. */
export type Outlet = (event: TraceEvent) => void;

export interface Trace {
  /**
   * Tells that something happened here.
   * @returns its Lamport time; a frame that goes out because of it carries that
   */
  tell(event: EventName, details: EventDetails): number;
}

export interface CreateTraceOptions {
  /** Gets each event in words, at `info`. */
  log: Log;
  /** @default none */
  outlets?: readonly Outlet[];
}

/** Makes the trace of one process, with a clock that begins at 0. */
export function createTrace(process: string, { log, outlets = [] }: CreateTraceOptions): Trace {
  const logged = log.isLevelEnabled("info");
  const logsDetails = log.isLevelEnabled("debug");
  let clock = 0;
  return {
    tell(event, details) {
      clock = Math.max(clock, details.heard ?? 0) + 1;
      if (outlets.length > 0) {
        const whole = { event, process, clock, at: Date.now(), ...details };
        for (const outlet of outlets) outlet(whole);
      }
      // At `warn` nothing is formatted: that would cost more than the message itself.
      const isDetail = DETAILS.has(event);
      if (isDetail ? logsDetails : logged) log.log(isDetail ? "debug" : "info", describe(event, details));
      return clock;
    },
  };
}

/** Events that a line nearby says already: only at `debug`. */
const DETAILS: ReadonlySet<EventName> = new Set([
  "listed",
  "received",
  "ack received",
  "ack ignored",
  "gave up",
  "group acked",
  "heartbeat",
]);

/** An event in words. */
export function describe(event: EventName, details: EventDetails): string {
  const { attempt, duplicate, fault, from, need, note, outcome } = details;
  const receiver = shortId(details.receiver ?? "?");
  const which = attempt === undefined ? "" : `, attempt ${attempt}`; // a late ack doesn't say
  const message = `message ${shortId(details.message ?? "?")}${which}`;
  const sender = from ?? "somebody";
  switch (event) {
    case "joined":
      return `registered as ${receiver}, ${note}`;
    case "left":
      return note ? `${receiver} left, ${note}` : `left the group, was ${receiver}`;
    case "registered":
    case "replaced":
    case "expired":
      return `${receiver} ${event}, ${note}`;
    case "heartbeat":
      return `heartbeat of ${receiver}`;
    case "listed":
      return `listed: ${note}`;
    case "received":
      return `${message}, from ${sender}: received${duplicate ? ", a duplicate" : ""}`;
    case "fault":
      return `${message}, from ${sender}: ${FAULT_WORDS[fault ?? ""] ?? fault}`;
    case "processed":
      return `${message}, from ${sender}: processed ${note}`;
    case "acked":
      return `${message}: acked${duplicate ? " again as a duplicate, not processed again" : ""}`;
    case "sent":
      return `${message}: sent to ${receiver}`;
    case "retried":
      return `${message}: sent again to ${receiver}`;
    case "ack received":
      return `${message}: acked by ${receiver}${duplicate ? ", which had processed it before" : ""}`;
    case "ack ignored":
      return `message ${shortId(details.message ?? "?")}: another ack of ${receiver}, nobody waits for it`;
    case "timed out":
    case "connection failed":
      return `${message}, to ${receiver}: ${note}`;
    case "gave up":
      return `${message}: gave up on ${receiver}, ${outcome}: ${note}`;
    case "group acked":
      return `message ${shortId(details.message ?? "?")}: acked by ${details.ackedBy?.length}, ${need} needed`;
  }
}

const FAULT_WORDS: Record<string, string> = {
  silent: "crashed before processing it, no ack",
  "lost-ack": "its ack will be lost",
  "late-ack": "its ack will be late",
  disconnect: "closed the connection before processing it",
  exit: "the process dies before processing it",
};
