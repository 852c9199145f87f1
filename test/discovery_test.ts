import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, type TestContext, test } from "node:test";
import { DiscoveryError } from "../lib/discovery_api.ts";
import { waitForDiscoveryServer } from "../lib/wait_for_discovery.ts";
import { listen } from "../plumbing/listen.ts";
import type { TraceEvent } from "../trace/events.ts";
import { keptLog, until } from "./helpers.ts";
import { createDiscoveryApi, createHttpServer as createServer, fetch, startDiscovery } from "./wires.ts";

const OPTIONS = { host: "127.0.0.1", port: 0, receiverTtlMs: 30_000, sweepEveryMs: 5000 };
let discovery: Awaited<ReturnType<typeof startDiscovery>>;
let url: string;
before(async () => {
  discovery = await startDiscovery(OPTIONS, keptLog().log);
  url = `http://127.0.0.1:${discovery.port}`;
});
after(() => discovery.close());

async function call(method: string, path: string, body?: unknown, type = "application/json") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const sent = body === undefined ? {} : { body: text, headers: { "content-type": type } };
  const response = await fetch(`${url}${path}`, { method, ...sent });
  const answer = await response.text();
  return { status: response.status, body: answer && JSON.parse(answer), headers: response.headers };
}

test("a receiver registers, is listed, sends heartbeats, and leaves", async () => {
  const registered = await call("POST", "/register", { host: "a", port: 4000 });
  assert.equal(registered.status, 201);
  const { id, message } = registered.body;
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(typeof message, "string");

  const listed = (await call("GET", "/receivers")).body;
  assert.equal(listed.length, 1);
  assert.deepEqual({ ...listed[0], last_seen: 0 }, { id, host: "a", port: 4000, last_seen: 0 });
  assert.ok(Math.abs(listed[0].last_seen - Date.now() / 1000) < 5, "seconds since 1970");

  assert.equal((await call("POST", "/heartbeat", { id })).status, 200);
  assert.deepEqual((await call("GET", "/health")).body, { status: "ok", receivers: 1 });
  assert.equal((await call("DELETE", `/receivers/${id}`)).status, 204);
  assert.equal((await call("DELETE", `/receivers/${id}`)).status, 404);
  assert.equal((await call("POST", "/heartbeat", { id })).status, 404);
  assert.deepEqual((await call("GET", "/receivers")).body, []);
});

const refused: [string, string, unknown, number, RegExp][] = [
  ["POST", "/register", { host: "a" }, 400, /"port" is missing/],
  ["POST", "/register", { port: 1 }, 400, /"host" is missing/],
  ["POST", "/register", { host: "a", port: 1, name: "" }, 400, /"name" must not be empty/],
  ["POST", "/register", { host: 7, port: 1 }, 400, /"host" must be a text/],
  ["POST", "/register", { host: "a", port: 99999999 }, 400, /"port" must be .* 1 to 65535/],
  ["POST", "/register", "{", 400, /not JSON/],
  ["POST", "/register", "", 400, /not JSON/],
  ["POST", "/register", "null", 400, /JSON object/],
  ["POST", "/register", "x".repeat(64 * 1024 + 1), 413, /65536 bytes/],
  ["POST", "/heartbeat", {}, 400, /"id" is missing/],
  ["POST", "/heartbeat", { id: "nobody" }, 404, /register again/],
  ["DELETE", "/receivers/nobody", undefined, 404, /register again/],
  ["DELETE", "/receivers/%ff", undefined, 404, /register again/],
  ["GET", "/register", undefined, 405, /use POST/],
  ["PUT", "/heartbeat", undefined, 405, /use POST/],
  ["POST", "/receivers", {}, 405, /use GET/],
  ["GET", "/receivers/nobody", undefined, 405, /use DELETE/],
  ["DELETE", "/health", undefined, 405, /use GET/],
  ["GET", "/nothing", undefined, 404, /PROTOCOL/],
];
for (const [method, path, body, status, error] of refused) {
  const shown = JSON.stringify(body)?.slice(0, 40) ?? "";
  test(`discovery answers ${method} ${path} ${shown} with ${status}, and says why in JSON`, async () => {
    const answer = await call(method, path, body);
    assert.equal(answer.status, status);
    assert.match(answer.body.error, error);
    assert.deepEqual((await call("GET", "/receivers")).body, [], "nothing came of it");
  });
}

