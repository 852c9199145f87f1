/** Files of groups, for tests: made when they are asked for, and gone when the tests of a file are over. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeGroupFile } from "../group_file.ts";
import { type GroupFile, readGroupFile } from "../plumbing/group_file.ts";

const DAY_MS = 24 * 3600 * 1000;
const folder = mkdtempSync(join(tmpdir(), "group-"));
process.once("exit", () => rmSync(folder, { recursive: true }));

/** Writes a file that begins and ends so many days from now. @returns its name */
export async function writeGroupFile(name: string, { from = -1, until = 1 } = {}): Promise<string> {
  const file = join(folder, name);
  const at = (days: number) => new Date(Date.now() + days * DAY_MS);
  writeFileSync(file, await makeGroupFile(at(from), at(until)), { mode: 0o600 });
  return file;
}

/** Reads files as if it were so many days earlier: one that has expired could be read then. */
export function readThen(days: number, ...files: string[]): GroupFile {
  return readGroupFile(files.join(","), Date.now() - days * DAY_MS);
}
