/**
 * Sends the events of a process to the monitor (`--monitor`): in batches, one request at a time, best
 * effort. Nothing ever waits for it or fails because of it. A monitor that is slow or dead costs the
 * process a queue of 10,000 events; what finds no room there is counted, and the monitor is told how
 * many it missed as soon as it answers again.
 */
import { Agent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Socket } from "node:net";
import got from "got";
import { MAX_BATCH } from "./batch.ts";
import type { Outlet, TraceEvent } from "./trace.ts";

const BATCH_EVERY_MS = 50; // soon enough for an eye
const RETRY_EVERY_MS = 1000; // while the monitor is away
const REQUEST_TIMEOUT_MS = 2000;
const LAST_WORDS_MS = 2000; // at the end of the process, for what is still in the queue
const NOT_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

export interface OpenMonitorOptions {
  /** How many events wait at most. @default {10_000} */
  maxQueued?: number;
}

export interface MonitorOutlet {
  tell: Outlet;
  /** Sends what is queued, for two seconds at most; also done by itself when the process ends. */
  flush(): Promise<void>;
}

export function openMonitor(url: string, { maxQueued = 10_000 }: OpenMonitorOptions = {}): MonitorOutlet {
  const one = { keepAlive: true, maxSockets: 1 };
  const agent = { http: new Agent(one), https: new HttpsAgent(one) };
  const http = got.extend({
    prefixUrl: url,
    agent,
    retry: { limit: 0 },
    timeout: { request: REQUEST_TIMEOUT_MS },
  });
  let queue: TraceEvent[] = [];
  let lost = 0;
  let sending: Promise<boolean> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isLast = false;
  let socket: Socket | undefined;

  /**
   * A batch that provably did not arrive goes back into the queue. Any other that fails counts as lost:
   * the monitor may have taken it, and would show it twice.
   */
  async function send(): Promise<boolean> {
    const batch = { events: queue.slice(0, MAX_BATCH), lost };
    queue = queue.slice(MAX_BATCH);
    lost = 0;
    try {
      const request = http.post("events", { json: batch });
      // Unless it says its last words, a request under way is no reason for the process to stay.
      request.on("request", (sent) =>
        sent.once("socket", (used: Socket) => {
          socket = used;
          if (!isLast) used.unref();
        }),
      );
      await request;
      return true;
    } catch (error) {
      const kept = NOT_SENT.has((error as NodeJS.ErrnoException).code ?? "");
      if (kept) queue = [...batch.events, ...queue];
      const spare = kept ? queue.splice(maxQueued) : batch.events;
      lost += batch.lost + spare.length;
      return false;
    }
  }

  function schedule(afterMs: number) {
    if (timer === undefined) timer = setTimeout(sendNext, afterMs).unref();
  }

  async function sendNext() {
    timer = undefined;
    if (sending) return;
    sending = send();
    const wentWell = await sending;
    sending = undefined;
    if (isLast) return;
    if (!wentWell) schedule(RETRY_EVERY_MS);
    else if (queue.length > 0) schedule(queue.length < MAX_BATCH ? BATCH_EVERY_MS : 0);
  }

  async function flush() {
    if (queue.length === 0 && lost === 0 && !sending) return;
    isLast = true;
    socket?.ref();
    let wakeUp = () => {};
    const inTime = new Promise<false>((resolve) => {
      const bound = setTimeout(resolve, LAST_WORDS_MS, false);
      wakeUp = () => clearTimeout(bound);
    });
    while (sending || queue.length > 0 || lost > 0) {
      sending ??= send().finally(() => {
        sending = undefined;
      });
      if (!(await Promise.race([sending, inTime]))) break;
    }
    wakeUp();
    isLast = false;
    socket?.unref();
  }

  process.once("beforeExit", () => flush());
  return {
    tell(event) {
      if (queue.length < maxQueued) queue.push(event);
      else lost += 1;
      schedule(BATCH_EVERY_MS);
    },
    flush,
  };
}
