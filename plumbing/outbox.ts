/** Writes to a socket no faster than its peer reads: what has no room yet waits here. lib/links.ts has one a connection. */
import { isOpen, type Link } from "./far_socket.ts";

export interface Outbox {
  /**
   * Calls `write` once the socket is connected and has room, now perhaps. Who writes again before that, as told
   * by `who`, has one turn for both.
   */
  whenRoom(who: object, write: () => void): void;
}

/** @param maxBytes how much may be unsent before all else waits */
export function createOutbox(socket: Link, maxBytes: number): Outbox {
  const waiting = new Map<object, () => void>();
  const hasRoom = () => isOpen(socket) && socket.writableLength <= maxBytes;
  function writeOn() {
    for (const [who, write] of waiting) {
      if (!hasRoom()) return;
      waiting.delete(who);
      write();
    }
  }
  socket.on("connect", writeOn).on("secureConnect", writeOn).on("drain", writeOn);
  return {
    whenRoom(who, write) {
      if (waiting.size === 0 && hasRoom()) write();
      else waiting.set(who, write);
    },
  };
}
