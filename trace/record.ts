/** Writes the events of a process to a file, one JSON object a line: what `--record` asks for. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs";
import type { Outlet } from "./trace.ts";

const LOOK_EVERY_MS = 1000; // at the file itself, before an event is written

/** A record that is open, and what is known of it. */
interface OpenRecord {
  file: string;
  descriptor: number;
  /** No pipe, and no device: it keeps its place and what is in it. */
  isFile: boolean;
  /** Its bytes at the last look, and what this process wrote since. */
  size: number;
  /** Others append to it, too. */
  isShared: boolean;
  lookedAt: number; // by `performance.now()`
}

/** Ends the program in order, as any error does that nobody catches (see plumbing/run.ts). */
function endProgram(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}

/**
 * Opens a record for appending. Each event is one write in append mode, done before the function
 * returns: the system has it before anything that the event causes leaves the process. A `kill -9` leaves
 * a line whole or absent, or cuts it where a page of memory ends (Linux looks for one between two pages):
 * that line counts as not written, and nothing came of it. Several processes may append to the same file.
 *
 * @throws {Error} "Cannot record to …" when the file can't be opened; the outlet does when it can't be
 * written, or is deleted, renamed or made shorter, once, and tells `onFailure`. After that it drops what comes.
 */
export function openRecord(file: string, onFailure = endProgram): Outlet {
  const wrong = (error: unknown) =>
    new Error(`Cannot record to ${file}: ${(error as Error).message}`, { cause: error });
  let record: OpenRecord | undefined;
  try {
    record = open(file);
  } catch (error) {
    throw wrong(error);
  }
  return (event) => {
    if (record === undefined) return;
    try {
      if (record.isFile && performance.now() - record.lookedAt >= LOOK_EVERY_MS) look(record);
      write(record, `${JSON.stringify(event)}\n`);
    } catch (error) {
      record = undefined;
      const failure = wrong(error);
      onFailure(failure);
      throw failure; // what the event was to cause must not happen
    }
  };
}

function open(file: string): OpenRecord {
  const descriptor = openSync(file, "a");
  const stats = fstatSync(descriptor);
  const [isFile, size] = [stats.isFile(), stats.size];
  const record = { file, descriptor, isFile, size, isShared: false, lookedAt: performance.now() };
  // A line that was cut stays for itself. Two that begin at once leave an empty line, which is one as well.
  if (isFile && size > 0 && !endsALine(file, size)) write(record, "\n");
  return record;
}

function endsALine(file: string, size: number): boolean {
  const descriptor = openSync(file, "r");
  try {
    const last = Buffer.alloc(1);
    return readSync(descriptor, last, 0, 1, size - 1) === 0 || last.toString() === "\n";
  } finally {
    closeSync(descriptor);
  }
}

/** Whether what was written is still there: a record with a hole looks like a promise that was broken. */
function look(record: OpenRecord): void {
  const { file, descriptor } = record;
  record.lookedAt = performance.now();
  const { size, ino, dev } = fstatSync(descriptor);
  const there = statSync(file, { throwIfNoEntry: false });
  if (there?.ino !== ino || there.dev !== dev)
    throw new Error("it was deleted or renamed meanwhile; start again to begin a new one");
  if (size < record.size) throw new Error("it was made shorter meanwhile; start again with a new one");
  record.isShared ||= size > record.size;
  record.size = size;
}

function write(record: OpenRecord, text: string): void {
  const line = Buffer.from(text);
  const written = writeSync(record.descriptor, line);
  record.size += written;
  if (written === line.length) return;
  if (record.isFile) takeBack(record, written);
  throw new Error("no room for the whole of a line");
}

/**
 * Cuts half a line off again, where nobody else writes. Where several do, it stays: what follows it may be
 * another's line by now. (One that writes for the first time between the two calls would lose that line.)
 */
function takeBack({ descriptor, size, isShared }: OpenRecord, written: number): void {
  if (!isShared && fstatSync(descriptor).size === size) ftruncateSync(descriptor, size - written);
}
