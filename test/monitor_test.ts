import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { MAX_LIST_BYTES } from "../lib/messages.ts";
import { createEventStore } from "../monitor/event_store.ts";
import { findFreePort, listen } from "../plumbing/listen.ts";
import { MAX_ALIVE, MAX_BATCH, MAX_BATCH_BYTES } from "../trace/batch.ts";
import { readRecord } from "../trace/check_record.ts";
import type { TraceEvent } from "../trace/events.ts";
import {
  CLIENT_EVENTS,
  DISCOVERY,
  DISCOVERY_EVENTS,
  MAX_EVENT_BYTES,
  MONITOR_EVENTS,
  RECEIVER_EVENTS,
} from "../trace/events.ts";
import { discoveryUrl, keptLog, startRole, stopRole, until } from "./helpers.ts";
import {
  createDiscoveryApi,
  createHttpServer as createServer,
  fetch,
  openMonitor,
  startDiscovery,
  startMonitor,
} from "./wires.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };
let discovery: Awaited<ReturnType<typeof startDiscovery>>;
let monitor: Awaited<ReturnType<typeof startMonitor>>;
let url: string;
before(async () => {
  discovery = await startDiscovery({ ...LOCAL, receiverTtlMs: 30_000, sweepEveryMs: 5000 }, keptLog().log);
  monitor = await startMonitor({ ...LOCAL, discovery: `http://127.0.0.1:${discovery.port}` }, keptLog().log);
  url = `http://127.0.0.1:${monitor.port}`;
});
after(() => {
  monitor.close();
  discovery.close();
});

let clock = 0;
function event(message: string): TraceEvent {
  clock += 1;
  return { event: "sent", process: "client-a", clock, at: Date.now(), message, attempt: 1, receiver: "r1" };
}

/** What a client tells when so many receivers have acked. */
function longEvent(receivers: number): TraceEvent {
  return {
    ...event("to-all"),
    event: "group acked",
    need: receivers,
    ackedBy: Array.from({ length: receivers }, () => randomUUID()),
  };
}

