/**
 * A connection over a distance, simulated at this end of it: what is written arrives so much later, and so does what
 * comes back, its end too. To connect takes no time. The client's `--link-delay` asks for it; lib/answers.ts opens it.
 */
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import { Duplex } from "node:stream";

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

/** Connects. Without a delay the link is the socket itself. */
export function connectFar(to: TcpNetConnectOpts, delayMs: number): Link {
  const socket = connect(to);
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
  socket.on("connect", () => link.emit("connect"));
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
    connecting: { get: () => socket.connecting },
    bytesRead: { get: () => back.arrived },
    bytesWritten: { get: () => there.arrived + there.bytes },
  }) as Link;
}
