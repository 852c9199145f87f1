import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type Change,
  createRegistry,
  heartbeat,
  isComplete,
  leave,
  list,
  listAsJson,
  type Registry,
  register,
  sweep,
} from "../discovery.ts";
import { hold } from "../plumbing/answers.ts";

const said = (changes: Change[]) => changes.map(({ event, receiver }) => `${receiver.host} ${event}`);

/** A registry whose two clocks the test sets: that of the leases, and that on the wall. */
function setUp(t: TestContext, options: { maxReceivers?: number; maxBytes?: number } = {}) {
  const clock = { ms: 1_000_000 };
  t.mock.method(Date, "now", () => clock.ms);
  const registry = createRegistry(30_000, { now: () => clock.ms, ...options });
  return { clock, registry };
}

/** Registers a receiver at that host. @returns its id */
function add(registry: Registry, host: string): string {
  const last = register(registry, { host, port: 1 }).at(-1);
  assert.equal(last?.event, "registered");
  return last.receiver.id;
}

test("list() gives the receivers in the order in which they registered, with when they were seen in seconds", (t) => {
  const { clock, registry } = setUp(t);
  const a = add(registry, "a");
  clock.ms += 1500;
  const b = add(registry, "b");
  assert.deepEqual(list(registry), [
    { id: a, host: "a", port: 1, last_seen: 1000 },
    { id: b, host: "b", port: 1, last_seen: 1001.5 },
  ]);
});

test("register() with a name lists the name; without one there is none", (t) => {
  const { registry } = setUp(t);
  register(registry, { host: "a", port: 1, name: "receiver-a" });
  register(registry, { host: "b", port: 1 });
  const [a, b] = list(registry);
  assert.equal(a?.name, "receiver-a");
  assert.deepEqual(Object.keys(b ?? {}).toSorted(), ["host", "id", "last_seen", "port"]);
});

test("a lease lasts exactly its time, without any sweep", (t) => {
  const { clock, registry } = setUp(t);
  const id = add(registry, "a");
  clock.ms += 29_999;
  assert.equal(list(registry).length, 1);
  clock.ms += 1;
  assert.equal(list(registry).length, 0);
  assert.equal(heartbeat(registry, id), false);
  assert.deepEqual(leave(registry, id), []);
});

test("a lease is measured by a clock that the wall's doesn't move", (t) => {
  const { clock } = setUp(t);
  const registry = createRegistry(30_000, { now: () => 7 });
  add(registry, "a");
  clock.ms += 1_000_000; // by Date.now()
  assert.equal(list(registry).length, 1);
});

test("heartbeat() renews the lease, and when it was seen", (t) => {
  const { clock, registry } = setUp(t);
  const id = add(registry, "a");
  clock.ms += 29_999;
  assert.equal(heartbeat(registry, id), true);
  assert.equal(list(registry)[0]?.last_seen, 1029.999);
  clock.ms += 29_999;
  assert.equal(list(registry).length, 1);
});

test("heartbeat() and leave() do not know a stranger", (t) => {
  const { registry } = setUp(t);
  assert.equal(heartbeat(registry, "nobody"), false);
  assert.deepEqual(leave(registry, "nobody"), []);
});

test("leave() takes a receiver off the list, and tells of it once", (t) => {
  const { registry } = setUp(t);
  const id = add(registry, "a");
  add(registry, "b");
  assert.deepEqual(said(leave(registry, id)), ["a left"]);
  assert.deepEqual(said(leave(registry, id)), []);
  assert.deepEqual(
    list(registry).map(({ host }) => host),
    ["b"],
  );
});

test("sweep() removes what has expired, and tells of it once", (t) => {
  const { clock, registry } = setUp(t);
  add(registry, "a");
  clock.ms += 20_000;
  add(registry, "b");
  clock.ms += 10_000;
  assert.equal(registry.leases.size, 2);
  assert.deepEqual(said(sweep(registry)), ["a expired"]);
  assert.equal(registry.leases.size, 1, "its memory is free");
  assert.deepEqual(said(sweep(registry)), []);
});

test("register() of the address of one whose lease has ended tells that, and not that it was replaced", (t) => {
  const { clock, registry } = setUp(t);
  add(registry, "a");
  clock.ms += 30_000;
  assert.deepEqual(said(register(registry, { host: "a", port: 1 })), ["a expired", "a registered"]);
});