function post(body: unknown, type = "application/json") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${url}/events`, { method: "POST", body: text, headers: { "content-type": type } });
}

async function linesOf(path: string): Promise<string[]> {
  return (await (await fetch(`${url}${path}`)).text()).trim().split("\n");
}

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
async function json(answer: Response): Promise<any> {
  return answer.json();
}

/** Reads Server-Sent Events until one matches. */
async function streamUntil(pattern: RegExp, headers: Record<string, string> = {}): Promise<string> {
  const stop = new AbortController();
  const answer = await fetch(`${url}/events`, { headers, signal: stop.signal });
  let text = "";
  const bytes = answer.body ?? [];
  for await (const chunk of bytes as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(chunk);
    if (pattern.test(text)) break;
  }
  stop.abort();
  return text;
}

describe("monitor", () => {
  test("takes batches and gives them as JSONL, which the checker reads", async () => {
    assert.equal((await post({ events: [event("m1"), event("m2")] })).status, 204);
    const file = join(mkdtempSync(join(tmpdir(), "monitor-")), "events.jsonl");
    writeFileSync(file, `${(await linesOf("/events.jsonl")).join("\n")}\n`);
    assert.deepEqual(
      readRecord(file).map(({ message }) => message),
      ["m1", "m2"],
    );
  });

  test("streams what went before, then what comes, and goes on after the last event that was seen", async () => {
    const later = delay(200).then(() => post({ events: [event("m3")] }));
    const text = await streamUntil(/"m3"/);
    await later;
    assert.match(text, /event: hello\ndata: \{"now":\d+,/);
    assert.match(text, /"message":"m1".*"message":"m2"/);
    const id = text.match(/id: (\d+)/)?.[1] ?? "";
    assert.equal(id, "2");
    const rest = await streamUntil(/"m3"/, { "last-event-id": id });
    assert.doesNotMatch(rest, /"m2"/);
  });

  test("begins anew for a page that remembers another monitor", async () => {
    assert.match(await streamUntil(/"m3"/, { "last-event-id": "999999" }), /"m1"/);
  });

  const wrong: [string, unknown, string, number, RegExp][] = [
    ["what is not JSON", "{", "application/json", 400, /not JSON/],
    ["no events", {}, "application/json", 400, /"events" is missing/],
    [
      "an unknown event",
      { events: [{ ...event("m"), event: "boom" }] },
      "application/json",
      400,
      /event 0: "event"/,
    ],
    [
      "a time that no clock shows",
      { events: [{ ...event("m"), at: 1e300 }] },
      "application/json",
      400,
      /"at"/,
    ],
    ["a time before 1970", { events: [{ ...event("m"), at: -1 }] }, "application/json", 400, /"at"/],
    [
      "too many events",
      { events: Array(MAX_BATCH + 1).fill(event("m")) },
      "application/json",
      400,
      /at most/,
    ],
    [
      "too many names of clients",
      { events: [], alive: Array(MAX_ALIVE + 1).fill("a") },
      "application/json",
      400,
      /at most 100 names/,
    ],
    ["a form", "a=1", "application/x-www-form-urlencoded", 415, /Content-Type/],
    ["an event that is too long", { events: [longEvent(14_000)] }, "application/json", 400, /524288 bytes/],
    ["a body that is too long", "x".repeat(MAX_BATCH_BYTES + 1), "application/json", 413, /bytes/],
  ];
  for (const [what, body, type, status, error] of wrong) {
    test(`refuses ${what} with ${status}`, async () => {
      const before = (await linesOf("/events.jsonl")).length;
      const answer = await post(body, type);
      assert.equal(answer.status, status);
      assert.match((await json(answer)).error, error);
      assert.equal((await linesOf("/events.jsonl")).length, before, "nothing came of it");
    });
  }

  test("takes all of a batch but the events that are wrong, which count as lost", async () => {
    const lost = async () => (await json(await fetch(`${url}/health`))).lost;
    const before = await lost();
    const [first, last] = [event("before-wrong"), event("after-wrong")];
    const wrong = [{ ...event("m"), event: "boom" }, null, 7, longEvent(14_000)];
    assert.equal((await post({ events: [first, ...wrong, last], lost: 2 })).status, 204);
    assert.deepEqual(
      (await linesOf("/events.jsonl")).slice(-2),
      [first, last].map((each) => JSON.stringify(each)),
    );
    assert.equal(await lost(), before + wrong.length + 2);
  });

  test("is not held up by the longest batch that it takes", async () => {
    const long = { ...event("m"), ackedBy: Array(130_000).fill("a") };
    const names = JSON.stringify({ events: [long, long] });
    assert.ok(names.length > 0.95 * MAX_BATCH_BYTES && names.length <= MAX_BATCH_BYTES);
    const startedAt = performance.now();
    const answers = await Promise.all([post(names), post(`{"events":${"[".repeat(MAX_BATCH_BYTES - 20)}`)]);
    await fetch(`${url}/health`);
    const took = performance.now() - startedAt;
    assert.deepEqual(
      answers.map(({ status }) => status),
      [204, 400],
    );
    assert.ok(took < 2000, `${took} ms`);
  });

  test("has at most 100 pages open", async () => {
    const stop = new AbortController();
    const open = () => fetch(`${url}/events`, { signal: stop.signal });
    for (let n = 1; n <= 100; n++) assert.equal((await open()).status, 200);
    const answer = await open();
    assert.equal(answer.status, 503);
    assert.match((await json(answer)).error, /more than 100 pages/);
    stop.abort();
    await until("they are closed", async () => (await json(await fetch(`${url}/health`))).pages === 0);
  });

  test("a page that is only asked for with HEAD is not open", async () => {
    for (let n = 0; n < 101; n++)
      assert.equal((await fetch(`${url}/events`, { method: "HEAD" })).status, 200);
    assert.equal((await json(await fetch(`${url}/health`))).pages, 0);
    assert.match(await streamUntil(/hello/), /hello/);
    await until("it is closed", async () => (await json(await fetch(`${url}/health`))).pages === 0);
  });

  test("answers a wrong method and a wrong path in JSON", async () => {
    const answer = await fetch(`${url}/events`, { method: "DELETE" });
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD, POST"]);
    assert.equal((await fetch(`${url}/../package.json`)).status, 404);
  });

  test("says who is in the group, and which clients are alive", async () => {
    const id = await createDiscoveryApi(`http://127.0.0.1:${discovery.port}`).register({
      host: "a",
      port: 1,
    });
    await post({ events: [], alive: ["client-here"] });
    const group = await until("it is listed", async () => {
      const { receivers, clients } = await json(await fetch(`${url}/group`));
      return receivers.length > 0 && { receivers, clients };
    });
    assert.deepEqual([group.receivers[0].id, group.clients], [id, ["client-here"]]);
  });

  for (const [what, answer] of [
    ["is away", undefined],
    ["is no discovery", { status: 200, body: "<p>hello" }],
    ["refuses", { status: 503, body: "[]" }],
    ["lists more than a list may have", { status: 200, body: `["${"x".repeat(MAX_LIST_BYTES)}"]` }],
  ] as const)
    test(`says which clients are alive while discovery ${what}`, async (t) => {
      const server = createServer((_request, response) => {
        response.writeHead(answer?.status ?? 500).end(answer?.body);
      });
      const port = answer ? await listen(server, 0, "127.0.0.1") : 1;
      const lonely = await startMonitor({ ...LOCAL, discovery: `http://127.0.0.1:${port}` }, keptLog().log);
      t.after(() => lonely.close());
      t.after(() => server.close().closeAllConnections());
      const asked = await fetch(`http://127.0.0.1:${lonely.port}/group`);
      assert.deepEqual([asked.status, await json(asked)], [200, { receivers: null, clients: [] }]);
    });

  test("passes on what discovery lists as it is, byte by byte", async (t) => {
    const body = `[ {"id":"a", "host":"h","port":1,"last_seen":1.50,"more":"ol\\u00e1"} ]\n`;
    const server = createServer((_request, response) => response.end(body));
    const lister = `http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`;
    const other = await startMonitor({ ...LOCAL, discovery: lister }, keptLog().log);
    t.after(() => other.close());
    t.after(() => server.close().closeAllConnections());
    const group = await (await fetch(`http://127.0.0.1:${other.port}/group`)).text();
    assert.equal(group, `{"receivers":${body},"clients":[]}`);
  });

  test("says hello with the names of all events, each from who tells it", async () => {
    const [, data = ""] = (await streamUntil(/hello.*\n\n/s)).match(/^event: hello\ndata: (.*)$/m) ?? [];
    const { now, from, names, ...more } = JSON.parse(data);
    assert.ok(now > 0 && from > 0);
    assert.deepEqual(names, {
      client: CLIENT_EVENTS,
      receiver: RECEIVER_EVENTS,
      discovery: DISCOVERY_EVENTS,
      monitor: MONITOR_EVENTS,
    });
    assert.deepEqual(more, {}, "and with no replay");
  });

  test("serves the page, and lets it run nothing but its own files", async () => {
    const page = await fetch(`${url}/`);
    assert.match(page.headers.get("content-type") ?? "", /text\/html/);
    const policy = page.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    for (const [, file] of (await page.text()).matchAll(/(?:src|href)="([\w.]+\.(?:js|css|svg))"/g))
      assert.equal((await fetch(`${url}/${file}`)).status, 200, file);
  });

  test("counts what the roles lost, and shows it", async () => {
    const { lost } = await json(await fetch(`${url}/health`));
    await post({ events: [], lost: 7 });
    assert.equal((await json(await fetch(`${url}/health`))).lost, lost + 7);
    assert.match(await streamUntil(new RegExp(`"lost":${lost + 7}`)), /event: lost/);
  });
});