test("discovery wants JSON to be called JSON", async () => {
  const answer = await call("POST", "/register", { host: "a", port: 1 }, "text/plain");
  assert.equal(answer.status, 415);
  assert.match(answer.body.error, /Content-Type: application\/json/);
});

test("discovery says which methods it allows", async () => {
  assert.equal((await call("GET", "/heartbeat")).headers.get("allow"), "POST");
});

test("every answer names the registry, and that of another discovery differs", async (t) => {
  const other = await startDiscovery(OPTIONS, keptLog().log);
  t.after(other.close);
  const { headers } = await fetch(`http://127.0.0.1:${other.port}/health`);
  assert.match(headers.get("x-registry") ?? "", /^[0-9a-f-]{36}$/);
  const names = new Set([headers.get("x-registry")]);
  for (const path of ["/health", "/receivers", "/nothing"])
    names.add((await call("GET", path)).headers.get("x-registry"));
  assert.equal(names.size, 2);
});

test("startDiscovery() tells when it starts and when it is closed", async (t) => {
  const told: string[] = [];
  const { log } = keptLog();
  const outlets = [({ process, event }: TraceEvent) => void told.push(`${process} ${event}`)];
  const { close } = await startDiscovery(OPTIONS, log, outlets);
  t.after(close);
  assert.deepEqual(told, ["discovery started"]);
  close();
  await until("it has ended", () => told.length > 1);
  assert.deepEqual(told, ["discovery started", "discovery stopped"]);
});

test("startDiscovery() says what to do when the port is taken", async () => {
  await assert.rejects(
    startDiscovery({ ...OPTIONS, port: discovery.port }, keptLog().log),
    /^Error: Cannot listen on 127.0.0.1:\d+: another program has that port .*--port/,
  );
});

test("an expired receiver is swept", async (t) => {
  const { log, lines } = keptLog();
  const short = await startDiscovery({ ...OPTIONS, receiverTtlMs: 20, sweepEveryMs: 5 }, log);
  t.after(() => short.close());
  await createDiscoveryApi(`http://127.0.0.1:${short.port}`).register({ host: "a", port: 1 });
  await until("it is swept", () => lines.some((line) => / expired, a:1/.test(line)) || undefined);
});

test("register with a name lists the name, and no field that discovery doesn't know", async () => {
  const where = { host: "c", port: 4002, name: "receiver-c", colour: "red" };
  const { id } = (await call("POST", "/register", where)).body;
  const [{ last_seen, ...listed }] = (await call("GET", "/receivers")).body;
  assert.equal(typeof last_seen, "number");
  assert.deepEqual(listed, { id, host: "c", port: 4002, name: "receiver-c" });
  await call("DELETE", `/receivers/${id}`);
});

test("GET /receivers says with X-Complete whether the time of a lease has passed since the start", async (t) => {
  const short = await startDiscovery({ ...OPTIONS, receiverTtlMs: 300 }, keptLog().log);
  t.after(() => short.close());
  const api = createDiscoveryApi(`http://127.0.0.1:${short.port}`);
  assert.equal((await call("GET", "/receivers")).headers.get("x-complete"), "no");
  assert.equal((await createDiscoveryApi(url).list()).isComplete, false);
  await until("it is complete", async () => (await api.list()).isComplete);
});

test("createDiscoveryApi() does what the calls do", async () => {
  const api = createDiscoveryApi(url);
  const id = await api.register({ host: "b", port: 4001, name: "receiver-b" });
  const { receivers } = await api.list();
  assert.deepEqual(
    receivers.map(({ last_seen, ...receiver }) => receiver),
    [{ id, host: "b", port: 4001, name: "receiver-b" }],
  );
  assert.equal(await api.heartbeat(id), true);
  await api.leave(id);
  await api.leave(id); // gone already is what was wanted
  assert.equal(await api.heartbeat(id), false);
  await assert.rejects(api.register({ host: "b", port: 0 }), (error: DiscoveryError) => {
    assert.equal(error.code, "refused");
    assert.match(error.message, /^Cannot register at http:.*answered 400, .*"port" must be/);
    return true;
  });
});

/** A server that isn't discovery, and says what the test gives it. */
async function startOther(t: TestContext, answer: (response: ServerResponse) => unknown) {
  const server = createServer((_request, response) => void answer(response));
  const api = createDiscoveryApi(`http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`);
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  t.after(close);
  return { api, close };
}

