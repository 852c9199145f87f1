/**
 * Frames on a TCP stream. TCP carries bytes, not messages: what one side writes at once may arrive
 * in two pieces, and two writes may arrive as one. So a message needs an end that can be seen:
 * here a frame is one JSON object on one line, UTF-8, ended by "\n" (as in JSON Lines,
 * https://jsonlines.org). JSON writes a newline inside a text as \n, so the byte 0x0A is never data.
 */
import { isUtf8 } from "node:buffer";
import type { Writable } from "node:stream";

/** The most bytes that one frame may have, its newline not counted: 1 MiB. */
export const MAX_FRAME_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;
const MAX_PIECES = 1000;
const FLUSH_BYTES = 4096; // measured: 1 KiB and 8 KiB are a tenth slower

/** A stream that can't be cut into frames any further; the connection has to be closed. */
export class FramingError extends Error {
  code: "too_large" | "bad_frame";
  constructor(code: FramingError["code"], message: string) {
    super(message);
    this.name = "FramingError";
    this.code = code;
  }
}

export interface FrameReaderOptions {
  /** The most bytes of one frame. @default {MAX_FRAME_BYTES} */
  maxBytes?: number;
}

/**
 * Makes a function that takes the chunks of a byte stream, cut anywhere, and calls `onFrame` once
 * for each whole line, without its newline, in order.
 *
 * @throws {FramingError} from the returned function: `too_large` as soon as a frame has more than
 * `maxBytes` bytes, ended or not; `bad_frame` when a line isn't UTF-8.
 *
 * @example
 * ```ts
 * const read = createFrameReader((line) => console.log(JSON.parse(line)));
 * socket.on("data", read);
 * ```
 */
export function createFrameReader(
  onFrame: (line: string) => void,
  { maxBytes = MAX_FRAME_BYTES }: FrameReaderOptions = {},
): (chunk: Buffer) => void {
  let pieces: Buffer[] = []; // of the frame whose end has not come yet
  let pieceBytes = 0;

  return function read(chunk) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      checkSize(pieceBytes + end - start, maxBytes);
      let line = chunk.subarray(start, end);
      if (pieceBytes > 0) {
        line = Buffer.concat([...pieces, line]);
        pieces = [];
        pieceBytes = 0;
      }
      start = end + 1;
      if (!isUtf8(line)) throw new FramingError("bad_frame", "Cannot read frame: it is not UTF-8");
      onFrame(line.toString());
    }
    if (start === chunk.length) return;
    pieceBytes += chunk.length - start;
    checkSize(pieceBytes, maxBytes);
    pieces.push(chunk.subarray(start));
    // A peer that sends a byte at a time must not cost us a Buffer object for each.
    if (pieces.length > MAX_PIECES) pieces = [Buffer.concat(pieces)];
  };
}

function checkSize(bytes: number, maxBytes: number) {
  if (bytes <= maxBytes) return;
  throw new FramingError("too_large", `Cannot read frame: it has more than ${maxBytes} bytes`);
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
