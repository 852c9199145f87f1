/**
 * The monitor: shows the class what happens, while it happens. It is optional: the other roles send it
 * their events when they are told where it is (`--monitor`), never wait for it, and do their work in the
 * same way when it is slow or dead.
 *
 * It keeps the last 10,000 events, and gives them to the page (folder `monitor/`) as they come. Instead of what happens
 * now it shows what was recorded (`--record`, or `/events.jsonl` of a monitor), once and for all, with `--replay`.
 *
 *     tsx monitor.ts                                        then open http://localhost:5001
 *     tsx discovery.ts --monitor http://localhost:5001
 *     tsx receiver.ts --monitor http://localhost:5001
 *     tsx client.ts --monitor http://localhost:5001
 *     tsx monitor.ts --replay receiver.jsonl client.jsonl   all records of one run
 */
import type { Hono } from "hono";
import { type Desk, takeOrders } from "./monitor/desk_calls.ts";
import { createEventStore, type EventStore } from "./monitor/event_store.ts";
import { keepStrangersOut, makeToken, pageAddress } from "./monitor/keep_strangers_out.ts";
import { drawMermaid } from "./monitor/mermaid.ts";
import { createOwnDesk } from "./monitor/own_desk.ts";
import { createPresence, type Presence } from "./monitor/presence.ts";
import { openReplay, type Replay } from "./monitor/replay.ts";
import { protect, servePage } from "./monitor/serve_page.ts";
import { streamEvents, streamLines } from "./monitor/stream_events.ts";
import { type WatchedDiscovery, watchDiscovery } from "./monitor/watch_discovery.ts";
import { answerBytes, cached } from "./plumbing/answers.ts";
import * as http from "./plumbing/http_server.ts";
import * as kind from "./plumbing/kinds.ts";
import { createLog, type Log } from "./plumbing/log.ts";
import { flag, LOG_OPTIONS, option, parseOptions, several, UsageError } from "./plumbing/options.ts";
import { readBody } from "./plumbing/read_body.ts";
import { runIfMain } from "./plumbing/run.ts";
import { MAX_BATCH_BYTES, readBatch } from "./trace/batch.ts";
import type { TraceEvent } from "./trace/events.ts";
import { createTrace, type Trace } from "./trace/trace.ts";

export const OPTIONS = {
  ...http.httpOptions("5001"),
  discovery: option(kind.urls, "http://localhost:5000", "the discovery server, or several on one store"),
  replay: several("records that it shows instead of what happens now [default: none]"),
  desk: flag("its page sends, and rules receivers that it starts, with the key that is printed"),
  ...LOG_OPTIONS,
};

const MAX_PAGES = 100; // open at the same time
const SAME_FOR_MS = 1000; // how long the group and the diagram are used again, however many ask

export interface Monitor {
  store: EventStore;
  log: Log;
  /** How many events the roles had no room for. */
  lost: number;
  /** How many pages are open. */
  pages: number;
  /** Of what happens now: whom it hears. */
  live?: { discovery: WatchedDiscovery; presence: Presence };
  /** Of a class on this machine: acts on its processes. */
  desk?: { desk: Desk; trace: Trace } | undefined;
  replay?: Replay;
  /** With a group file: what the page's address has in it. */
  token?: string | undefined;
}

/** The HTTP calls, apart from any socket. */
export function createApp(monitor: Monitor): Hono {
  const app = http.createHono({ name: "the monitor", log: monitor.log });
  protect(app);
  if (monitor.token) keepStrangersOut(app, monitor.token);
  if (monitor.live) takeEvents(app, monitor, monitor.live);
  else refuseEvents(app);
  answerEvents(app, monitor);
  if (monitor.desk) takeOrders(app, monitor.desk.desk, monitor.desk.trace);
  servePage(app);
  return app;
}

/** What the roles tell, and who is there. */
function takeEvents(app: Hono, monitor: Monitor, { discovery, presence }: Required<Monitor>["live"]): void {
  const { store } = monitor;
  app.post("/events", async (c) => {
    const batch = await readBody(c, "take events", readBatch, MAX_BATCH_BYTES);
    monitor.lost += batch.lost;
    store.add(batch.events);
    presence.heard(batch);
    if (batch.events.length === 0 && batch.lost > 0) store.wake();
    return c.body(null, 204);
  });
  const getGroup = cached(SAME_FOR_MS, async () => {
    const clients = JSON.stringify(presence.list());
    const [begin, end] = [Buffer.from('{"receivers":'), Buffer.from(`,"clients":${clients}}`)];
    return Buffer.concat([begin, (await discovery.list()) ?? Buffer.from("null"), end]);
  });
  app.get("/group", async (c) => answerBytes(c, await getGroup()));
}

