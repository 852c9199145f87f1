/** The three roles together, each a process of its own, as a user starts them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import type { DiscoveryApi } from "../lib/discovery_api.ts";
import { readRecord } from "../trace/check_record.ts";
import { discoveryUrl, type Role, startRole, stopRole, until } from "./helpers.ts";
import { endAll, roles, start, startOwnDiscovery } from "./started.ts";
import { connect, createDiscoveryApi } from "./wires.ts";

afterEach(endAll);

/** Discovery and so many receivers, which meet no faults unless the test says so. */
async function startGroup(receivers: number, ...args: string[]) {
  if (!args.includes("--fault-rate")) args.push("--fault-rate", "0");
  const { url } = await startOwnDiscovery();
  const nodes = Array.from({ length: receivers }, () => startReceiver(url, ...args));
  for (const node of nodes) await node.says(/registered as/);
  return { url, nodes, api: createDiscoveryApi(url) };
}

/** One more for the group. */
function startReceiver(url: string, ...args: string[]) {
  return start("receiver.ts", "--discovery", url, "--advertise-host", "127.0.0.1", ...args);
}

/** Waits until so many are in the group, and lists them. */
async function untilListed(api: DiscoveryApi, size: number) {
  return until(`${size} receivers in the group`, async () => {
    const { receivers } = await api.list();
    return receivers.length === size && receivers;
  });
}

test("started in the wrong order, everything finds itself; a message is acked; all end with 0", async () => {
  // A port for discovery that is free now, and that the others know before it listens.
  const scout = start("discovery.ts", "--host", "127.0.0.1", "--port", "0");
  const url = await discoveryUrl(scout);
  assert.equal(await stopRole(scout), 0);

  const client = start("client.ts", "--discovery", url);
  const receiver = startReceiver(url, "--fault-rate", "0");
  await client.says(/waiting for discovery/);
  await receiver.says(/waiting for discovery/);
  const discovery = start("discovery.ts", "--host", "127.0.0.1", "--port", new URL(url).port);
  await receiver.says(/registered as/);
  await client.says(/Choose a receiver/);
  client.child.stdin.write("\n0 olá\n");
  await client.says(/acked by [0-9a-f]{8}, after 1 attempt/);
  await receiver.says(/processed "olá"/);

  client.child.stdin.end();
  assert.equal(await client.exitCode(), 0);
  assert.equal(await stopRole(receiver), 0);
  await discovery.says(/ left, 127/);
  assert.equal(await stopRole(discovery, "SIGINT"), 0);
});

test("all at the prompt is the group as it is then, not as it was when the list was shown", async () => {
  const { url, api } = await startGroup(1, "--fault-rate", "0");
  const client = start("client.ts", "--discovery", url);
  await client.says(/Choose a receiver/);
  startReceiver(url, "--fault-rate", "0");
  await untilListed(api, 2);
  client.child.stdin.write("all olá\n");
  await client.says(/group acked: 2 acked, 2 needed/);
});

test("the client says what is valid and asks again, from a pipe too", async () => {
  const { url } = await startGroup(2);
  const client = start("client.ts", "--discovery", url);
  client.child.stdin.end("abc\n-1\n99\n\n0 some text\nq\n");
  assert.equal(await client.exitCode(), 0);
  for (const wrong of ["abc", "-1", "99"]) {
    assert.match(client.stdout(), new RegExp(`There is no receiver "${wrong}": give a number from 0 to 1`));
  }
  assert.equal(
    client.stdout().match(/Available receivers:/g)?.length,
    3,
    "at first, after Enter, after the ack",
  );
  assert.match(client.stdout(), /acked by/);
});

test("--to with --json prints one result a line, and the log goes to stderr", async () => {
  const { url, nodes } = await startGroup(1);
  const client = start(
    "client.ts",
    "--discovery",
    url,
    "--to",
    "0",
    "--count",
    "20",
    "--concurrency",
    "4",
    "--json",
  );
  assert.equal(await client.exitCode(), 0);
  const results = client
    .stdout()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(results.length, 20);
  assert.equal(new Set(results.map(({ id }) => id)).size, 20);
  for (const { outcome, attempts, ms } of results) {
    assert.deepEqual([outcome, attempts, typeof ms], ["acked", 1, "number"]);
  }
  assert.equal(nodes[0]?.stderr().match(/processed "Hello Receiver!"/g)?.length, 20);
});

