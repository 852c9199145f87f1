/** The registry on a real etcd, of one node and of three: what every registry does, and what several on one etcd do. */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { BORN } from "../store/etcd_answers.ts";
import { openEtcdRegistry } from "../store/etcd_registry.ts";
import { askEtcd, type EtcdCluster, emptyEtcd, startEtcd } from "./etcd_nodes.ts";
import { keptLog, until } from "./helpers.ts";
import { add, list, type OpenOptions, testRegistry } from "./registry_suite.ts";

/** Opens another registry on that etcd. */
async function openOn(t: TestContext, { urls }: EtcdCluster, { ttlMs, ...limits }: OpenOptions) {
  const lines: string[] = [];
  const onChange = (change: string, { host }: { host: string }) => void lines.push(`${host} ${change}`);
  const registry = await openEtcdRegistry(ttlMs, onChange, { urls, log: keptLog().log, ...limits });
  t.after(registry.close);
  return { registry, told: () => lines.splice(0) };
}

for (const size of [1, 3]) {
  let etcd: EtcdCluster;
  before(async () => {
    etcd = await startEtcd(size);
  });
  after(() => etcd.close());
  const kind = `on etcd, ${size} node${size > 1 ? "s" : ""}`;
  const LONG = { ttlMs: 30_000 };

  testRegistry(kind, 2000, async (t, options) => {
    await emptyEtcd(etcd.urls);
    return openOn(t, etcd, options);
  });

  test(`${kind}: three registries are one`, async (t) => {
    await emptyEtcd(etcd.urls);
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => openOn(t, etcd, LONG)));
    assert.ok(a && b && c);
    const id = await add(a.registry, "a");
    assert.equal(await b.registry.heartbeat(id), true);
    assert.deepEqual(
      (await list(c.registry)).map((each) => each.id),
      [id],
    );
    assert.equal(await c.registry.leave(id), true);
    assert.equal(await b.registry.heartbeat(id), false);
    assert.deepEqual([a.told(), b.told(), c.told()], [["a registered"], [], ["a left"]]);
    assert.ok(a.registry.id);
    assert.deepEqual([b.registry.id, c.registry.id], [a.registry.id, a.registry.id]);
  });

  test(`${kind}: the list is written once for all who ask at the same time, and until something changes`, async (t) => {
    await emptyEtcd(etcd.urls);
    const { registry } = await openOn(t, etcd, LONG);
    const id = await add(registry, "a");
    const lists = await Promise.all(Array.from({ length: 20 }, () => registry.list()));
    const [{ json }] = lists as [(typeof lists)[0]];
    assert.ok(lists.every((each) => each.json === json));
    await registry.heartbeat(id);
    assert.equal((await registry.list()).json, json);
    await registry.leave(id);
    assert.notEqual((await registry.list()).json.toString(), json.toString());
  });

  test(`${kind}: of several registries one tells who has expired, and none who has left or was replaced`, async (t) => {
    await emptyEtcd(etcd.urls);
    const opened = await Promise.all([1, 2, 3].map(() => openOn(t, etcd, { ttlMs: 2000 })));
    const [a, b] = opened;
    assert.ok(a && b);
    await Promise.all(Array.from({ length: 20 }, (_, n) => add(n % 2 ? a.registry : b.registry, `h${n}`)));
    await b.registry.leave(await add(a.registry, "left"));
    await add(a.registry, "replaced");
    await add(b.registry, "replaced");
    const told: string[] = [];
    await until("all have expired", async () => {
      told.push(...opened.flatMap((each) => each.told()));
      return told.filter((line) => line.endsWith(" expired")).length >= 21;
    });
    const expired = told.filter((line) => line.endsWith(" expired")).toSorted();
    const all = [...Array.from({ length: 20 }, (_, n) => `h${n} expired`), "replaced expired"];
    assert.deepEqual(expired, all.toSorted());
  });

  test(`${kind}: an etcd that was emptied has another registry, in which nobody is, and which isn't complete`, async (t) => {
    await emptyEtcd(etcd.urls);
    const { registry } = await openOn(t, etcd, { ttlMs: 2000 });
    await until("it is complete", async () => (await registry.list()).isComplete);
    const before = registry.id;
    const id = await add(registry, "a");
    await emptyEtcd(etcd.urls);
    assert.equal((await registry.list()).isComplete, false);
    assert.deepEqual(await list(registry), []);
    assert.equal(await registry.heartbeat(id), false);
    assert.notEqual(registry.id, before);
    const second = registry.id;
    await emptyEtcd(etcd.urls);
    registry.sweep();
    await until("it is known without a question, after a sweep", () => registry.id !== second);
  });

  test(`${kind}: what is killed and started again has forgotten nobody, and who expires then is told`, async (t) => {
    await emptyEtcd(etcd.urls);
    const { registry, told } = await openOn(t, etcd, { ttlMs: 3000 });
    const id = await add(registry, "a");
    for (const node of etcd.nodes) await node.kill();
    await assert.rejects(registry.list(), { status: 503 });
    await assert.rejects(registry.register({ host: "b", port: 1 }), { status: 503 });
    for (const node of etcd.nodes) node.start();
    await etcd.untilUp();
    assert.equal(await registry.heartbeat(id), true);
    assert.deepEqual(told(), ["a registered"]);
    assert.deepEqual(
      await until("it is told", () => {
        const lines = told();
        return lines.length > 0 && lines;
      }),
      ["a expired"],
    );
  });
}

test("an etcd that stood still for longer than a lease isn't complete for a lease: who lives may be missing", async (t) => {
  const etcd = await startEtcd(1);
  t.after(() => etcd.close());
  const { registry } = await openOn(t, etcd, { ttlMs: 2000 });
  const isComplete = async () => (await registry.list()).isComplete;
  await until("it is complete", isComplete);
  await add(registry, "a");
  etcd.nodes[0]?.child.kill("SIGSTOP");
  await assert.rejects(isComplete(), /Cannot list receivers: etcd doesn't answer/);
  await assert.rejects(isComplete());
  etcd.nodes[0]?.child.kill("SIGCONT");
  await until("it answers", async () => !(await isComplete().catch(() => true)));
  await until("it is complete again", isComplete);
});

test("what is no name of a registry is named, and ends nobody", async (t) => {
  const etcd = await startEtcd(1);
  t.after(() => etcd.close());
  const { registry } = await openOn(t, etcd, { ttlMs: 2000 });
  const key = Buffer.from(BORN).toString("base64");
  for (const name of ["olá☃", "a\nb", "x".repeat(129)]) {
    await askEtcd(etcd.urls[0] ?? "", "kv/put", { key, value: Buffer.from(name).toString("base64") });
    await assert.rejects(registry.list(), /on etcd, \/ack-group\/born is no name of a registry; delete it/);
  }
});

test("a node that stands still is left for another, and who expires is told nevertheless", async (t) => {
  const etcd = await startEtcd(3);
  t.after(() => etcd.close());
  const { registry, told } = await openOn(t, etcd, { ttlMs: 2000 });
  const id = await add(registry, "a");
  etcd.nodes[0]?.child.kill("SIGSTOP");
  await until("the next one answers", () => registry.heartbeat(id).catch(() => false));
  assert.equal((await list(registry)).length, 1);
  const lines: string[] = [];
  await until("it is told", () => {
    registry.sweep();
    return lines.push(...told()) > 1;
  });
  assert.deepEqual(lines, ["a registered", "a expired"]);
});
