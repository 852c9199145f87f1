/** What the registry on etcd does with nodes that are away, that lag, and that are something else; it needs no etcd. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { type TestContext, test } from "node:test";
import * as v from "valibot";
import { findFreePort, listen } from "../plumbing/listen.ts";
import { toBase64 } from "../store/etcd_answers.ts";
import { ask, askUnless, begin, createEtcd, endEtcd, NOT_FOUND } from "../store/etcd_calls.ts";
import { createKeepalives } from "../store/keepalives.ts";
import { createLastHeard } from "../store/last_heard.ts";
import { createId, leaseOf } from "../store/receiver_ids.ts";
import { startRole, stopRole } from "./helpers.ts";
import { fetch } from "./wires.ts";

/** A node that answers what the test gives it. @returns its address */
async function startNode(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return `http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`;
}

/** One that keeps whatever lease it is asked to, on 404 `gone`; and how many it was asked for at a time. */
async function startKeeper(t: TestContext, gone: string[] = []) {
  const batches: number[] = [];
  const url = await startNode(t, async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const ids = body.split("\n").map((line) => JSON.parse(line).ID as string);
    batches.push(ids.length);
    const line = (ID: string) =>
      JSON.stringify({ result: { ID, ...(gone.includes(ID) ? {} : { TTL: "10" }) } });
    response.end(ids.map((id) => `${line(id)}\n`).join(""));
  });
  return { url, batches };
}

const REVISION = {
  path: "kv/range",
  body: { key: toBase64("a") },
  schema: v.object({ revision: v.string() }),
};

function createClient(t: TestContext, ...urls: string[]) {
  const etcd = createEtcd(urls);
  t.after(() => endEtcd(etcd));
  return etcd;
}

const answers =
  (json: string, status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status).end(json);

test("a node that is away, that lags, or that says it can't: the next is asked, and stays the one", async (t) => {
  const away = `http://127.0.0.1:${await findFreePort()}`;
  const lags = await startNode(t, () => {});
  const cannot = await startNode(t, answers('{"error":"etcdserver: no leader","code":14}', 503));
  const breaks = await startNode(t, (request) => request.socket.destroy());
  const good = await startNode(t, answers('{"revision":"7"}'));
  for (const bad of [away, lags, cannot, breaks]) {
    const etcd = createClient(t, bad, good);
    const startedAt = performance.now();
    assert.deepEqual(await ask(etcd, begin("try"), REVISION), { revision: "7" });
    assert.ok(performance.now() - startedAt < 1500);
    assert.equal(etcd.current, 1);
  }
});

const hopeless: [string, RequestListener, RegExp][] = [
  ["never answers", () => {}, /no answer within/],
  ["has no leader", answers('{"error":"etcdserver: no leader","code":14}', 503), /no leader/],
  ["closes", (request) => request.socket.destroy(), /ECONNRESET/],
  [
    "sends without an end",
    (_, response) => void setInterval(() => response.write("x".repeat(1000)), 10).unref(),
    /no answer within/,
  ],
  ["sends too much", (_, response) => response.end("x".repeat(33 * 1024 * 1024)), /too long/],
];
for (const [what, answer, why] of hopeless) {
  test(`a node that ${what} is a 503 within 2 s, that says why`, async (t) => {
    const etcd = createClient(t, await startNode(t, answer));
    const startedAt = performance.now();
    await assert.rejects(ask(etcd, begin("register"), REVISION), (error: Error & { status: number }) => {
      assert.equal(error.status, 503);
      assert.match(
        error.message,
        /^Cannot register: etcd doesn't answer \(http:.*\); .*more than half of its nodes/,
      );
      assert.match(error.message, why);
      return true;
    });
    const ms = performance.now() - startedAt;
    assert.ok(ms < 3000, `${ms} ms`); // with what a busy machine needs to say so
  });
}

test("askUnless() takes one refusal for an answer, and no other", async (t) => {
  const etcd = createClient(t, await startNode(t, answers('{"error":"lease not found","code":5}', 404)));
  assert.equal(await askUnless(NOT_FOUND, etcd, begin("try"), REVISION), undefined);
  await assert.rejects(askUnless(9, etcd, begin("try", 300), REVISION), /lease not found/);
});

test("heartbeats that come together go in few calls, and each gets its own answer", async (t) => {
  const ids = Array.from({ length: 600 }, () => createId());
  const gone = ids.filter((_, n) => n % 7 === 0).map((id) => leaseOf(id) ?? "");
  const { url, batches } = await startKeeper(t, gone);
  const keepAlive = createKeepalives(createClient(t, url));
  const kept = await Promise.all(ids.map((id) => keepAlive(leaseOf(id) ?? "")));
  assert.deepEqual(
    kept,
    ids.map((_, n) => n % 7 !== 0),
  );
  assert.deepEqual(
    batches.toSorted((a, b) => b - a),
    [256, 256, 88],
  );
});

