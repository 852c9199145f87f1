/**
 * Writes what has a long body. Its JSON is made once: for all of the group, for many messages, and for whoever is asked
 * again. lib/framing.ts writes its frames by it.
 */
import type { Writable } from "node:stream";
import { flush } from "./joined_writes.ts";

const LONG_CHARACTERS = 4096; // a shorter one isn't worth it

let last = { text: "", json: Buffer.alloc(0) };

export function hasLongBody(value: { body?: unknown }): value is { body: string } {
  return typeof value.body === "string" && value.body.length >= LONG_CHARACTERS;
}

/** Writes it as a line of JSON. @returns false when the peer reads more slowly than we write (see `stream.write`) */
export function writeLongLine(stream: Writable, value: { body: string }): boolean {
  // A quotation mark within a text has a backslash before it: this is found in one place only.
  const [before, after] = JSON.stringify({ ...value, body: "" }).split('"body":""');
  if (value.body !== last.text) last = { text: value.body, json: Buffer.from(JSON.stringify(value.body)) };
  flush(stream);
  stream.cork();
  stream.write(`${before}"body":`);
  stream.write(last.json);
  const hasRoom = stream.write(`${after}\n`);
  stream.uncork();
  return hasRoom;
}
