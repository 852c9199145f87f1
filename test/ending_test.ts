/** How roles end: at Ctrl-C, Ctrl-D and the end of a pipe, by a signal, and when their record can't be written. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, test } from "node:test";
import { main as runClient } from "../client.ts";
import { openScreen } from "../terminal/screen.ts";
import { fakeReceiver } from "./fake_receivers.ts";
import { discoveryUrl, startRole, stopRole, until } from "./helpers.ts";
import { endAll, roles, start, startOwnDiscovery, toClose } from "./started.ts";
import { createDiscoveryApi } from "./wires.ts";

const NOBODY = "http://127.0.0.1:9"; // nobody listens there
const AT_ONCE_MS = 1500; // on a busy machine; discovery is asked every 5 s

afterEach(endAll);

/** A client in this process, at a terminal. */
function startAtTerminal(...args: string[]) {
  const terminal = () => Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  const input = terminal();
  const output = terminal();
  let shown = "";
  output.setEncoding("utf8").on("data", (text) => {
    shown += text;
  });
  const screen = openScreen({
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
  });
  const print = screen.print;
  screen.print = (line, stream) => print(line, stream === process.stderr ? output : stream);
  const ended = runClient(args, new AbortController().signal, screen);
  return {
    type: (text: string) => void input.write(text),
    shows: (pattern: RegExp, times = 1) =>
      until(
        () => `${pattern}, in: ${shown}`,
        () => (shown.match(new RegExp(pattern, "g"))?.length ?? 0) >= times,
      ),
    /** @returns its exit code, or `undefined` if it doesn't end at once */
    endsAtOnce: () => Promise.race([ended, until("", () => undefined, AT_ONCE_MS).catch(() => undefined)]),
  };
}

for (const [name, key] of [
  ["Ctrl-C", "\x03"],
  ["Ctrl-D", "\x04"],
] as const) {
  test(`${name} ends a client at once while it waits for discovery`, async () => {
    const client = startAtTerminal("--discovery", NOBODY);
    await client.shows(/waiting for discovery/);
    client.type(key);
    assert.equal(await client.endsAtOnce(), 0);
  });

  test(`${name} ends a client at once at its prompt, and between two lists`, async () => {
    const group = await startOwnDiscovery();
    const atPrompt = startAtTerminal("--discovery", group.url);
    const between = startAtTerminal("--discovery", group.url);
    await atPrompt.shows(/Choose a receiver/);
    await between.shows(/Choose a receiver/);
    atPrompt.type(key);
    assert.equal(await atPrompt.endsAtOnce(), 0);
    group.close();
    between.type("\r");
    await between.shows(/waiting for discovery/);
    between.type(key);
    assert.equal(await between.endsAtOnce(), 0);
  });
}

test("Ctrl-C gives up the message under way, lists again, and then quits; Ctrl-D quits", async () => {
  const { receiver } = await fakeReceiver(() => {});
  const { url } = await startOwnDiscovery();
  await createDiscoveryApi(url).register(receiver);
  const client = startAtTerminal("--discovery", url, "--ack-timeout", "10m");
  await client.shows(/Choose a receiver/);
  client.type("0 olá\r");
  await client.shows(/waiting for the ack/);
  client.type("\x03");
  await client.shows(/unknown: .* given up/);
  await client.shows(/Available receivers/, 2);
  client.type("0 olá\r");
  await client.shows(/: sent to/, 2);
  client.type("\x04");
  assert.equal(await client.endsAtOnce(), 0);
});

test("an empty group is listed again by itself, and the prompt stays", async () => {
  const { receiver } = await fakeReceiver(() => {});
  const { url } = await startOwnDiscovery();
  const client = startAtTerminal("--discovery", url);
  await client.shows(/No receiver is in the group yet/);
  await createDiscoveryApi(url).register({ ...receiver, name: "receiver-7" });
  await client.shows(/ {2}0: [0-9a-f]{8} {2}127.0.0.1:\d+ {2}seen \ds ago {2}receiver-7/);
  client.type("q\r");
  assert.equal(await client.endsAtOnce(), 0);
});

test("the end of a pipe ends a client at once while it waits for discovery", async () => {
  const client = start("client.ts", "--discovery", NOBODY);
  await client.says(/waiting for discovery/);
  client.child.stdin.end();
  assert.equal(await Promise.race([client.exitCode(), until("it ends", () => undefined, AT_ONCE_MS)]), 0);
});

test("what came through a pipe before its end is sent", async () => {
  const { url } = await startOwnDiscovery();
  const receiver = start(
    "receiver.ts",
    "--discovery",
    url,
    "--advertise-host",
    "127.0.0.1",
    "--fault-rate",
    "0",
  );
  await receiver.says(/registered as/);
  const client = start("client.ts", "--discovery", url);
  client.child.stdin.end("0 olá\n0 oi\n");
  assert.equal(await client.exitCode(), 0);
  assert.equal(client.stdout().match(/^acked by/gm)?.length, 2);
});

for (const file of ["client.ts", "receiver.ts"]) {
  test(`SIGTERM ends ${file} at once with 0 while it waits for discovery`, async () => {
    const role = start(file, "--discovery", NOBODY);
    await role.says(/waiting for discovery/);
    const ended = stopRole(role);
    assert.equal(await Promise.race([ended, until("it ends", () => undefined, AT_ONCE_MS)]), 0);
  });
}

