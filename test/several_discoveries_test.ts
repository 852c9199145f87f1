/** `--discovery A,B`: the next one when one doesn't answer, and what is said when they are not one and the same. */
import assert from "node:assert/strict";
import dns from "node:dns/promises";
import type { RequestListener, ServerResponse } from "node:http";
import { afterEach, type TestContext, test } from "node:test";
import { createApp, createRegistry, type Registry } from "../discovery.ts";
import { isGone } from "../group/is_gone.ts";
import type { DiscoveryApi } from "../lib/discovery_api.ts";
import type { Receiver } from "../lib/messages.ts";
import { findFreePort, listen } from "../plumbing/listen.ts";
import { createTrace } from "../trace/trace.ts";
import { keptLog, stopRole, until } from "./helpers.ts";
import { endAll, start, startOwnDiscovery, toClose } from "./started.ts";
import { createDiscoveryApi, createHttpServer as createServer, serve, startDiscovery } from "./wires.ts";

afterEach(endAll);

const HERE = "127.0.0.1";
const NOBODY = "http://127.0.0.1:1"; // nobody listens there
const MEMORY = { receiverTtlMs: 30_000, sweepEveryMs: 5000 };
const SPLIT = /know nothing of each other/;

/** Another discovery with this registry, as on one store. */
async function openDoor(registry: Registry, port = 0) {
  const { log } = keptLog();
  const app = createApp(registry, createTrace("discovery", { log }), log);
  const server = await serve(app, { host: HERE, port, headers: () => ({ "X-Registry": registry.id }) });
  toClose.push(server.close);
  return { ...server, url: `http://${HERE}:${server.port}` };
}

/** A server that answers as the test says. */
async function fakeServer(answer: RequestListener) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const port = await listen(server, 0, HERE);
  const close = () => server.close().closeAllConnections();
  toClose.push(close);
  return { url: `http://${HERE}:${port}`, asked, close };
}

/** Lists nobody, and says that it is of that registry. */
function answerAs(response: ServerResponse, registry: string, isComplete = "yes") {
  response.writeHead(200, { "X-Registry": registry, "X-Complete": isComplete }).end("[]");
}

function callAll(urls: string | string[]) {
  const { log, lines } = keptLog();
  const warned = (what: RegExp) => lines.filter((line) => what.test(line)).length;
  return { api: createDiscoveryApi(urls, { log }), lines, warned };
}

test("a call goes to the discovery that answered last, and to the next one when that doesn't answer", async () => {
  const registry = createRegistry(30_000, () => {});
  const [a, b] = [await openDoor(registry), await openDoor(registry)];
  const { api, lines } = callAll([a.url, b.url]);
  const id = await api.register({ host: "x", port: 1 });
  a.close();
  assert.equal(await api.heartbeat(id), true);
  assert.equal((await api.list()).receivers[0]?.id, id);
  await openDoor(registry, a.port);
  b.close();
  assert.equal(await api.heartbeat(id), true, "the first one again");
  assert.equal((await api.list()).isComplete, false, "as the registry says itself");
  const asked = [b.url, a.url].map((url) =>
    lines.filter((line) => line.includes(`${url} is asked from now on`)),
  );
  assert.deepEqual(
    asked.map(({ length }) => length),
    [1, 1],
  );
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.equal(await api.leave(id), true);
});

test("of many calls that go to the next discovery at the same time, one is told", async () => {
  const { url } = await startOwnDiscovery();
  const { api, lines } = callAll([NOBODY, url]);
  await Promise.all(Array.from({ length: 20 }, (_value, n) => api.register({ host: "x", port: n + 1 })));
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? "",
    /^\S+ test warn: http:\S+ is asked from now on \(at http:\/\/127.0.0.1:1: ECONNREFUSED\)$/,
  );
});

