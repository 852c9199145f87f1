/** How the roles ask over HTTP: nobody who answers can send them elsewhere, or fill their memory. */
import { Agent, type AgentOptions } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type CancelableRequest, type Got, type Progress, type RetryOptions } from "got";
import type { GroupFile } from "./group_file.ts";

export interface HttpClientOptions {
  /** How many connections there are at a time; they are kept. */
  maxSockets: number;
  /** How long a call may take, in milliseconds. */
  withinMs: number;
  /** The most bytes that an answer may have; a longer one rejects with got's CancelError. @default {65_536} */
  maxBytes?: number;
  /**
   * Every call may be made twice without harm: so it is, when the connection is reset, as one that was kept may be
   * closed just when it is used again. @default {false}
   */
  isRepeatable?: boolean;
  /** Then every call goes over TLS, to a member of the group. @default none */
  groupFile?: GroupFile | undefined;
}

const IF_RESET: Partial<RetryOptions> = {
  limit: 1,
  errorCodes: ["ECONNRESET"],
  methods: ["GET", "POST", "DELETE"],
  statusCodes: [],
  backoffLimit: 1, // in milliseconds
};

/** Makes calls to `url`: any status resolves, no redirect is followed, and nothing is unpacked. */
export function createHttpClient(
  url: string,
  { maxSockets, withinMs, maxBytes = 64 * 1024, isRepeatable = false, groupFile }: HttpClientOptions,
): Got {
  const kept = { keepAlive: true, maxSockets };
  return got.extend({
    prefixUrl: groupFile ? url.replace(/^http:/, "https:") : url,
    agent: createAgents(kept, groupFile),
    timeout: { request: withinMs },
    retry: isRepeatable ? IF_RESET : { limit: 0 },
    throwHttpErrors: false,
    followRedirect: false,
    decompress: false,
    responseType: "buffer",
    context: { maxBytes },
    handlers: [
      (options, next) => {
        const answer = next(options);
        const call = answer as unknown as CancelableRequest;
        const most = options.context.maxBytes as number;
        call.on("downloadProgress", ({ transferred }: Progress) => {
          if (transferred > most) call.cancel();
        });
        return answer;
      },
    ],
  });
}

/** What keeps the connections; with a group file they are its members' alone. */
export function createAgents(kept: AgentOptions, groupFile?: GroupFile) {
  return { http: new Agent(kept), https: new HttpsAgent({ ...kept, ...groupFile }) };
}