const liars: [string, (id: string) => string][] = [
  ["too few", () => ""],
  ["of others", () => '{"result":{"ID":"1","TTL":"10"}}\n'],
  ["and then an error", (id) => `{"result":{"ID":"${id}","TTL":"10"}}\n{"error":{"message":"no leader"}}\n`],
];
for (const [what, lie] of liars) {
  test(`heartbeats that a node answers with ${what} are asked of the next`, async (t) => {
    const [a, b] = [createId(), createId()].map((id) => leaseOf(id) ?? "") as [string, string];
    const { url } = await startKeeper(t, [b]);
    const keepAlive = createKeepalives(createClient(t, await startNode(t, answers(lie(a))), url));
    assert.deepEqual(await Promise.all([keepAlive(a), keepAlive(b)]), [true, false]);
  });
}

test("createId() gives UUIDs that say their lease; leaseOf() takes no other", () => {
  const ids = Array.from({ length: 1000 }, () => createId());
  assert.equal(new Set(ids.map(leaseOf)).size, 1000);
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(BigInt(leaseOf(id) ?? 0) < 2n ** 63n);
    for (const at of [0, 9, 15, 20, 35]) {
      const other = id[at] === "0" ? "1" : "0";
      assert.equal(leaseOf(`${id.slice(0, at)}${other}${id.slice(at + 1)}`), undefined);
    }
  }
});

test("createLastHeard() dates by the latest that is known here, and no longer ago than a lease", (t) => {
  const clock = { ms: 100_000 };
  t.mock.method(Date, "now", () => clock.ms);
  const { note, date } = createLastHeard(10_000);
  const receiver = { id: "a", host: "a", port: 1, last_seen: 100 };
  const lastSeen = () => date(receiver).last_seen;
  assert.equal(lastSeen(), 100);
  clock.ms += 4000;
  note("a");
  note("b");
  clock.ms += 8000;
  assert.equal(lastSeen(), 104, "when it was heard here");
  note("b");
  assert.equal(lastSeen(), 104, "also when what is older is forgotten by and by");
  clock.ms += 12_000;
  note("b");
  assert.equal(lastSeen(), 114, "another discovery must have heard it since then");
  assert.equal(date({ ...receiver, id: "b" }).last_seen, 124);
});

const wrong: [string[], RegExp][] = [
  [
    ["--store", "etcd:2379"],
    /--store .*takes one to 8 different addresses of an etcd, .* http:\/\/localhost:2379/,
  ],
  [["--store", "https://etcd:2379"], /--store .*such as http:\/\/localhost:2379/],
  [["--store", "http://etcd:2379,http://etcd:2379/"], /--store .*takes one to 8 different addresses/],
  [
    ["--store", "http://etcd:2379", "--receiver-ttl", "1s"],
    /--receiver-ttl is 1000ms; .* whole seconds, 2s or more/,
  ],
  [["--store", "http://etcd:2379", "--receiver-ttl", "2500ms"], /--receiver-ttl is 2500ms; .* whole seconds/],
];
for (const [args, why] of wrong) {
  test(`discovery.ts ${args.join(" ")} ends with exit code 2, and says what is right`, async () => {
    const role = startRole("discovery.ts", ["--port", "0", ...args]);
    assert.equal(await role.exitCode(), 2);
    assert.match(role.stderr(), why);
    assert.doesNotMatch(role.stderr(), /^\s+at /m);
  });
}

test("discovery.ts on something that isn't etcd ends, and says so", async (t) => {
  const url = await startNode(t, answers("<html>", 404));
  const role = startRole("discovery.ts", ["--port", "0", "--store", url]);
  assert.equal(await role.exitCode(), 1);
  assert.match(role.stderr(), /^Cannot start discovery: .*this is no etcd 3\.4 or later\); see --store$/m);
});

test("discovery.ts without its etcd says that it waits, and answers 503", async () => {
  const url = `http://127.0.0.1:${await findFreePort()}`;
  const port = await findFreePort();
  const role = startRole("discovery.ts", ["--host", "127.0.0.1", "--port", `${port}`, "--store", url]);
  try {
    await role.says(/waiting for etcd: .*ECONNREFUSED/);
    await role.says(/listening/);
    for (const path of ["health", "receivers"]) {
      const answer = await fetch(`http://127.0.0.1:${port}/${path}`);
      assert.equal(answer.status, 503);
      assert.match(((await answer.json()) as { error: string }).error, /etcd doesn't answer .*ECONNREFUSED/);
    }
  } finally {
    assert.equal(await stopRole(role), 0);
  }
});
