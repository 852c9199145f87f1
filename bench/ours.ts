/** Our own roles, started by the command lines that a user would type. */
import { readGroupFile } from "../plumbing/group_file.ts";
import { createTarget, makeCall, type Target } from "../plumbing/http_call.ts";
import { findFreePort } from "../plumbing/listen.ts";
import { writeGroupFile } from "../test/group_files.ts";
import { until } from "../test/helpers.ts";
import { type Started, startScript } from "./processes.ts";

const PATIENCE_MS = 60_000; // for what takes a second or two; then it counts as broken

export interface Discovery extends Started {
  port: number;
  url: string;
  /** What makes others members of its group. */
  member: readonly string[];
  /** Resolves when so many receivers are in the group. */
  untilReceivers(count: number): Promise<unknown>;
}

interface DiscoveryOptions {
  args?: readonly string[];
  groupFile?: string | undefined;
}

/** The file of a group for this run. */
export const makeGroup = () => writeGroupFile("bench.pem");

export async function startDiscovery({ args = [], groupFile }: DiscoveryOptions = {}): Promise<Discovery> {
  const member = groupFile ? ["--group-file", groupFile] : [];
  const port = await findFreePort(); // at `warn` discovery doesn't say where it listens
  const process = startScript("discovery.ts", [
    ...["--host", "127.0.0.1", "--port", `${port}`, "--receiver-ttl", "10m", "--log-level", "warn"],
    ...args,
    ...member,
  ]);
  const url = `http://127.0.0.1:${port}`;
  const own = groupFile ? readGroupFile(groupFile) : undefined;
  const target = createTarget(url, { maxSockets: 1, groupFile: own });
  const untilReceivers = (count: number) =>
    until(`${count} receivers in the group`, () => hasReceivers(count), PATIENCE_MS);
  async function hasReceivers(count: number): Promise<boolean> {
    process.checkRuns();
    return (await countReceivers(target)) === count;
  }
  await untilReceivers(0);
  return { ...process, port, url, member, untilReceivers };
}

/** How many are in the group; undefined while discovery doesn't answer yet. */
async function countReceivers(target: Target): Promise<number | undefined> {
  const answer = await makeCall(target, { path: "health", withinMs: 5000 }).catch(() => undefined);
  return answer && JSON.parse(answer.body.toString()).receivers;
}

/** Starts receivers without faults, in one process. They have yet to register. */
export function startReceivers(
  discovery: Discovery,
  { copies = 1, logLevel = "warn" }: { copies?: number; logLevel?: string } = {},
): Started {
  return startScript("receiver.ts", [
    ...["--discovery", discovery.url, "--advertise-host", "127.0.0.1", "--copies", `${copies}`],
    ...["--fault-rate", "0", "--log-level", logLevel, ...discovery.member],
  ]);
}

/** Starts a client that sends what it is told to, and then ends. */
export function startClient(discovery: Discovery, args: readonly string[]): Started {
  return startScript("client.ts", [
    "--discovery",
    discovery.url,
    "--log-level",
    "warn",
    ...discovery.member,
    ...args,
  ]);
}
