/** Our own roles, started by the command lines that a user would type. */
import { setTimeout as delay } from "node:timers/promises";
import { findFreePort } from "../plumbing/listen.ts";
import { inTime, type Started, startScript } from "./processes.ts";

const POLL_MS = 20;

export interface Discovery extends Started {
  port: number;
  url: string;
  /** How many receivers are in the group; undefined while it doesn't answer yet. */
  receivers(): Promise<number | undefined>;
  /** Resolves when so many are. */
  untilReceivers(count: number): Promise<void>;
}

export async function startDiscovery(): Promise<Discovery> {
  const port = await findFreePort(); // at `warn` discovery doesn't say where it listens
  const process = startScript("discovery.ts", [
    ...["--host", "127.0.0.1", "--port", `${port}`, "--receiver-ttl", "10m", "--log-level", "warn"],
  ]);
  const url = `http://127.0.0.1:${port}`;
  async function receivers() {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    return answer && ((await answer.json()) as { receivers: number }).receivers;
  }
  const stop = new AbortController();
  async function poll(count: number) {
    while ((await receivers()) !== count) await delay(POLL_MS, undefined, stop);
  }
  const discovery = {
    ...process,
    port,
    url,
    receivers,
    untilReceivers: (count: number) => inTime(`${count} receivers in the group`, poll(count)),
    stop() {
      stop.abort();
      return process.stop();
    },
  };
  await discovery.untilReceivers(0);
  return discovery;
}

/** Starts receivers without faults, in one process. They have yet to register. */
export function startReceivers(
  discovery: Discovery,
  { copies = 1, logLevel = "warn" }: { copies?: number; logLevel?: string } = {},
): Started {
  return startScript("receiver.ts", [
    ...["--discovery", discovery.url, "--advertise-host", "127.0.0.1", "--copies", `${copies}`],
    ...["--fault-rate", "0", "--log-level", logLevel],
  ]);
}

/** Starts a client that sends what it is told to, and then ends. */
export function startClient(discovery: Discovery, args: readonly string[]): Started {
  return startScript("client.ts", ["--discovery", discovery.url, "--log-level", "warn", ...args]);
}
