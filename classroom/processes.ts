/** The receivers of a class: processes of their own, on this machine, each with a name. The demo starts and ends them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { DiscoveryApi } from "../lib/discovery_api.ts";
import { OPTIONS } from "../receiver.ts";

const KILL_AFTER_MS = 3000;

export type Print = (line: string) => void;

/** Those that run. A process that ends in the middle, as nobody reads it any more (`| head -3`), takes them along. */
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach(tellToEnd));

/** Starts a receiver, with these options; the lines of its log are printed with those of the others. */
export function startReceiver(name: string, options: readonly string[], print: Print): ChildProcess {
  const file = `${import.meta.dirname}/../receiver.ts`;
  const args = [file, ...options, "--name", name, "--advertise-host", "127.0.0.1"];
  // execArgv holds what makes this process read TypeScript (nothing, or tsx). The last way is that of the desk's orders.
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  createInterface({ input: child.stderr as Readable }).on("line", print);
  running.add(child);
  child.on("exit", (code, signal) => {
    running.delete(child);
    print(`${name} ended (${signal ?? `exit code ${code}`})`);
  });
  return child;
}

/** The chance of a fault with which it was started: its flag beats the environment beats the default. */
export function faultRateOf({ spawnargs }: Pick<ChildProcess, "spawnargs">): number {
  const at = spawnargs.lastIndexOf("--fault-rate");
  const flag = at === -1 ? undefined : spawnargs[at + 1];
  return Number(flag || process.env.ACK_RECEIVER_FAULT_RATE || OPTIONS["fault-rate"].default);
}

export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Waits until all receivers are in the group, and lists it. */
export async function untilInGroup(
  children: readonly ChildProcess[],
  discovery: DiscoveryApi,
  signal: AbortSignal,
) {
  for (;;) {
    const { receivers } = await discovery.list({ signal });
    if (receivers.length >= children.length) return receivers;
    if (children.some(hasEnded))
      throw new Error("Cannot start the class: a receiver ended, see its line above");
    await delay(50, undefined, { signal });
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  tellToEnd(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}

function tellToEnd(child: ChildProcess): void {
  child.kill("SIGTERM");
  child.kill("SIGCONT"); // one that is suspended gets no signal but this
}
