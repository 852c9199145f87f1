/**
 * The monitor: shows the class what happens, while it happens. It is optional: the other roles send it
 * their events when they are told where it is (`--monitor`), never wait for it, and do their work in the
 * same way when it is slow or dead.
 *
 * It keeps the last 10,000 events, and gives them to the page (folder `monitor/`) as they come.
 *
 *     tsx monitor.ts                                        then open http://localhost:5001
 *     tsx discovery.ts --monitor http://localhost:5001
 *     tsx receiver.ts --monitor http://localhost:5001
 *     tsx client.ts --monitor http://localhost:5001
 */
import type { Hono } from "hono";
import { createDiscoveryApi, type DiscoveryApi, DiscoveryError } from "./lib/discovery_api.ts";
import { createEventStore, type EventStore } from "./monitor/event_store.ts";
import { drawMermaid } from "./monitor/mermaid.ts";
import { protect, servePage } from "./monitor/serve_page.ts";
import { streamEvents, streamLines } from "./monitor/stream_events.ts";
import { answerBytes, cached } from "./plumbing/answers.ts";
import {
  closeWhenAborted,
  createHono,
  httpOptions,
  type ServeOptions,
  serve,
} from "./plumbing/http_server.ts";
import * as kind from "./plumbing/kinds.ts";
import { createLog, type Log } from "./plumbing/log.ts";
import { LOG_OPTIONS, option, parseOptions } from "./plumbing/options.ts";
import { readBody } from "./plumbing/read_body.ts";
import { runIfMain } from "./plumbing/run.ts";
import { MAX_BATCH_BYTES, readBatch } from "./trace/batch.ts";
import type { TraceEvent } from "./trace/events.ts";

export const OPTIONS = {
  ...httpOptions("5001"),
  discovery: option(kind.url, "http://localhost:5000", "the discovery server"),
  ...LOG_OPTIONS,
};

const MAX_PAGES = 100; // open at the same time
const SAME_FOR_MS = 1000; // how long the group and the diagram are used again, however many ask

export interface Monitor {
  store: EventStore;
  discovery: DiscoveryApi;
  log: Log;
  /** How many events the roles had no room for. */
  lost: number;
  /** How many pages are open. */
  pages: number;
}

/** The HTTP calls, apart from any socket. */
export function createApp(monitor: Monitor): Hono {
  const app = createHono({ name: "the monitor", log: monitor.log });
  protect(app);
  answerEvents(app, monitor);
  answerGroup(app, monitor);
  servePage(app);
  return app;
}

function answerEvents(app: Hono, monitor: Monitor): void {
  const { store } = monitor;
  app.post("/events", async (c) => {
    const { events, lost } = await readBody(c, "take events", readBatch, MAX_BATCH_BYTES);
    monitor.lost += lost;
    store.add(events);
    if (events.length === 0 && lost > 0) store.wake();
    return c.body(null, 204);
  });
  app.get("/events", (c) => {
    if (monitor.pages >= MAX_PAGES)
      return c.json({ error: `Cannot open more than ${MAX_PAGES} pages: close one` }, 503);
    return streamEvents(monitor, c);
  });
  app.get("/events.jsonl", (c) => streamLines(monitor, c));
  const getDiagram = cached(SAME_FOR_MS, () => Buffer.from(drawMermaid(readAll(store), { messages: 20 })));
  app.get("/diagram.mmd", (c) =>
    answerBytes(c, getDiagram(), { "Content-Type": "text/plain; charset=UTF-8" }),
  );
}

/** What can be drawn of the events: not who acked, which can be much. */
function readAll(store: EventStore): TraceEvent[] {
  return store.from(store.first()).map((json) => ({ ...JSON.parse(json.toString()), ackedBy: undefined }));
}

/** Who is there, and how the monitor is. */
function answerGroup(app: Hono, monitor: Monitor): void {
  const { store } = monitor;
  const getGroup = cached(SAME_FOR_MS, async () => {
    const { receivers } = await monitor.discovery.list();
    return Buffer.from(JSON.stringify({ receivers }));
  });
  app.get("/group", async (c) => {
    try {
      return answerBytes(c, await getGroup());
    } catch (error) {
      if (!(error instanceof DiscoveryError)) throw error;
      return c.json({ error: error.message }, 502);
    }
  });
  app.get("/health", (c) =>
    c.json({ status: "ok", events: store.next() - store.first(), lost: monitor.lost, pages: monitor.pages }),
  );
}

/** Listens; resolves when it does. */
export async function startMonitor(
  options: ServeOptions & { discovery: string },
  log: Log,
): Promise<{ port: number; close(): void }> {
  const store = createEventStore();
  const discovery = createDiscoveryApi(options.discovery);
  return serve(createApp({ store, discovery, log, lost: 0, pages: 0 }), options);
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("monitor", OPTIONS, argv, {
    about: "The monitor: shows in the browser what happens in the group.",
    example: "monitor.ts --port 5001",
  });
  const log = createLog("monitor", options);
  const monitor = await startMonitor(options, log);
  log.info(`listening on ${options.host}, port ${monitor.port}: open http://localhost:${monitor.port}`);
  return closeWhenAborted(monitor, signal, log);
}

await runIfMain(import.meta, main);

/*
$ tsx monitor.ts
21:24:40 monitor info: listening on 0.0.0.0, port 5001: open http://localhost:5001

$ curl -s localhost:5001/events.jsonl | tail -1
{"event":"acked","process":"receiver-1f30ab","clock":14,"at":1795469104100,"message":"a7b82ffb-…","attempt":2,…}
*/
