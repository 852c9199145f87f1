/**
 * The checker: reads what the processes of a run recorded (`--record`), and says whether the promises
 * of the protocol held, with the lines that break them.
 *
 *     tsx receiver.ts --record receiver.jsonl
 *     tsx client.ts --to all --count 10 --record client.jsonl
 *     npm run check-record -- receiver.jsonl client.jsonl
 *
 * It needs the records of all that took part: where one is missing, it can't tell.
 * Exit code 0: all held; 1: one is broken; 2: can't tell.
 */
import { readFileSync } from "node:fs";
import { readJson } from "../lib/messages.ts";
import { runIfMain } from "../plumbing/run.ts";
import { type TraceEvent, TraceEventSchema } from "./trace.ts";

export const PROMISES = {
  "acked only what was processed": "no ack for a message that was never processed",
  "processed once": "no message processed twice by one receiver",
  "acked means processed": "what a client calls acked was processed by whom it says",
  "no effect before its cause": "by the Lamport clocks, nothing comes before what caused it",
  "group sends met their need": "a send to the group that is called acked has as many acks as it needed",
} as const;
export type Promised = keyof typeof PROMISES;

/** An event, and where it stands (`file:line`). */
export interface RecordedEvent extends TraceEvent {
  where: string;
}

export interface Verdict {
  broken: { promise: Promised; why: string; where: string[] }[];
  /** What would have been needed to tell. */
  unclear: string[];
}

/** Checks the events of a run; those of one process in the order in which they were recorded. */
export function checkRecord(events: readonly RecordedEvent[]): Verdict {
  const broken: Verdict["broken"] = [];
  const unclear = new Set<string>();
  const breaks = (promise: Promised, why: string, ...at: RecordedEvent[]) =>
    broken.push({ promise, why, where: at.map(({ where }) => where) });

  // What is looked up below: events by process and Lamport time, by process and message, and who is who.
  const atTime = new Map<string, RecordedEvent>();
  const processed = new Map<string, RecordedEvent>();
  const ackReceived = new Map<string, RecordedEvent[]>();
  const processOf = new Map<string, string>(); // by receiver id
  const recorded = new Set(events.map(({ process }) => process));
  const lastOf = new Map<string, RecordedEvent>();
  for (const event of events) {
    const { process, clock, message, receiver } = event;
    const before = lastOf.get(process);
    if (before && before.clock >= clock) {
      breaks(
        "no effect before its cause",
        `the clock of ${process} goes from ${before.clock} to ${clock}`,
        before,
        event,
      );
    }
    lastOf.set(process, event);
    atTime.set(`${process} ${clock}`, event);
    if (event.event === "joined" && receiver) processOf.set(receiver, process);
    if (event.event === "ack received") {
      const key = `${process} ${message}`;
      ackReceived.set(key, [...(ackReceived.get(key) ?? []), event]);
    }
    if (event.event !== "processed") continue;
    const first = processed.get(`${process} ${message}`);
    if (first) breaks("processed once", `${process} processed ${message} again`, first, event);
    else processed.set(`${process} ${message}`, event);
  }

  /** Whether `process` processed the message of `event`, before that. */
  function checkProcessed(promise: Promised, process: string, event: RecordedEvent) {
    const found = processed.get(`${process} ${event.message}`);
    if (!found) breaks(promise, `${process} never processed ${event.message}`, event);
    else if (found.clock >= event.clock)
      breaks(promise, `${process} processed ${event.message} only later`, event, found);
  }

  /** Whether what was heard was said: by that process, at that time, about that message. */
  function checkCause(process: string, names: readonly TraceEvent["event"][], event: RecordedEvent) {
    const promise = "no effect before its cause";
    if (event.heard === undefined) return;
    if (event.heard >= event.clock)
      breaks(promise, `time ${event.clock} is not after its cause at ${event.heard}`, event);
    const cause = atTime.get(`${process} ${event.heard}`);
    if (cause && cause.message === event.message && names.includes(cause.event)) return;
    breaks(promise, `${process} has no "${names[0]}" of ${event.message} at time ${event.heard}`, event);
  }

  for (const event of events) {
    const { process, receiver, message, from } = event;
    if (event.event === "acked") checkProcessed("acked only what was processed", process, event);
    if (event.event === "received" && from !== undefined) {
      if (recorded.has(from)) checkCause(from, ["sent", "retried"], event);
      else unclear.add(`${from} sent messages, and its record is not here`);
    }
    if (event.event === "ack received") {
      const acker = processOf.get(receiver ?? "");
      if (acker === undefined) {
        unclear.add(`receiver ${receiver} acked messages, and its record is not here`);
        continue;
      }
      checkProcessed("acked means processed", acker, event);
      checkCause(acker, ["acked"], event);
    }
    if (event.event === "group acked") {
      const promise = "group sends met their need";
      const acks = ackReceived.get(`${process} ${message}`) ?? [];
      const ackers = new Set((event.ackedBy ?? []).filter((id) => acks.some((ack) => ack.receiver === id)));
      const need = Math.max(1, event.need ?? 1);
      if (ackers.size < need) breaks(promise, `${message} needed ${need} acks and had ${ackers.size}`, event);
    }
  }
  return { broken, unclear: [...unclear] };
}

/**
 * Reads one record. A last line that was cut (a full disk) counts as not written.
 *
 * @throws {Error} "Cannot read …" for a file that isn't there, or a line that is no event
 */
export function readRecord(file: string): RecordedEvent[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  const lines = text.split("\n");
  lines.pop(); // what follows the last newline is nothing, or a line that was cut
  return lines.map((line, index) => {
    const where = `${file}:${index + 1}`;
    const event = readJson(TraceEventSchema, line);
    if ("problem" in event) throw new Error(`Cannot read ${where}: ${event.problem}`);
    return { ...event.value, where };
  });
}

async function main(files: string[]): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  if (files.length === 0 || files.some((file) => file.startsWith("-"))) {
    say("Cannot check: name the records\nTry: npm run check-record -- receiver.jsonl client.jsonl");
    return 2;
  }
  let events: RecordedEvent[];
  try {
    events = files.flatMap(readRecord);
  } catch (error) {
    say((error as Error).message);
    return 2;
  }

  const { broken, unclear } = checkRecord(events);
  const processes = new Set(events.map(({ process }) => process)).size;
  say(`${events.length} events, ${processes} processes`);
  const isClear = unclear.length === 0 && events.length > 0;
  for (const [promise, meaning] of Object.entries(PROMISES)) {
    const found = broken.filter((each) => each.promise === promise);
    say(`${found.length > 0 ? "✖ broken" : isClear ? "✔ held  " : "? unclear"}  ${promise}: ${meaning}`);
    for (const { why, where } of found.slice(0, 10)) say(`    ${why} (${where.join(", ")})`);
    if (found.length > 10) say(`    … and ${found.length - 10} more`);
  }
  if (broken.length > 0) return 1;
  for (const why of unclear.slice(0, 10)) say(`? can't tell: ${why}`);
  if (events.length === 0) say("? can't tell: there is no event");
  return isClear ? 0 : 2;
}

await runIfMain(import.meta, main);
