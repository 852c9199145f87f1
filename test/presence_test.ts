/** Whom the monitor hears: clients that are alive, and discovery. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createPresence } from "../monitor/presence.ts";
import { listen } from "../plumbing/listen.ts";
import type { TraceEvent } from "../trace/events.ts";
import { createTrace } from "../trace/trace.ts";
import { discoveryUrl, keptLog, type Role, stopRole, until } from "./helpers.ts";
import { endAll, start, toClose } from "./started.ts";
import { createDiscoveryApi, createHttpServer as createServer, fetch, startMonitor } from "./wires.ts";

afterEach(endAll);

const LEASE_MS = 15_000;

/** A presence whose time the test decides, and what it tells. */
function setUp(t: { mock: typeof import("node:test").mock }, options = {}) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const told: string[] = [];
  const outlets = [({ event, from }: TraceEvent) => void told.push(`${event} ${from}`)];
  const presence = createPresence(createTrace("monitor", { ...keptLog(), outlets }), options);
  const heard = (alive: string[], stopped: string[] = []) => presence.heard({ alive, stopped });
  return { presence, heard, told, tick: (ms: number) => t.mock.timers.tick(ms) };
}

test("createPresence() says once that nothing is heard of a client for 15 s, and that it is back", (t) => {
  const { presence, heard, told, tick } = setUp(t as never);
  heard(["a", "b"]);
  tick(LEASE_MS - 1);
  heard(["b"]);
  assert.deepEqual([told, presence.list()], [[], ["a", "b"]]);
  tick(1);
  assert.deepEqual([told.splice(0), presence.list()], [["unreachable a"], ["b"]]);
  tick(LEASE_MS - 2);
  heard(["a"]);
  heard(["a"]);
  assert.deepEqual([told.splice(0), presence.list()], [["reachable a"], ["a", "b"]]);
  tick(LEASE_MS);
  assert.deepEqual(told, ["unreachable b", "unreachable a"]);
});

test("createPresence() that was stopped itself for longer than a lease gives all another one", (t) => {
  const clock = { ms: 0 };
  const { heard, told, tick } = setUp(t as never, { now: () => clock.ms });
  heard(["a"]);
  clock.ms = LEASE_MS + 2000;
  tick(LEASE_MS);
  assert.deepEqual(told, []);
  clock.ms += LEASE_MS;
  tick(LEASE_MS);
  assert.deepEqual(told, ["unreachable a"]);
});

test("createPresence() says nothing of a client that has told its end", (t) => {
  const { presence, heard, told, tick } = setUp(t as never);
  heard(["a"]);
  heard([], ["a", "never-heard-of"]);
  assert.deepEqual(presence.list(), []);
  tick(2 * LEASE_MS);
  assert.deepEqual(told, []);
});

test("createPresence() hears nothing of discovery, which is asked", (t) => {
  const { presence, heard, told, tick } = setUp(t as never);
  heard(["discovery"]);
  tick(LEASE_MS);
  assert.deepEqual([presence.list(), told], [[], []]);
});

test("createPresence() keeps 1,000 clients: of others it hears nothing, unless one of them is gone", (t) => {
  const { presence, heard, told, tick } = setUp(t as never);
  const names = Array.from({ length: 1001 }, (_value, n) => `c${n}`);
  heard(names);
  assert.deepEqual(presence.list(), names.slice(0, 1000));
  tick(1);
  heard(names.slice(1, 1000));
  tick(LEASE_MS - 1);
  assert.deepEqual(told, ["unreachable c0"]);
  heard(["c1000"]);
  assert.deepEqual(presence.list(), names.slice(1));
});

async function startWatch(...discovery: string[]) {
  const { log, lines } = keptLog();
  const monitor = await startMonitor({ host: "127.0.0.1", port: 0, discovery }, log);
  toClose.push(monitor.close);
  const url = `http://127.0.0.1:${monitor.port}`;
  const told = async (): Promise<string[]> => {
    const text = await (await fetch(`${url}/events.jsonl`)).text();
    const events = text.split("\n").flatMap((line) => (line ? [JSON.parse(line) as TraceEvent] : []));
    return events.filter((each) => each.process === "monitor").map(({ event, from }) => `${event} ${from}`);
  };
  const tells = async (...events: string[]) => {
    const startedAt = performance.now();
    await until(`the monitor tells ${events}`, async () => (await told()).length >= events.length);
    assert.deepEqual(await told(), events);
    return performance.now() - startedAt;
  };
  return { url, told, tells, lines };
}

const startDiscovery = async (port = "0") => {
  const discovery = start("discovery.ts", "--host", "127.0.0.1", "--port", port);
  return { discovery, api: await discoveryUrl(discovery) };
};