test("each of several discoveries is asked once a call, and an error names them all", async () => {
  const away = await fakeServer((_request, response) => {
    response.writeHead(503).end('{"error":"Cannot list: no quorum"}');
  });
  const { api } = callAll([away.url, NOBODY]);
  const why = `at ${away.url}: it answered 503, Cannot list: no quorum; at ${NOBODY}: ECONNREFUSED`;
  await assert.rejects(api.list(), { code: "unable", message: `Cannot list receivers ${why}` });
  assert.deepEqual(away.asked, ["GET /receivers"]);
});

test("what a discovery refuses is not asked of the next one", async () => {
  const { url } = await startOwnDiscovery();
  const next = await fakeServer((_request, response) => answerAs(response, "other"));
  const { api } = callAll([url, next.url]);
  await assert.rejects(api.register({ host: "x", port: 0 }), { code: "refused" });
  assert.equal(await api.heartbeat("unknown"), false);
  assert.ok(!next.asked.some((call) => call !== "HEAD /receivers"), next.asked.join());
});

test("a discovery that hangs costs a call two seconds, and the next call none", async () => {
  const hangs = await fakeServer(() => {});
  const { url } = await startOwnDiscovery();
  const { api } = callAll([hangs.url, url]);
  const startedAt = performance.now();
  await api.list();
  assert.ok(performance.now() - startedAt < 3000, "a list too");
  await api.list();
  assert.equal(hangs.asked.filter((call) => call === "GET /receivers").length, 1);
});

test("a call that is given up at one discovery is not made at the next", async () => {
  const stop = new AbortController();
  const hangs = await fakeServer(() => stop.abort());
  const next = await fakeServer((_request, response) => answerAs(response, "one"));
  const { api } = callAll([hangs.url, next.url]);
  await assert.rejects(api.list({ signal: stop.signal }), { name: "AbortError" });
  assert.deepEqual(next.asked, []);
});

test("a registration that timed out at one discovery and is made at the next gives one entry, which lives", async () => {
  const registry = createRegistry(30_000, () => {});
  const where = { host: "x", port: 1 };
  const slow = await fakeServer(({ method }) => {
    if (method === "POST") registry.register(where); // it has it written down, and never says so
  });
  const door = await openDoor(registry);
  const { api } = callAll([slow.url, door.url]);
  const id = await api.register(where);
  assert.deepEqual(
    (await api.list()).receivers.map((each) => each.id),
    [id],
  );
  assert.equal(await api.heartbeat(id), true);
});

test("a receiver and a client go on with the next discovery; the receiver keeps its id", async () => {
  const registered: string[] = [];
  const registry = createRegistry(30_000, (change, { id }) => void registered.push(`${change} ${id}`));
  const [a, b] = [await openDoor(registry), await openDoor(registry)];
  const common = ["--discovery", `${a.url},${b.url}`];
  const receiver = start(
    "receiver.ts",
    ...common,
    "--advertise-host",
    HERE,
    "--fault-rate",
    "0",
    "--heartbeat-every",
    "50ms",
  );
  const [, id] = await receiver.says(/registered as (\S+),/);
  a.close();
  await receiver.says(new RegExp(`${b.url} is asked from now on`));
  const client = start("client.ts", ...common, "--to", "0");
  assert.equal(await client.exitCode(), 0, client.stderr());
  assert.match(client.stdout(), new RegExp(`^acked by ${id}`));
  assert.equal(await stopRole(receiver), 0);
  assert.deepEqual(
    registered.map((line) => line.split(" ")[0]),
    ["registered", "left"],
  );
  assert.doesNotMatch(receiver.stderr() + client.stderr(), SPLIT);
});

test("two discoveries that know nothing of each other are told at once, once, with what to do", async () => {
  const [a, b] = [await startOwnDiscovery(), await startOwnDiscovery()];
  const { api, lines, warned } = callAll([a.url, b.url]);
  await api.list();
  await until("it is told", () => warned(SPLIT) > 0);
  await api.list();
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? "",
    new RegExp(`discoveries at ${a.url} and ${b.url} know.*--store, or only one of them$`),
  );
});

