/** The events for an open page, as Server-Sent Events. monitor.ts calls it for each page that asks. */
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import type { Monitor } from "../monitor.ts";
import { MAX_BATCH } from "../trace/batch.ts";

const PAGE_EVERY_MS = 50; // how often a page gets what is new
const PING_EVERY_MS = 15_000;

/**
 * First what went before, then what comes, several events a time. Each page fetches from the store as fast
 * as it reads, so a slow one costs no memory; it is told how many it has missed.
 */
export function streamEvents(monitor: Monitor, c: Context): Response {
  const { store } = monitor;
  const lastSeen = Number(c.req.header("last-event-id") ?? 0);
  // A number that never was: the monitor was started again since.
  const from = lastSeen > 0 && lastSeen < store.next() ? lastSeen + 1 : store.first();
  monitor.pages += 1;
  return streamSSE(c, async (stream) => {
    const ping = setInterval(() => stream.writeSSE({ event: "ping", data: "" }), PING_EVERY_MS);
    stream.onAbort(() => store.wake());
    try {
      // By this a page knows what time it is here, and whether this is the monitor that it knew.
      await stream.writeSSE({ event: "hello", data: JSON.stringify({ now: Date.now(), from }) });
      await writeEvents(monitor, stream, from);
    } finally {
      clearInterval(ping);
      monitor.pages -= 1;
    }
  });
}

/** Returns when the page is closed. */
async function writeEvents(monitor: Monitor, stream: SSEStreamingApi, from: number): Promise<void> {
  const { store } = monitor;
  let next = from;
  let toldLost = -1;
  while (!stream.aborted) {
    const missed = Math.max(0, store.first() - next);
    if (monitor.lost !== toldLost || missed > 0) {
      toldLost = monitor.lost;
      await stream.writeSSE({ event: "lost", data: JSON.stringify({ lost: toldLost, missed }) });
    }
    next += missed;
    const events = store.from(next, MAX_BATCH);
    const changed = store.changed();
    if (events.length === 0) await changed;
    next += events.length;
    if (events.length > 0) await stream.writeSSE({ id: `${next - 1}`, data: `[${events}]` });
    if (events.length < MAX_BATCH) await delay(PAGE_EVERY_MS, undefined, { ref: false });
  }
}