for (const [what, harm, mend] of [
  ["killed", (role: Role) => stopRole(role, "SIGKILL"), (api: string) => startDiscovery(new URL(api).port)],
  [
    "stopped, so that it hangs",
    (role: Role) => role.child.kill("SIGSTOP"),
    (_api: string, role: Role) => role.child.kill("SIGCONT"),
  ],
] as const)
  test(`the monitor says once, within 3 s, that discovery was ${what}, and that it is back`, async () => {
    const { discovery, api } = await startDiscovery();
    const { url, tells } = await startWatch(api);
    await harm(discovery);
    assert.ok((await tells("unreachable discovery")) < 3000);
    const { receivers } = (await (await fetch(`${url}/group`)).json()) as { receivers: unknown };
    assert.equal(receivers, null, "at once, without asking it");
    await mend(api, discovery);
    assert.ok((await tells("unreachable discovery", "reachable discovery")) < 3000);
  });

test("the monitor goes on with the next discovery, and says that none answers only when none does", async () => {
  const [a, b] = [await startDiscovery(), await startDiscovery()];
  const { url, tells, lines } = await startWatch(a.api, b.api);
  const id = await createDiscoveryApi(b.api).register({ host: "127.0.0.1", port: 9 });
  await stopRole(a.discovery, "SIGKILL");
  await until("it lists whom the next one has", async () => {
    const { receivers } = (await (await fetch(`${url}/group`)).json()) as {
      receivers: { id: string }[] | null;
    };
    return receivers?.[0]?.id === id;
  });
  assert.match(lines.join("\n"), new RegExp(`warn: ${b.api} is asked from now on`));
  await stopRole(b.discovery, "SIGKILL");
  await tells("unreachable discovery");
});

test("the monitor asks discovery again and again, and says nothing while it answers", async () => {
  let asked = 0;
  const server = createServer(({ url }, response) => {
    asked += 1;
    response.writeHead(url === "/health" ? 200 : 404).end("{}");
  });
  toClose.push(() => server.close().closeAllConnections());
  const { told } = await startWatch(`http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`);
  await until("it has asked", () => asked > 2);
  assert.deepEqual(await told(), []);
});

test("the monitor says at its start only that discovery does not answer", async () => {
  const { tells, lines } = await startWatch("http://127.0.0.1:1");
  assert.ok((await tells("unreachable discovery")) < 3000);
  assert.match(lines.join("\n"), /nothing is heard of discovery any more/);
});

test("a client that is killed at its prompt is missed within 15 s; one that waits there is not, and ends at once", async () => {
  const { api } = await startDiscovery();
  await createDiscoveryApi(api).register({ host: "127.0.0.1", port: 9 });
  const { url, told } = await startWatch(api);
  const startClient = async () => {
    const client = start("client.ts", "--discovery", api, "--monitor", url);
    await client.says(/Choose a receiver/);
    return client;
  };
  const [killed, idle] = [await startClient(), await startClient()];
  const clients = async () => ((await (await fetch(`${url}/group`)).json()) as { clients: string[] }).clients;
  await until("both are heard", async () => (await clients()).length === 2);
  const events = async () => ((await (await fetch(`${url}/health`)).json()) as { events: number }).events;
  const before = await events();
  await stopRole(killed, "SIGKILL");
  const killedAt = performance.now();
  const [missed] = await until("it is missed", async () => (await told()).length > 0 && told(), 20_000);
  assert.ok(performance.now() - killedAt < 15_500, `${performance.now() - killedAt} ms`);
  assert.match(missed ?? "", /^unreachable client-/);
  await until("it is listed no more", async () => (await clients()).length === 1);
  assert.equal(await events(), before + 1, "nothing else filled the store");
  const endedAt = performance.now();
  idle.child.stdin.end();
  assert.equal(await idle.exitCode(), 0);
  assert.ok(performance.now() - endedAt < 1000, "it ends at once");
  await until("it is listed no more", async () => (await clients()).length === 0);
  assert.equal((await told()).length, 1, "it told its end");
});

test("the monitor hears by which fault a receiver has died", async () => {
  const monitor = start("monitor.ts", "--host", "127.0.0.1", "--port", "0");
  const url = await discoveryUrl(monitor);
  const discovery = start("discovery.ts", "--host", "127.0.0.1", "--port", "0");
  const group = ["--discovery", await discoveryUrl(discovery)];
  const faults = ["--fault", "exit", "--fault-rate", "1", "--monitor", url];
  const receiver = start("receiver.ts", ...group, "--advertise-host", "127.0.0.1", ...faults);
  await receiver.says(/registered as/);
  const client = start("client.ts", ...group, "--to", "0", "--attempts", "1");
  await Promise.all([client.exitCode(), receiver.exitCode()]);
  const events = await (await fetch(`${url}/events.jsonl`)).text();
  assert.match(events, /"event":"fault".*"fault":"exit"/);
});
