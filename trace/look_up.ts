/**
 * Goes through the events once, and makes of them what the checks look up: who is who, and what happened.
 * Checks on the way what a process says of itself alone. check_promises.ts calls it.
 */
import type { EventName } from "./events.ts";
import { breaks, type Findings, repeats } from "./findings.ts";
import { createHashTable, type HashTable, type Key } from "./hash_table.ts";
import type { RecordedEvent } from "./read_records.ts";
import { MAX_CLOCK } from "./trace.ts";

/** Processes, and ids of receivers; each may have 128 characters. */
export const MAX_NAMES = 1_000_000;

/** A process, from its start to its end; one that is started again under its name has another life. */
interface Life {
  first: number; // of its events: it stands for the life
  last: number;
  clock: number; // of the last
  address: string | undefined; // that it registered, host:port
}

export type LookUp = ReturnType<typeof createLookUp>;

function createLookUp() {
  return {
    events: 0,
    /** The last one, by process. */
    lives: new Map<string, Life>(),
    processOf: new Map<string, string>(), // by receiver id
    /** What was said at a Lamport time, and whose acks a client received. */
    facts: createHashTable(),
    /** By client and message, those that came to an end: how many receivers acked. */
    ended: createHashTable(1),
    /** By life, process or address, and message: CLOCK and EVENT of its processing. */
    processed: createHashTable(2),
  };
}
/** Where in `processed` the Lamport time stands, and the number of the event. */
export const CLOCK = 0;
export const EVENT = 1;
/** Instead of the time: it was processed more than once, and nothing can be told of the order. */
export const SEVERAL = 0;

const ENDS: ReadonlySet<EventName> = new Set(["ack received", "gave up", "group acked"]);
const SAID: ReadonlySet<EventName> = new Set(["sent", "retried", "acked"]);

export function lookUp(events: Iterable<RecordedEvent>, findings: Findings): LookUp {
  const found = createLookUp();
  const { facts, ended } = found;
  for (const event of events) {
    const { process, clock, event: name, message = "", receiver = "" } = event;
    const life = enterLife(found, findings, event);
    if (name === "joined") {
      life.address = event.note;
      addName(found.processOf, receiver, process);
    }
    if (SAID.has(name)) facts.add("said", process, clock, name, message);
    if (ENDS.has(name)) ended.add(process, message);
    if (name === "ack received" && facts.find("ack", process, message, receiver) < 0) {
      facts.add("ack", process, message, receiver);
      const at = ended.add(process, message);
      ended.values[at] = (ended.values[at] ?? 0) + 1;
    }
    if (name === "processed") checkOnce(found, findings, life, event);
    found.events += 1;
  }
  return found;
}

function addName<T>(names: Map<string, T>, name: string, value: T): void {
  if (names.size >= MAX_NAMES && !names.has(name))
    throw new Error(`Cannot check: more than ${MAX_NAMES} processes or receivers; check a shorter run`);
  names.set(name, value);
}

/** The first event of a life has the time 1, if it heard nothing. */
export function beginsLife({ clock, heard }: RecordedEvent): boolean {
  return clock === 1 && heard === undefined;
}

function enterLife({ lives, events: number }: LookUp, findings: Findings, event: RecordedEvent): Life {
  const { process, clock } = event;
  const life = lives.get(process);
  if (life === undefined || beginsLife(event)) {
    const born = { first: number, last: number, clock, address: undefined };
    addName(lives, process, born);
    return born;
  }
  if (life.clock >= clock && clock !== MAX_CLOCK) {
    const why = `the clock of ${process} goes from ${life.clock} to ${clock}`;
    breaks(findings, "no effect before its cause", why, life.last, number);
  }
  life.last = number;
  life.clock = clock;
  return life;
}

/** The promise is one of a process, which forgets what it did when it is started again. */
function checkOnce(found: LookUp, findings: Findings, life: Life, event: RecordedEvent): void {
  const { process, message = "", clock } = event;
  const { processed, events: number } = found;
  const keep = (kind: string, who: string | number) =>
    keepFirst(processed, [kind, who, message], clock, number);
  const inLife = keep("life", life.first);
  const byProcess = keep("process", process);
  const atAddress = life.address === undefined ? undefined : keep("address", life.address);
  if (inLife !== undefined)
    breaks(findings, "processed once", `${process} processed ${message} again`, inLife, number);
  else if (byProcess !== undefined)
    repeats(findings, `${process}, started again, processed ${message} again`, byProcess, number);
  else if (atAddress !== undefined)
    repeats(
      findings,
      `${process} processed ${message}, as did another at ${life.address}`,
      atAddress,
      number,
    );
}

/** @returns the number of the first processing, if this is another one */
function keepFirst(processed: HashTable, key: Key, clock: number, number: number): number | undefined {
  const size = processed.size;
  const at = processed.add(...key);
  const { values } = processed;
  const isFirst = processed.size > size;
  values[at + CLOCK] = isFirst ? clock : SEVERAL;
  if (!isFirst) return values[at + EVENT];
  values[at + EVENT] = number;
  return undefined;
}