test("register() of the same address replaces the older receiver, and tells of both in order", (t) => {
  const { registry } = setUp(t);
  const before = register(registry, { host: "a", port: 1 });
  const after = register(registry, { host: "a", port: 1 });
  assert.deepEqual(said([...before, ...after]), ["a registered", "a replaced", "a registered"]);
  const [first, replaced, second] = [...before, ...after].map(({ receiver }) => receiver.id);
  assert.equal(replaced, first);
  assert.notEqual(second, first);
  assert.deepEqual(
    list(registry).map(({ id }) => id),
    [second],
  );
});

test("register() of the same host with another port is another receiver", (t) => {
  const { registry } = setUp(t);
  add(registry, "a");
  assert.deepEqual(said(register(registry, { host: "a", port: 2 })), ["a registered"]);
  assert.equal(list(registry).length, 2);
});

test("register() refuses more than the most, until some have left or expired", (t) => {
  const { clock, registry } = setUp(t, { maxReceivers: 2 });
  add(registry, "a");
  const b = add(registry, "b");
  assert.deepEqual(register(registry, { host: "c", port: 1 }), []);
  leave(registry, b);
  add(registry, "c");
  assert.deepEqual(register(registry, { host: "d", port: 1 }), []);
  clock.ms += 30_000;
  assert.deepEqual(said(register(registry, { host: "d", port: 1 })), [
    "a expired",
    "c expired",
    "d registered",
  ]);
});

test("register() refuses what would make the list longer than the most bytes, until somebody has gone", (t) => {
  const { clock, registry } = setUp(t, { maxBytes: 2100 });
  clock.ms += 1; // a time that is written in as many digits as any
  const where = (n: number) => ({ host: "h".repeat(200), port: 1 + n, name: "é".repeat(100) });
  let count = 0;
  while (register(registry, where(count)).length > 0) count += 1;
  const bytes = listAsJson(registry).length;
  assert.equal(list(registry).length, count);
  assert.ok(bytes <= 2100, `${bytes} bytes`);
  assert.ok(
    bytes + bytes / count > 2100,
    `${count} of ${bytes / count} bytes are as many as there is room for`,
  );
  const [first] = list(registry);
  assert.equal(leave(registry, first?.id ?? "").length, 1);
  assert.deepEqual(said(register(registry, where(count))), [`${"h".repeat(200)} registered`]);
  assert.deepEqual(register(registry, { host: "x".repeat(253), port: 1 }), []);
  for (let n = 1; n <= 100; n++) register(registry, where(count)); // it replaces itself, again and again
  assert.equal(list(registry).length, count, "and takes no more room each time");
});

test("listAsJson() writes the list once for all who ask, and anew when somebody comes or goes", (t) => {
  const { clock, registry } = setUp(t);
  const listed = () => JSON.parse(listAsJson(registry).toString());
  const a = add(registry, "a");
  const written = listAsJson(registry);
  assert.deepEqual(listed(), list(registry));
  clock.ms += 999;
  heartbeat(registry, a);
  assert.equal(listAsJson(registry), written, "the same bytes");
  clock.ms += 1;
  assert.deepEqual(listed(), list(registry), "a heartbeat is seen a second later");
  add(registry, "b");
  assert.deepEqual(listed(), list(registry), "who comes is listed at once");
  leave(registry, a);
  assert.deepEqual(listed(), list(registry), "who leaves is not listed any more");
});

test("listAsJson() leaves the bytes alone that somebody has yet to read", (t) => {
  const { registry } = setUp(t);
  const a = add(registry, "a");
  add(registry, "b");
  const written = listAsJson(registry);
  const release = hold(written);
  const before = written.toString();
  leave(registry, a);
  assert.notEqual(listAsJson(registry).toString(), before);
  assert.equal(written.toString(), before);
  release?.();
});

test("listAsJson() never lists a receiver whose lease has ended", (t) => {
  const { clock, registry } = setUp(t);
  add(registry, "a");
  clock.ms += 100;
  const b = add(registry, "b");
  clock.ms += 29_399;
  heartbeat(registry, b);
  assert.equal(JSON.parse(listAsJson(registry).toString()).length, 2);
  clock.ms += 500;
  assert.equal(JSON.parse(listAsJson(registry).toString()).length, 2);
  clock.ms += 1;
  assert.equal(JSON.parse(listAsJson(registry).toString()).length, 1);
});

test("isComplete() says no until the time of a lease has passed since the start", (t) => {
  const { clock, registry } = setUp(t);
  assert.equal(isComplete(registry), false);
  clock.ms += 29_999;
  assert.equal(isComplete(registry), false);
  clock.ms += 1;
  assert.equal(isComplete(registry), true);
});
