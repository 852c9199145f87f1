/**
 * Discovery's HTTP, as its callers see it: one function a call, every answer checked. Each call is made once at each discovery
 * until one answers (twice if a connection that was kept turns out to be closed) and bounded in time: whether and when to
 * try again is for the role to say, where a reader sees it.
 */
import type { OptionsInit } from "got";
import type * as v from "valibot";
import type { GroupFile } from "../plumbing/group_file.ts";
import type { Log } from "../plumbing/log.ts";
import { readJson } from "../plumbing/read_json.ts";
import { type Answer, ask, CallError, createServers, type Servers, whatItSaid } from "../plumbing/servers.ts";
import * as wire from "./messages.ts";

const LIST_WITHIN_MS = 5000; // the answer can be long
const ANSWER_WITHIN_MS = 2000;
const MAX_SOCKETS = 50;

type Details = ErrorOptions & { url?: string | undefined };

/** Discovery didn't do what was asked. */
export class DiscoveryError extends Error {
  /** `unreachable`: nobody answered; `unable`: with a 5xx; `refused`: what was to be registered is wrong; `bad_answer`: not discovery's. */
  code: "unreachable" | "unable" | "refused" | "bad_answer";
  /** Where it was asked: the first of several. */
  url: string | undefined;
  constructor(code: DiscoveryError["code"], message: string, details: Details = {}) {
    super(message, details);
    this.name = "DiscoveryError";
    this.code = code;
    this.url = details.url;
  }
}

/** Who is in the group. */
export interface Listing {
  receivers: wire.Receiver[];
  /** False when discovery was started so lately that some may not be back yet, or knows a part: who is missing may be there. */
  isComplete: boolean;
}

/** `signal` ends the call; it then rejects with an AbortError. */
type Cancellable = { signal?: AbortSignal };

export interface DiscoveryApi {
  list(options?: Cancellable): Promise<Listing>;
  /** @returns the id that discovery gave; not cancellable, as it may be given already */
  register(where: wire.Registration): Promise<string>;
  /** @returns false if discovery doesn't know the id: register again */
  heartbeat(id: string, options?: Cancellable): Promise<boolean>;
  /** @returns false if discovery doesn't know the id: it is gone already */
  leave(id: string): Promise<boolean>;
}

/**
 * Makes the calls to the discovery server at `urls`, or to the first of several that answers; `log` is told when that is
 * another one. Each rejects with a {@linkcode DiscoveryError}.
 */
export function createDiscoveryApi(
  urls: string | readonly string[],
  given: { log?: Log; groupFile?: GroupFile | undefined } = {},
): DiscoveryApi {
  const limits = { maxSockets: MAX_SOCKETS, withinMs: ANSWER_WITHIN_MS, isRepeatable: true };
  const servers = createServers(urls, { ...limits, ...given });
  const call = (what: string, path: string, options: OptionsInit) =>
    request(servers, `Cannot ${what}`, path, options);
  return {
    async list(options = {}) {
      const begins = { connect: ANSWER_WITHIN_MS, response: ANSWER_WITHIN_MS };
      const timeout = { ...begins, request: LIST_WITHIN_MS };
      const context = { maxBytes: wire.MAX_LIST_BYTES };
      const { body, headers } = await call("list receivers", "receivers", { ...options, timeout, context });
      const receivers = check("list receivers", wire.ReceiversSchema, body);
      return { receivers, isComplete: headers["x-complete"] !== "no" && servers.sightings.isTrusted };
    },
    async register(where) {
      const { body } = await call("register", "register", { method: "POST", json: where });
      return check("register", wire.RegisteredSchema, body).id;
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

/** Makes one call. @returns its answer: a 2xx, or a 404 of a call about an id */
async function request(
  servers: Servers,
  cannot: string,
  path: string,
  options: OptionsInit,
): Promise<Answer> {
  const isAboutId = path !== "receivers" && path !== "register";
  try {
    const { answer, url } = await ask(servers, path, options);
    if (isOk(answer) || (answer.statusCode === 404 && isAboutId)) return answer;
    const code = answer.statusCode === 400 && path === "register" ? "refused" : "bad_answer";
    throw new DiscoveryError(code, `${cannot} at ${url}: ${whatItSaid(answer)}`);
  } catch (cause) {
    if (!(cause instanceof CallError)) throw cause;
    throw new DiscoveryError(cause.code, `${cannot} ${cause.message}`, { cause, url: servers.all[0]?.url });
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
