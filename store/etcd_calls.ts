/**
 * Calls to etcd, by its HTTP gateway: JSON, in which bytes are base64 and numbers of 64 bits are texts. The files of this
 * room call through here. One of the nodes is asked; when it doesn't answer, the next.
 */
import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { urlToHttpOptions } from "node:url";
import { HTTPException } from "hono/http-exception";
import * as v from "valibot";
import { printable } from "../plumbing/printable.ts";
import { cut, type Read, read, readJson } from "../plumbing/read_json.ts";

/** For all that one call of discovery asks of etcd, together: discovery's own callers wait for 2 s. */
export const CALL_WITHIN_MS = 1800;
const TRY_WITHIN_MS = 700; // then the next node is asked
const PAUSE_MS = 100; // when all were, before the first is asked again
const MAX_SOCKETS = 16;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Codes, gRPC's, of refusals that can be what was to be learned. */
export const NOT_FOUND = 5;
export const THERE_ALREADY = 9; // FAILED_PRECONDITION

export interface Etcd {
  urls: readonly string[];
  /** The place of the node that is asked. */
  current: number;
  agent: Agent;
}

export function createEtcd(urls: readonly string[]): Etcd {
  return { urls, current: 0, agent: new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS }) };
}

/** To the next node. */
export function goOn(etcd: Etcd): void {
  etcd.current = (etcd.current + 1) % etcd.urls.length;
}

/** Somebody answers who isn't etcd. */
export class NotEtcdError extends HTTPException {}

/** What is asked for one call of discovery. */
export interface Purpose {
  /** For the error message, as in `Cannot register: …`. */
  what: string;
  endsAt: number;
}

export function begin(what: string, withinMs = CALL_WITHIN_MS): Purpose {
  return { what, endsAt: performance.now() + withinMs };
}

export interface Call<S> {
  path: string;
  body: object;
  /** Of its answer. */
  schema: S;
}

/**
 * Asks etcd. A call may be made twice, if its answer was lost.
 *
 * @throws {HTTPException} 503, when there is no answer in time
 */
export function ask<S extends v.GenericSchema>(
  etcd: Etcd,
  purpose: Purpose,
  { path, body, schema }: Call<S>,
) {
  return askText(etcd, purpose, {
    path,
    body: JSON.stringify(body),
    read: (text) => readAnswer(text, schema),
  });
}

/** The same. @returns undefined when etcd refuses it with that code */
export function askUnless<S extends v.GenericSchema>(
  code: number,
  etcd: Etcd,
  purpose: Purpose,
  { path, body, schema }: Call<S>,
) {
  const readUnless = (text: string) => {
    const refusal = readJson(RefusalSchema, text);
    const isThat = "value" in refusal && refusal.value.code === code;
    return isThat ? { value: undefined } : readAnswer(text, schema);
  };
  return askText(etcd, purpose, { path, body: JSON.stringify(body), read: readUnless });
}

export interface TextCall<T> {
  path: string;
  body: string;
  read: (text: string) => Read<T>;
}

/** The same for what isn't one JSON object. */
export async function askText<T>(etcd: Etcd, { what, endsAt }: Purpose, call: TextCall<T>): Promise<T> {
  let [at, problem] = ["", "no answer in time"];
  for (let tries = 1; performance.now() < endsAt; tries++) {
    const { current } = etcd;
    const url = etcd.urls[current] ?? "";
    const withinMs = Math.min(TRY_WITHIN_MS, endsAt - performance.now());
    const answer = await askNode(etcd, url, call, withinMs);
    if ("value" in answer) return answer.value;
    // The last try may be cut short, and fail by that.
    if (at === "" || withinMs === TRY_WITHIN_MS) [at, problem] = [`${url}: `, answer.problem];
    if (etcd.current === current) goOn(etcd); // unless another call has done so already
    const pauseMs = tries % etcd.urls.length === 0 ? Math.min(PAUSE_MS, endsAt - performance.now()) : 0;
    if (pauseMs > 0) await delay(pauseMs);
  }
  const isEtcd = problem !== NO_ETCD;
  const hint = isEtcd ? "is it up, and more than half of its nodes?" : "see --store";
  const message = `Cannot ${what}: etcd doesn't answer (${at}${printable(cut(problem))}); ${hint}`;
  throw new (isEtcd ? HTTPException : NotEtcdError)(503, { message });
}

async function askNode<T>(etcd: Etcd, url: string, { path, body, read }: TextCall<T>, withinMs: number) {
  try {
    return read(await post(etcd, url, { path, body, withinMs }));
  } catch (error) {
    return { problem: (error as NodeJS.ErrnoException).code ?? (error as Error).message };
  }
}

const NO_ETCD = "this is no etcd 3.4 or later";
const RefusalSchema = v.object({ error: v.string(), code: v.number() });

function readAnswer<S extends v.GenericSchema>(text: string, schema: S): Read<v.InferOutput<S>> {
  const json = readJson(v.unknown(), text); // once: it may be long
  if (!("value" in json)) return { problem: NO_ETCD };
  const refusal = read(RefusalSchema, json.value);
  if ("value" in refusal) return { problem: refusal.value.error };
  const answer = read(schema, json.value);
  return "value" in answer ? answer : { problem: NO_ETCD };
}

interface PostOptions {
  path: string;
  body: string;
  withinMs: number;
}

/** got would take most of the time of a heartbeat. */
function post({ agent }: Etcd, url: string, { path, body, withinMs }: PostOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = openCall(url, path, { agent, body });
    const tooLate = setTimeout(
      () => call.destroy(new Error(`no answer within ${withinMs.toFixed()}ms`)),
      withinMs,
    );
    call.on("error", reject);
    call.on("close", () => clearTimeout(tooLate));
    call.on("response", (answer: IncomingMessage) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (piece: Buffer) => {
        bytes += piece.length;
        if (bytes <= MAX_ANSWER_BYTES) pieces.push(piece);
        else call.destroy(new Error("its answer is too long"));
      });
      answer.on("error", reject);
      answer.on("end", () => resolve(Buffer.concat(pieces).toString()));
    });
  });
}

export function openCall(url: string, path: string, { agent, body }: { agent: Agent | false; body: string }) {
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const options = { ...urlToHttpOptions(new URL(url)), path: `/v3/${path}`, method: "POST", agent, headers };
  const call = request(options);
  call.end(body);
  return call;
}
