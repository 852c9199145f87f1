/**
 * The group in containers, brought up with the commands of the README on a real Docker engine, and
 * driven as a student does: `docker exec -it`, `tsx client.ts`, and keys.
 *
 *     npm run test:docker
 *     COMPOSE="docker compose" npm run test:docker        with version 2
 *
 * The tests are one story and run in order. They have a Compose project and a port of their own, and
 * take everything down at the end. Without an engine they fail: there is nothing else to learn here.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import got from "got";
import { createDiscoveryApi, type DiscoveryApi } from "../lib/discovery_api.ts";
import type { Receiver } from "../lib/messages.ts";
import { findFreePort } from "../plumbing/listen.ts";
import {
  BUILD_TIMEOUT_MS,
  COMPOSE,
  COMPOSE_ARGS,
  composeLine,
  copyProject,
  openProject,
  ROLES,
  ROOT,
  runToEnd,
} from "./docker_commands.ts";
import { until } from "./helpers.ts";

const RECEIVER_TTL_MS = 5000;
const BACK_WITHIN_MS = 15_000; // Docker starts a container again, and a client asks once a second
const MAX_RECEIVER_MIB = 110;
const TIMEOUT_MS = 30_000;

const { docker, compose, containersOf, env } = openProject(ROLES, {
  FAULT_RATE: "0",
  PLAN: "silent", // a crash on the first message, and then acks
  HEARTBEAT_EVERY: "1s",
  RECEIVER_TTL: `${RECEIVER_TTL_MS}ms`,
  ACK_TIMEOUT: "1s",
  RECORD: "/records/run.jsonl",
  MONITOR_PORT: "0",
  MONITOR: "http://monitor:5001", // it is started last: the group has to do without it
});

let discovery: DiscoveryApi;
let receivers: Terminal;
const terminals: Terminal[] = [];

const run = (command: string, args: string[]) => runToEnd(command, args, { cwd: ROOT, env });

/** Compose with the file of one role alone, as the README has it. */
const composeRole = (role: string, ...args: string[]) => run(COMPOSE, composeLine([role], ...args));

interface Terminal {
  child: ChildProcess;
  type(line: string): void;
  /** Waits until the screen matches, after what was matched before. */
  shows(pattern: RegExp): Promise<RegExpMatchArray>;
}

/** Starts a command and reads what it prints. */
function open(command: string, args: string[]): Terminal {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: "pipe" });
  let screen = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => (screen += text));
  }
  child.stdin.on("error", () => {}); // it ended; the next `shows` will say so
  const terminal = {
    child,
    type: (line: string) => void child.stdin.write(`${line}\r`),
    async shows(pattern: RegExp) {
      const find = () => withoutColors(screen).match(pattern) ?? undefined;
      const match = await until(() => `the screen shows ${pattern}; it shows: ${screen}`, find, TIMEOUT_MS);
      screen = withoutColors(screen).slice((match.index ?? 0) + match[0].length);
      return match;
    },
  };
  terminals.push(terminal);
  return terminal;
}

/** `docker exec -it` in a real pseudo-terminal, which `script` of util-linux makes. */
function openShell(container: string): Terminal {
  const line = `stty cols 160 rows 50; docker exec -it ${container} "/bin/bash"`;
  return open("script", ["-qec", line, "/dev/null"]);
}

function withoutColors(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal gets
  return text.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, "");
}

async function listReceivers(): Promise<Receiver[]> {
  return (await discovery.list()).receivers;
}

async function untilInGroup(count: number): Promise<string[]> {
  let ids: string[] = [];
  const inGroup = async () => {
    ids = (await listReceivers().catch(() => [])).map(({ id }) => id);
    return ids.length === count && ids;
  };
  return until(() => `${count} receivers in the group, there are ${ids.length}`, inGroup, TIMEOUT_MS);
}

