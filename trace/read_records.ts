/** Reads what was recorded, event by event, as often as it is asked; the checker and the tests of records do. */
import { readJson } from "../plumbing/read_json.ts";
import { type TraceEvent, TraceEventSchema } from "./events.ts";
import { createHashTable, type HashTable } from "./hash_table.ts";
import { type Line, readLines } from "./read_lines.ts";

/** An event, and where it stands (`file:line`). */
export interface RecordedEvent extends TraceEvent {
  where: string;
}

export interface Records extends Iterable<RecordedEvent> {
  /** Where lines stand that were cut, and so not written; of many, the first. Filled by reading. */
  cut: readonly string[];
}

const MAX_NAMED = 1000; // cut lines

/** What is known once all was read. */
interface Known {
  cut: string[];
  /** Of each line of all files, whether it was cut, or holds an event that stands in a line before it, too. */
  isSkipped: Uint8Array;
  lines: number[]; // of each file: a record may grow while it is read
  isWhole: boolean; // all was read
}

/**
 * All that was recorded, each event once: a file may be named twice, and the monitor keeps the same events.
 * Each time that it is gone through the files are read anew, so that no event needs to be kept.
 *
 * @throws {Error} "Cannot read …" while it is gone through, for a file that isn't there, or a line that is
 * JSON but no event
 */
export function readRecords(files: readonly string[]): Records {
  const known: Known = { cut: [], isSkipped: new Uint8Array(1024), lines: [], isWhole: false };
  return {
    get cut() {
      return known.cut;
    },
    [Symbol.iterator]: () => (known.isWhole ? readAgain(files, known) : readFirst(files, known)),
  };
}

function* readFirst(files: readonly string[], known: Known): Generator<RecordedEvent> {
  Object.assign(known, { cut: [], lines: [] });
  const seen = createHashTable();
  let line = 0;
  for (const file of files) {
    let number = 0;
    for (const each of readLines(file)) {
      number += 1;
      const event = readEvent(each, file, number);
      const isSkipped = event === undefined || isSeen(seen, event);
      if (line === known.isSkipped.length) known.isSkipped = twice(known.isSkipped);
      known.isSkipped[line++] = isSkipped ? 1 : 0;
      if (!isSkipped) yield withPlace(event, file, number);
      if (!event && known.cut.length < MAX_NAMED) known.cut.push(`${file}:${number}`);
    }
    known.lines.push(number);
  }
  known.isWhole = true;
}

/** What was checked against the schema is so no more: that would be a fifth of the time. */
function* readAgain(files: readonly string[], { isSkipped, lines }: Known): Generator<RecordedEvent> {
  let line = 0;
  for (const [index, file] of files.entries()) {
    let number = 0;
    for (const { text } of readLines(file)) {
      if (number === lines[index]) break;
      number += 1;
      if (!isSkipped[line++]) yield withPlace(JSON.parse(text), file, number);
    }
    if (number !== lines[index])
      throw new Error(`Cannot read ${file}: it was made shorter meanwhile; try again`);
  }
}

function withPlace(event: TraceEvent, file: string, number: number): RecordedEvent {
  const placed = event as RecordedEvent;
  placed.where = `${file}:${number}`;
  return placed;
}

/** @returns undefined for a line that was cut: one that is no JSON, or the last one without its newline */
function readEvent({ text, isWhole }: Line, file: string, number: number): TraceEvent | undefined {
  const event = readJson(TraceEventSchema, text);
  if ("value" in event) return isWhole ? event.value : undefined;
  if (!isWhole || !isJson(text)) return undefined;
  throw new Error(`Cannot read ${file}:${number}: ${event.problem}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The schema puts the fields in its own order, whoever wrote them down. */
function isSeen(seen: HashTable, event: TraceEvent): boolean {
  const before = seen.size;
  seen.add(JSON.stringify(event));
  return seen.size === before;
}

function twice(bytes: Uint8Array): Uint8Array {
  const more = new Uint8Array(2 * bytes.length);
  more.set(bytes);
  return more;
}
