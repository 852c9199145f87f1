/**
 * What a role really has in memory, after its garbage was collected. The system's figure says little of that: V8
 * keeps pages that it has freed, measured, ten times what is in use. So it is asked for by way of Node's inspector,
 * which a SIGUSR1 opens, inside of a container too.
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { inTime, until } from "./helpers.ts";

const ANSWER_WITHIN_MS = 2000;
const READ_WITHIN_MS = 15_000;

/** @param open opens a connection to the role's inspector, again and again until there is one */
export async function readLiveBytes(open: () => Duplex): Promise<number> {
  const list = `GET /json/list HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const findPath = async () => {
    const stream = open();
    const found = await answerTo(stream, list, /ws:\/\/[^/]+\/([\w-]+)/).catch(() => undefined);
    stream.destroy();
    return found?.[1];
  };
  const path = await until("the inspector answers", findPath, READ_WITHIN_MS);
  const stream = open();
  try {
    const key = randomBytes(16).toString("base64");
    const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
    await answerTo(stream, `GET /${path} HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n\r\n`, / 101 /);
    await answerTo(stream, call(1, "HeapProfiler.collectGarbage"), /"id":1\b/);
    const expression = "'live ' + (process.memoryUsage().heapUsed + process.memoryUsage().external)";
    const [, bytes] = await answerTo(stream, call(2, "Runtime.evaluate", { expression }), /live (\d+)/);
    return Number(bytes);
  } finally {
    stream.destroy();
  }
}

/** A call as a WebSocket frame; RFC 6455 wants it masked, with zeros here. */
function call(id: number, method: string, params = {}): Buffer {
  const text = Buffer.from(JSON.stringify({ id, method, params }));
  return Buffer.concat([Buffer.of(0x81, 0x80 | 126, text.length >> 8, text.length & 255, 0, 0, 0, 0), text]);
}

/** Writes, and reads until the answer has come; it is plain text in whatever it is wrapped. */
function answerTo(stream: Duplex, what: string | Buffer, answer: RegExp): Promise<RegExpMatchArray> {
  let text = "";
  const answered = new Promise<RegExpMatchArray>((resolve, reject) => {
    stream
      .on("error", reject)
      .on("close", () => reject(new Error("Cannot read memory: the inspector closed")));
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const found = text.match(answer);
      if (found) resolve(found);
    });
    stream.write(what);
  });
  return inTime("the inspector answers", answered, ANSWER_WITHIN_MS);
}
