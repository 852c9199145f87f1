/** Writes the events of a process to a file, one JSON object a line. */
import { openSync, writeSync } from "node:fs";
import type { Outlet } from "./trace.ts";

/**
 * Opens a record for appending. Each event is one write in append mode, done before the function
 * returns: the system has it before anything that the event causes leaves the process, so a `kill -9`
 * leaves a line whole or absent. Several processes may append to the same file.
 *
 * @throws {Error} "Cannot record to …" when the file can't be opened; the outlet does when it can't be
 * written, once: after that it drops what comes, so that the role can end in order
 */
export function openRecord(file: string): Outlet {
  const fail = (error: unknown): never => {
    throw new Error(`Cannot record to ${file}: ${(error as Error).message}`, { cause: error });
  };
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "a");
  } catch (error) {
    fail(error);
  }
  return (event) => {
    if (descriptor === undefined) return;
    try {
      writeSync(descriptor, `${JSON.stringify(event)}\n`);
    } catch (error) {
      descriptor = undefined;
      fail(error);
    }
  };
}