test("discoveries whose store was emptied are one, also when not all have learned it", async () => {
  let [a, b] = ["old", "old"];
  const first = await fakeServer((_request, response) => answerAs(response, a, "no"));
  const second = await fakeServer((_request, response) => {
    answerAs(response, b, "no");
    b = a; // it learns it by the question
  });
  const { api, lines } = callAll([first.url, second.url]);
  await api.list();
  a = "new";
  await api.list();
  await until("the second one was asked again", () => second.asked.length >= 3);
  first.close();
  await api.list();
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /is asked from now on/);
});

test("several discoveries behind one name are told, also when the name leads always to the same one", async (t) => {
  const port = await findFreePort();
  for (const host of [HERE, "127.0.0.2"]) {
    const { close } = await startDiscovery(
      { ...MEMORY, host, port, allowHost: ["localhost"] },
      keptLog().log,
    );
    toClose.push(close);
  }
  const found = [HERE, "127.0.0.2"].map((address) => ({ address, family: 4 }));
  mockLookup(t, found);
  const { api, warned } = callAll(`http://localhost:${port}`);
  await api.list();
  await until("it is told", () => warned(/several discoveries at http:\/\/localhost:\d+ know nothing/) > 0);
});

/** Of all names that are compared; what got looks up itself is not changed. */
function mockLookup(t: TestContext, found: { address: string; family: number }[]) {
  t.mock.method(dns, "lookup", async () => found);
}

test("a registry that comes back after another one is told: behind one address there are two", async () => {
  let asked = 0;
  const { url } = await fakeServer((_request, response) =>
    answerAs(response, ["one", "two"][asked++ % 2] as string),
  );
  const { api, warned } = callAll(url);
  await api.list();
  await api.list();
  assert.equal(warned(SPLIT), 0, "that may be a restart");
  await api.list();
  assert.equal(warned(/several discoveries at http:\S+ know nothing/), 1);
  await api.list();
  assert.equal(warned(SPLIT), 1, "once");
});

test("a discovery that is started again is no second one, however often", async () => {
  const { log } = keptLog();
  const options = { ...MEMORY, receiverTtlMs: 1, host: HERE }; // so that it soon says that its list is complete
  let server = await startDiscovery({ ...options, port: 0 }, log);
  toClose.push(() => server.close());
  const { api, lines } = callAll([`http://localhost:${server.port}`, NOBODY]);
  for (let n = 0; n < 12; n++) {
    await api.list();
    server.close();
    server = await startDiscovery({ ...options, port: server.port }, log);
  }
  await until("all have been asked, and it is believed", async () => (await api.list()).isComplete);
  assert.deepEqual(lines, []);
});

test("an answer from before a restart that comes after one from later is no second discovery", async () => {
  const held: ServerResponse[] = [];
  let registry = "one";
  const { url } = await fakeServer((request, response) => {
    if (request.method === "DELETE") held.push(response);
    else answerAs(response, registry);
  });
  const { api, lines } = callAll(url);
  await api.list();
  const leaving = api.leave("a");
  await until("it is asked", () => held.length > 0);
  registry = "two";
  await api.list();
  held[0]?.writeHead(204, { "X-Registry": "one" }).end();
  await leaving;
  assert.deepEqual(lines, []);
});

test("a registry with a long name has none", async () => {
  let asked = 0;
  const name = () => `${++asked % 2}${"x".repeat(128)}`;
  const { url } = await fakeServer((_request, response) => answerAs(response, name()));
  const { api, lines } = callAll(url);
  for (let n = 0; n < 4; n++) await api.list();
  assert.deepEqual(lines, []);
});

