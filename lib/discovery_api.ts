/**
 * Discovery's HTTP, as its callers see it: one function a call, every answer checked. Each call is made once at each discovery
 * until one answers (twice if a connection that was kept turns out to be closed) and bounded in time: whether and when to
 * try again is for the role to say, where a reader sees it.
 */
import type * as v from "valibot";
import type { GroupFile } from "../plumbing/group_file.ts";
import type { Answer, Call } from "../plumbing/http_call.ts";
import type { Log } from "../plumbing/log.ts";
import { readJson } from "../plumbing/read_json.ts";
import { ask, CallError, createServers, type Servers, whatItSaid } from "../plumbing/servers.ts";
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
  const servers = createServers(urls, { maxSockets: MAX_SOCKETS, ...given });
  const call = (what: string, how: Omit<Call, "withinMs">, withinMs = ANSWER_WITHIN_MS) =>
    request(servers, `Cannot ${what}`, { ...how, withinMs });
  return {
    async list({ signal } = {}) {
      const limits = { beginsWithinMs: ANSWER_WITHIN_MS, maxBytes: wire.MAX_LIST_BYTES, signal };
      const how = { path: "receivers", ...limits };
      const { body, headers } = await call("list receivers", how, LIST_WITHIN_MS);
      const receivers = check("list receivers", wire.ReceiversSchema, body);
      return { receivers, isComplete: headers["x-complete"] !== "no" && servers.sightings.isTrusted };
    },
    async register(where) {
      const how = { method: "POST", path: "register", body: JSON.stringify(where) } as const;
      const { body } = await call("register", how);
      return check("register", wire.RegisteredSchema, body).id;
    },
    async heartbeat(id, { signal } = {}) {
      const how = { method: "POST", path: "heartbeat", body: JSON.stringify({ id }), signal } as const;
      return isOk(await call("send heartbeat", how));
    },
    async leave(id) {
      const path = `receivers/${encodeURIComponent(id)}`;
      return isOk(await call("leave", { method: "DELETE", path }));
    },
  };
}

/** Makes one call. @returns its answer: a 2xx, or a 404 of a call about an id */
async function request(servers: Servers, cannot: string, call: Call): Promise<Answer> {
  const { path } = call;
  const isAboutId = path !== "receivers" && path !== "register";
  try {
    const { answer, url } = await ask(servers, call);
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