describe("createEventStore()", () => {
  test("keeps the last events, and their numbers", () => {
    const store = createEventStore({ maxEvents: 3 });
    for (let n = 1; n <= 20; n++) store.add([Buffer.from(`${n}`)]);
    assert.deepEqual([store.first(), store.next()], [18, 21]);
    assert.deepEqual(store.from(1).map(String), ["18", "19", "20"]);
    assert.deepEqual(store.from(20).map(String), ["20"]);
    assert.equal(store.from(21).length, 0);
  });

  test("gives as many as have so many bytes together, but one at least", () => {
    const store = createEventStore();
    store.add(["a".repeat(50), "b", "cc", "ddd", "e"].map((text) => Buffer.from(text)));
    assert.deepEqual(store.from(1, 5).map(String), ["a".repeat(50)]);
    assert.deepEqual(store.from(2, 5).map(String), ["b", "cc"]);
    assert.deepEqual(store.from(2, 6).map(String), ["b", "cc", "ddd"]);
    assert.deepEqual(store.from(6, 5), []);
  });

  test("is bounded in bytes too", () => {
    const store = createEventStore({ maxBytes: 1000 });
    for (let n = 0; n < 50; n++) store.add([Buffer.alloc(300)]);
    assert.equal(store.from(0, 1e9).length, 3);
    assert.equal(store.next(), 51);
  });
});