test("a discovery that changes its registry with each answer is asked at its addresses once at a time", async (t) => {
  const held: ServerResponse[] = [];
  let [registry, step] = [0, 1];
  const { url, asked } = await fakeServer(({ method }, response) => {
    if (method === "HEAD") held.push(response);
    else answerAs(response, `${registry}`);
    registry += step;
  });
  mockLookup(
    t,
    [HERE, HERE].map((address) => ({ address, family: 4 })),
  );
  const { api, lines } = callAll(url);
  for (let n = 0; n < 20; n++) await api.list();
  await until("it is asked at both", () => held.length === 2);
  for (let n = 0; n < 20; n++) await api.list();
  assert.equal(asked.filter((call) => call === "HEAD /receivers").length, 2);
  for (const response of held.splice(0)) answerAs(response, "same");
  await until("it is asked again, as it changed meanwhile", () => held.length === 2);
  for (const response of held) answerAs(response, "same");
  step = 0;
  await until("it is believed", async () => (await api.list()).isComplete);
  assert.deepEqual(lines, []);
});

test("of the Python's discovery, which names no registry, nothing is said", async () => {
  const [a, b] = [
    await fakeServer((_request, r) => r.end("[]")),
    await fakeServer((_request, r) => r.end("[]")),
  ];
  const { api, warned, lines } = callAll([a.url, b.url]);
  await api.list();
  a.close();
  await api.list();
  assert.equal(warned(/is asked from now on/), 1);
  assert.equal(lines.length, 1);
});

const aMessage = (): Parameters<typeof isGone>[2] => ({
  sending: { signal: new AbortController().signal, wake: undefined },
  startedAt: performance.now(),
});
const member: Receiver = { id: "id-0", host: "receiver-1", port: 7, last_seen: 0 };
const isMemberGone = (api: DiscoveryApi) => isGone(api, member, aMessage());

test("who is missing at a discovery that took another's place is not gone, as it may know nothing of it", async () => {
  const a = await fakeServer(({ method }, response) => {
    if (method !== "HEAD") answerAs(response, "one"); // it is gone before the two are compared
  });
  const b = await fakeServer((_request, response) => answerAs(response, "two"));
  const { api, warned } = callAll([a.url, b.url]);
  await api.list();
  assert.equal(await isMemberGone(api), true, "whoever lists all may say so");
  a.close();
  assert.equal(await isMemberGone(api), false);
  assert.equal(warned(/http:\S+ knows nothing of what http:\S+ knew/) + warned(SPLIT), 1);
  await until("all have been asked", () => b.asked.filter((call) => call === "HEAD /receivers").length === 2);
  for (let n = 0; n < 5; n++) assert.equal((await api.list()).isComplete, false, "nor later");
});

test("a discovery on the same store is believed as the one before; one that was started after it, when a lease has passed", async () => {
  let [registry, isComplete] = ["one", "yes"];
  const a = await fakeServer((_request, response) => answerAs(response, "one"));
  const b = await fakeServer((_request, response) => answerAs(response, registry, isComplete));
  const { api } = callAll([a.url, b.url]);
  await api.list();
  a.close();
  assert.equal(await isMemberGone(api), true);
  [registry, isComplete] = ["three", "no"];
  assert.equal(await isMemberGone(api), false);
  isComplete = "yes";
  assert.equal(await isMemberGone(api), true);
});

test("a discovery that was started again long ago is believed, as soon as it is known to be the only one", async () => {
  let registry = "one";
  const { url } = await fakeServer((_request, response) => answerAs(response, registry));
  const { api } = callAll(url);
  await api.list();
  registry = "two";
  assert.equal((await api.list()).isComplete, false);
  await until("it is believed", () => isMemberGone(api));
});

test("nobody is gone as long as two discoveries know nothing of each other", async () => {
  const a = await fakeServer((_request, response) => answerAs(response, "one"));
  const b = await fakeServer((_request, response) => answerAs(response, "two"));
  const { api, warned } = callAll([a.url, b.url]);
  await api.list();
  await until("it is told", () => warned(SPLIT) > 0);
  assert.equal(await isMemberGone(api), false);
});
