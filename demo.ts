/**
 * A whole class on one machine: discovery, the monitor, three receivers, and a client that asks. When the
 * client ends, all end.
 *
 *     npm run demo
 *     npm run demo -- --receivers 5
 *     ACK_RECEIVER_FAULT_RATE=1 npm run demo        every role still takes its own environment
 *
 * The monitor shows it all in the browser, at the address that the first lines say. Discovery and the monitor
 * have their usual ports when those are free, so a second client, or a receiver of your own, can join.
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
import { createDiscoveryApi } from "./lib/discovery_api.ts";
import { startMonitor } from "./monitor.ts";
import * as kind from "./plumbing/kinds.ts";
import { findFreePort } from "./plumbing/listen.ts";
import { createLog } from "./plumbing/log.ts";
import { LOG_OPTIONS, option, parseOptions } from "./plumbing/options.ts";
import { TSX } from "./plumbing/printable.ts";
import { runIfMain } from "./plumbing/run.ts";
import { openScreen } from "./terminal/screen.ts";
import { openOutlets } from "./trace/outlets.ts";

const OPTIONS = {
  receivers: option(kind.whole(1), "3", "how many receivers"),
  ...LOG_OPTIONS,
};

const KILL_AFTER_MS = 3000;

type Print = (line: string) => void;

/** Starts a receiver; the lines of its log are printed with those of the others. */
function startReceiver(name: string, to: readonly string[], print: Print): ChildProcess {
  const args = [`${import.meta.dirname}/receiver.ts`, ...to, "--name", name, "--advertise-host", "127.0.0.1"];
  // execArgv holds what makes this process read TypeScript (nothing, or tsx).
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  createInterface({ input: child.stderr }).on("line", print);
  child.on("exit", (code, signal) => print(`${name} ended (${signal ?? `exit code ${code}`})`));
  return child;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Waits until all receivers are in the group, and lists it. */
async function untilInGroup(children: readonly ChildProcess[], discoveryUrl: string, signal: AbortSignal) {
  const discovery = createDiscoveryApi(discoveryUrl);
  for (;;) {
    const { receivers } = await discovery.list({ signal });
    if (receivers.length >= children.length) return receivers;
    if (children.some(hasEnded))
      throw new Error("Cannot start the demo: a receiver ended, see its line above");
    await delay(50, undefined, { signal });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}

/** Starts discovery and the monitor, which need each other's address. @returns the options that name both */
async function startServers(print: Print, options: Parameters<typeof createLog>[1]) {
  const log = createLog("discovery", { ...options, writeLine: print });
  const host = "127.0.0.1";
  const port = await findFreePort(5000);
  const discovery = `http://${host}:${port}`;
  const monitorLog = createLog("monitor", { ...options, writeLine: print });
  const page = await startMonitor({ host, port: await findFreePort(5001), discovery }, monitorLog);
  const monitor = `http://${host}:${page.port}`;
  const leases = { receiverTtlMs: 30_000, sweepEveryMs: 5000 };
  const server = await startDiscovery({ host, port, ...leases }, log, await openOutlets({ monitor }));
  print(`the monitor's page: open ${monitor} in a browser`);
  const elsewhere = port === 5000 ? "" : ` --discovery ${discovery}`;
  print(`discovery: ${discovery}; join with: ${TSX} client.ts --monitor ${monitor}${elsewhere}`);
  const close = () => [server, page].forEach((each) => void each.close());
  return { discovery, to: ["--discovery", discovery, "--monitor", monitor], close };
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("demo", OPTIONS, argv, {
    about: "A whole class on one machine: discovery, receivers and a client.",
    example: "npm run demo -- --receivers 5",
  });
  const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const screen = openScreen(interactive ? { input: process.stdin } : {});
  screen.onInterrupt(() => process.kill(process.pid, "SIGINT")); // until the client asks
  const print = (line: string) => screen.print(line, process.stderr);
  const { discovery, to, close } = await startServers(print, options);
  const numbers = [...Array(options.receivers).keys()]; // those of the list, where names are in their order
  const receivers = numbers.map((number) => startReceiver(`receiver-${number}`, to, print));
  try {
    const group = await untilInGroup(receivers, discovery, signal);
    if (interactive) return await runClient(to, signal, screen);
    const codes = await Promise.all(group.map(({ id }) => runClient([...to, "--to", id], signal, screen)));
    return Math.max(...codes);
  } finally {
    await Promise.all(receivers.map(end));
    close();
    screen.close();
  }
}

await runIfMain(import.meta, main);