test("a message that meets only faults is tried as often as asked, and ends as unknown with code 1", async () => {
  const { url } = await startGroup(1, "--fault-rate", "1");
  const client = start(
    "client.ts",
    "--discovery",
    url,
    "--to",
    "0",
    "--ack-timeout",
    "50ms",
    "--attempts",
    "3",
  );
  assert.equal(await client.exitCode(), 1);
  assert.match(
    client.stdout(),
    /^unknown: .* may or may not have processed it, after 3 attempts: no ack within 0.05s\n$/,
  );
});

test("the same seed gives the same faults", async () => {
  const stories: string[][] = [];
  for (let run = 0; run < 2; run++) {
    const { url, nodes } = await startGroup(1, "--fault-rate", "0.5", "--seed", "7");
    const client = start(
      "client.ts",
      "--discovery",
      url,
      "--to",
      "0",
      "--count",
      "15",
      "--ack-timeout",
      "50ms",
    );
    assert.equal(await client.exitCode(), 0);
    await until("all are processed", () => nodes[0]?.stderr().match(/: processed/g)?.length === 15);
    stories.push([...(nodes[0]?.stderr().match(/: (crashed|processed)/g) ?? [])]);
  }
  assert.deepEqual(stories[0], stories[1]);
  assert.ok(stories[0]?.includes(": crashed"), "some met a fault");
});

const readLines = (client: Role) =>
  client
    .stdout()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("--to all with --json prints a line per receiver and one for the group", async () => {
  const { url, api } = await startGroup(1, "--copies", "3");
  const group = await untilListed(api, 3);
  const client = start("client.ts", "--discovery", url, "--to", "all", "--json");
  assert.equal(await client.exitCode(), 0);
  const lines = readLines(client);
  const results = lines.slice(0, -1);
  const last = lines.at(-1);
  assert.deepEqual(new Set(results.map(({ id }) => id)), new Set([last.group]));
  assert.deepEqual(
    results.map(({ receiver, outcome }) => [receiver, outcome]).toSorted(),
    group.map(({ id }) => [id, "acked"]).toSorted(),
  );
  assert.deepEqual(
    [last.outcome, last.need, last.acked.toSorted(), last.missing, last.gone],
    ["acked", 3, group.map(({ id }) => id).toSorted(), [], []],
  );
});

test("--to all --need 2 ends when two have acked, not at the timeout of a silent third", async () => {
  const { url, api } = await startGroup(1, "--copies", "2");
  const silent = startReceiver(url, "--fault-rate", "1");
  await untilListed(api, 3);
  const args = ["--discovery", url, "--ack-timeout", "10m", "--to", "all", "--need"];
  const client = start("client.ts", ...args, "2");
  assert.equal(await client.exitCode(), 0);
  assert.equal(client.stdout().match(/^acked by/gm)?.length, 2);
  assert.match(client.stdout(), /^unknown: .* after 1 attempt: enough others have acked$/m);
  assert.match(client.stdout(), /^group acked: 2 acked, 2 needed; no ack from 1: [0-9a-f]{8}; in /m);

  const tooMany = start("client.ts", ...args, "4");
  assert.equal(await tooMany.exitCode(), 1);
  assert.match(tooMany.stdout(), /^group undelivered: 3 receivers are in the group, and --need is 4\n$/);
  assert.equal(await stopRole(silent), 0);
});

test("a client records that its group has enough before it gives up on the others", async () => {
  const { url, api } = await startGroup(1, "--copies", "3");
  const silent = startReceiver(url, "--fault-rate", "1");
  await silent.says(/registered as/);
  await untilListed(api, 4);
  const folder = mkdtempSync(join(tmpdir(), "enough-"));
  const record = join(folder, "client.jsonl");
  const args = ["--discovery", url, "--to", "all", "--need", "3", "--ack-timeout", "1m", "--record", record];
  assert.equal(await start("client.ts", ...args).exitCode(), 0);
  const told = readRecord(record).map(({ event }) => event);
  assert.deepEqual(
    told.filter((event) => event === "group acked" || event === "gave up"),
    ["group acked", "gave up"],
  );
  rmSync(folder, { recursive: true });
});

