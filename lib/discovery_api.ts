/**
 * Discovery's HTTP, as its callers see it: one function a call, every answer checked. Each call is made
 * once (twice if a connection that was kept turns out to be closed) and bounded in time: whether and when to try again is for the role to say, where a reader sees it.
 */
import { Agent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type Got, type OptionsInit, RequestError, type Response } from "got";
import type * as v from "valibot";
import {
  type Receiver,
  ReceiversSchema,
  RefusalSchema,
  RegisteredSchema,
  type Registration,
  readJson,
} from "./messages.ts";

const LIST_WITHIN_MS = 5000; // the answer can be long
const ANSWER_WITHIN_MS = 2000;
const MAX_SOCKETS = 50;

/** Discovery didn't do what was asked. */
export class DiscoveryError extends Error {
  /** `unreachable`: nobody answered, or with a 5xx; `refused`: what was asked is wrong; `bad_answer`: not discovery's. */
  code: "unreachable" | "refused" | "bad_answer";
  constructor(code: DiscoveryError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DiscoveryError";
    this.code = code;
  }
}

/** Who is in the group. */
export interface Listing {
  receivers: Receiver[];
  /** False when discovery was started so lately that some may not be back yet: who is missing may be there. */
  isComplete: boolean;
}

export interface Cancellable {
  /** Ends the call; it then rejects with an AbortError. */
  signal?: AbortSignal;
}

export interface DiscoveryApi {
  url: string;
  list(options?: Cancellable): Promise<Listing>;
  /** @returns the id that discovery gave; not cancellable, as it may be given already */
  register(where: Registration): Promise<string>;
  /** @returns false if discovery doesn't know the id: register again */
  heartbeat(id: string, options?: Cancellable): Promise<boolean>;
  /** @returns false if discovery doesn't know the id: it is gone already */
  leave(id: string): Promise<boolean>;
}

/** Makes the calls to the discovery server at `url`. Each rejects with a {@linkcode DiscoveryError}. */
export function createDiscoveryApi(url: string): DiscoveryApi {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  const http = got.extend({
    prefixUrl: url,
    retry: { limit: 0 },
    throwHttpErrors: false,
    timeout: { request: ANSWER_WITHIN_MS },
    agent: { http: new Agent(agent), https: new HttpsAgent(agent) },
  });
  const call = (what: string, path: string, options: OptionsInit) =>
    request(http, `Cannot ${what} at ${url}`, path, options);
  return {
    url,
    async list(options = {}) {
      const limits = { timeout: { request: LIST_WITHIN_MS } };
      const { body, headers } = await call("list receivers", "receivers", { ...options, ...limits });
      const receivers = check("list receivers", ReceiversSchema, body);
      return { receivers, isComplete: headers["x-complete"] !== "no" };
    },
    async register(where) {
      const { body } = await call("register", "register", { method: "POST", json: where });
      return check("register", RegisteredSchema, body).id;
    },
    async heartbeat(id, options = {}) {
      const beat = { ...options, method: "POST" as const, json: { id } };
      return (await call("send heartbeat", "heartbeat", beat)).statusCode !== 404;
    },
    async leave(id) {
      return (await call("leave", `receivers/${encodeURIComponent(id)}`, { method: "DELETE" })).ok;
    },
  };
}

type Answer = Response<string>;

/** Makes one call. @returns its answer: a 2xx, or a 404 of a call about an id */
async function request(http: Got, cannot: string, path: string, options: OptionsInit): Promise<Answer> {
  const ask = () => http(path, options) as unknown as Promise<Answer>;
  const isAboutId = path !== "receivers" && path !== "register";
  try {
    // A connection that was kept may be closed by the server just as it is used again: then once more,
    // on a new one. Every call may be repeated without harm.
    const answer = await ask().catch((error) => {
      if (error.code === "ECONNRESET") return ask();
      throw error;
    });
    if (answer.ok || (answer.statusCode === 404 && isAboutId)) return answer;
    throw refusal(cannot, answer);
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (!(cause instanceof RequestError)) throw cause;
    throw new DiscoveryError("unreachable", `${cannot}: ${cause.code ?? cause.message}`, { cause });
  }
}

function check<S extends v.GenericSchema>(what: string, schema: S, body: string): v.InferOutput<S> {
  const answer = readJson(schema, body);
  if ("value" in answer) return answer.value;
  throw new DiscoveryError("bad_answer", `Cannot ${what}: the answer is not discovery's (${answer.problem})`);
}

function refusal(cannot: string, { statusCode, body }: Answer): DiscoveryError {
  const said = readJson(RefusalSchema, body);
  const why = "value" in said ? `, ${said.value.error}` : "";
  const code = statusCode >= 500 ? "unreachable" : statusCode === 400 ? "refused" : "bad_answer";
  return new DiscoveryError(code, `${cannot}: it answered ${statusCode}${why}`);
}
