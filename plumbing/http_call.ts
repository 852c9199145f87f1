/**
 * One call over HTTP, by Node's own client: discovery's callers and the registry on etcd make theirs here. Any status is an
 * answer, no redirect is followed and nothing is unpacked: who answers can't send them elsewhere, fill their memory, or keep
 * them waiting. got does the same and much more: it took half of a heartbeat's time, and a fifth of a client's start.
 */
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from "node:http";
import { request as requestOverTls, Agent as TlsAgent } from "node:https";
import type { LookupFunction } from "node:net";
import { urlToHttpOptions } from "node:url";
import ms from "ms";
import type { GroupFile } from "./group_file.ts";

const MAX_BYTES = 64 * 1024; // of an answer, unless the call says otherwise
const CLOSED = ["ECONNRESET", "EPIPE"]; // what the use of a connection says that was closed

/** A server that is asked; {@linkcode createTarget} makes one. */
export interface Target {
  url: string;
  path: string; // where its calls are
  agent: Agent; // keeps its connections
  base: RequestOptions; // the same in all calls, and made once
  request: typeof request;
}

export interface TargetOptions {
  /** How many connections there are at a time; they are kept. */
  maxSockets: number;
  /** Then every call goes over TLS, to a member of the group. @default none */
  groupFile?: GroupFile | undefined;
}

export interface Question {
  /** @default "GET" */
  method?: "GET" | "HEAD" | "POST" | "DELETE";
  /** Without a slash before it. */
  path: string;
  /** JSON. @default none */
  body?: string;
  /** Asks at this address, wherever the name leads, on a connection of its own; the program need not stay for the answer. */
  at?: { address: string; family: number };
}

export interface Call extends Question {
  /** How long the call may take, in milliseconds. */
  withinMs: number;
  /** How long it may take until the answer begins. @default withinMs */
  beginsWithinMs?: number;
  /** The most bytes that the body of the answer may have. @default {65_536} */
  maxBytes?: number;
  /** Ends the call, which rejects with its reason. */
  signal?: AbortSignal | undefined;
}

export interface Answer {
  statusCode: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** The answer took too long, or is too long. */
export class LimitError extends Error {
  limit: "time" | "bytes";
  constructor(limit: LimitError["limit"], message: string) {
    super(message);
    this.limit = limit;
  }
}

export function createTarget(url: string, { maxSockets, groupFile }: TargetOptions): Target {
  const where = new URL(groupFile ? url.replace(/^http:/, "https:") : url);
  const isSecure = where.protocol === "https:";
  const kept = { keepAlive: true, maxSockets };
  return {
    url,
    path: where.pathname.replace(/\/?$/, "/"),
    agent: isSecure ? new TlsAgent(kept) : new Agent(kept),
    base: { ...urlToHttpOptions(where), ...groupFile },
    request: isSecure ? requestOverTls : request,
  };
}

/**
 * Makes a call; once again if a connection that was kept turns out to be closed, so it must do no harm to make it twice.
 *
 * @throws {LimitError} and errors of Node's, which have a `code`
 */
export async function makeCall(target: Target, call: Call): Promise<Answer> {
  const { withinMs, beginsWithinMs, signal } = call;
  signal?.throwIfAborted();
  let asking = openCall(target, call);
  const giveUp = () => stop(asking, signal?.reason);
  const tooLate = (limitMs: number) => {
    stop(asking, new LimitError("time", `no answer within ${ms(Math.round(limitMs))}`));
  };
  // The connection keeps the program, if it is to stay for the answer.
  const untilEnded = setTimeout(tooLate, withinMs, withinMs).unref();
  const untilBegun =
    beginsWithinMs === undefined ? undefined : setTimeout(tooLate, beginsWithinMs, beginsWithinMs).unref();
  signal?.addEventListener("abort", giveUp);
  try {
    return await answerTo(asking, call, untilBegun).catch((error) => {
      if (!asking.reusedSocket || !CLOSED.includes(error.code)) throw error;
      asking = openCall(target, call, false);
      return answerTo(asking, call, untilBegun);
    });
  } finally {
    clearTimeout(untilBegun);
    clearTimeout(untilEnded);
    signal?.removeEventListener("abort", giveUp);
  }
}

/** Only sends it: what comes, and when, is for the caller to bound. @param agent `false`: on a connection of its own */
export function openCall(
  target: Target,
  question: Question,
  agent: Agent | false = target.agent,
): ClientRequest {
  const { method = "GET", path, body, at } = question;
  const headers = body && { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const asking = target.request({
    ...target.base,
    ...(headers && { headers }),
    ...(at && { lookup: leadTo(at) }),
    method,
    path: target.path + path,
    agent: at ? false : agent,
  });
  if (at) asking.on("socket", (socket) => socket.unref());
  return asking.end(body);
}

function leadTo({ address, family }: { address: string; family: number }): LookupFunction {
  return (_name, { all }, done) => (all ? done(null, [{ address, family }]) : done(null, address, family));
}

/** The error is said for it: a call that waits for a connection would say it only when it gets one. */
function stop(asking: ClientRequest, error: unknown): void {
  asking.destroy().emit("error", error);
}

function answerTo(asking: ClientRequest, { maxBytes = MAX_BYTES }: Call, untilBegun?: NodeJS.Timeout) {
  return new Promise<Answer>((resolve, reject) => {
    const tooLong = () => stop(asking, new LimitError("bytes", "its answer is too long"));
    asking.on("error", reject);
    // An answer that nobody asked for, without which Node would drop the connection in silence.
    asking.on("upgrade", ({ statusCode = 0, headers }, socket) => {
      socket.destroy();
      resolve({ statusCode, headers, body: Buffer.alloc(0) });
    });
    asking.on("response", (answer: IncomingMessage) => {
      clearTimeout(untilBegun);
      const announced = asking.method === "HEAD" ? 0 : Number(answer.headers["content-length"] ?? 0);
      if (announced > maxBytes) return tooLong();
      let room = Buffer.allocUnsafe(announced); // of many small pieces none is kept as such
      let length = 0;
      answer.on("error", reject);
      answer.on("data", (piece: Buffer) => {
        const needed = length + piece.length;
        if (needed > maxBytes) return tooLong();
        if (needed > room.length) room = Buffer.concat([room], Math.min(2 * needed, maxBytes));
        length += piece.copy(room, length);
      });
      answer.on("end", () => {
        const { statusCode = 0, headers } = answer;
        resolve({ statusCode, headers, body: room.subarray(0, length) });
      });
    });
  });
}
