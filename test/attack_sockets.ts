/** How every attack opens sockets and writes: paced, so that what it takes of this machine leaves room for the honest ones. */
import { Agent, request as post } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { inLanes } from "../plumbing/lanes.ts";
import type { Target } from "./attack_field.ts";
import type { Connect } from "./attack_strangers.ts";

const CONNECTS_PER_SECOND = 1000; // of all attacks together, as the next
const ASKING = 20; // requests at a time
const BYTES_PER_SECOND = 64 * 1024 * 1024;

export const MIB = 1024 * 1024;

/** What an attack gets besides its target. */
export interface Tools {
  /** From the seed. */
  random: () => number;
  connect: Connect;
  /** Ends it: all its sockets are destroyed then. */
  signal: AbortSignal;
  count: (what: string, by?: number) => void;
}

let freeAt = 0; // when the next may be begun, by `performance.now()`

async function pace(costMs: number, signal: AbortSignal): Promise<void> {
  const now = performance.now();
  freeAt = Math.max(freeAt, now) + costMs;
  if (freeAt - now > 5) await delay(freeAt - now, undefined, { signal });
  signal.throwIfAborted();
}

/** Opens a connection; one that is refused comes back closed. */
export async function openSocket({ host, port }: Target, { connect, signal, count }: Tools): Promise<Socket> {
  await pace(1000 / CONNECTS_PER_SECOND, signal);
  const socket = connect({ port, host });
  const end = () => socket.destroy();
  signal.addEventListener("abort", end, { once: true });
  socket.on("error", () => {});
  socket.on("close", () => signal.removeEventListener("abort", end));
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  count(socket.destroyed ? "not connected" : "connections");
  return socket;
}

/** Opens so many that send nothing yet. */
export async function openSockets(target: Target, howMany: number, tools: Tools): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < howMany) sockets.push(await openSocket(target, tools));
  return sockets;
}

/** Writes, and waits until the peer has taken enough for more; a peer that doesn't is waited for until the end. */
export async function write(socket: Socket, data: Buffer | string, { signal, count }: Tools): Promise<void> {
  await pace((data.length / BYTES_PER_SECOND) * 1000, signal);
  if (!socket.writable) return;
  count("KiB", data.length / 1024);
  if (socket.write(data)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.once("drain", done).once("close", done);
  });
}

/** Reads and counts what is answered, by status or code. */
export function countAnswers(socket: Socket, { count }: Pick<Tools, "count">): void {
  socket.on("data", (chunk: Buffer) => {
    const text = chunk.toString("latin1");
    for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) count(`HTTP ${status}`);
    for (const [, what, code] of text.matchAll(/^\{"type":"(\w+)"(?:,"code":"(\w+)")?/gm))
      count(code ?? what ?? "");
  });
}

/** Posts one body after the other, as quickly as each is answered, on some connections that are kept. */
export async function askMany(
  { host, port }: Target,
  path: string,
  tools: Tools,
  most: number,
  make: (number: number) => string,
): Promise<void> {
  const agent = Object.assign(new Agent({ keepAlive: true, maxSockets: ASKING }), {
    createConnection: () => tools.connect({ host, port }),
  });
  const headers = { Host: "localhost", "Content-Type": "application/json" };
  const { signal, count } = tools;
  await inLanes(ASKING, Array(most).keys(), async (number) => {
    signal.throwIfAborted();
    const body = make(number);
    await pace((body.length / BYTES_PER_SECOND) * 1000, signal);
    const status = await new Promise<string>((resolve) => {
      const how = { host, port, path, method: "POST", agent, headers, signal };
      const asked = post(how, (answer) => {
        answer.resume().once("close", () => resolve(`HTTP ${answer.statusCode}`));
      });
      asked.once("error", () => resolve("no answer")).end(body);
    });
    count(status);
  }).finally(() => agent.destroy());
}

/** Waits for the end of an attack. */
export async function untilOver({ signal }: Tools): Promise<void> {
  await delay(2 ** 30, undefined, { signal });
}

export const pick = <T>({ random }: Pick<Tools, "random">, list: readonly T[]) =>
  list[Math.floor(random() * list.length)] as T;

/** A request as text; `Host: localhost` is a name that every role answers to. */
export function request(method: string, path: string, body?: string): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n`;
  if (body === undefined) return `${head}\r\n`;
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export function message(id: string, body: string): string {
  return `${JSON.stringify({ type: "message", id, from: "attacker", attempt: 1, body })}\n`;
}
