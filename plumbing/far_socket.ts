/**
 * A client's connection to a receiver, over TLS if the group has a file. It may be one over a distance, simulated at this end
 * of it (`--link-delay`): what is written arrives so much later, and so does what comes back, its end too. To connect takes
 * no time. lib/answers.ts opens it.
 */
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { GroupFile } from "./group_file.ts";

export interface LinkOptions {
  /** How long each frame is on its way, simulated. @default {0} */
  linkDelayMs?: number | undefined;
  /** @default none: all is sent in the clear */
  groupFile?: GroupFile | undefined;
}

/** What a client needs of a socket. */
export type Link = Duplex & Pick<Socket, "connecting" | "bytesRead" | "bytesWritten">;

/** How much may be on its way in one direction; then the writer waits, as it does for TCP's own window. */
export const MAX_ON_THE_WAY_BYTES = 1024 * 1024;

/** One direction. Whatever sets out arrives when the delay is over, in the order in which it set out. */
function createWay(delayMs: number) {
  const onTheWay: { bytes: number; arrive: () => void }[] = [];
  const way = { bytes: 0, arrived: 0, setOut };
  function setOut(bytes: number, arrive: () => void) {
    way.bytes += bytes;
    onTheWay.push({ bytes, arrive });
    setTimeout(arriveNext, delayMs).unref(); // who ends doesn't wait for what is on its way
  }
  function arriveNext() {
    const { bytes, arrive } = onTheWay.shift() as (typeof onTheWay)[number];
    way.bytes -= bytes;
    way.arrived += bytes;
    arrive();
  }
  return way;
}

/** Writes by that way; `done` is called when there is room for more. */
function writeBy(way: ReturnType<typeof createWay>, socket: Socket) {
  let goOn: (() => void) | undefined;
  function takeMore() {
    if (way.bytes + socket.writableLength > MAX_ON_THE_WAY_BYTES) return;
    const next = goOn;
    goOn = undefined;
    next?.();
  }
  socket.on("drain", takeMore);
  return function write(chunk: Buffer, _encoding: string, done: () => void) {
    goOn = done;
    way.setOut(chunk.length, () => {
      if (socket.writable) socket.write(chunk);
      takeMore();
    });
    takeMore();
  };
}

/**
 * Whether it can carry anything. A TLS socket is "connected" when its handshake begins: who sends nothing until that has ended
 * knows of whatever fails before that it never arrived. (`secureConnect` tells when, without TLS `connect`.)
 */
export function isOpen(link: Link): boolean {
  return !link.connecting && (!(link instanceof TLSSocket) || link.authorized);
}

/** Connects. Without a delay the link is the socket itself. */
export function connectFar(
  to: TcpNetConnectOpts,
  { linkDelayMs: delayMs = 0, groupFile }: LinkOptions,
): Link {
  const socket = groupFile ? connectTls({ ...to, ...groupFile }) : connect(to);
  socket.setNoDelay().setKeepAlive(true);
  if (delayMs === 0) return socket;
  const [there, back] = [createWay(delayMs), createWay(delayMs)];
  const link = new Duplex({
    write: writeBy(there, socket),
    read() {}, // what arrives is passed on as it comes
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on(groupFile ? "secureConnect" : "connect", () => link.emit("connect"));
  socket.on("error", () => {}); // told with the close
  socket.on("data", (chunk) => {
    back.setOut(chunk.length, () => {
      if (!link.destroyed) link.push(chunk);
      if (back.bytes <= MAX_ON_THE_WAY_BYTES) socket.resume();
    });
    if (back.bytes > MAX_ON_THE_WAY_BYTES) socket.pause();
  });
  socket.on("close", () => back.setOut(0, () => link.destroy(socket.errored ?? undefined)));
  return Object.defineProperties(link, {
    connecting: { get: () => !isOpen(socket) },
    bytesRead: { get: () => back.arrived },
    bytesWritten: { get: () => there.arrived + there.bytes },
  }) as Link;
}
