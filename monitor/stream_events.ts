/** The events for an open page, as Server-Sent Events. monitor.ts calls it for each page that asks. */
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "hono";
import type { Monitor } from "../monitor.ts";
import { answerPieces } from "../plumbing/answers.ts";
import { CLIENT_EVENTS, DISCOVERY_EVENTS, MONITOR_EVENTS, RECEIVER_EVENTS } from "../trace/events.ts";

/** Whose events are called what, so that the page has no list of its own. */
const NAMES = {
  client: CLIENT_EVENTS,
  receiver: RECEIVER_EVENTS,
  discovery: DISCOVERY_EVENTS,
  monitor: MONITOR_EVENTS,
};
const PAGE_EVERY_MS = 50; // how often a page gets what is new
const PING_EVERY_MS = 15_000;
/** What a page gets at once; a longer event goes alone. */
const PIECE_BYTES = 64 * 1024;
const [COMMA, LINE_END] = [Buffer.from(","), Buffer.from("\n")];

/**
 * First what went before, then what comes, several events a time. Each page fetches from the store as fast
 * as it reads, so a slow one costs no memory but for one piece; it is told how many it has missed.
 */
export function streamEvents(monitor: Monitor, c: Context): Response {
  const { outgoing } = c.env as { outgoing: ServerResponse };
  const { store } = monitor;
  const lastSeen = Number(c.req.header("last-event-id") ?? 0);
  // A number that never was: the monitor was started again since.
  const from = lastSeen > 0 && lastSeen < store.next() ? lastSeen + 1 : store.first();
  outgoing.once("close", () => store.wake());
  return answerPieces(c, writePage(monitor, from, outgoing), {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
  });
}

/** Ends when the page is closed. */
async function* writePage(monitor: Monitor, from: number, outgoing: ServerResponse): AsyncGenerator<Buffer> {
  const { store } = monitor;
  const replay = monitor.replay && { first: monitor.replay.first, last: monitor.replay.last };
  monitor.pages += 1;
  try {
    // By this a page knows what time it is here, and whether this is the monitor that it knew.
    yield say("hello", { now: Date.now(), from, names: NAMES, replay });
    let next = from;
    let toldLost = -1;
    while (!outgoing.destroyed) {
      const missed = Math.max(0, store.first() - next);
      if (monitor.lost !== toldLost || missed > 0) {
        toldLost = monitor.lost;
        yield say("lost", { lost: toldLost, missed });
      }
      next = Math.max(next, store.first());
      const changed = store.changed().then(() => true);
      const events = store.from(next, PIECE_BYTES);
      next += events.length;
      const isAll = next === store.next();
      if (events.length > 0) yield* tell(next - 1, events);
      else if (!(await Promise.race([changed, delay(PING_EVERY_MS, false, { ref: false })])))
        yield say("ping");
      if (isAll) await delay(PAGE_EVERY_MS, undefined, { ref: false });
    }
  } finally {
    monitor.pages -= 1;
  }
}

function say(event: string, data: unknown = ""): Buffer {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** A single event, which can be long, is not copied: all pages share it. */
function tell(id: number, events: readonly Buffer[]): Buffer[] {
  const [begin, end] = [Buffer.from(`id: ${id}\ndata: [`), Buffer.from("]\n\n")];
  if (events.length === 1) return [begin, ...events, end];
  return [
    Buffer.concat([begin, ...events.flatMap((event, index) => (index > 0 ? [COMMA, event] : [event])), end]),
  ];
}

/** All events that are kept, a line each, as fast as they are read; who is so slow that some are gone is closed. */
export function streamLines({ store }: Monitor, c: Context): Response {
  const { outgoing } = c.env as { outgoing: ServerResponse };
  async function* writeLines(): AsyncGenerator<Buffer> {
    const end = store.next();
    for (let next = store.first(); next < end; ) {
      if (next < store.first()) return void outgoing.destroy();
      const events = store.from(next, PIECE_BYTES).slice(0, end - next);
      next += events.length;
      yield Buffer.concat(events.flatMap((event) => [event, LINE_END]));
    }
  }
  return answerPieces(c, writeLines(), { "Content-Type": "application/jsonl; charset=utf-8" });
}
