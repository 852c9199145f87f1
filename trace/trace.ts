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
import type { Log } from "../plumbing/log.ts";
import { printable, shortId } from "../plumbing/printable.ts";
import { type EventDetails, type EventName, MAX_EVENT_BYTES, MAX_NOTE, type TraceEvent } from "./events.ts";

/**
 * The clock stops here: the last number that JSON carries exactly, and that every peer takes. No frame may
 * push it further.
 */
export const MAX_CLOCK = Number.MAX_SAFE_INTEGER;

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
      clock = Math.min(Math.max(clock, details.heard ?? 0) + 1, MAX_CLOCK);
      const isDetail = DETAILS.has(event);
      const isLogged = isDetail ? logsDetails : logged;
      // At `warn` nothing is formatted: that would cost more than the message itself.
      if (outlets.length === 0 && !isLogged) return clock;
      const note = details.note === undefined ? undefined : cutNote(details.note);
      if (outlets.length > 0) {
        const whole = { event, process, clock, at: Date.now(), ...details };
        if (note !== undefined) whole.note = note;
        if (details.ackedBy && !hasRoom(details.ackedBy)) delete whole.ackedBy;
        for (const outlet of outlets) outlet(whole);
      }
      if (isLogged) log.log(isDetail ? "debug" : "info", describe(event, { ...details, note }));
      return clock;
    },
  };
}

/** A peer may have said any of it: nothing that a terminal would obey, and cut after that, as it makes it longer. */
function cutNote(note: string): string {
  const shown = printable(note.slice(0, MAX_NOTE + 1)).replace(/\p{Surrogate}/gu, "\ufffd");
  if (shown.length <= MAX_NOTE) return shown;
  return `${shown.slice(0, MAX_NOTE - 1).replace(/\p{Surrogate}$/u, "")}…`;
}

function hasRoom(ids: readonly string[]): boolean {
  return Buffer.byteLength(JSON.stringify(ids)) <= MAX_EVENT_BYTES - 4096;
}

/** Events that a line nearby says already, or the start and the end of the log itself: only at `debug`. */
const DETAILS: ReadonlySet<EventName> = new Set([
  "started",
  "stopped",
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
  const { attempt, from = "somebody" } = details;
  const receiver = shortId(details.receiver ?? "?");
  const id = shortId(details.message ?? "?");
  const message = attempt === undefined ? `message ${id}` : `message ${id}, attempt ${attempt}`;
  return WORDS[event]({ ...details, receiver, message, from });
}

const change = (what: string) => (d: EventDetails) => `${d.receiver} ${what}, ${d.note}`;

const WORDS: Record<EventName, (details: EventDetails) => string> = {
  started: () => "started",
  stopped: () => "stopped",
  listed: (d) => `listed: ${d.note}`,
  sent: (d) => `${d.message}: sent to ${d.receiver}`,
  retried: (d) => `${d.message}: sent again to ${d.receiver}`,
  "ack received": (d) =>
    `${d.message}: acked by ${d.receiver}${d.duplicate ? ", which processed it before" : ""}`,
  "ack ignored": (d) => `${d.message}: an ack of ${d.receiver}, nobody waits for it`,
  "timed out": (d) => `${d.message}, to ${d.receiver}: ${d.note}`,
  "connection failed": (d) => `${d.message}, to ${d.receiver}: ${d.note}`,
  "gave up": (d) => `${d.message}: gave up on ${d.receiver}, ${d.outcome}: ${d.note}`,
  "group acked": (d) => `${d.message}: acked by ${d.ackedBy?.length}, ${d.need} needed`,
  joined: (d) => `registered as ${d.receiver}, ${d.note}`,
  received: (d) => `${d.message}, from ${d.from}: received${d.duplicate ? ", a duplicate" : ""}`,
  fault: (d) => `${d.message}, from ${d.from}: ${d.note}`,
  processed: (d) => `${d.message}, from ${d.from}: processed ${d.note}`,
  acked: (d) => `${d.message}: acked${d.duplicate ? " again as a duplicate, not processed again" : ""}`,
  registered: change("registered"),
  heartbeat: (d) => `heartbeat of ${d.receiver}`,
  left: change("left"),
  expired: change("expired"),
  replaced: change("replaced"),
  unreachable: (d) => `nothing is heard of ${d.from} any more`,
  reachable: (d) => `${d.from} is heard again`,
  killed: (d) => `the desk killed ${d.from}`,
  suspended: (d) => `the desk suspended ${d.from}`,
  resumed: (d) => `the desk resumed ${d.from}`,
  "told to end": (d) => `the desk told ${d.from} to end`,
  launched: (d) => `the desk started ${d.from}`,
  "given fault": (d) => `the desk chose what the next message meets at ${d.from}: ${d.fault}`,
  "given rate": (d) => `the desk gave ${d.from} the fault rate ${d.note}`,
};
