/** Turns of connections that send more than is read at once. lib/framing.ts takes them for the receiver's. */
import type { Socket } from "node:net";

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
