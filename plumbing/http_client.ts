/** How the roles ask over HTTP: nobody who answers can send them elsewhere, or fill their memory. */
import { Agent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type CancelableRequest, type Got, type Progress, type RetryOptions } from "got";

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
  { maxSockets, withinMs, maxBytes = 64 * 1024, isRepeatable = false }: HttpClientOptions,
): Got {
  const kept = { keepAlive: true, maxSockets };
  return got.extend({
    prefixUrl: url,
    agent: { http: new Agent(kept), https: new HttpsAgent(kept) },
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