interface TakenBatch {
  path: string | undefined;
  events: TraceEvent[];
  lost: number;
  alive: string[];
}

/** A server that takes batches, once it listens, and answers what the test says. */
async function setUpTaker(t: TestContext) {
  const batches: TakenBatch[] = [];
  const answer = { with: (response: ServerResponse): unknown => response.writeHead(204).end() };
  let open = 0;
  const server = createServer(async (request, response) => {
    batches.push({ path: request.url, ...JSON.parse((await request.toArray()).join("")) });
    answer.with(response);
  });
  server.on("connection", (socket) => {
    open += 1;
    socket.once("close", () => (open -= 1));
  });
  const port = await findFreePort();
  t.after(() => server.close().closeAllConnections());
  return {
    ...{ batches, answer, url: `http://127.0.0.1:${port}` },
    listen: () => listen(server, port, "127.0.0.1"),
    connections: () => open,
  };
}

describe("openMonitor()", () => {
  test("sends events in batches, in order", async () => {
    const outlet = openMonitor(url);
    for (let n = 0; n < 1200; n++) outlet.tell(event(`batch-${n}`));
    await until("all have come", async () => (await linesOf("/events.jsonl")).at(-1)?.includes("batch-1199"));
    const numbers = (await linesOf("/events.jsonl")).flatMap((line) => line.match(/batch-(\d+)/)?.[1] ?? []);
    assert.deepEqual(numbers.map(Number), Array.from(numbers.keys()));
  });

  test("keeps no more than its queue while nobody is there, and tells how many were lost", async (t) => {
    const taken: { events: TraceEvent[]; lost: number }[] = [];
    const server = createServer(async (request, response) => {
      taken.push(JSON.parse((await request.toArray()).join("")));
      response.writeHead(204).end();
    });
    const port = await listen(server, 0, "127.0.0.1");
    server.close();
    const outlet = openMonitor(`http://127.0.0.1:${port}`, { maxQueued: 10 });
    for (let n = 0; n < 25; n++) outlet.tell(event(`m${n}`));
    await delay(300); // refused meanwhile
    await listen(server, port, "127.0.0.1");
    t.after(() => server.close().closeAllConnections());
    await until("they come", () => taken.length > 0);
    assert.equal(taken[0]?.events.length, 10);
    assert.equal(taken[0]?.lost, 15);
  });

  test("sends what 10,000 receivers acked, several times, in batches that the monitor takes", async () => {
    const outlet = openMonitor(url);
    const sent = Array.from({ length: 8 }, () => longEvent(10_000));
    for (const each of sent) outlet.tell(each);
    const lines = await until("all have come", async () => {
      const all = await linesOf("/events.jsonl");
      return all.at(-1) === JSON.stringify(sent.at(-1)) && all;
    });
    assert.deepEqual(
      lines.slice(-8),
      sent.map((each) => JSON.stringify(each)),
    );
  });

  test("keeps no more than 4 MiB while nobody is there, and counts the rest as lost", async (t) => {
    const { batches, listen, url } = await setUpTaker(t);
    const outlet = openMonitor(url);
    outlet.tell(longEvent(MAX_EVENT_BYTES / 39)); // which no monitor takes
    for (let n = 0; n < 20; n++) outlet.tell(longEvent(10_000)); // each of 390 KB
    await listen();
    await until("they come", () => batches.reduce((sum, { events }) => sum + events.length, 0) === 10);
    assert.equal(batches[0]?.lost, 11);
    const lengths = batches.flatMap(({ events }) => events.map(({ ackedBy }) => ackedBy?.length));
    assert.deepEqual(new Set(lengths), new Set([10_000]));
  });

  test("takes no answer but that its batch has arrived: it follows nobody, and reads no more than an error", async (t) => {
    const { batches, answer, listen, url, connections } = await setUpTaker(t);
    await listen();
    const outlet = openMonitor(url);
    answer.with = (response) => response.writeHead(307, { location: `${url}/elsewhere` }).end();
    outlet.tell(event("m1"));
    await until("it is counted", () => batches.length === 1);
    answer.with = (response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write(Buffer.alloc(64 * 1024)), 1);
      response.once("close", () => clearInterval(more));
    };
    outlet.tell(event("m2"));
    await until("it is told of m1", () => batches[1]?.lost === 1);
    const startedAt = performance.now();
    await until("it hangs up", () => connections() === 0);
    assert.ok(performance.now() - startedAt < 1500, "sooner than it gives up waiting");
    answer.with = (response) => response.writeHead(200, { "content-encoding": "gzip" }).end("no gzip");
    outlet.tell(event("m3"));
    await until("it is told of m2", () => batches[2]?.lost === 2);
    outlet.tell(event("m4"));
    await until("m3 was taken", () => batches[3]?.lost === 0);
    assert.deepEqual(
      batches.map(({ path }) => path),
      Array(4).fill("/events"),
    );
  });

  const born = (process: string): TraceEvent => ({ event: "started", process, clock: 1, at: 0 });

  test("names the clients that are alive, at most 100, and not discovery", async (t) => {
    const { batches, listen, url } = await setUpTaker(t);
    await listen();
    const outlet = openMonitor(url);
    outlet.tell(born(DISCOVERY));
    for (let n = 0; n <= MAX_ALIVE; n++) outlet.tell(born(`client-${n}`));
    for (const n of [0, 1]) outlet.tell({ ...born(`client-${n}`), event: "stopped" });
    await until("they come", () => batches.length > 0);
    const names = Array.from({ length: MAX_ALIVE }, (_value, n) => `client-${n}`).slice(2);
    assert.deepEqual(batches[0]?.alive, names);
  });

  test("tells every 5 s that a client is alive that has nothing to tell, until it stops", async (t) => {
    const { batches, listen, url } = await setUpTaker(t);
    await listen();
    t.mock.timers.enable({ apis: ["setInterval"] });
    const outlet = openMonitor(url);
    outlet.tell(born("client-idle"));
    await until("it is told", () => batches.length === 1);
    for (const count of [2, 3]) {
      t.mock.timers.tick(5000);
      await until("it is told again", () => batches.length === count);
      const { path: _path, ...batch } = batches[count - 1] ?? assert.fail();
      assert.deepEqual(batch, { events: [], lost: 0, alive: ["client-idle"] });
    }
    outlet.tell({ ...born("client-idle"), event: "stopped" });
    await until("its end is told", () => batches.length === 4);
    assert.deepEqual(batches[3]?.alive, []);
    t.mock.timers.tick(20_000);
    outlet.tell(born(DISCOVERY));
    await until("something else is told", () => batches.length > 4);
    assert.equal(batches.length, 5, "nothing in between");
  });

  test("flush() waits two seconds for a monitor that hangs, not longer", async (t) => {
    const server = createServer(() => {});
    const outlet = openMonitor(`http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`);
    t.after(() => server.close().closeAllConnections());
    outlet.tell(event("m"));
    const startedAt = performance.now();
    await outlet.flush();
    const took = performance.now() - startedAt;
    assert.ok(took > 1500 && took < 3500, `${took} ms`);
  });
});

