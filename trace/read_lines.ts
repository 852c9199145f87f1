/** Reads a file line by line, however long it is; read_records.ts does. */
import { closeSync, openSync, readSync, statSync } from "node:fs";

/** The longest line, in bytes. An event of ours has 512 KiB at most; older records have longer ones. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

export interface Line {
  text: string;
  /** It ends with a newline; only the last one may not. */
  isWhole: boolean;
}

/** @throws {Error} "Cannot read …" when there is no such file, or a line is too long */
export function* readLines(file: string): Generator<Line> {
  const descriptor = open(file);
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let begun: Buffer[] = []; // of a line that goes on in the next chunk
    let begunBytes = 0;
    let number = 1;
    for (let bytes = readSync(descriptor, chunk); bytes > 0; bytes = readSync(descriptor, chunk)) {
      const filled = chunk.subarray(0, bytes);
      let start = 0;
      for (let end = filled.indexOf(10); end !== -1; end = filled.indexOf(10, start)) {
        const last = filled.subarray(start, end);
        yield { text: (begunBytes ? Buffer.concat([...begun, last]) : last).toString(), isWhole: true };
        if (begunBytes) [begun, begunBytes] = [[], 0];
        start = end + 1;
        number += 1;
      }
      if (start < bytes) begun.push(Buffer.from(filled.subarray(start)));
      begunBytes += bytes - start;
      if (begunBytes > MAX_LINE_BYTES)
        throw new Error(`Cannot read ${file}:${number}: a line of more than 16 MiB; is it a record?`);
    }
    if (begunBytes) yield { text: Buffer.concat(begun).toString(), isWhole: false };
  } finally {
    closeSync(descriptor);
  }
}

function open(file: string): number {
  try {
    // To open a pipe would wait for who writes to it.
    if (statSync(file).isFile()) return openSync(file, "r");
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  throw new Error(
    `Cannot read ${file}: it is read more than once, so it must be a file: write it to one first`,
  );
}
