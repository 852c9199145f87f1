/** A process that may have 64 open files, and 200 connections that say nothing: it serves who comes next. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { connectionsFor } from "../plumbing/open_files.ts";
import { discoveryUrl, inTime, startRole, until } from "./helpers.ts";
import { endAll, roles, startOwnDiscovery, toClose } from "./started.ts";
import { connect, fetch } from "./wires.ts";

afterEach(endAll);

const FEW_FILES = ["bash", "-c", 'ulimit -n 64 && exec "$@"', "few"];

function startWithFewFiles(file: string, ...args: string[]) {
  const role = startRole(file, args, {}, FEW_FILES);
  roles.push(role);
  return role;
}

function connectTo(port: number) {
  const socket = connect({ port, host: "127.0.0.1" });
  toClose.push(() => socket.destroy());
  socket.on("error", () => {});
  return socket;
}

/** Opens so many connections that say nothing, and waits until most of them had to go. */
async function crowd(port: number) {
  let closed = 0;
  for (let n = 0; n < 200; n++) connectTo(port).on("close", () => (closed += 1));
  await until(
    () => `${closed} of 200 are closed`,
    () => closed > 130,
  );
}

test("connectionsFor() leaves a process the files that it needs itself", () => {
  assert.equal(connectionsFor(1000, 0, 64), 14);
  assert.equal(connectionsFor(1000, 4, 64), 10);
  assert.equal(connectionsFor(1000, 0, 20_000), 1000);
  assert.equal(connectionsFor(1000, 0, 30), 1);
});

for (const file of ["discovery.ts", "monitor.ts"]) {
  test(`${file} with 64 files answers, whoever is there`, async () => {
    const role = startWithFewFiles(file, "--host", "127.0.0.1", "--port", "0");
    const url = await discoveryUrl(role);
    await crowd(Number(new URL(url).port));
    assert.equal((await inTime("an answer", fetch(`${url}/health`))).status, 200);
  });
}

test("receiver.ts starts no more copies than leave room for a client, and says how many files they need", async () => {
  const few = startWithFewFiles("receiver.ts", "--copies", "7");
  await few.says(
    /Cannot start 7 copies: that takes 65 open files, and this process may have 64; try ulimit -n 65, or fewer/,
  );
  assert.equal(await few.exitCode(), 2);
});

test("receiver.ts with 64 files acks, whoever is there", async () => {
  const { url } = await startOwnDiscovery();
  const args = ["--discovery", url, "--advertise-host", "127.0.0.1", "--fault-rate", "0"];
  const receiver = startWithFewFiles("receiver.ts", ...args);
  const [, port] = await receiver.says(/127\.0\.0\.1:(\d+)/);
  await crowd(Number(port));
  const socket = connectTo(Number(port));
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk));
  socket.write('{"type":"message","id":"m","body":"x"}\n');
  await until("an ack", () => answer.includes('"type":"ack"'));
});
