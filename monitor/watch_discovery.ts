/** Discovery, as the monitor sees it: whether it answers, asked every second, and whom it lists. monitor.ts makes one. */
import { MAX_LIST_BYTES } from "../lib/messages.ts";
import type { GroupFile } from "../plumbing/group_file.ts";
import type { Log } from "../plumbing/log.ts";
import { type Asked, ask, createServers } from "../plumbing/servers.ts";
import { DISCOVERY } from "../trace/events.ts";
import type { Trace } from "../trace/trace.ts";

const ASK_EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 1500; // so at the latest 2.5 s after its end, or its stop, the monitor says so; of each of several
const LIST_WITHIN_MS = 5000; // it can be long
const MAX_SOCKETS = 10; // lists that are under way, one a second, must not keep the question waiting

export interface WatchedDiscovery {
  /** Its list, as JSON, in its own bytes: 100,000 receivers need not be read here. Undefined while it doesn't answer. */
  list(): Promise<Buffer | undefined>;
  /** Asks no more. */
  end(): void;
}

/**
 * Tells each time that it has ceased to answer, or answers again; at first, that it doesn't. Of several it asks the one that
 * answered last: it has ceased when none of them answers.
 */
export function watchDiscovery(
  urls: string | readonly string[],
  trace: Trace,
  given: { log: Log; groupFile?: GroupFile | undefined },
): WatchedDiscovery {
  const servers = createServers(urls, { maxSockets: MAX_SOCKETS, ...given });
  const stop = new AbortController();
  const { signal } = stop;
  let [isThere, isAsked] = [true, false];
  const asking = setInterval(async () => {
    if (isAsked) return;
    isAsked = true;
    const health = { path: "health", withinMs: ANSWER_WITHIN_MS, signal };
    const answers = await ask(servers, health).then(isOk, () => false);
    isAsked = false;
    if (answers === isThere || signal.aborted) return;
    isThere = answers;
    trace.tell(isThere ? "reachable" : "unreachable", { from: DISCOVERY });
  }, ASK_EVERY_MS);
  return {
    async list() {
      if (!isThere) return undefined;
      const times = { beginsWithinMs: ANSWER_WITHIN_MS, withinMs: LIST_WITHIN_MS };
      const list = { path: "receivers", ...times, maxBytes: MAX_LIST_BYTES, signal };
      const asked = await ask(servers, list).catch(() => undefined);
      const isList = asked && isOk(asked) && asked.answer.body[0] === LIST_BEGINS;
      return isList ? asked.answer.body : undefined;
    },
    end() {
      clearInterval(asking);
      stop.abort();
    },
  };
}

const LIST_BEGINS = "[".charCodeAt(0);

function isOk({ answer }: Asked): boolean {
  return answer.statusCode === 200;
}
