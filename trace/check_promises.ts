/** The promises of the protocol, and a check for each; `check_record.ts` reads the records and calls `checkRecord`. */
import type { EventName, TraceEvent } from "./events.ts";
import { MAX_CLOCK } from "./trace.ts";

export const PROMISES = {
  "acked only what was processed": "no ack for a message that was never processed",
  "processed once": "no message processed twice by one receiver",
  "acked means processed": "what a client calls acked was processed by whom it asked",
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

/** What the checks look up: who is who, and where something happened. */
interface Run {
  broken: Verdict["broken"];
  unclear: Set<string>;
  recorded: Set<string>; // processes
  processOf: Map<string, string>; // by receiver id
  atTime: Map<string, RecordedEvent>; // by process, Lamport time, event and message
  processed: Map<string, RecordedEvent[]>; // by process and message
  lifeOf: Map<RecordedEvent, number>; // a process that is started again under its name has another life
  acks: Map<string, Set<string>>; // who acked, as ids, by client and message
  ended: Set<string>; // client and message
}

/** Checks the events of a run; those of one process in the order in which they were recorded. */
export function checkRecord(events: readonly RecordedEvent[]): Verdict {
  const run = lookUp(events);
  for (const event of events) {
    if (event.event === "acked") checkProcessed(run, "acked only what was processed", event.process, event);
    if (event.event === "received") checkReceived(run, event);
    if (event.event === "ack received" || event.event === "ack ignored") checkAck(run, event);
    if (event.event === "group acked") checkNeed(run, event);
    if (event.event === "sent" && !run.ended.has(`${event.process} ${event.message}`))
      run.unclear.add(`${event.process} sent ${event.message}, and never came to an end with it`);
    if (event.clock === MAX_CLOCK) run.unclear.add(`the clock of ${event.process} has come to its end`);
  }
  return { broken: run.broken, unclear: [...run.unclear] };
}

function breaks(run: Run, promise: Promised, why: string, ...at: RecordedEvent[]): void {
  run.broken.push({ promise, why, where: at.map(({ where }) => where) });
}

/** Goes through the events once, process by process, and checks what each says of itself alone. */
function lookUp(events: readonly RecordedEvent[]): Run {
  const maps = {
    processOf: new Map(),
    atTime: new Map(),
    processed: new Map(),
    lifeOf: new Map(),
    acks: new Map(),
  };
  const run: Run = { broken: [], unclear: new Set(), recorded: new Set(), ended: new Set(), ...maps };
  const lastOf = new Map<string, RecordedEvent>();
  for (const event of events) {
    const { process, clock, message, receiver = "" } = event;
    const before = lastOf.get(process);
    // The first event of a life has the time 1, if it heard nothing.
    const isReborn = clock === 1 && event.heard === undefined;
    if (before && !isReborn) checkClock(run, before, event);
    run.lifeOf.set(event, (before ? (run.lifeOf.get(before) ?? 1) : 0) + (isReborn || !before ? 1 : 0));
    lastOf.set(process, event);
    run.recorded.add(process);
    run.atTime.set(`${process} ${clock} ${event.event} ${message}`, event);
    if (event.event === "joined") run.processOf.set(receiver, process);
    if (ENDS.has(event.event)) run.ended.add(`${process} ${message}`);
    if (event.event === "ack received") addTo(run.acks, `${process} ${message}`, receiver);
    if (event.event === "processed") checkOnce(run, event);
  }
  return run;
}

/** The promise is one of a process, which forgets what it did when it is started again. */
function checkOnce(run: Run, event: RecordedEvent): void {
  const key = `${event.process} ${event.message}`;
  const others = run.processed.get(key) ?? [];
  const first = others.find((other) => run.lifeOf.get(other) === run.lifeOf.get(event));
  if (first) breaks(run, "processed once", `${event.process} processed ${event.message} again`, first, event);
  run.processed.set(key, [...others, event]);
}

const ENDS: ReadonlySet<EventName> = new Set(["ack received", "gave up", "group acked"]);

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(value));
}

function checkClock(run: Run, before: RecordedEvent, event: RecordedEvent): void {
  if (before.clock < event.clock || event.clock === MAX_CLOCK) return;
  const why = `the clock of ${event.process} goes from ${before.clock} to ${event.clock}`;
  breaks(run, "no effect before its cause", why, before, event);
}

/** Whether `process` processed the message of `event`; before that, where the clocks can say so. */
function checkProcessed(run: Run, promise: Promised, process: string, event: RecordedEvent): void {
  const all = run.processed.get(`${process} ${event.message}`) ?? [];
  const isOwn = event.process === process;
  const found = isOwn ? all.filter((each) => run.lifeOf.get(each) === run.lifeOf.get(event)) : all;
  const isOrdered = (isOwn || event.heard !== undefined) && event.clock !== MAX_CLOCK && found.length === 1;
  const [first] = found;
  if (!first) breaks(run, promise, `${process} never processed ${event.message}`, event);
  else if (isOrdered && first.clock >= event.clock)
    breaks(run, promise, `${process} processed ${event.message} only later`, event, first);
}

/** Whether what was heard was said: by that process, at that time, about that message. */
function checkCause(run: Run, process: string, names: readonly EventName[], event: RecordedEvent): void {
  const { heard, clock, message } = event;
  const promise = "no effect before its cause";
  if (heard === undefined || heard === MAX_CLOCK) return;
  if (heard >= clock) breaks(run, promise, `time ${clock} is not after its cause at ${heard}`, event);
  if (names.some((name) => run.atTime.has(`${process} ${heard} ${name} ${message}`))) return;
  breaks(run, promise, `${process} has no "${names[0]}" of ${message} at time ${heard}`, event);
}

function checkReceived(run: Run, event: RecordedEvent): void {
  const { from } = event;
  if (from === undefined) return;
  if (run.recorded.has(from)) checkCause(run, from, ["sent", "retried"], event);
  else run.unclear.add(`${from} sent messages, and its record is not here`);
}

/** The receiver of an ack is who was asked, whatever it calls itself. */
function checkAck(run: Run, event: RecordedEvent): void {
  const process = run.processOf.get(event.receiver ?? "");
  if (process === undefined) {
    run.unclear.add(`receiver ${event.receiver} acked messages, and its record is not here`);
    return;
  }
  if (event.event === "ack received") checkProcessed(run, "acked means processed", process, event);
  checkCause(run, process, ["acked"], event);
}

function checkNeed(run: Run, event: RecordedEvent): void {
  const { process, message, ackedBy = [], need = 1 } = event;
  const acks = run.acks.get(`${process} ${message}`);
  const ackers = new Set(ackedBy.filter((id) => acks?.has(id))).size;
  if (ackers < Math.max(1, need))
    breaks(run, "group sends met their need", `${message} needed ${need} acks and had ${ackers}`, event);
}