test("a client records when it starts and when it ends, also when it waits at its prompt until it is stopped", async () => {
  const { url } = await startGroup(1);
  const folder = mkdtempSync(join(tmpdir(), "lives-"));
  const [sent = "", asked = ""] = ["sent.jsonl", "asked.jsonl"].map((file) => join(folder, file));
  assert.equal(await start("client.ts", "--discovery", url, "--to", "0", "--record", sent).exitCode(), 0);
  const client = start("client.ts", "--discovery", url, "--record", asked);
  await client.says(/Choose a receiver/);
  assert.equal(await stopRole(client), 0);
  const eventsOf = (file: string) => readRecord(file).map(({ event }) => event);
  assert.deepEqual(eventsOf(sent), ["started", "listed", "sent", "ack received", "stopped"]);
  assert.deepEqual(eventsOf(asked), ["started", "listed", "stopped"]);
  rmSync(folder, { recursive: true });
});

test("--to any finds the only receiver that answers", async () => {
  const { url, api } = await startGroup(1, "--copies", "3", "--fault-rate", "1");
  const good = startReceiver(url, "--fault-rate", "0");
  const [, id] = await good.says(/registered as ([0-9a-f]{8})/);
  await untilListed(api, 4);
  const client = start("client.ts", "--discovery", url, "--to", "any", "--ack-timeout", "300ms");
  assert.equal(await client.exitCode(), 0);
  assert.match(client.stdout(), new RegExp(`^acked by ${id}, after [1-5] attempts?, in .*\n$`));
});

test("what a run with faults records holds, and its end is a summary with a histogram", async () => {
  const folder = mkdtempSync(join(tmpdir(), "group-"));
  const files = ["receivers.jsonl", "one.jsonl", "all.jsonl"].map((file) => join(folder, file));
  const [receivers = "", one = "", all = ""] = files;
  const faults = ["--fault", "silent,lost-ack,disconnect", "--fault-rate", "0.4", "--seed", "5"];
  const { url, nodes, api } = await startGroup(1, "--copies", "3", ...faults, "--record", receivers);
  await untilListed(api, 3);
  const args = ["--discovery", url, "--ack-timeout", "200ms", "--count", "20", "--concurrency", "10"];
  const clients = [
    start("client.ts", ...args, "--to", "0", "--record", one),
    start("client.ts", ...args, "--to", "all", "--need", "majority", "--record", all),
  ];
  for (const client of clients) assert.equal(await client.exitCode(), 0, client.stderr());
  for (const node of nodes) await stopRole(node);

  const checker = start("trace/check_record.ts", ...files);
  assert.equal(await checker.exitCode(), 0, checker.stdout());
  assert.match(checker.stdout(), /^\d+ events, 5 processes\n(✔ held .*\n){5}$/);

  const [total, attempts, time, ...bars] = clients[0]?.stdout().trimEnd().split("\n") ?? [];
  assert.match(total ?? "", /^20 messages: 20 acked, 0 undelivered, 0 unknown, in /);
  assert.match(attempts ?? "", /^attempts: \d+, \d\.\d\d a message; acked as duplicates: \d+$/);
  assert.match(time ?? "", /^time to ack: median .*, 99th percentile .*s$/);
  const counts = bars.map((bar) => Number(bar.match(/^ *\d\+? attempts? +█+ (\d+)$/)?.[1]));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    20,
  );
  assert.ok(Number(attempts?.match(/\d+/)?.[0]) > 20, "some took more than one attempt");
  rmSync(folder, { recursive: true });
});

test("a receiver with the fault exit dies without leaving the group; the client says connection lost", async () => {
  const { url, nodes, api } = await startGroup(1, "--fault", "exit", "--fault-rate", "1");
  const client = start("client.ts", "--discovery", url, "--to", "0", "--attempts", "1");
  assert.equal(await client.exitCode(), 1);
  assert.match(client.stdout(), /^unknown: .* after 1 attempt: connection lost \(.*\)\n$/);
  assert.equal(await nodes[0]?.exitCode(), 1);
  assert.match(
    nodes[0]?.stderr() ?? "",
    /attempt 1, from client-\w+: the process dies before processing it\n$/,
  );
  assert.equal((await api.list()).receivers.length, 1, "discovery has to find out by itself");
});