function refuseEvents(app: Hono): void {
  const error = "Cannot take events: this monitor replays records; start one without --replay";
  app.post("/events", (c) => c.json({ error }, 409));
}

function answerEvents(app: Hono, monitor: Monitor): void {
  const { store, replay } = monitor;
  app.get("/events", (c) => {
    if (monitor.pages >= MAX_PAGES)
      return c.json({ error: `Cannot open more than ${MAX_PAGES} pages: close one` }, 503);
    return streamEvents(monitor, c);
  });
  app.get("/events.jsonl", (c) => streamLines(monitor, c));
  const drawnForMs = replay ? Number.POSITIVE_INFINITY : SAME_FOR_MS;
  const getDiagram = cached(drawnForMs, () => Buffer.from(drawMermaid(readAll(store), { messages: 20 })));
  app.get("/diagram.mmd", (c) =>
    answerBytes(c, getDiagram(), { "Content-Type": "text/plain; charset=UTF-8" }),
  );
  app.get("/health", (c) =>
    c.json({ status: "ok", events: store.next() - store.first(), lost: monitor.lost, pages: monitor.pages }),
  );
}

/** What can be drawn of the events: not who acked, which can be much. */
function readAll(store: EventStore): TraceEvent[] {
  return store.from(store.first()).map((json) => ({ ...JSON.parse(json.toString()), ackedBy: undefined }));
}

/** Listens; resolves when it does. */
export async function startMonitor(
  options: http.ServeOptions & {
    discovery: string | readonly string[];
    replay?: readonly string[] | undefined;
    desk?: Desk | undefined;
  },
  log: Log,
): Promise<http.HttpServer & { token?: string | undefined }> {
  const { groupFile } = options;
  const token = groupFile && makeToken();
  const mine = { log, lost: 0, pages: 0, token };
  const serve = async (app: Hono, onClose = () => {}) => {
    const server = await http.serve(app, { ...options, log, admitsStrangers: true, onClose });
    return { ...server, token };
  };
  if (options.replay) {
    const replay = openReplay(options.replay, log);
    return serve(createApp({ ...mine, store: replay.store, replay }));
  }
  const store = createEventStore();
  const tell = (event: TraceEvent) => store.add([Buffer.from(JSON.stringify(event))]);
  const trace = createTrace("monitor", { log, outlets: [tell] });
  const discovery = watchDiscovery(options.discovery, trace, { log, groupFile });
  const live = { discovery, presence: createPresence(trace) };
  const desk = options.desk && { desk: options.desk, trace };
  return serve(createApp({ ...mine, store, live, desk }), discovery.end);
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("monitor", OPTIONS, argv, {
    about: "The monitor: shows in the browser what happens in the group.",
    example: "monitor.ts --port 5001",
  });
  const log = createLog("monitor", options);
  if (options.desk && options.replay)
    throw new UsageError("Cannot start monitor: --desk acts on what happens now; leave --replay out");
  const desk = options.desk ? createOwnDesk() : undefined;
  const monitor = await startMonitor({ ...options, desk }, log);
  const urls = { discovery: options.discovery.join(), monitor: `http://127.0.0.1:${monitor.port}` };
  desk?.open({ ...urls, groupFile: options.groupFile });
  const page = pageAddress(monitor, desk && `#desk=${desk.key}`);
  log.info(`listening on ${options.host}, port ${monitor.port}: open ${page}`);
  return http.closeWhenAborted(monitor, signal, log);
}

await runIfMain(import.meta, main);

/*
$ tsx monitor.ts
21:24:40 monitor info: listening on 0.0.0.0, port 5001: open http://localhost:5001

$ curl -s localhost:5001/events.jsonl | tail -1
{"event":"acked","process":"receiver-1f30ab","clock":14,"at":1795469104100,"message":"a7b82ffb-…","attempt":2,…}
*/
