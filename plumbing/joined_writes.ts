/** Joins the texts that are written to a stream in the same tick. lib/framing.ts writes its frames by it. */
import type { Writable } from "node:stream";

/**
 * A write each would be a system call each, and `cork` hands Node an object and a copy for each. All of a tick in one, on
 * the other hand, would have the peer wait for the last of them before it gets the first.
 */
const JOINED_CHARACTERS = 4096;

/** What is to be written at the end of this tick. */
const unwritten = new WeakMap<Writable, string>();

/** @returns false when the peer reads more slowly than we write (see `stream.write`) */
export function writeSoon(stream: Writable, text: string): boolean {
  const before = unwritten.get(stream);
  if (before === undefined) process.nextTick(flush, stream);
  const joined = (before ?? "") + text;
  const isEnough = joined.length > JOINED_CHARACTERS;
  unwritten.set(stream, isEnough ? "" : joined);
  return isEnough ? stream.write(joined) : !stream.writableNeedDrain;
}

/** Writes what waits for the end of the tick. Who ends a stream calls it first. */
export function flush(stream: Writable): void {
  const text = unwritten.get(stream);
  unwritten.delete(stream);
  if (text) stream.write(text);
}
