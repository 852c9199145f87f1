/**
 * Answers that can be long, and those who are slow to read them. The servers' handlers answer through this: what
 * is held for peers has one bound over all connections, and what several get is counted once.
 */
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "hono";
import { reset } from "./reset.ts";

/** Of all answers of this process that are not read yet. */
export const MAX_UNREAD_BYTES = 40 * 1024 * 1024;

/** How long a peer may take for a piece of an answer that comes in pieces. */
const PIECE_WITHIN_MS = 10_000;
const ROOM_AGAIN_MS = 50;

const unread = new Map<Uint8Array, number>(); // by how many it has yet to be read
let unreadBytes = 0;

/**
 * Counts bytes as held for somebody.
 *
 * @returns what to call when they are read, once or several times; undefined if there is no room
 */
export function hold(bytes: Uint8Array): (() => void) | undefined {
  const readers = unread.get(bytes) ?? 0;
  if (readers === 0 && unreadBytes + bytes.length > MAX_UNREAD_BYTES) return undefined;
  if (readers === 0) unreadBytes += bytes.length;
  unread.set(bytes, readers + 1);
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    const others = (unread.get(bytes) ?? 1) - 1;
    unread.set(bytes, others);
    if (others > 0) return;
    unread.delete(bytes);
    unreadBytes -= bytes.length;
  };
}

export function isUnread(bytes: Uint8Array): boolean {
  return unread.has(bytes);
}

/** Answers with these bytes, JSON by default, which must not change any more; with 503 when too much is held already. */
export function answerBytes(
  c: Context,
  bytes: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Response {
  const { outgoing } = c.env as { outgoing: ServerResponse };
  const { socket } = outgoing.req;
  const release = hold(bytes);
  if (release === undefined)
    return c.json({ error: "Cannot answer: others have yet to read too much; try again" }, 503);
  // An answer that has to wait for another on its connection doesn't learn that this is closed.
  const end = () => {
    outgoing.off("close", end);
    socket.off("close", end);
    release();
  };
  outgoing.on("close", end);
  socket.on("close", end);
  return c.body(bytes, 200, { "Content-Type": "application/json", ...headers });
}

/**
 * Answers with one piece after another, each made and held when the one before is read. A peer that takes too long
 * for one is closed.
 */
export function answerPieces(
  c: Context,
  pieces: AsyncIterable<Uint8Array>,
  headers: Record<string, string>,
  withinMs = PIECE_WITHIN_MS,
): Response {
  const { outgoing } = c.env as { outgoing: ServerResponse };
  async function* paced() {
    for await (const piece of pieces) {
      let release = hold(piece);
      for (; release === undefined; release = hold(piece)) {
        if (outgoing.destroyed) return;
        await delay(ROOM_AGAIN_MS, undefined, { ref: false });
      }
      const tooLate = setTimeout(() => reset(outgoing.req.socket), withinMs).unref();
      try {
        yield piece;
      } finally {
        clearTimeout(tooLate);
        release();
      }
    }
  }
  return c.body(ReadableStream.from(paced()), 200, headers);
}

/** Makes a value when it is asked for, and again when it was for `forMs`; who asks in between gets the same. */
export function cached<T>(forMs: number, make: () => T): () => T {
  let made: { value: T; at: number } | undefined;
  return () => {
    if (made === undefined || performance.now() - made.at >= forMs)
      made = { value: make(), at: performance.now() };
    return made.value;
  };
}
