/** Writes to a socket no faster than its peer reads: what has no room yet waits here. lib/links.ts has one a connection. */
import { isOpen, type Link } from "./far_socket.ts";

export interface Outbox<T> {
  /** Has it written once the socket is connected and has room, now perhaps. What waits already keeps its place. */
  whenRoom(what: T): void;
}

/** @param maxBytes how much may be unsent before all else waits */
export function createOutbox<T>(socket: Link, maxBytes: number, write: (what: T) => void): Outbox<T> {
  const waiting = new Set<T>();
  const hasRoom = () => isOpen(socket) && socket.writableLength <= maxBytes;
  function writeOn() {
    for (const what of waiting) {
      if (!hasRoom()) return;
      waiting.delete(what);
      write(what);
    }
  }
  socket.on("connect", writeOn).on("secureConnect", writeOn).on("drain", writeOn);
  return {
    whenRoom(what) {
      if (waiting.size === 0 && hasRoom()) write(what);
      else waiting.add(what);
    },
  };
}