describe("the group in containers", { timeout: BUILD_TIMEOUT_MS + 180_000 }, () => {
  before(async () => {
    await docker("info").catch(() => {
      throw new Error("Cannot test containers: no Docker engine answers `docker info`; start one first");
    });
    await compose(["build"], BUILD_TIMEOUT_MS);
  });

  after(async () => {
    for (const { child } of terminals) child.kill("SIGKILL");
    await compose(["down", "--rmi", "all", "--volumes", "--timeout", "2"], 120_000);
  });

  test("receivers and clients that were started first wait for discovery, and find it", async () => {
    receivers = open(COMPOSE, composeLine(["receiver"], "up", "--scale", "receiver=3"));
    await receivers.shows(/plan silent, then fault rate 0 /);
    await receivers.shows(/waiting for discovery/);
    await composeRole("client", "up", "-d", "--scale", "client=2");
    assert.equal((await containersOf("client")).length, 2);

    env.DISCOVERY_PORT = String(await findFreePort()); // it keeps that one when it is started again
    discovery = createDiscoveryApi(`http://127.0.0.1:${env.DISCOVERY_PORT}`);
    await composeRole("discovery", "up", "-d");
    await untilInGroup(3);
    assert.equal((await containersOf("receiver")).length, 3, "starting one role doesn't stop another");
    const hosts = (await listReceivers()).map(({ host }) => host);
    const ids = (await containersOf("receiver")).map((id) => id.slice(0, 12));
    assert.deepEqual(hosts.sort(), ids.sort(), "a receiver's host is the ID that docker ps shows");
  });

  test("tsx client.ts in docker exec -it lists, asks, tries again and gets its ack", async () => {
    const containers = await containersOf("client");
    const shells = containers.map(openShell);
    for (const [number, shell] of shells.entries()) {
      await shell.shows(/node@\w+:\/app\$ /);
      shell.type("tsx client.ts");
      await shell.shows(/0: [0-9a-f]{8} .*\s+1: .*\s+2: /);
      await shell.shows(/Choose a receiver/);
      shell.type("7");
      await shell.shows(/There is no receiver "7"/);
      shell.type(`${number} olá`);
      await shell.shows(/attempt 1.*waiting for the ack/);
      await shell.shows(/acked by [0-9a-f]{8}, after 2 attempts/);
      await receivers.shows(/attempt 1, from client-\w+: crashed before processing it/);
      await receivers.shows(/attempt 2, from client-\w+: processed "olá"/);
      await shell.shows(/Choose a receiver/);
    }
    for (const shell of shells) {
      shell.type("q");
      await shell.shows(/node@\w+:\/app\$ /);
      shell.type("exit");
      if (shell.child.exitCode === null) await once(shell.child, "exit");
    }
  });

  test("without questions: every receiver acks, one JSON line each", async () => {
    const [client = ""] = await containersOf("client");
    const send = async ({ id }: Receiver) => {
      const line = await docker("exec", client, "tsx", "client.ts", "--to", id, "--json");
      const { outcome, receiver } = JSON.parse(line);
      assert.deepEqual({ outcome, receiver }, { outcome: "acked", receiver: id });
    };
    await Promise.all((await listReceivers()).map(send));
  });

  test("check_record reads in a client's container what all have recorded, and finds it right", async () => {
    const [client = ""] = await containersOf("client");
    const verdict = await docker("exec", client, "tsx", "trace/check_record.ts", "/records/run.jsonl");
    assert.match(verdict, /✔ held +acked means processed/);
    const [, processes] = verdict.match(/^\d+ events, (\d+) processes$/m) ?? [];
    assert.equal(processes, "8", "three receivers, and five runs of a client");
  });

  test("from a client's container curl asks discovery, and nc talks to a receiver", async () => {
    const [client = ""] = await containersOf("client");
    const bash = (line: string) => docker("exec", client, "bash", "-c", line);
    const [{ host, port }] = JSON.parse(await bash("curl -s discovery_server:5000/receivers"));
    const frame = JSON.stringify({ type: "message", id: "by-hand", body: "olá" });
    assert.match(await bash(`echo '${frame}' | nc -w 1 ${host} ${port}`), /"type":"ack","id":"by-hand"/);
  });

  test(`a receiver is one process, of an ordinary user, and costs at most ${MAX_RECEIVER_MIB} MiB`, async () => {
    const isSmall = async (id: string) => {
      const processes = (await docker("top", id, "-o", "pid,args")).split("\n").slice(1);
      assert.equal(processes.length, 1);
      assert.match(processes[0] ?? "", /node receiver\.ts$/);
      assert.equal(await docker("exec", id, "id", "-un"), "node");
      await assert.rejects(docker("exec", id, "touch", "/app/x"), /Read-only file system/);
      const usage = await docker("stats", "--no-stream", "--format", "{{.MemUsage}}", id);
      const [, mib] = usage.match(/^([\d.]+)MiB \//) ?? [];
      assert.ok(Number(mib) <= MAX_RECEIVER_MIB, `it costs ${usage}`);
    };
    await Promise.all((await containersOf("receiver")).map(isSmall));
  });

  test("discovery finds itself healthy", async () => {
    const [id = ""] = await containersOf("discovery_server");
    const health = () => docker("inspect", "--format", "{{.State.Health.Status}}", id);
    await until("discovery is healthy", async () => (await health()) === "healthy", TIMEOUT_MS);
  });

  test("discovery restarted: all receivers come back, under new ids", async () => {
    const before = await untilInGroup(3);
    await composeRole("discovery", "restart");
    const now = await untilInGroup(3);
    assert.deepEqual(
      now.filter((id) => before.includes(id)),
      [],
    );
  });

  test("docker stop: a receiver ends at once, with 0, and is out of the list", async () => {
    const [id = ""] = await containersOf("receiver");
    const startedAt = performance.now();
    await docker("stop", id);
    const ms = performance.now() - startedAt;
    const hosts = (await listReceivers()).map(({ host }) => host);
    assert.equal(hosts.length, 2);
    assert.ok(!hosts.includes(id.slice(0, 12)));
    assert.equal(await docker("inspect", "--format", "{{.State.ExitCode}}", id), "0");
    assert.ok(ms < 3000, `it took ${ms.toFixed()} ms; Docker kills after 10 s`);
  });

  test("docker kill: a receiver stays in the list until its lease ends, then a client can't find it", async () => {
    const victim = (await listReceivers())[0];
    assert.ok(victim);
    await docker("kill", victim.host);
    const killedAt = performance.now();
    assert.ok((await listReceivers()).some(({ id }) => id === victim.id));
    await untilInGroup(1);
    const ms = performance.now() - killedAt;
    assert.ok(ms < RECEIVER_TTL_MS + 2000, `it took ${ms.toFixed()} ms`);

    const [client = ""] = await containersOf("client");
    await assert.rejects(
      docker("exec", client, "tsx", "client.ts", "--to", victim.id),
      new RegExp(`There is no receiver "${victim.id}"`),
    );
  });

  test("up again: the group is whole", async () => {
    await composeRole("receiver", "up", "-d", "--scale", "receiver=3");
    await untilInGroup(3);
  });

  test("the monitor, started last, shows the group, a message and its ack", async () => {
    await composeRole("monitor", "up", "-d");
    const [monitor = ""] = await containersOf("monitor");
    const address = await docker("port", monitor, "5001");
    const ask = (path: string) => got(`http://${address}${path}`, { timeout: { request: 5000 } }).text();
    await until("the monitor answers", () => ask("/health").catch(() => undefined), TIMEOUT_MS);
    assert.match(await ask("/"), /<canvas/);
    assert.equal(JSON.parse(await ask("/group")).receivers.length, 3);

    const [client = ""] = await containersOf("client");
    const line = await docker("exec", client, "tsx", "client.ts", "--to", "0", "--json");
    const { id, receiver } = JSON.parse(line);
    const told = async () => {
      const events = (await ask("/events.jsonl"))
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text));
      const ofMessage = events.filter(({ message }) => message === id).map(({ event }) => event);
      const heard = events.some((event) => event.event === "heartbeat" && event.receiver === receiver);
      return heard && ofMessage.includes("acked") && ofMessage.includes("ack received");
    };
    await until("all three roles have told it", told, TIMEOUT_MS);
  });

  test("a receiver that dies of a message is back in its place, and the client that waits reaches it", async () => {
    env.PLAN = "ok,exit";
    await composeRole("receiver", "up", "-d", "--scale", "receiver=1");
    await untilInGroup(1);
    const [before] = await listReceivers();
    const [client = ""] = await containersOf("client");
    const said = await docker("exec", client, "tsx", "client.ts", "--to", "0", "--count", "2", "--json");
    const [first, second] = said.split("\n").map((line) => JSON.parse(line));
    assert.deepEqual([first.outcome, first.attempts, second.outcome], ["acked", 1, "acked"]);
    assert.ok(second.attempts > 1 && second.ms < BACK_WITHIN_MS, said);
    const [now, ...others] = await listReceivers();
    assert.deepEqual(others, []);
    assert.deepEqual([now?.host, now?.port], [before?.host, before?.port]);
    assert.notEqual(now?.id, before?.id);
  });

  test("with docker-compose.dev.yml a file that was changed runs without a build", async () => {
    env.PLAN = "";
    const folder = copyProject();
    try {
      const source = readFileSync(`${folder}/receiver.ts`, "utf8");
      const runsChanged = async (word: string, ...how: string[]) => {
        writeFileSync(`${folder}/receiver.ts`, source.replace("fault rate", `${word}: fault rate`));
        await run(COMPOSE, [...COMPOSE_ARGS, "-f", `${folder}/docker-compose.dev.yml`, ...how]);
        const [receiver = ""] = await containersOf("receiver");
        const log = () => run("sh", ["-c", 'docker logs "$0" 2>&1', receiver]);
        await until(word, async () => (await log()).includes(`${word}: fault rate`), TIMEOUT_MS);
      };
      await runsChanged("changed once", "up", "-d", "receiver");
      await runsChanged("changed again", "restart", "receiver");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
