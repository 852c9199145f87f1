/** Discovery, as the monitor sees it: whether it answers, asked every second, and whom it lists. monitor.ts makes one. */
import { MAX_LIST_BYTES } from "../lib/messages.ts";
import { createHttpClient } from "../plumbing/http_client.ts";
import { DISCOVERY } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";

const ASK_EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 1500; // so at the latest 2.5 s after its end, or its stop, the monitor says so
const LIST_WITHIN_MS = 5000; // it can be long
const MAX_SOCKETS = 10; // lists that are under way, one a second, must not keep the question waiting

export interface WatchedDiscovery {
  /** Its list, as JSON, in its own bytes: 100,000 receivers need not be read here. Undefined while it doesn't answer. */
  list(): Promise<Buffer | undefined>;
  /** Asks no more. */
  end(): void;
}

/** Tells each time that it has ceased to answer, or answers again; at first, that it doesn't. */
export function watchDiscovery(url: string, trace: Trace): WatchedDiscovery {
  const http = createHttpClient(url, {
    maxSockets: MAX_SOCKETS,
    withinMs: ANSWER_WITHIN_MS,
    isRepeatable: true,
  });
  const stop = new AbortController();
  const { signal } = stop;
  let [isThere, isAsked] = [true, false];
  const asking = setInterval(async () => {
    if (isAsked) return;
    isAsked = true;
    const answers = await http("health", { signal }).then(isOk, () => false);
    isAsked = false;
    if (answers === isThere || signal.aborted) return;
    isThere = answers;
    trace.tell(isThere ? "reachable" : "unreachable", { from: DISCOVERY });
  }, ASK_EVERY_MS);
  return {
    async list() {
      if (!isThere) return undefined;
      const limits = { timeout: { request: LIST_WITHIN_MS }, context: { maxBytes: MAX_LIST_BYTES } };
      const answer = await http("receivers", { ...limits, signal }).catch(() => undefined);
      return answer && isOk(answer) && answer.rawBody[0] === LIST_BEGINS ? answer.rawBody : undefined;
    },
    end() {
      clearInterval(asking);
      stop.abort();
    },
  };
}

const LIST_BEGINS = "[".charCodeAt(0);

function isOk({ statusCode }: { statusCode: number }): boolean {
  return statusCode === 200;
}
