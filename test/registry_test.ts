/** The registry in memory: what every registry does, and, with clocks that the test sets, when exactly. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createRegistry } from "../discovery.ts";
import { hold } from "../plumbing/answers.ts";
import { add, list, testRegistry } from "./registry_suite.ts";

testRegistry("in memory", 100, async (_t, { ttlMs, ...limits }) => {
  const lines: string[] = [];
  const registry = createRegistry(ttlMs, (change, { host }) => lines.push(`${host} ${change}`), limits);
  return { registry, told: () => lines.splice(0) };
});

/** A registry whose two clocks the test sets: that of the leases, and that on the wall. */
function setUp(t: TestContext, options: { maxReceivers?: number; maxBytes?: number } = {}) {
  const clock = { ms: 1_000_000 };
  const told: string[] = [];
  t.mock.method(Date, "now", () => clock.ms);
  const onChange = (change: string, { host }: { host: string }) => told.push(`${host} ${change}`);
  const registry = createRegistry(30_000, onChange, { now: () => clock.ms, ...options });
  return { clock, registry, told };
}

test("a lease lasts exactly its time, without any sweep", async (t) => {
  const { clock, registry } = setUp(t);
  const id = await add(registry, "a");
  clock.ms += 29_999;
  assert.equal(await registry.count(), 1);
  clock.ms += 1;
  assert.equal(await registry.count(), 0);
  assert.deepEqual(await list(registry), []);
  assert.equal(await registry.heartbeat(id), false);
  assert.equal(await registry.leave(id), false);
});

test("a lease is measured by a clock that the wall's doesn't move", async (t) => {
  const { clock } = setUp(t);
  const registry = createRegistry(30_000, () => {}, { now: () => 7 });
  await add(registry, "a");
  clock.ms += 1_000_000; // by Date.now()
  assert.equal(await registry.count(), 1);
});

test("heartbeat() renews the lease, and when it was seen, in seconds", async (t) => {
  const { clock, registry } = setUp(t);
  const id = await add(registry, "a");
  clock.ms += 29_999;
  assert.equal(await registry.heartbeat(id), true);
  assert.equal((await list(registry))[0]?.last_seen, 1029.999);
  clock.ms += 29_999;
  assert.equal(await registry.count(), 1);
});

test("sweep() tells of what has expired, once", async (t) => {
  const { clock, registry, told } = setUp(t);
  await add(registry, "a");
  clock.ms += 20_000;
  await add(registry, "b");
  clock.ms += 10_000;
  registry.sweep();
  registry.sweep();
  assert.deepEqual(told, ["a registered", "b registered", "a expired"]);
});

test("register() of the address of one whose lease has ended tells that, and not that it was replaced", async (t) => {
  const { clock, registry, told } = setUp(t);
  await add(registry, "a");
  clock.ms += 30_000;
  await add(registry, "a");
  assert.deepEqual(told, ["a registered", "a expired", "a registered"]);
});

test("register() that finds no room sweeps first", async (t) => {
  const { clock, registry, told } = setUp(t, { maxReceivers: 2 });
  await add(registry, "a");
  await add(registry, "b");
  clock.ms += 30_000;
  await add(registry, "c");
  assert.deepEqual(told, ["a registered", "b registered", "a expired", "b expired", "c registered"]);
});

const json = async (registry: ReturnType<typeof createRegistry>) => (await registry.list()).json;

test("list() writes the JSON once for all who ask, and a heartbeat is seen in it a second later", async (t) => {
  const { clock, registry } = setUp(t);
  const a = await add(registry, "a");
  const written = await json(registry);
  clock.ms += 999;
  await registry.heartbeat(a);
  assert.equal(await json(registry), written, "the same bytes");
  clock.ms += 1;
  assert.equal((await list(registry))[0]?.last_seen, 1000.999);
});

test("list() leaves the bytes alone that somebody has yet to read, and those that it gave in this turn", async (t) => {
  const { registry } = setUp(t);
  const a = await add(registry, "a");
  await add(registry, "b");
  const written = await json(registry);
  const before = written.toString();
  await registry.leave(a);
  assert.notEqual((await json(registry)).toString(), before);
  assert.equal(written.toString(), before, "in this turn");

  const kept = await json(registry);
  const release = hold(kept);
  const keptBefore = kept.toString();
  await new Promise(setImmediate);
  await add(registry, "c");
  assert.notEqual((await json(registry)).toString(), keptBefore);
  assert.equal(kept.toString(), keptBefore, "held for a reader");
  release?.();
});

test("list() never lists a receiver whose lease has ended", async (t) => {
  const { clock, registry } = setUp(t);
  await add(registry, "a");
  clock.ms += 100;
  const b = await add(registry, "b");
  clock.ms += 29_399;
  await registry.heartbeat(b);
  assert.equal((await list(registry)).length, 2);
  clock.ms += 500;
  assert.equal((await list(registry)).length, 2);
  clock.ms += 1;
  assert.equal((await list(registry)).length, 1);
});

test("the list is complete exactly a lease after the start", async (t) => {
  const { clock, registry } = setUp(t);
  clock.ms += 29_999;
  assert.equal((await registry.list()).isComplete, false);
  clock.ms += 1;
  assert.equal((await registry.list()).isComplete, true);
});
