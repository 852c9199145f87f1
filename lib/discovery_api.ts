/**
 * Discovery's HTTP, as its callers see it: one function a call, every answer checked. Each call is made
 * once (twice if a connection that was kept turns out to be closed) and bounded in time: whether and when to try again is for the role to say, where a reader sees it.
 */
import { CancelError, type Got, type OptionsInit, RequestError, type Response } from "got";
import type * as v from "valibot";
import { createHttpClient } from "../plumbing/http_client.ts";
import { printable } from "../plumbing/printable.ts";
import { readJson } from "../plumbing/read_json.ts";
import {
  MAX_LIST_BYTES,
  type Receiver,
  ReceiversSchema,
  RefusalSchema,
  RegisteredSchema,
  type Registration,
} from "./messages.ts";

const LIST_WITHIN_MS = 5000; // the answer can be long
const ANSWER_WITHIN_MS = 2000;
const MAX_SOCKETS = 50;

/** Discovery didn't do what was asked. */
export class DiscoveryError extends Error {
  /** `unreachable`: nobody answered, or with a 5xx; `refused`: what was to be registered is wrong; `bad_answer`: not discovery's. */
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

/** `signal` ends the call; it then rejects with an AbortError. */
type Cancellable = { signal?: AbortSignal };

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
  const http = createHttpClient(url, {
    maxSockets: MAX_SOCKETS,
    withinMs: ANSWER_WITHIN_MS,
    isRepeatable: true,
  });
  const call = (what: string, path: string, options: OptionsInit) =>
    request(http, `Cannot ${what} at ${url}`, path, options);
  return {
    url,
    async list(options = {}) {
      const limits = { timeout: { request: LIST_WITHIN_MS }, context: { maxBytes: MAX_LIST_BYTES } };
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
      return isOk(await call("send heartbeat", "heartbeat", beat));
    },
    async leave(id) {
      return isOk(await call("leave", `receivers/${encodeURIComponent(id)}`, { method: "DELETE" }));
    },
  };
}

type Answer = Response<Buffer>;

/** Makes one call. @returns its answer: a 2xx, or a 404 of a call about an id */
async function request(http: Got, cannot: string, path: string, options: OptionsInit): Promise<Answer> {
  const isAboutId = path !== "receivers" && path !== "register";
  try {
    const answer = (await http(path, options)) as unknown as Answer;
    if (isOk(answer) || (answer.statusCode === 404 && isAboutId)) return answer;
    throw refusal(cannot, path, answer);
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof CancelError)
      throw new DiscoveryError("bad_answer", `${cannot}: its answer is too long`);
    if (!(cause instanceof RequestError)) throw cause;
    throw new DiscoveryError("unreachable", `${cannot}: ${cause.code ?? cause.message}`, { cause });
  }
}

function isOk({ statusCode }: Answer): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function check<S extends v.GenericSchema>(what: string, schema: S, body: Buffer): v.InferOutput<S> {
  const answer = readJson(schema, body.toString());
  if ("value" in answer) return answer.value;
  throw new DiscoveryError("bad_answer", `Cannot ${what}: the answer is not discovery's (${answer.problem})`);
}

function refusal(cannot: string, path: string, { statusCode, body }: Answer): DiscoveryError {
  const said = readJson(RefusalSchema, body.toString());
  const why = "value" in said ? `, ${printable(said.value.error)}` : "";
  const code = statusCode === 400 && path === "register" ? "refused" : "bad_answer";
  return new DiscoveryError(
    statusCode >= 500 ? "unreachable" : code,
    `${cannot}: it answered ${statusCode}${why}`,
  );
}
