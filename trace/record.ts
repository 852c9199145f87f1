/** Writes the events of a process to a file, one JSON object a line. */
import { openSync, writeSync } from "node:fs";
import type { Outlet } from "./trace.ts";

/** Ends the program in order, as any error does that nobody catches (see plumbing/run.ts). */
function endProgram(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}

/**
 * Opens a record for appending. Each event is one write in append mode, done before the function
 * returns: the system has it before anything that the event causes leaves the process, so a `kill -9`
 * leaves a line whole or absent. Several processes may append to the same file.
 *
 * @throws {Error} "Cannot record to …" when the file can't be opened; the outlet does when it can't be
 * written, once, and tells `onFailure`. After that it drops what comes.
 */
export function openRecord(file: string, onFailure = endProgram): Outlet {
  const wrong = (error: unknown) =>
    new Error(`Cannot record to ${file}: ${(error as Error).message}`, { cause: error });
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "a");
  } catch (error) {
    throw wrong(error);
  }
  return (event) => {
    if (descriptor === undefined) return;
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    try {
      if (writeSync(descriptor, line) < line.length) throw new Error("no room for the whole of a line");
    } catch (error) {
      descriptor = undefined;
      const failure = wrong(error);
      onFailure(failure);
      throw failure; // what the event was to cause must not happen
    }
  };
}