test("a receiver killed during a wait: connection lost, tries again, and says when its lease has ended", async () => {
  const discovery = start("discovery.ts", "--host", "127.0.0.1", "--port", "0", "--receiver-ttl", "2500ms");
  const url = await discoveryUrl(discovery);
  const receiver = startReceiver(url, "--fault-rate", "1", "--heartbeat-every", "500ms");
  await receiver.says(/registered as/);
  const client = start("client.ts", "--discovery", url, "--to", "0");
  await receiver.says(/crashed before processing/);
  await stopRole(receiver, "SIGKILL");
  assert.equal(await client.exitCode(), 1);
  assert.match(client.stderr(), /attempt 1, to [0-9a-f]{8}: connection lost/);
  assert.match(client.stderr(), /attempt 2, to [0-9a-f]{8}: not reached \(ECONNREFUSED\)/);
  assert.match(client.stdout(), /^unknown: .*, and it is no longer in the group\n$/);
  const attempts = client.stderr().match(/: not reached/g)?.length ?? 0;
  assert.ok(attempts <= 3, `at most one try a second, and it was ${attempts} in about 2.5 s`);
});

test("a receiver that is stopped leaves the list at once, in the middle of its work too", async () => {
  const { url, nodes, api } = await startGroup(2, "--work", "1h");
  const client = start("client.ts", "--discovery", url, "--to", "0");
  await client.says(/attempt 1/);
  const [first] = nodes;
  assert.ok(first);
  const startedAt = performance.now();
  assert.equal(await stopRole(first), 0);
  assert.ok(performance.now() - startedAt < 2000);
  assert.equal((await api.list()).receivers.length, 1);
});

test("nc can talk to a receiver", async () => {
  const { api } = await startGroup(1, "--work", "100ms");
  const [receiver] = (await api.list()).receivers;
  assert.ok(receiver);
  const socket = connect({ port: receiver.port, host: "127.0.0.1" });
  socket.end('{"type":"message","id":"1","body":"oi"}\n'); // like nc -N: it has said all, and still listens
  const [answer] = await once(socket, "data");
  assert.deepEqual(JSON.parse(answer), {
    type: "ack",
    id: "1",
    receiver: receiver.id,
    duplicate: false,
    clock: 4, // it joined, received, processed, and acked
  });
});

test("--copies starts several receivers in one process, each with its own port and id", async () => {
  const { api, nodes } = await startGroup(1, "--copies", "20");
  const listed = await untilListed(api, 20);
  assert.equal(new Set(listed.map(({ id }) => id)).size, 20);
  assert.equal(new Set(listed.map(({ port }) => port)).size, 20);
  const [node] = nodes;
  assert.ok(node);
  assert.equal(await stopRole(node), 0);
  assert.deepEqual((await api.list()).receivers, []);
});

for (const [file, ...args] of [
  ["discovery.ts", "--port", "abc"],
  ["receiver.ts", "--fault-rate", "2"],
  ["client.ts", "--ack-timeout", "nope"],
  ["client.ts", "--count", "7"],
] as const) {
  test(`${file} ${args.join(" ")} ends at once with exit code 2, a right line, and no stack trace`, async () => {
    const role = start(file, ...args);
    assert.equal(await role.exitCode(), 2);
    assert.match(role.stderr(), /^Cannot start .*\nTry: npx tsx .*\n$/);
    assert.equal(role.stdout(), "");
  });
}

test("--to somebody who isn't there ends with exit code 1 and says so", async () => {
  const { url } = await startGroup(1);
  const client = start("client.ts", "--discovery", url, "--to", "7");
  assert.equal(await client.exitCode(), 1);
  assert.match(client.stderr(), /^Cannot send: There is no receiver "7"/);
});

test("importing a role starts nothing", async () => {
  for (const file of ["../discovery.ts", "../receiver.ts", "../client.ts", "../demo.ts", "../lesson.ts"])
    await import(file);
});

test("the demo without a terminal sends one message to every receiver, and leaves nothing running", async () => {
  const demo = startRole("demo.ts", [], {
    ACK_RECEIVER_FAULT_RATE: "0.5",
    ACK_RECEIVER_SEED: "3",
    ACK_CLIENT_ACK_TIMEOUT: "200ms",
  });
  roles.push(demo);
  demo.child.stdin.end();
  assert.equal(await demo.exitCode(), 0);
  assert.equal(demo.stdout().match(/^acked by/gm)?.length, 3);
  assert.match(demo.stderr(), / receiver-1 info: .* crashed before processing it/);
  assert.equal(demo.stderr().match(/^receiver-\d ended \(exit code 0\)$/gm)?.length, 3);
});
