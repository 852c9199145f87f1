/** Reads the JSON body of an HTTP call, as far as there is room for it. The servers call it in their handlers. */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";

const MAX_REQUEST_BYTES = 64 * 1024;

/**
 * Reads the JSON body of a call, from Node's own request: hono's would first be made into a web `Request`,
 * which takes as long as all the rest.
 *
 * @param what the call wants to do, for the error messages
 * @param parse reads the body, or says what is wrong with it
 * @throws {HTTPException} 400, 413 or 415, with what is wrong
 */
export async function readBody<T>(
  c: Context,
  what: string,
  parse: (json: string) => { value: T } | { problem: string },
  maxBytes = MAX_REQUEST_BYTES,
): Promise<T> {
  const { incoming }: { incoming: IncomingMessage } = c.env;
  checkType(incoming, what);
  const bytes = await readBytes(incoming, maxBytes);
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

async function readBytes(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = Number(incoming.headers["content-length"] ?? 0); // what it says; then what has come
  if (bytes <= maxBytes) {
    bytes = 0;
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > maxBytes) break;
      chunks.push(chunk);
    }
  }
  if (bytes <= maxBytes) return Buffer.concat(chunks);
  throw new HTTPException(413, { message: `Cannot read body: it has more than ${maxBytes} bytes` });
}
