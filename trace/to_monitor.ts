/**
 * Sends the events of a process to the monitor (`--monitor`): in batches, one request at a time, best
 * effort. Nothing ever waits for it or fails because of it. A monitor that is slow or dead costs the
 * process a queue of 10,000 events; what finds no room there is counted, and the monitor is told how
 * many it missed as soon as it answers again.
 */
import { Agent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Socket } from "node:net";
import got, { type Got } from "got";
import { MAX_BATCH } from "./batch.ts";
import type { TraceEvent } from "./events.ts";
import type { Outlet } from "./trace.ts";

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

interface Sender {
  http: Got;
  maxQueued: number;
  queue: TraceEvent[];
  lost: number; // events since the last batch that arrived
  sending?: Promise<boolean> | undefined;
  timer?: NodeJS.Timeout | undefined;
  isLast: boolean; // it says its last words: then the process stays for them
  socket?: Socket;
}

const senders = new Set<Sender>(); // of this process: the demo has several

export function openMonitor(url: string, { maxQueued = 10_000 }: OpenMonitorOptions = {}): MonitorOutlet {
  const one = { keepAlive: true, maxSockets: 1 };
  const agent = { http: new Agent(one), https: new HttpsAgent(one) };
  const timeout = { request: REQUEST_TIMEOUT_MS };
  const http = got.extend({ prefixUrl: url, agent, retry: { limit: 0 }, timeout });
  const sender: Sender = { http, maxQueued, queue: [], lost: 0, isLast: false };
  if (senders.size === 0) process.once("beforeExit", () => Promise.all([...senders].map(flush)));
  senders.add(sender);
  return {
    tell(event) {
      if (sender.queue.length < maxQueued) sender.queue.push(event);
      else sender.lost += 1;
      schedule(sender, BATCH_EVERY_MS);
    },
    flush: () => flush(sender),
  };
}

function schedule(sender: Sender, afterMs: number): void {
  sender.timer ??= setTimeout(sendNext, afterMs, sender).unref();
}

async function sendNext(sender: Sender): Promise<void> {
  sender.timer = undefined;
  if (sender.sending) return;
  const wentWell = await sendOnce(sender);
  const { isLast, queue } = sender;
  if (isLast) return;
  if (!wentWell) schedule(sender, RETRY_EVERY_MS);
  else if (queue.length > 0) schedule(sender, queue.length < MAX_BATCH ? BATCH_EVERY_MS : 0);
}

/** Sends a batch, or waits for the one under way. @returns whether it arrived */
function sendOnce(sender: Sender): Promise<boolean> {
  sender.sending ??= send(sender).finally(() => {
    sender.sending = undefined;
  });
  return sender.sending;
}

/**
 * A batch that provably did not arrive goes back into the queue. Any other that fails counts as lost:
 * the monitor may have taken it, and would show it twice.
 */
async function send(sender: Sender): Promise<boolean> {
  const batch = { events: sender.queue.slice(0, MAX_BATCH), lost: sender.lost };
  sender.queue = sender.queue.slice(MAX_BATCH);
  sender.lost = 0;
  try {
    const request = sender.http.post("events", { json: batch });
    // Unless it says its last words, a request under way is no reason for the process to stay.
    request.on("request", (sent) =>
      sent.once("socket", (socket: Socket) => {
        sender.socket = socket;
        if (!sender.isLast) socket.unref();
      }),
    );
    await request;
    return true;
  } catch (error) {
    const isKept = NOT_SENT.has((error as NodeJS.ErrnoException).code ?? "");
    if (isKept) sender.queue = [...batch.events, ...sender.queue];
    const spare = isKept ? sender.queue.splice(sender.maxQueued) : batch.events;
    sender.lost += batch.lost + spare.length;
    return false;
  }
}

async function flush(sender: Sender): Promise<void> {
  const isDone = () => !sender.sending && sender.queue.length === 0 && sender.lost === 0;
  if (isDone()) return;
  sender.isLast = true;
  sender.socket?.ref();
  let bound: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((resolve) => {
    bound = setTimeout(resolve, LAST_WORDS_MS, false);
  });
  while (!isDone()) if (!(await Promise.race([sendOnce(sender), tooLate]))) break;
  clearTimeout(bound);
  sender.isLast = false;
  sender.socket?.unref();
}
