/** Reads the JSON body of an HTTP call, as far as there is room for it. The servers call it in their handlers. */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";

const JSON_IN_UTF8 = /^application\/json *(; *charset="?utf-8"? *)?$/i;
const MAX_REQUEST_BYTES = 64 * 1024;
/** Of all bodies that come in pieces and are not whole yet, in this process. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** Each piece of a body costs time: after the first hundred they have, on average, at least this size. */
const MIN_PIECE_BYTES = 32;

const EMPTY: Buffer = Buffer.alloc(0);
let held = 0;

/**
 * Reads the JSON body of a call, from Node's own request: hono's would first be made into a web `Request`,
 * which takes as long as all the rest.
 *
 * @param what the call wants to do, for the error messages
 * @param parse reads the body, or says what is wrong with it
 * @throws {HTTPException} 400, 413, 415 or 503, with what is wrong
 */
export async function readBody<T>(
  c: Context,
  what: string,
  parse: (json: string) => { value: T } | { problem: string },
  maxBytes = MAX_REQUEST_BYTES,
): Promise<T> {
  const { incoming }: { incoming: IncomingMessage } = c.env;
  checkType(incoming, what);
  const bytes = await readBytes(incoming, what, maxBytes);
  const body = isUtf8(bytes) ? parse(bytes.toString()) : { problem: "it is not UTF-8" };
  if ("value" in body) return body.value;
  throw new HTTPException(400, { message: `Cannot ${what}: ${body.problem}` });
}

/** JSON is UTF-8 (RFC 8259, 8.1); what is compressed could become any number of bytes. */
function checkType({ headers }: IncomingMessage, what: string): void {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = headers;
  if (type !== "application/json" && !JSON_IN_UTF8.test(type))
    throw new HTTPException(415, {
      message: `Cannot ${what}: send the header Content-Type: application/json`,
    });
  if (encoding.toLowerCase() !== "identity")
    throw new HTTPException(415, { message: `Cannot ${what}: send it without a Content-Encoding` });
}

async function readBytes(incoming: IncomingMessage, what: string, maxBytes: number): Promise<Buffer> {
  const announced = Number(incoming.headers["content-length"] ?? 0);
  const tooLong = () =>
    new HTTPException(413, { message: `Cannot read body: it has more than ${maxBytes} bytes` });
  if (announced > maxBytes) throw tooLong();
  let whole: Buffer | undefined; // nearly always it comes at once
  let room = EMPTY; // for more than has come: many small pieces are not kept as such
  let length = 0;
  let pieces = 0;
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      if (chunk.length === announced) whole = chunk;
      if (whole) continue;
      const needed = length + chunk.length;
      if (needed > maxBytes) throw tooLong();
      if (needed > room.length) room = enlarge(room, Math.max(needed, Math.min(2 * length, maxBytes)), what);
      length += chunk.copy(room, length);
      pieces += 1;
      if ((pieces - 100) * MIN_PIECE_BYTES > length) incoming.socket.destroy();
    }
    return whole ?? room.subarray(0, length);
  } catch (error) {
    if (error instanceof HTTPException) throw error;
    throw new HTTPException(400, { message: `Cannot ${what}: the connection was lost`, cause: error });
  } finally {
    held -= room.length;
  }
}

function enlarge(room: Buffer, bytes: number, what: string): Buffer {
  const more = bytes - room.length;
  if (held + more > MAX_HELD_BYTES)
    throw new HTTPException(503, { message: `Cannot ${what}: too much is being sent at once; try again` });
  held += more;
  return Buffer.concat([room], bytes);
}
