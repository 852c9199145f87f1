/**
 * Frames on a TCP stream. TCP carries bytes, not messages: what one side writes at once may arrive in two
 * pieces, and two writes may arrive as one. So a message needs an end that can be seen: here a frame is one
 * JSON object on one line, UTF-8, ended by "\n" (as in JSON Lines, https://jsonlines.org). JSON writes a
 * newline inside a text as \n, so the byte 0x0A is never data.
 */
import { isAscii, isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { admit, beginWork, count, endWork, type Guest, type Intake } from "../plumbing/intake.ts";
import { flush, writeSoon } from "../plumbing/joined_writes.ts";
import { hasLongBody, writeLongLine } from "../plumbing/long_body.ts";
import { addPiece, noPieces, takePieces } from "../plumbing/pieces.ts";
import { isWholeRead, letOthersCome } from "../plumbing/turns.ts";
import type { ErrorFrame } from "./messages.ts";

/** The most bytes that one frame may have, its newline not counted: 1 MiB. */
export const MAX_FRAME_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;
const MAX_SHOWN = 400; // bytes of a frame that never ended
const LINGER_MS = 1000; // who is refused has that long to read why

/** Is told that a stream can't be cut into frames any further; the connection has to be closed. */
export type OnProblem = (code: "too_large" | "bad_frame", message: string) => void;

/** Takes the chunks of a byte stream, cut anywhere. */
export interface FrameReader {
  (chunk: Buffer): void;
  /** The beginning of a frame whose end has not come. */
  unfinished(): string;
  /** How much is kept of it. */
  heldBytes(): number;
  drop(): void;
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
  const kept = noPieces(); // of a frame whose end has not come yet
  let isBroken = false;

  function drop() {
    isBroken = true;
    takePieces(kept, () => {});
  }
  function fail(...problem: Parameters<OnProblem>) {
    drop();
    onProblem(...problem);
  }
  function read(chunk: Buffer) {
    // Several whole frames are decoded at once, in half the time; one by one if something is wrong with one of them.
    const last = kept.bytes === 0 && chunk.length <= maxBytes ? chunk.lastIndexOf(NEWLINE) : -1;
    const lines = last === -1 ? undefined : decode(chunk.subarray(0, last));
    for (const line of lines?.split("\n") ?? []) if (!isBroken) onFrame(line);
    let start = lines === undefined ? 0 : last + 1;
    for (let end = chunk.indexOf(NEWLINE, start); end !== -1 && !isBroken; ) {
      const line = chunk.subarray(start, end);
      start = end + 1;
      if (kept.bytes + line.length > maxBytes) return fail("too_large", tooLarge(maxBytes));
      if (kept.bytes > 0) addPiece(kept, line, maxBytes);
      const text = kept.bytes > 0 ? takePieces(kept, decode) : decode(line);
      if (text === undefined) return fail("bad_frame", "Cannot read frame: it is not UTF-8");
      onFrame(text);
      end = chunk.indexOf(NEWLINE, start);
    }
    if (isBroken || start === chunk.length) return;
    if (kept.bytes + chunk.length - start > maxBytes) return fail("too_large", tooLarge(maxBytes));
    addPiece(kept, chunk.subarray(start), maxBytes);
  }
  const unfinished = () => kept.room.subarray(0, Math.min(kept.bytes, MAX_SHOWN)).toString();
  return Object.assign(read, { unfinished, heldBytes: () => kept.room.length, drop });
}

function decode(line: Buffer): string | undefined {
  if (isAscii(line)) return line.toString("latin1"); // a fifth less to do for the receiver of long bodies
  return isUtf8(line) ? line.toString() : undefined;
}

function tooLarge(maxBytes: number): string {
  return `Cannot read frame: it has more than ${maxBytes} bytes`;
}

/**
 * Writes one value as a frame, together with the others of the same tick.
 *
 * @returns false when the peer reads more slowly than we write (see `stream.write`)
 */
export function writeFrame(stream: Writable, frame: object): boolean {
  if (hasLongBody(frame)) return writeLongLine(stream, frame);
  return writeSoon(stream, `${JSON.stringify(frame)}\n`);
}

export interface ServeFramesOptions {
  intake: Intake;
  /** Gets each frame. The peer is owed something until this is done, or what it returns has settled. */
  onFrame: (line: string, peer: Guest) => Promise<void> | undefined;
  /** Is told once of a connection that ends inside a frame, or stays there for three seconds. */
  onUnfinished: (text: string) => void;
}

/** The receiver's end of a connection: serves it until the peer has said all, and has got all that it is owed. */
export function serveFrames(socket: Socket, { intake, onFrame, onUnfinished }: ServeFramesOptions): void {
  const takeFrame = (line: string) => {
    if (socket.writableEnded) return; // it was refused already
    if (!beginWork(peer))
      return refuse(peer, "busy", "Cannot process more messages at once: try again later");
    const work = onFrame(line, peer);
    if (work) work.finally(() => endWork(peer));
    else endWork(peer);
  };
  const read = createFrameReader(takeFrame, (code, message) => refuse(peer, code, message));
  const dismiss = (guest: Guest, why: string) => {
    read.drop();
    refuse(guest, "busy", why);
  };
  let tell = onUnfinished;
  const onQuiet = () => {
    if (read.heldBytes() === 0) return;
    tell(read.unfinished());
    tell = () => {};
  };
  const peer = admit(intake, socket, { keeps: read.heldBytes, dismiss, onQuiet });
  socket.on("data", (chunk) => {
    read(chunk);
    count(peer);
    if (isWholeRead(socket, chunk) && intake.guests.size > 1) letOthersCome(intake.busy, socket); // it has more
  });
}

/** Answers with a frame. Who doesn't read what we send gets no more of our memory: we don't read on, either. */
export function sendFrame(peer: Guest, frame: object): void {
  peer.unanswered -= 1;
  if (writeFrame(peer.socket, frame)) return;
  peer.socket.pause();
  count(peer);
}

/** Says why, and closes the connection; what still comes in is thrown away. */
export function refuse({ socket }: Guest, code: ErrorFrame["code"], message: string): void {
  if (!socket.writable) return;
  writeFrame(socket, { type: "error", code, message } satisfies ErrorFrame);
  flush(socket);
  socket.end();
  socket.removeAllListeners("data").resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
