import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startDiscovery } from "../discovery.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { createEventStore } from "../monitor/event_store.ts";
import { startMonitor } from "../monitor.ts";
import { listen } from "../plumbing/listen.ts";
import { MAX_BATCH } from "../trace/batch.ts";
import { readRecord } from "../trace/check_record.ts";
import type { TraceEvent } from "../trace/events.ts";
import { openMonitor } from "../trace/to_monitor.ts";
import { discoveryUrl, keptLog, startRole, stopRole, until } from "./helpers.ts";

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
      /events\.0\.event/,
    ],
    [
      "too many events",
      { events: Array(MAX_BATCH + 1).fill(event("m")) },
      "application/json",
      400,
      /at most/,
    ],
    ["a form", "a=1", "application/x-www-form-urlencoded", 415, /Content-Type/],
    ["a body that is too long", "x".repeat(4 * 1024 * 1024 + 1), "application/json", 413, /bytes/],
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

  test("answers a wrong method and a wrong path in JSON", async () => {
    const answer = await fetch(`${url}/events`, { method: "DELETE" });
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD, POST"]);
    assert.equal((await fetch(`${url}/../package.json`)).status, 404);
  });

  test("says who is in the group, or that discovery is away", async (t) => {
    const id = await createDiscoveryApi(`http://127.0.0.1:${discovery.port}`).register({
      host: "a",
      port: 1,
    });
    const { receivers } = await json(await fetch(`${url}/group`));
    assert.equal(receivers[0].id, id);
    const lonely = await startMonitor({ ...LOCAL, discovery: "http://127.0.0.1:1" }, keptLog().log);
    t.after(() => lonely.close());
    const answer = await fetch(`http://127.0.0.1:${lonely.port}/group`);
    assert.equal(answer.status, 502);
    assert.match((await json(answer)).error, /Cannot list receivers/);
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
    await post({ events: [], lost: 7 });
    assert.equal((await json(await fetch(`${url}/health`))).lost, 7);
    assert.match(await streamUntil(/"lost":7/), /event: lost/);
  });
});

describe("createEventStore()", () => {
  test("keeps the last events, and their numbers", () => {
    const store = createEventStore({ maxEvents: 3 });
    for (let n = 1; n <= 20; n++) store.add([event(`m${n}`)]);
    assert.deepEqual([store.first(), store.next()], [18, 21]);
    assert.deepEqual(
      store.from(1).map((json) => JSON.parse(json).message),
      ["m18", "m19", "m20"],
    );
    assert.equal(store.from(20, 5).length, 1);
    assert.equal(store.from(21).length, 0);
  });

  test("is bounded in characters too", () => {
    const store = createEventStore({ maxChars: 1000 });
    for (let n = 0; n < 50; n++) store.add([{ ...event("m"), note: "x".repeat(200) }]);
    assert.ok(store.from(0).join("").length <= 1000);
    assert.equal(store.next(), 51);
  });
});

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