test("all roles send their events with --monitor, and nothing stops when it is killed", async (t) => {
  const roles = [startRole("discovery.ts", ["--host", "127.0.0.1", "--port", "0"])];
  const start = (file: string, ...args: string[]) => {
    const role = startRole(file, args);
    roles.push(role);
    return role;
  };
  t.after(() => Promise.all(roles.map((role) => stopRole(role, "SIGKILL"))));
  const api = await discoveryUrl(roles[0] as (typeof roles)[0]);
  const shown = start("monitor.ts", "--host", "127.0.0.1", "--port", "0", "--discovery", api);
  const [, port] = await shown.says(/port (\d+)/);
  const to = ["--discovery", api, "--monitor", `http://127.0.0.1:${port}`];
  await start("receiver.ts", ...to, "--advertise-host", "127.0.0.1", "--fault-rate", "0").says(/registered/);

  const first = start("client.ts", ...to, "--to", "0");
  assert.equal(await first.exitCode(), 0);
  for (const name of ["joined", "sent", "received", "processed", "acked", "ack received"]) {
    await until(`the monitor has "${name}"`, async () => {
      const events = await (await fetch(`http://127.0.0.1:${port}/events.jsonl`)).text();
      return events.includes(`"event":"${name}"`);
    });
  }

  const many = start(
    "client.ts",
    ...to,
    "--to",
    "0",
    "--count",
    "20000",
    "--concurrency",
    "50",
    "--log-level",
    "warn",
  );
  await delay(1200);
  await stopRole(shown, "SIGKILL");
  assert.equal(await many.exitCode(), 0, many.stderr());
  assert.match(many.stdout(), /20000 messages: 20000 acked|20,000/);
});
