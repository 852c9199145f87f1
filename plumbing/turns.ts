/** Turns of connections that send more than is read at once. lib/framing.ts takes them for the receiver's. */
import type { Socket } from "node:net";

const READ_BYTES = 64 * 1024; // what Node reads at once, if there is as much
const RECORD_BYTES = 16 * 1024; // and what TLS makes of that: each record comes for itself

/** Whether a chunk is as large as can be: then there may be more. */
export function isWholeRead(socket: Socket, chunk: Buffer): boolean {
  return chunk.length >= ("encrypted" in socket ? RECORD_BYTES : READ_BYTES);
}

/**
 * Reads on when all others had their turn, of the busy ones one a turn: left alone, Node reads 2 MiB of each
 * before it looks at who else is there.
 *
 * @param busy those that wait for their turn
 */
export function letOthersCome(busy: Set<Socket>, socket: Socket): void {
  socket.pause();
  if (busy.size === 0) setImmediate(readOn, busy);
  busy.add(socket);
}

function readOn(busy: Set<Socket>): void {
  const [socket] = busy;
  if (!socket) return;
  busy.delete(socket);
  if (!socket.writableNeedDrain) socket.resume(); // else when it has read its acks
  if (busy.size > 0) setImmediate(readOn, busy);
}
