/** What the checks find, kept as numbers of events until the end; check_promises.ts makes a verdict of it. */
import type { Promised } from "./check_promises.ts";
import type { RecordedEvent } from "./read_records.ts";

/** So many are kept of each promise, and of what else is found: who mends the first mends the others. */
export const MAX_FOUND = 1000;

/** Something that was found, and where it stands (`file:line`). */
export interface Found {
  why: string;
  where: string[];
}

export interface Verdict {
  broken: (Found & { promise: Promised })[];
  /** What would have been needed to tell. */
  unclear: string[];
  /** No broken promise, but good to know: processed again by another life, or by another receiver at the address. */
  repeated: Found[];
  /** How many there were. */
  events: number;
  processes: number;
}

interface Noted {
  why: string;
  events: number[];
}

export interface Findings {
  broken: Map<Promised, Noted[]>;
  unclear: Set<string>;
  repeated: Noted[];
}

export function createFindings(): Findings {
  return { broken: new Map(), unclear: new Set(), repeated: [] };
}

/** A promise is broken, by the events with these numbers. */
export function breaks(findings: Findings, promise: Promised, why: string, ...events: number[]): void {
  const found = findings.broken.get(promise) ?? [];
  if (found.length < MAX_FOUND) found.push({ why, events });
  findings.broken.set(promise, found);
}

export function lacks({ unclear }: Findings, why: string): void {
  if (unclear.size < MAX_FOUND) unclear.add(why);
}

export function repeats({ repeated }: Findings, why: string, ...events: number[]): void {
  if (repeated.length < MAX_FOUND) repeated.push({ why, events });
}

/** Goes through the events once more, where something was found, to say where it stands. */
export function locate({ broken, unclear, repeated }: Findings, events: Iterable<RecordedEvent>) {
  const all = [...broken.values(), repeated].flat();
  const where = new Map(all.flatMap((each) => each.events).map((number) => [number, ""]));
  let [number, missing] = [0, where.size];
  if (missing > 0)
    for (const event of events) {
      if (where.has(number)) where.set(number, event.where);
      if (where.has(number++) && --missing === 0) break;
    }
  const found = ({ why, events }: Noted): Found => ({
    why,
    where: events.map((each) => where.get(each) ?? ""),
  });
  return {
    broken: [...broken].flatMap(([promise, each]) => each.map((noted) => ({ promise, ...found(noted) }))),
    unclear: [...unclear],
    repeated: repeated.map(found),
  };
}
