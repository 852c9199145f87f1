/** Our own roles, started by the command lines that a user would type. */
import { findFreePort } from "../plumbing/listen.ts";
import { until } from "../test/helpers.ts";
import { type Started, startScript } from "./processes.ts";

const PATIENCE_MS = 60_000; // for what takes a second or two; then it counts as broken

export interface Discovery extends Started {
  port: number;
  url: string;
  /** Resolves when so many receivers are in the group. */
  untilReceivers(count: number): Promise<unknown>;
}

export async function startDiscovery(...args: readonly string[]): Promise<Discovery> {
  const port = await findFreePort(); // at `warn` discovery doesn't say where it listens
  const process = startScript("discovery.ts", [
    ...["--host", "127.0.0.1", "--port", `${port}`, "--receiver-ttl", "10m", "--log-level", "warn"],
    ...args,
  ]);
  const url = `http://127.0.0.1:${port}`;
  const untilReceivers = (count: number) =>
    until(`${count} receivers in the group`, async () => (await countReceivers(url)) === count, PATIENCE_MS);
  await untilReceivers(0);
  return { ...process, port, url, untilReceivers };
}

/** How many are in the group; undefined while discovery doesn't answer yet. */
async function countReceivers(url: string): Promise<number | undefined> {
  const answer = await fetch(`${url}/health`).catch(() => undefined);
  return answer && ((await answer.json()) as { receivers: number }).receivers;
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
