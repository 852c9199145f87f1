/**
 * A story in which all goes wrong that can, told event by event, for the tests of what the page draws.
 */
import type { TraceEvent } from "../trace/events.ts";
import { told } from "./page_helpers.ts";

export const STORY_MS = 17_000; // so long it takes
const RECEIVERS = ["id-amber", "id-beryl", "id-coral", "id-denim", "id-ebony", "id-fawny"];
export const CLIENT = "client-1";
const nameOf = (id: string) => id.replace("id-", "r-");

/** A group of six comes together; each message meets what it is called after; then the client ends. */
export function storyAt(start: number): TraceEvent[] {
  const events = [
    ...together(),
    // Its receiver is killed: nobody tells it.
    sent(1000, "m-killed", "id-coral", 2000),
    c(3000, "timed out", "m-killed", "id-coral"),
    sent(4000, "m-lost", "id-amber"),
    fault(4001, "m-lost", "id-amber", "lost"),
    c(5000, "timed out", "m-lost", "id-amber"),
    sent(6000, "m-lost-ack", "id-beryl"),
    ...processed(6001, "m-lost-ack", "id-beryl"),
    fault(6002, "m-lost-ack", "id-beryl", "lost-ack"),
    c(7000, "timed out", "m-lost-ack", "id-beryl"),
    sent(8000, "m-silent", "id-amber"),
    r(8001, "received", "m-silent", "id-amber"),
    fault(8002, "m-silent", "id-amber", "silent"),
    c(9000, "timed out", "m-silent", "id-amber"),
    ...crashAndMove(),
    ...toTheGroup(),
    ...comingAndGoing(),
    sent(15_000, "m-late", "id-amber"),
    ...processed(15_001, "m-late", "id-amber"),
    fault(15_002, "m-late", "id-amber", "late-ack"),
    c(16_000, "timed out", "m-late", "id-amber"),
    { ...r(16_500, "acked", "m-late", "id-amber"), clock: 777 },
    { ...c(16_501, "ack ignored", "m-late", "id-amber"), heard: 777 },
    told(CLIENT, STORY_MS, "stopped"),
  ];
  return events.map((event) => ({ ...event, at: start + event.at, clock: Math.max(1, event.clock) }));
}

function together(): TraceEvent[] {
  return [
    told("discovery", 1, "started"),
    ...RECEIVERS.flatMap((id, index) => joined(10 + index, id, `a:${index + 1}`)),
    told(CLIENT, 100, "started"),
  ];
}

function joined(at: number, receiver: string, note: string): TraceEvent[] {
  const lease = 60_000;
  return [
    told("discovery", at, "registered", { receiver, note, lease }),
    told(nameOf(receiver), at, "joined", { receiver, note }),
  ];
}

/** To any: the first crashes, another gets it too. */
function crashAndMove(): TraceEvent[] {
  const second = { attempt: 2 };
  return [
    sent(10_000, "m-any", "id-denim"),
    r(10_001, "received", "m-any", "id-denim"),
    fault(10_002, "m-any", "id-denim", "exit"),
    c(11_000, "timed out", "m-any", "id-denim"),
    c(11_001, "retried", "m-any", "id-beryl", { ...second, timeout: 1000 }),
    ...processed(11_002, "m-any", "id-beryl").map((event) => ({ ...event, ...second })),
    { ...r(11_003, "acked", "m-any", "id-beryl", second), clock: 555 },
    c(11_004, "ack received", "m-any", "id-beryl", { ...second, heard: 555 }),
  ];
}

function toTheGroup(): TraceEvent[] {
  const members = ["id-amber", "id-beryl", "id-ebony"];
  return [
    ...members.map((id) => sent(12_000, "m-group", id)),
    ...members.flatMap((id) => processed(12_002, "m-group", id)),
    { ...r(12_003, "acked", "m-group", "id-amber"), clock: 601 },
    { ...r(12_003, "acked", "m-group", "id-beryl"), clock: 602 },
    c(12_300, "ack received", "m-group", "id-amber", { heard: 601 }),
    c(12_400, "ack received", "m-group", "id-beryl", { heard: 602 }),
    told(CLIENT, 12_400, "group acked", { message: "m-group", need: 2, ackedBy: ["id-amber", "id-beryl"] }),
    c(12_900, "gave up", "m-group", "id-ebony", { outcome: "unknown", note: "enough others have acked" }),
  ];
}

function comingAndGoing(): TraceEvent[] {
  const away = (event: TraceEvent["event"], at: number, receiver: string) =>
    told("discovery", at, event, { receiver });
  return [
    away("left", 13_000, "id-ebony"),
    told(nameOf("id-ebony"), 13_001, "left", { receiver: "id-ebony" }),
    away("replaced", 13_500, "id-fawny"),
    ...joined(13_700, "id-frost", "a:6").map((event) =>
      event.process === "discovery" ? event : { ...event, process: nameOf("id-fawny") },
    ),
    away("expired", 14_000, "id-coral"),
  ];
}

/** Of the client. */
function c(
  at: number,
  event: TraceEvent["event"],
  message: string,
  receiver: string,
  details: Partial<TraceEvent> = {},
): TraceEvent {
  return told(CLIENT, at, event, { message, receiver, attempt: 1, ...details });
}

export function sent(at: number, message: string, receiver: string, timeout = 1000): TraceEvent {
  return c(at, "sent", message, receiver, { timeout });
}

/** Of the receiver. */
function r(
  at: number,
  event: TraceEvent["event"],
  message: string,
  receiver: string,
  details: Partial<TraceEvent> = {},
): TraceEvent {
  return told(nameOf(receiver), at, event, { message, receiver, attempt: 1, from: CLIENT, ...details });
}

function processed(at: number, message: string, receiver: string): TraceEvent[] {
  return [r(at, "received", message, receiver), r(at + 1, "processed", message, receiver, { note: "hello" })];
}

function fault(at: number, message: string, receiver: string, name: string): TraceEvent {
  return r(at, "fault", message, receiver, { fault: name });
}

/** A round trip to each of these that takes so many milliseconds there, and one back. */
export function roundTrips(at: number, message: string, thereMs: Record<string, number>): TraceEvent[] {
  const all = Object.entries(thereMs);
  return [
    ...all.map(([id]) => sent(at, message, id, 5000)),
    ...all.flatMap(([id, ms], index) => [
      ...processed(at + ms, message, id).map((event) => ({ ...event, at: at + ms })),
      { ...r(at + ms, "acked", message, id), clock: at + index },
      c(at + ms + 1, "ack received", message, id, { heard: at + index }),
    ]),
  ];
}
