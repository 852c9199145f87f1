/**
 * Sends the events of a process to the monitor (`--monitor`): in batches, one request at a time, best effort. Nothing ever
 * waits for it. A monitor that is slow or dead costs a queue of 10,000 events, or 4 MiB; what finds no room there is counted,
 * and the monitor is told how many it missed when it answers again. What it answers is not read: it may be any server.
 */
import type { Socket } from "node:net";
import type { Got } from "got";
import { createHttpClient, type HttpClientOptions } from "../plumbing/http_client.ts";
import { MAX_ALIVE, MAX_BATCH, MAX_BATCH_BYTES } from "./batch.ts";
import { DISCOVERY, MAX_EVENT_BYTES, type TraceEvent } from "./events.ts";
import type { Outlet } from "./trace.ts";

const BATCH_EVERY_MS = 50; // soon enough for an eye
const RETRY_EVERY_MS = 1000; // while the monitor is away
const REQUEST_TIMEOUT_MS = 2000;
const LAST_WORDS_MS = 2000; // at the end of the process, for what is still in the queue
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
const ALIVE_EVERY_MS = 5000; // so often the monitor hears of a client that has nothing to tell
const NOT_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

export interface OpenMonitorOptions extends Pick<HttpClientOptions, "groupFile"> {
  maxQueued?: number; // how many events wait at most; 10,000 if it isn't said
}

export interface MonitorOutlet {
  tell: Outlet;
  flush(): Promise<void>; // for two seconds at most; also done by itself when the process ends
}

interface Sender {
  http: Got;
  maxQueued: number;
  queue: Buffer[]; // events as JSON
  queuedBytes: number;
  lost: number; // events since the last batch that arrived
  alive: Set<string>; // clients that have started, and not stopped
  pulse?: NodeJS.Timeout | undefined; // tells it while there is one
  sending?: Promise<boolean> | undefined;
  timer?: NodeJS.Timeout | undefined;
  isLast: boolean; // it says its last words: then the process stays for them
  socket?: Socket;
}

const senders = new Set<Sender>(); // of this process: the demo has several

export function openMonitor(url: string, options: OpenMonitorOptions = {}): MonitorOutlet {
  const { maxQueued = 10_000, groupFile } = options;
  const http = createHttpClient(url, { withinMs: REQUEST_TIMEOUT_MS, groupFile });
  const nothing = { queue: [], queuedBytes: 0, lost: 0, alive: new Set<string>() };
  const sender: Sender = { http, maxQueued, ...nothing, isLast: false };
  if (senders.size === 0) process.once("beforeExit", flushAll);
  senders.add(sender);
  return {
    tell(event) {
      const json = sender.queue.length < maxQueued ? Buffer.from(JSON.stringify(event)) : undefined;
      if (json === undefined || json.length > MAX_EVENT_BYTES) sender.lost += 1;
      else enqueue(sender, json);
      if (event.process !== DISCOVERY) noteLife(sender, event);
      schedule(sender, BATCH_EVERY_MS);
    },
    flush: () => flush(sender),
  };
}

/** Sends what is queued in this process, for two seconds at most. */
export const flushAll = async () => void (await Promise.all([...senders].map(flush)));

/** Discovery is asked by the monitor itself, and of receivers discovery knows; of a client nobody else hears. */
function noteLife(sender: Sender, { event, process }: TraceEvent): void {
  const { alive } = sender;
  if (event === "started" && alive.size < MAX_ALIVE) alive.add(process);
  if (event === "stopped") alive.delete(process);
  if (alive.size > 0) sender.pulse ??= setInterval(schedule, ALIVE_EVERY_MS, sender, 0).unref();
  else sender.pulse = void clearInterval(sender.pulse);
}

/** Puts events at the end of the queue, as far as there is room. */
function enqueue(sender: Sender, ...events: readonly Buffer[]): void {
  for (const json of events) {
    if (sender.queue.length >= sender.maxQueued || sender.queuedBytes + json.length > MAX_QUEUED_BYTES) {
      sender.lost += 1;
      continue;
    }
    sender.queue.push(json);
    sender.queuedBytes += json.length;
  }
}

/** Takes as many events from the queue as one batch may have, with so many bytes around them. */
function dequeue(sender: Sender, around: number): Buffer[] {
  let bytes = around;
  let count = 0;
  for (const { length } of sender.queue.slice(0, MAX_BATCH)) {
    bytes += length + 1;
    if (bytes > MAX_BATCH_BYTES) break;
    count += 1;
    sender.queuedBytes -= length;
  }
  return sender.queue.splice(0, count);
}

function schedule(sender: Sender, afterMs: number): void {
  sender.timer ??= setTimeout(sendNext, afterMs, sender).unref();
}

async function sendNext(sender: Sender): Promise<void> {
  sender.timer = undefined;
  if (sender.sending) return;
  const wentWell = await sendOnce(sender);
  const { isLast, queue, queuedBytes } = sender;
  if (isLast) return;
  const isFull = queue.length >= MAX_BATCH || queuedBytes >= MAX_BATCH_BYTES;
  if (!wentWell) schedule(sender, RETRY_EVERY_MS);
  else if (queue.length > 0) schedule(sender, isFull ? 0 : BATCH_EVERY_MS);
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
  const { lost } = sender;
  sender.lost = 0;
  const rest = `],"lost":${lost},"alive":${JSON.stringify([...sender.alive])}}`;
  const events = dequeue(sender, 20 + Buffer.byteLength(rest));
  try {
    await post(sender, `{"events":[${events}${rest}`);
    return true;
  } catch (error) {
    const isKept = NOT_SENT.has((error as NodeJS.ErrnoException).code ?? "");
    sender.lost += lost;
    if (isKept) requeue(sender, events);
    else sender.lost += events.length;
    return false;
  }
}

async function post(sender: Sender, body: string): Promise<void> {
  const request = sender.http.post("events", { body, headers: { "content-type": "application/json" } });
  // Unless it says its last words, a request under way is no reason for the process to stay.
  request.on("request", (sent) =>
    sent.once("socket", (socket: Socket) => {
      sender.socket = socket;
      if (!sender.isLast) socket.unref();
    }),
  );
  const { statusCode } = await request;
  if (statusCode < 200 || statusCode >= 300) throw new Error(`it answered ${statusCode}`);
}

/** Puts events back where they were; of what then has no room, the last is lost. */
function requeue(sender: Sender, events: readonly Buffer[]): void {
  const later = sender.queue;
  sender.queue = [];
  sender.queuedBytes = 0;
  enqueue(sender, ...events, ...later);
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
