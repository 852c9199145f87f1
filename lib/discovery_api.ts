/** Discovery's HTTP, as its callers see it: one function a call, every answer checked. */
import { Agent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { HTTPError, RequestError, type Response } from "got";
import type * as v from "valibot";
import {
  type Receiver,
  ReceiversSchema,
  RefusalSchema,
  RegisteredSchema,
  type Registration,
  readJson,
} from "./messages.ts";

const REQUEST_TIMEOUT_MS = 5000;
const MAX_SOCKETS = 50;

/** Discovery didn't do what was asked. */
export class DiscoveryError extends Error {
  /** `unreachable`: nobody answered, or with a 5xx; `refused`: a 4xx; `bad_answer`: not what discovery says. */
  code: "unreachable" | "refused" | "bad_answer";
  constructor(code: DiscoveryError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DiscoveryError";
    this.code = code;
  }
}

export interface DiscoveryApi {
  url: string;
  /** Resolves if it answers as discovery does. */
  health(): Promise<void>;
  /** @returns the id that discovery gave */
  register(where: Registration): Promise<string>;
  /** @returns false if discovery doesn't know the id: register again */
  heartbeat(id: string): Promise<boolean>;
  list(): Promise<Receiver[]>;
  /** Of the last list: false if discovery was started again so lately that some may not be back yet. */
  isComplete(): boolean;
  leave(id: string): Promise<void>;
}

/**
 * Makes the calls to the discovery server at `url`. Each rejects with a {@linkcode DiscoveryError}, and
 * is tried once: whether and when to try again is for the role to say, where a reader can see it.
 *
 * @example
 * ```ts
 * const discovery = createDiscoveryApi("http://localhost:5000");
 * const id = await discovery.register({ host: "receiver-1", port: 40121 });
 * ```
 */
export function createDiscoveryApi(url: string): DiscoveryApi {
  let isComplete = true;
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  const http = got.extend({
    prefixUrl: url,
    retry: { limit: 0 },
    timeout: { request: REQUEST_TIMEOUT_MS },
    agent: { http: new Agent(agent), https: new HttpsAgent(agent) },
  });

  async function call(what: string, request: () => Promise<Response<string>>): Promise<Response<string>> {
    try {
      // A connection that was kept may be closed by the server just as it is used again: then once more,
      // on a new one. Every call may be repeated without harm.
      const answer = await request().catch((error) => {
        if (error.code === "ECONNRESET") return request();
        throw error;
      });
      return answer;
    } catch (error) {
      throw explain(`Cannot ${what} at ${url}`, error);
    }
  }

  return {
    url,
    async health() {
      await call("find discovery", () => http.get("health"));
    },
    async register(where) {
      const what = "register";
      const answer = await call(what, () => http.post("register", { json: where }));
      return check(what, RegisteredSchema, answer.body).id;
    },
    async heartbeat(id) {
      try {
        await call("send heartbeat", () => http.post("heartbeat", { json: { id } }));
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    async list() {
      const what = "list receivers";
      const answer = await call(what, () => http.get("receivers"));
      isComplete = answer.headers["x-complete"] !== "no";
      return check(what, ReceiversSchema, answer.body);
    },
    isComplete: () => isComplete,
    async leave(id) {
      try {
        await call("leave", () => http.delete(`receivers/${encodeURIComponent(id)}`));
      } catch (error) {
        if (!isNotFound(error)) throw error; // gone already is what we wanted
      }
    },
  };
}

function check<S extends v.GenericSchema>(what: string, schema: S, body: string): v.InferOutput<S> {
  const answer = readJson(schema, body);
  if ("value" in answer) return answer.value;
  throw new DiscoveryError("bad_answer", `Cannot ${what}: the answer is not discovery's (${answer.problem})`);
}

function isNotFound(error: unknown): boolean {
  const cause = error instanceof DiscoveryError ? error.cause : undefined;
  return cause instanceof HTTPError && cause.response.statusCode === 404;
}

/** Says in one line what went wrong with a request. */
function explain(cannot: string, cause: unknown): Error {
  if (cause instanceof HTTPError) {
    const { statusCode, body } = cause.response;
    const said = readJson(RefusalSchema, String(body));
    const reason = `it answered ${statusCode}${"value" in said ? `, ${said.value.error}` : ""}`;
    const code = statusCode >= 500 ? "unreachable" : "refused";
    return new DiscoveryError(code, `${cannot}: ${reason}`, { cause });
  }
  if (cause instanceof RequestError) {
    return new DiscoveryError("unreachable", `${cannot}: ${cause.code ?? cause.message}`, { cause });
  }
  return cause as Error;
}
