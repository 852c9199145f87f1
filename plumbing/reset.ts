/** Closes a connection at once, and what the system still holds for its peer goes with it. The servers call it. */
import type { Socket } from "node:net";

const carriers = new WeakMap<Socket, Socket>();

/** TLS can't be reset; what carries it can. */
export function noteCarrier(socket: Socket, carrier: Socket): void {
  carriers.set(socket, carrier);
}

export function reset(socket: Socket): void {
  const carrier = carriers.get(socket);
  (carrier ?? socket).resetAndDestroy();
  if (carrier) socket.destroy();
}
