import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "../lib/registry.ts";

/** A registry with a clock that the test sets, and what it told of. */
function setUp(maxReceivers?: number) {
  const clock = { ms: 1_000_000 };
  const events: string[] = [];
  const registry = createRegistry({
    ttlMs: 30_000,
    now: () => clock.ms,
    wallClock: () => clock.ms / 1000,
    onChange: (event, { host }) => events.push(`${host} ${event}`),
    ...(maxReceivers === undefined ? {} : { maxReceivers }),
  });
  const register = (host: string) =>
    registry.register({ host, port: 1 }) ?? assert.fail("the registry is full");
  return { clock, events, registry, register };
}

test("list() gives the receivers in the order in which they registered, with when they were seen in seconds", () => {
  const { clock, registry, register } = setUp();
  const a = register("a");
  clock.ms += 1500;
  const b = register("b");
  assert.deepEqual(registry.list(), [
    { id: a, host: "a", port: 1, last_seen: 1000 },
    { id: b, host: "b", port: 1, last_seen: 1001.5 },
  ]);
});

test("a lease lasts exactly its time, without any sweep", () => {
  const { clock, registry, register } = setUp();
  const id = register("a");
  clock.ms += 29_999;
  assert.equal(registry.list().length, 1);
  clock.ms += 1;
  assert.equal(registry.list().length, 0);
  assert.equal(registry.heartbeat(id), false);
  assert.equal(registry.leave(id), false);
});

test("heartbeat() renews the lease", () => {
  const { clock, registry, register } = setUp();
  const id = register("a");
  clock.ms += 29_999;
  assert.equal(registry.heartbeat(id), true);
  clock.ms += 29_999;
  assert.equal(registry.list().length, 1);
});

test("heartbeat() and leave() do not know a stranger", () => {
  const { registry } = setUp();
  assert.equal(registry.heartbeat("nobody"), false);
  assert.equal(registry.leave("nobody"), false);
});

test("sweep() removes what has expired, and tells of it once", () => {
  const { clock, events, registry, register } = setUp();
  register("a");
  clock.ms += 20_000;
  register("b");
  clock.ms += 10_000;
  registry.sweep();
  registry.sweep();
  assert.deepEqual(events, ["a registered", "b registered", "a expired"]);
});

test("register() of the same address replaces the older receiver", () => {
  const { events, registry, register } = setUp();
  const before = register("a");
  const after = register("a");
  assert.notEqual(before, after);
  assert.deepEqual(
    registry.list().map(({ id }) => id),
    [after],
  );
  assert.deepEqual(events, ["a registered", "a replaced", "a registered"]);
});

test("register() refuses more than the most, until some have left or expired", () => {
  const { clock, registry, register } = setUp(2);
  register("a");
  const b = register("b");
  assert.equal(registry.register({ host: "c", port: 1 }), undefined);
  registry.leave(b);
  register("c");
  assert.equal(registry.register({ host: "d", port: 1 }), undefined);
  clock.ms += 30_000;
  register("d");
});
