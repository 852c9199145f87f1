/** Reads the JSON body of an HTTP call, as far as there is room for it. The servers call it in their handlers. */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";

const MAX_REQUEST_BYTES = 64 * 1024;
/** Of all bodies that are not whole yet, in this process. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** A body of this size is read even then: no heap of unfinished ones keeps a heartbeat out. */
const ALWAYS_TAKEN_BYTES = 1024;

/** Each piece of a body costs time: after the first hundred they have, on average, at least this size. */
const MIN_PIECE_BYTES = 32;

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
  if (!/^application\/json *(; *charset="?utf-8"? *)?$/i.test(headers["content-type"] ?? ""))
    throw new HTTPException(415, {
      message: `Cannot ${what}: send the header Content-Type: application/json`,
    });
  if (!/^(identity)?$/i.test(headers["content-encoding"] ?? ""))
    throw new HTTPException(415, { message: `Cannot ${what}: send it without a Content-Encoding` });
}

async function readBytes(incoming: IncomingMessage, what: string, maxBytes: number): Promise<Buffer> {
  const tooLong = `Cannot read body: it has more than ${maxBytes} bytes`;
  if (Number(incoming.headers["content-length"] ?? 0) > maxBytes)
    throw new HTTPException(413, { message: tooLong });
  let body: Buffer = Buffer.alloc(0); // has room for more than has come: many small pieces are not kept as such
  let length = 0;
  let pieces = 0;
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      const needed = length + chunk.length;
      if (needed > maxBytes) throw new HTTPException(413, { message: tooLong });
      if (needed > body.length) body = enlarge(body, Math.max(needed, Math.min(2 * length, maxBytes)), what);
      length += chunk.copy(body, length);
      pieces += 1;
      if ((pieces - 100) * MIN_PIECE_BYTES > length) incoming.socket.destroy();
    }
    return body.subarray(0, length);
  } catch (error) {
    if (error instanceof HTTPException) throw error;
    throw new HTTPException(400, { message: `Cannot ${what}: the connection was lost`, cause: error });
  } finally {
    held -= body.length;
  }
}

function enlarge(body: Buffer, bytes: number, what: string): Buffer {
  const more = bytes - body.length;
  if (bytes > ALWAYS_TAKEN_BYTES && held + more > MAX_HELD_BYTES)
    throw new HTTPException(503, { message: `Cannot ${what}: too much is being sent at once; try again` });
  held += more;
  return Buffer.concat([body], bytes);
}
