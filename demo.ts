/**
 * A whole class on one machine: discovery and the monitor on free ports, three receivers, and a client
 * that asks. When the client ends, all end.
 *
 *     npm run demo
 *     npm run demo -- --receivers 5
 *     ACK_RECEIVER_FAULT_RATE=1 npm run demo        every role still takes its own environment
 *
 * The monitor shows it all in the browser, at the address that the first lines say.
 *
 * Each receiver is a process of its own, so you can `kill -9` one and look what the client says.
 * Without a terminal (a pipe, CI) the client sends one message to every receiver instead of asking.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { main as runClient } from "./client.ts";
import { startDiscovery } from "./discovery.ts";
import { createDiscoveryApi, type DiscoveryApi } from "./lib/discovery_api.ts";
import { startMonitor } from "./monitor.ts";
import { createLog } from "./plumbing/log.ts";
import { LOG_OPTIONS, parseOptions, whole } from "./plumbing/options.ts";
import { runIfMain } from "./plumbing/run.ts";
import { openScreen } from "./terminal/screen.ts";
import { openOutlets } from "./trace/outlets.ts";
import type { Outlet } from "./trace/trace.ts";

const OPTIONS = {
  receivers: whole("3", 1, "how many receivers"),
  ...LOG_OPTIONS,
};

const KILL_AFTER_MS = 3000;

/** Starts a receiver; each line of its log is printed with its name before it. */
function startReceiver(name: string, to: readonly string[], print: (line: string) => void): ChildProcess {
  const file = `${import.meta.dirname}/receiver.ts`;
  const args = [file, ...to, "--advertise-host", "127.0.0.1"];
  // execArgv holds what makes this process read TypeScript (nothing, or tsx).
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  createInterface({ input: child.stderr }).on("line", (line) => print(`${name} | ${line}`));
  child.on("exit", (code, signal) => print(`${name} | ended (${signal ?? `exit code ${code}`})`));
  return child;
}

async function untilInGroup(
  child: ChildProcess,
  discovery: DiscoveryApi,
  receivers: number,
  signal: AbortSignal,
) {
  while ((await discovery.list()).length < receivers) {
    if (child.exitCode !== null)
      throw new Error("Cannot start the demo: a receiver ended, see its line above");
    await delay(50, undefined, { signal });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("demo", OPTIONS, argv, {
    about: "A whole class on one machine: discovery, receivers and a client.",
    example: "npm run demo -- --receivers 5",
  });
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const screen = openScreen(interactive ? { input: process.stdin } : {});
  const print = (line: string) => screen.print(line, process.stderr);
  const log = createLog("discovery", { ...options, writeLine: (line) => print(`discovery | ${line}`) });

  const outlets: Outlet[] = []; // filled below: discovery and the monitor each need the other's address
  const local = { host: "127.0.0.1", port: 0 };
  const server = await startDiscovery({ ...local, receiverTtl: 30_000, sweepEvery: 5000 }, log, outlets);
  const discovery = createDiscoveryApi(`http://127.0.0.1:${server.port}`);
  const monitor = await startMonitor({ ...local, discovery: discovery.url }, log);
  const monitorUrl = `http://127.0.0.1:${monitor.port}`;
  outlets.push(...(await openOutlets({ monitor: monitorUrl })));
  print(`monitor | open ${monitorUrl} in a browser`);
  const to = ["--discovery", discovery.url, "--monitor", monitorUrl];
  const receivers: ChildProcess[] = [];
  try {
    for (let n = 1; n <= options.receivers; n++) {
      const receiver = startReceiver(`receiver-${n}`, to, print);
      receivers.push(receiver);
      await untilInGroup(receiver, discovery, n, signal);
    }
    if (interactive) return await runClient(to, signal, screen);

    const group = await discovery.list();
    const codes = await Promise.all(group.map(({ id }) => runClient([...to, "--to", id], signal, screen)));
    return Math.max(...codes);
  } finally {
    await Promise.all(receivers.map(end));
    server.close();
    monitor.close();
    screen.close();
  }
}

await runIfMain(import.meta, main);
