/**
 * Frames on a TCP stream. TCP carries bytes, not messages: what one side writes at once may arrive in two
 * pieces, and two writes may arrive as one. So a message needs an end that can be seen: here a frame is one
 * JSON object on one line, UTF-8, ended by "\n" (as in JSON Lines, https://jsonlines.org). JSON writes a
 * newline inside a text as \n, so the byte 0x0A is never data.
 */
import { isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { ErrorFrame } from "./messages.ts";

/** The most bytes that one frame may have, its newline not counted: 1 MiB. */
export const MAX_FRAME_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;
const MAX_PIECES = 1000;
const FLUSH_BYTES = 4096; // measured: 1 KiB and 8 KiB are a tenth slower
const STALLED_MS = 3000; // a frame has begun, and nothing more comes
const LINGER_MS = 1000; // who is refused has that long to read why

/** Is told that a stream can't be cut into frames any further; the connection has to be closed. */
export type OnProblem = (code: "too_large" | "bad_frame", message: string) => void;

/** Takes the chunks of a byte stream, cut anywhere. */
export interface FrameReader {
  (chunk: Buffer): void;
  /** What has come of a frame whose end has not. */
  unfinished(): string;
}

/**
 * Makes a function that takes chunks and calls `onFrame` for each whole line, without its newline, in order.
 * It has a problem as soon as a frame has more than `maxBytes` bytes, ended or not, or isn't UTF-8.
 */
export function createFrameReader(
  onFrame: (line: string) => void,
  onProblem: OnProblem,
  maxBytes = MAX_FRAME_BYTES,
): FrameReader {
  let pieces: Buffer[] = []; // of the frame whose end has not come yet
  let pieceBytes = 0;
  let isBroken = false;

  function fail(...problem: Parameters<OnProblem>) {
    isBroken = true;
    pieces = [];
    onProblem(...problem);
  }
  function read(chunk: Buffer) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1 && !isBroken; end = chunk.indexOf(NEWLINE, start)) {
      let line = chunk.subarray(start, end);
      if (pieceBytes > 0) {
        line = Buffer.concat([...pieces, line]);
        pieces = [];
        pieceBytes = 0;
      }
      if (line.length > maxBytes) return fail("too_large", tooLarge(maxBytes));
      if (!isUtf8(line)) return fail("bad_frame", "Cannot read frame: it is not UTF-8");
      start = end + 1;
      onFrame(line.toString());
    }
    if (isBroken || start === chunk.length) return;
    pieces.push(chunk.subarray(start));
    pieceBytes += chunk.length - start;
    if (pieceBytes > maxBytes) return fail("too_large", tooLarge(maxBytes));
    // A peer that sends a byte at a time must not cost us a Buffer object for each.
    if (pieces.length > MAX_PIECES) pieces = [Buffer.concat(pieces)];
  }
  return Object.assign(read, { unfinished: () => Buffer.concat(pieces).toString() });
}

function tooLarge(maxBytes: number): string {
  return `Cannot read frame: it has more than ${maxBytes} bytes`;
}

/**
 * Writes one value as a frame. Frames of the same tick go out together, in system calls of some
 * {@linkcode FLUSH_BYTES}: one call each would cost several times as much, and one call for all would
 * have the peer wait for the last of them before it gets the first.
 *
 * @returns false when the peer reads more slowly than we write (see `stream.write`)
 */
export function writeFrame(stream: Writable, frame: object): boolean {
  if (stream.writableCorked === 0) {
    stream.cork();
    process.nextTick(uncork, stream);
  } else if (stream.writableLength > FLUSH_BYTES) {
    stream.uncork();
    stream.cork();
  }
  return stream.write(`${JSON.stringify(frame)}\n`);
}

function uncork(stream: Writable) {
  stream.uncork();
}

/** The receiver's end of a connection. */
export interface FramePeer {
  socket: Socket;
  /** How many frames it sent that are not done with yet. */
  owed: number;
  /** It has closed its half: it sends no more, and still reads. */
  hasSaidAll: boolean;
}

export interface ServeFramesOptions {
  /** Gets each frame. The peer is owed something until what this returns has settled. */
  onFrame: (line: string, peer: FramePeer) => Promise<void>;
  /** Is told once of a connection that ends inside a frame, or stays there for three seconds. */
  onUnfinished: (text: string) => void;
}

/** Serves a connection, until the peer has said all and has got all that it is owed. */
export function serveFrames(socket: Socket, { onFrame, onUnfinished }: ServeFramesOptions): FramePeer {
  const peer: FramePeer = { socket, owed: 0, hasSaidAll: false };
  const takeFrame = (line: string) => {
    if (socket.writableEnded) return; // it was refused already
    peer.owed += 1;
    onFrame(line, peer).finally(() => {
      peer.owed -= 1;
      endIfDone(peer);
    });
  };
  const read = createFrameReader(takeFrame, (code, message) => refuse(peer, code, message));
  let tell = () => {
    const text = read.unfinished();
    if (text === "") return;
    tell = () => {};
    onUnfinished(text);
  };
  socket.on("data", read);
  socket.on("drain", () => socket.resume());
  socket.setTimeout(STALLED_MS).on("timeout", () => tell());
  socket.on("end", () => {
    tell();
    peer.hasSaidAll = true;
    endIfDone(peer);
  });
  return peer;
}

function endIfDone({ hasSaidAll, owed, socket }: FramePeer): void {
  if (hasSaidAll && owed === 0) socket.end();
}

/** Sends one frame. Who doesn't read what we send gets no more of our memory: we don't read on, either. */
export function sendFrame({ socket }: FramePeer, frame: object): void {
  if (!writeFrame(socket, frame)) socket.pause();
}

/** Says why, and closes the connection; what still comes in is thrown away. */
export function refuse({ socket }: FramePeer, code: ErrorFrame["code"], message: string): void {
  if (!socket.writable) return;
  writeFrame(socket, { type: "error", code, message } satisfies ErrorFrame);
  socket.end();
  socket.removeAllListeners("data").resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
