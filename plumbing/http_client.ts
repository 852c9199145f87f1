/**
 * How a role sends its monitor events, with got; what loads it waits until there is a monitor. Who answers can't send it
 * elsewhere, or fill its memory.
 */
import { Agent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type CancelableRequest, type Got, type Progress } from "got";
import type { GroupFile } from "./group_file.ts";

const MAX_BYTES = 64 * 1024; // of an answer

export interface HttpClientOptions {
  /** How long a call may take, in milliseconds. */
  withinMs: number;
  /** Then every call goes over TLS, to a member of the group. @default none */
  groupFile?: GroupFile | undefined;
}

/** Makes calls to `url` on one connection: any status resolves, no redirect is followed, and nothing is unpacked. */
export function createHttpClient(url: string, { withinMs, groupFile }: HttpClientOptions): Got {
  const kept = { keepAlive: true, maxSockets: 1 };
  return got.extend({
    prefixUrl: groupFile ? url.replace(/^http:/, "https:") : url,
    agent: { http: new Agent(kept), https: new HttpsAgent({ ...kept, ...groupFile }) },
    timeout: { request: withinMs },
    retry: { limit: 0 },
    throwHttpErrors: false,
    followRedirect: false,
    decompress: false,
    responseType: "buffer",
    handlers: [
      (options, next) => {
        const answer = next(options);
        const call = answer as unknown as CancelableRequest;
        call.on("downloadProgress", ({ transferred }: Progress) => {
          if (transferred > MAX_BYTES) call.cancel();
        });
        return answer;
      },
    ],
  });
}
