/** What holds of every registry, the one in memory and the one on etcd. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Registry } from "../discovery.ts";
import type { Receiver } from "../lib/messages.ts";
import { until } from "./helpers.ts";

export interface Opened {
  registry: Registry;
  /** What it told since it was asked last, such as `a registered`. */
  told(): string[];
}

export interface OpenOptions {
  ttlMs: number;
  maxReceivers?: number;
  maxBytes?: number;
}

/** Registers a receiver at that host. @returns its id */
export async function add(registry: Registry, host: string, port = 1): Promise<string> {
  const id = await registry.register({ host, port });
  assert.ok(id);
  return id;
}

export async function list(registry: Registry): Promise<Receiver[]> {
  return JSON.parse((await registry.list()).json.toString());
}

const hosts = async (registry: Registry) => (await list(registry)).map(({ host }) => host);

/**
 * @param kind what the tests are called after
 * @param shortMs a lease that ends soon
 * @param open opens a registry in which nobody is
 */
export function testRegistry(
  kind: string,
  shortMs: number,
  open: (t: TestContext, options: OpenOptions) => Promise<Opened>,
): void {
  const openLong = (t: TestContext, limits = {}) => open(t, { ttlMs: 30_000, ...limits });

  test(`${kind}: list() gives the receivers in the order in which they registered, and when they were seen`, async (t) => {
    const { registry } = await openLong(t);
    const before = Date.now() / 1000;
    const z = await add(registry, "z");
    const a = await registry.register({ host: "a", port: 2, name: "receiver-é" });
    const listed = await list(registry);
    for (const { last_seen } of listed) assert.ok(last_seen >= before && last_seen <= Date.now() / 1000);
    assert.deepEqual(
      listed.map(({ last_seen, ...receiver }) => receiver),
      [
        { id: z, host: "z", port: 1 },
        { id: a, host: "a", port: 2, name: "receiver-é" },
      ],
    );
    assert.equal(await registry.count(), 2);
  });

  test(`${kind}: heartbeat() and leave() don't know a stranger, whatever it calls itself`, async (t) => {
    const { registry } = await openLong(t);
    const id = await add(registry, "a");
    for (const stranger of [
      "nobody",
      "é",
      "0".repeat(36),
      id.toUpperCase(),
      `${id} `,
      `${id.slice(0, -1)}g`,
    ]) {
      assert.equal(await registry.heartbeat(stranger), false, stranger);
      assert.equal(await registry.leave(stranger), false, stranger);
    }
    assert.equal(await registry.heartbeat(id), true);
  });

  test(`${kind}: leave() takes a receiver off the list, and tells of it once`, async (t) => {
    const { registry, told } = await openLong(t);
    const id = await add(registry, "a");
    await add(registry, "b");
    assert.equal(await registry.leave(id), true);
    assert.equal(await registry.leave(id), false);
    assert.equal(await registry.heartbeat(id), false);
    assert.deepEqual(told(), ["a registered", "b registered", "a left"]);
    assert.deepEqual(await hosts(registry), ["b"]);
  });

  test(`${kind}: register() of the same address replaces the older receiver, and tells of both in order`, async (t) => {
    const { registry, told } = await openLong(t);
    const before = await add(registry, "a");
    const after = await add(registry, "a");
    assert.notEqual(after, before);
    assert.deepEqual(told(), ["a registered", "a replaced", "a registered"]);
    assert.equal(await registry.heartbeat(before), false);
    assert.equal(await registry.heartbeat(after), true);
    assert.deepEqual(
      (await list(registry)).map(({ id }) => id),
      [after],
    );
  });

  test(`${kind}: register() of the same host with another port is another receiver`, async (t) => {
    const { registry, told } = await openLong(t);
    await add(registry, "a");
    await add(registry, "a", 2);
    assert.deepEqual(told(), ["a registered", "a registered"]);
    assert.equal(await registry.count(), 2);
  });

  test(`${kind}: register() refuses more than the most, until somebody has left`, async (t) => {
    const { registry } = await openLong(t, { maxReceivers: 2 });
    await add(registry, "a");
    const b = await add(registry, "b");
    assert.equal(await registry.register({ host: "c", port: 1 }), undefined);
    await registry.leave(b);
    await add(registry, "c");
    assert.equal(await registry.register({ host: "d", port: 1 }), undefined);
    assert.deepEqual(await hosts(registry), ["a", "c"]);
  });

  test(`${kind}: register() refuses what would make the list longer than the most bytes, until somebody has gone`, async (t) => {
    const { registry } = await openLong(t, { maxBytes: 2100 });
    const where = (n: number) => ({ host: "h".repeat(200), port: 1 + n, name: "é".repeat(100) });
    let count = 0;
    while ((await registry.register(where(count))) !== undefined) count += 1;
    const bytes = (await registry.list()).json.length;
    assert.equal(await registry.count(), count);
    assert.ok(bytes <= 2100, `${bytes} bytes`);
    assert.ok(
      bytes + bytes / count > 2100,
      `${count} of ${bytes / count} bytes are as many as there is room for`,
    );
    const [first] = await list(registry);
    assert.equal(await registry.leave(first?.id ?? ""), true);
    assert.ok(await registry.register(where(count)));
    assert.equal(await registry.register({ host: "x".repeat(253), port: 1 }), undefined);
    for (let n = 1; n <= 20; n++) await registry.register(where(count)); // it replaces itself, again and again
    assert.equal(await registry.count(), count, "and takes no more room each time");
  });

  test(`${kind}: list() shows at once who comes and who goes`, async (t) => {
    const { registry } = await openLong(t);
    assert.deepEqual(await hosts(registry), []);
    const a = await add(registry, "a");
    assert.deepEqual(await hosts(registry), ["a"]);
    await add(registry, "b");
    assert.deepEqual(await hosts(registry), ["a", "b"]);
    await registry.leave(a);
    assert.deepEqual(await hosts(registry), ["b"]);
  });

  test(`${kind}: a heartbeat keeps a receiver listed; without one it isn't any more, and that is told once`, async (t) => {
    const { registry, told } = await open(t, { ttlMs: shortMs });
    const a = await add(registry, "a");
    const b = await add(registry, "b");
    await until("b is gone", async () => {
      assert.equal(await registry.heartbeat(a), true);
      return !(await hosts(registry)).includes("b");
    });
    assert.equal(await registry.heartbeat(b), false);
    const heard: string[] = [];
    await until("it is told", () => {
      registry.sweep();
      return heard.push(...told()) > 2;
    });
    assert.deepEqual(heard, ["a registered", "b registered", "b expired"]);
    assert.deepEqual(await hosts(registry), ["a"]);
  });

  test(`${kind}: the list is not complete until the time of a lease has passed since the start`, async (t) => {
    const { registry } = await open(t, { ttlMs: shortMs });
    const startedAt = performance.now();
    assert.equal((await registry.list()).isComplete, false);
    await until("it is complete", async () => (await registry.list()).isComplete);
    assert.ok(performance.now() - startedAt > 0.9 * shortMs);
  });

  test(`${kind}: of many that register one address at once, one stays, and only that one is known`, async (t) => {
    const { registry, told } = await openLong(t);
    const ids = await Promise.all(Array.from({ length: 20 }, () => add(registry, "a")));
    const [only, ...others] = await list(registry);
    assert.deepEqual(others, []);
    const known = await Promise.all(ids.map(async (id) => ((await registry.heartbeat(id)) ? [id] : [])));
    assert.deepEqual(known.flat(), [only?.id]);
    const count = (event: string) => told().filter((line) => line === event).length;
    assert.equal(count("a registered"), 20);
  });
}