test("createDiscoveryApi() tells a server that is away from one that is something else", async (t) => {
  const answers = { status: 200, body: "<html>" };
  const { api, close } = await startOther(t, (r) => r.writeHead(answers.status).end(answers.body));
  await assert.rejects(api.list(), { code: "bad_answer" });
  answers.status = 404; // it has no such call; that it doesn't know an id would mean something else
  await assert.rejects(api.list(), { code: "bad_answer" });
  answers.status = 403;
  await assert.rejects(api.list(), { code: "bad_answer" });
  await assert.rejects(api.heartbeat("a"), { code: "bad_answer" });
  answers.status = 503;
  await assert.rejects(api.list(), { code: "unable" });
  await close();
  await assert.rejects(api.list(), /ECONNREFUSED/);
});

test("createDiscoveryApi() takes a list without X-Complete for a complete one", async (t) => {
  const { api } = await startOther(t, (response) => response.end("[]"));
  assert.deepEqual(await api.list(), { receivers: [], isComplete: true });
});

test("createDiscoveryApi() ends a call whose signal is aborted", async (t) => {
  const stop = new AbortController();
  const { api } = await startOther(t, () => stop.abort()); // it has the call, and never answers
  await assert.rejects(api.list({ signal: stop.signal }), { name: "AbortError" });
});

const refusals: [DiscoveryError["code"], RegExp][] = [
  ["unreachable", /waiting for discovery, .* in 0.001s \(ECONNREFUSED\); start it with: .*tsx discovery.ts/],
  ["unable", /waiting for discovery, .* in 0.001s \(ECONNREFUSED\)$/],
  ["bad_answer", /waiting for discovery, .*; is that discovery\? .*--discovery/],
];
for (const [code, hint] of refusals) {
  test(`waitForDiscoveryServer() asks while it is ${code}, and says each time what to do`, async () => {
    const { log, lines } = keptLog();
    let asked = 0;
    const ask = async () => {
      asked += 1;
      if (asked < 4) throw new DiscoveryError(code, "ECONNREFUSED");
      return "the answer";
    };
    const { signal } = new AbortController();
    assert.equal(await waitForDiscoveryServer(ask, { log, signal, everyMs: 1 }), "the answer");
    assert.equal(asked, 4);
    assert.equal(lines.filter((line) => hint.test(line)).length, 3);
  });
}

for (const [host, command] of [
  ["127.0.0.1:5000", /start it with: .*tsx discovery\.ts$/],
  ["127.0.0.1:1", /start it with: .*tsx discovery\.ts --port 1$/],
] as const) {
  test(`waitForDiscoveryServer() says how to start the discovery at ${host}`, async () => {
    const { log, lines } = keptLog();
    const stop = new AbortController();
    const url = `http://${host}`;
    const ask = () => {
      setImmediate(() => stop.abort());
      return Promise.reject(new DiscoveryError("unreachable", "ECONNREFUSED", { url }));
    };
    const options = { log, signal: stop.signal };
    await assert.rejects(waitForDiscoveryServer(ask, options), { name: "AbortError" });
    assert.match(lines.join("\n"), command);
  });
}

test("a call that nobody answers says where it was asked: at the first of several", async () => {
  const api = createDiscoveryApi(["http://127.0.0.1:1", "http://127.0.0.1:2"]);
  await assert.rejects(api.list(), { code: "unreachable", url: "http://127.0.0.1:1" });
});

test("waitForDiscoveryServer() doesn't ask again for what discovery refuses", async () => {
  const refused = new DiscoveryError("refused", "no such host");
  const options = { log: keptLog().log, signal: new AbortController().signal };
  await assert.rejects(
    waitForDiscoveryServer(() => Promise.reject(refused), options),
    refused,
  );
});

test("waitForDiscoveryServer() ends when it is stopped, and does not ask when it was before", async () => {
  const stop = new AbortController();
  let asked = 0;
  const ask = async () => {
    asked += 1;
    stop.abort();
    throw new DiscoveryError("unreachable", "ECONNREFUSED");
  };
  for (let time = 1; time <= 2; time++) {
    const waiting = waitForDiscoveryServer(ask, { ...keptLog(), signal: stop.signal });
    await assert.rejects(waiting, { name: "AbortError" });
    assert.equal(asked, 1);
  }
});

test("waitForDiscoveryServer() waits for nothing but discovery: other errors it rethrows", async () => {
  const { signal } = new AbortController();
  const ask = () => Promise.reject(new TypeError("a mistake"));
  await assert.rejects(waitForDiscoveryServer(ask, { ...keptLog(), signal }), { name: "TypeError" });
});
