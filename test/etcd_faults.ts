/** Three nodes of etcd, two discoveries and 200 members; what is killed comes back, and nobody is lost by it. */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { findFreePort } from "../plumbing/listen.ts";
import { type EtcdCluster, startEtcd } from "./etcd_nodes.ts";
import { type Role, startRole, stopRole, until } from "./helpers.ts";

const MEMBERS = 200;
const BEAT_EVERY_MS = 3000;
const LIST_WITHIN_MS = 3000;
const WAIT_MS = 5000; // with something dead: longer than an election takes

let etcd: EtcdCluster;
const discoveries: { url: string; role: Role; start(): Promise<void> }[] = [];
const roles: Role[] = []; // of both, one after another
before(async () => {
  etcd = await startEtcd(3);
  for (let n = 0; n < 2; n++) discoveries.push(await createDiscovery());
});
after(async () => {
  await Promise.all(roles.map((role) => stopRole(role, "SIGKILL")));
  await etcd.close();
});

async function createDiscovery() {
  const port = await findFreePort();
  const args = [
    "--host",
    "127.0.0.1",
    "--port",
    `${port}`,
    "--receiver-ttl",
    "10s",
    "--store",
    etcd.urls.join(),
  ];
  const start = async () => {
    discovery.role = startRole("discovery.ts", args);
    roles.push(discovery.role);
    await discovery.role.says(/listening/);
  };
  const discovery = { url: `http://127.0.0.1:${port}`, role: {} as Role, start };
  await start();
  return discovery;
}

/** What discovery answers: a list, an id or an error. */
type Json = { id: string; host: string; error: string }[] & { id: string; error: string };

/** Asks one discovery. @returns undefined if it isn't there */
async function ask(url: string, path: string, body?: object) {
  const post = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(`${url}${path}`, body && post).catch(() => undefined);
  return answer && { status: answer.status, json: (await answer.json()) as Json };
}

let turn = 0;
/** Asks one after another until one answers with something else than 503. */
async function askAny(path: string, body?: object) {
  for (;;) {
    const answer = await ask(discoveries[turn % 2]?.url ?? "", path, body);
    if (answer && answer.status !== 503) return answer;
    turn += 1;
    await delay(50);
  }
}

/** Whoever's heartbeat was ever answered with 404. */
const lost: string[] = [];

async function beat(host: string, signal: AbortSignal): Promise<void> {
  const { json } = await askAny("/register", { host, port: 1 });
  while (!signal.aborted) {
    await delay(BEAT_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const { status } = await askAny("/heartbeat", { id: json.id });
    if (status !== 200) lost.push(`${host}: ${status}`);
  }
}

/** Lists all the time, as long as `during` takes. @returns the longest time that a list took, with asking again */
async function listWhile(during: () => Promise<void>): Promise<number> {
  let isOver = false;
  const over = during().finally(() => {
    isOver = true;
  });
  let longest = 0;
  while (!isOver) {
    const startedAt = performance.now();
    const { json } = await askAny("/receivers");
    longest = Math.max(longest, performance.now() - startedAt);
    assertAllThere(json);
    await delay(100);
  }
  await over;
  return longest;
}

function assertAllThere(receivers: { id: string; host: string }[]): void {
  assert.equal(receivers.length, MEMBERS);
  assert.equal(new Set(receivers.map(({ host }) => host)).size, MEMBERS, "none is there twice");
  assert.deepEqual(lost, []);
}

test("200 members stay in the group, whatever dies", { timeout: 180_000 }, async (t) => {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const members = Array.from({ length: MEMBERS }, (_, n) => beat(`h${n}`, stop.signal));
  t.after(() => stop.abort());
  await until("all are there", async () => (await askAny("/receivers")).json.length === MEMBERS);
  const longest: Record<string, number> = {};

  await t.test("the leader is killed", async () => {
    longest.leader = await listWhile(async () => {
      const places = await Promise.all(etcd.nodes.map((node) => node.isLeader()));
      const leader = etcd.nodes[places.indexOf(true)];
      assert.ok(leader);
      await leader.kill();
      await delay(2 * WAIT_MS); // a lease would have ended
      leader.start();
      await etcd.untilUp();
    });
  });

  await t.test("a discovery is killed", async () => {
    longest.discovery = await listWhile(async () => {
      await stopRole(discoveries[turn % 2]?.role as Role, "SIGKILL");
      await delay(WAIT_MS);
      await discoveries.find(({ role }) => role.child.signalCode !== null)?.start();
    });
  });

  await t.test("one node after another is killed", async () => {
    longest.nodes = await listWhile(async () => {
      for (const node of etcd.nodes) {
        await node.kill();
        await delay(WAIT_MS);
        node.start();
        await etcd.untilUp();
      }
    });
  });

  await t.test("without a quorum a 503 says so within 2 s, and when it returns all are there", async () => {
    const [a, b] = etcd.nodes;
    await Promise.all([a?.kill(), b?.kill()]);
    await Promise.all(["/receivers", "/health", "/heartbeat"].map(expect503));
    await delay(15_000); // longer than a lease
    a?.start();
    b?.start();
    await etcd.untilUp();
    assertAllThere((await askAny("/receivers")).json);
    await delay(15_000); // who wasn't really there would expire
    assertAllThere((await askAny("/receivers")).json);
  });

  stop.abort();
  await Promise.all(members);
  t.diagnostic(`the longest that a list took, in ms: ${JSON.stringify(longest)}`);
  for (const [what, ms] of Object.entries(longest)) assert.ok(ms < LIST_WITHIN_MS, `${what}: ${ms} ms`);
  const said = roles.map((role) => role.stderr()).join("");
  assert.doesNotMatch(said, /expired|replaced/);
  assert.equal(said.match(/ registered, /g)?.length, MEMBERS, "none registered twice");
});

async function expect503(path: string): Promise<void> {
  for (const { url } of discoveries) {
    const startedAt = performance.now();
    const answer = await ask(
      url,
      path,
      path === "/heartbeat" ? { id: "00000000-0000-4000-a000-000000000000" } : undefined,
    );
    assert.equal(answer?.status, 503, path);
    assert.match(answer?.json.error, /etcd doesn't answer .*more than half of its nodes/);
    assert.ok(performance.now() - startedAt < 2000, path);
  }
}