test("a receiver that discovery refuses says why, and ends with 1", async () => {
  const { url } = await startOwnDiscovery();
  const receiver = start("receiver.ts", "--discovery", url, "--advertise-host", "no host!");
  assert.equal(await receiver.exitCode(), 1);
  assert.match(receiver.stderr(), /^Cannot register at .*: it answered 400, .*"host" must be a host name/m);
});

test("a record on a full disk ends a receiver, and a client, with 1 and its name", async () => {
  const { url } = await startOwnDiscovery();
  const common = ["--discovery", url, "--record", "/dev/full"];
  for (const role of [start("receiver.ts", ...common), start("client.ts", ...common, "--to", "all")]) {
    assert.equal(await role.exitCode(), 1);
    assert.match(role.stderr(), /^Cannot record to \/dev\/full: ENOSPC.*$/m);
  }
  assert.deepEqual((await createDiscoveryApi(url).list()).receivers, [], "the receiver has left");
});

test("a record that fails in the middle ends a client that waits for silent receivers, with 1", async () => {
  const { url } = await startOwnDiscovery();
  const args = ["--discovery", url, "--advertise-host", "127.0.0.1", "--fault-rate", "1", "--copies", "3"];
  const receivers = start("receiver.ts", ...args);
  await until("all are there", async () => (await createDiscoveryApi(url).list()).receivers.length === 3);
  const folder = mkdtempSync(join(tmpdir(), "record-"));
  toClose.push(() => rmSync(folder, { recursive: true }));
  const small = ["sh", "-c", `trap '' XFSZ; ulimit -f 2; exec "$@"`, "sh"];
  const to = ["--to", "all", "--ack-timeout", "100ms", "--record", join(folder, "c.jsonl")];
  const client = startRole("client.ts", ["--discovery", url, ...to], {}, small);
  roles.push(client);
  assert.equal(await client.exitCode(), 1);
  assert.equal(client.stderr().match(/^Cannot record to .*c.jsonl: /gm)?.length, 1, client.stderr());
  await stopRole(receivers);
});

test("a receiver whose lease has ended doesn't say that it left", async () => {
  const discovery = start("discovery.ts", "--host", "127.0.0.1", "--port", "0", "--receiver-ttl", "300ms");
  const url = await discoveryUrl(discovery);
  const receiver = start("receiver.ts", "--discovery", url, "--heartbeat-every", "1h");
  await receiver.says(/registered as/);
  await until(
    "its lease has ended",
    async () => (await createDiscoveryApi(url).list()).receivers.length === 0,
  );
  assert.equal(await stopRole(receiver), 0);
  assert.doesNotMatch(receiver.stderr(), / left/);
});

test("a record that fails in the middle ends a receiver in order, with 1", async () => {
  const { url } = await startOwnDiscovery();
  const folder = mkdtempSync(join(tmpdir(), "record-"));
  toClose.push(() => rmSync(folder, { recursive: true }));
  const args = ["--discovery", url, "--advertise-host", "127.0.0.1", "--fault-rate", "0"];
  // No file of this process may be longer than some KiB; the signal that says so is ignored.
  const small = ["sh", "-c", `trap '' XFSZ; ulimit -f 8; exec "$@"`, "sh"];
  const receiver = startRole("receiver.ts", [...args, "--record", join(folder, "r.jsonl")], {}, small);
  roles.push(receiver);
  await receiver.says(/registered as/);
  const client = start("client.ts", "--discovery", url, "--to", "0", "--count", "1000", "--attempts", "1");
  assert.equal(await receiver.exitCode(), 1);
  assert.match(receiver.stderr(), /^Cannot record to .*r.jsonl: (EFBIG|no room)/m);
  assert.deepEqual((await createDiscoveryApi(url).list()).receivers, [], "it has left");
  assert.equal(await client.exitCode(), 1);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function startLesson() {
  const lesson = start("lesson.ts", "7", "--port", "0");
  await lesson.says(/receiver-2\n/); // listed, with two others
  const args = ["-P", String(lesson.child.pid), "-f", "receiver.ts"];
  const receivers = execFileSync("pgrep", args, { encoding: "utf8" }).trim().split("\n").map(Number);
  assert.equal(receivers.length, 3);
  const rest = () => receivers.filter(isThere);
  toClose.push(() => {
    for (const pid of rest()) process.kill(pid, "SIGKILL");
  });
  const untilTheyEnd = () =>
    until(
      () => `they end: ${rest()}`,
      () => rest().length === 0,
    );
  return { ...lesson, untilTheyEnd };
}

test("a lesson takes its receivers along when the reader of its output has gone", async () => {
  const { child, exitCode, untilTheyEnd } = await startLesson();
  child.stdout.destroy();
  child.stdin.write("\n"); // the list, once more
  assert.equal(await exitCode(), 0);
  await untilTheyEnd();
});

test("the receivers of a lesson that is killed end, too", async () => {
  const { child, untilTheyEnd } = await startLesson();
  child.kill("SIGKILL");
  await untilTheyEnd();
});
