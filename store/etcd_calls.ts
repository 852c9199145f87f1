/**
 * Calls to etcd, by its HTTP gateway: JSON, in which bytes are base64 and numbers of 64 bits are texts. The files of this
 * room call through here. One of the nodes is asked; when it doesn't answer, the next.
 */
import { setTimeout as delay } from "node:timers/promises";
import { HTTPException } from "hono/http-exception";
import * as v from "valibot";
import { createTarget, makeCall, type Target } from "../plumbing/http_call.ts";
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
  nodes: readonly Target[];
  /** The place of the node that is asked. */
  current: number;
}

export function createEtcd(urls: readonly string[]): Etcd {
  return { nodes: urls.map((url) => createTarget(url, { maxSockets: MAX_SOCKETS })), current: 0 };
}

/** Closes the connections that are kept. */
export function endEtcd({ nodes }: Etcd): void {
  for (const { agent } of nodes) agent.destroy();
}

/** To the next node. */
export function goOn(etcd: Etcd): void {
  etcd.current = (etcd.current + 1) % etcd.nodes.length;
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
    const node = etcd.nodes[current] as Target;
    const withinMs = Math.min(TRY_WITHIN_MS, endsAt - performance.now());
    const answer = await askNode(node, call, withinMs);
    if ("value" in answer) return answer.value;
    // The last try may be cut short, and fail by that.
    if (at === "" || withinMs === TRY_WITHIN_MS) [at, problem] = [`${node.url}: `, answer.problem];
    if (etcd.current === current) goOn(etcd); // unless another call has done so already
    const pauseMs = tries % etcd.nodes.length === 0 ? Math.min(PAUSE_MS, endsAt - performance.now()) : 0;
    if (pauseMs > 0) await delay(pauseMs);
  }
  const isEtcd = problem !== NO_ETCD;
  const hint = isEtcd ? "is it up, and more than half of its nodes?" : "see --store";
  const message = `Cannot ${what}: etcd doesn't answer (${at}${printable(cut(problem))}); ${hint}`;
  throw new (isEtcd ? HTTPException : NotEtcdError)(503, { message });
}

async function askNode<T>(node: Target, { path, body, read }: TextCall<T>, withinMs: number) {
  try {
    const call = { method: "POST" as const, path: `v3/${path}`, body, withinMs, maxBytes: MAX_ANSWER_BYTES };
    return read((await makeCall(node, call)).body.toString());
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
