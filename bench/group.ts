/** A send to the group: the time until all receivers have acked, as the group grows, beside bare sockets. */
import { openFilesFor, openFilesLimit } from "../plumbing/open_files.ts";
import { makeGroup, startClient, startDiscovery, startReceivers } from "./ours.ts";
import { start } from "./processes.ts";
import { median, medianRatio, show, showSpread, slope, table } from "./statistics.ts";
import { readDuration } from "./systems.ts";

const SHORT = 16;
const LONG = 64 * 1024;
const SIZES = { full: [1, 10, 100, 1000, 5000], quick: [1, 10] };
/** In several processes, as one holds 8 MiB of unfinished frames for all its copies, and refuses more. */
const AT_LONG = { full: { receivers: 100, processes: 4 }, quick: { receivers: 10, processes: 1 } };
/** Of the receivers' process: each listens, and has a connection. */
const openFiles = (receivers: number) => openFilesFor(2 * receivers);

interface Size {
  receivers: number;
  processes: number; // that they share
  bytes: number; // of the body
}

/** Milliseconds of each round. */
export interface SizeResult extends Size {
  ms: number[];
  bareMs: number[]; // bare sockets
  secureMs: number[]; // with a group file
}

export interface GroupResult {
  sizes: SizeResult[];
  /** Sizes for which the system lets a process have too few files open. */
  skipped: number[];
}

export async function measureGroup({ rounds, isQuick }: { rounds: number; isQuick: boolean }) {
  const result: GroupResult = { sizes: [], skipped: [] };
  const form = isQuick ? "quick" : "full";
  const sizes = SIZES[form].map((receivers) => ({ receivers, processes: 1, bytes: SHORT }));
  for (const size of [...sizes, { ...AT_LONG[form], bytes: LONG }]) {
    if (openFiles(size.receivers) > (openFilesLimit() ?? Infinity)) {
      result.skipped.push(size.receivers);
      continue;
    }
    const ours = await startGroup(size);
    const bare = await startBareGroup(size);
    const [ms = [], bareMs = []] = await takeTurns(rounds, [ours, bare]);
    await ours.stop();
    await bare.stop();
    const secure = await startGroup(size, await makeGroup());
    const [secureMs = []] = await takeTurns(rounds, [secure]);
    await secure.stop();
    result.sizes.push({ ...size, ms, bareMs, secureMs });
  }
  return result;
}

/** Receivers that wait. Each send is by a client of its own, which has its connections yet to open. */
interface Waiting {
  /** @returns how many milliseconds it took */
  send(): Promise<number>;
  stop(): Promise<void>;
}

/** Each sends once a round, and each round another one is the first. @returns the times of each */
async function takeTurns(rounds: number, groups: readonly Waiting[]): Promise<number[][]> {
  const times = groups.map((): number[] => []);
  for (let turn = 0; turn < rounds * groups.length; turn++) {
    const round = Math.floor(turn / groups.length);
    const index = (turn + round) % groups.length;
    times[index]?.push((await groups[index]?.send()) ?? Number.NaN);
  }
  return times;
}

async function startGroup({ receivers, processes, bytes }: Size, groupFile?: string): Promise<Waiting> {
  const discovery = await startDiscovery({ groupFile });
  const copies = receivers / processes;
  const group = Array.from({ length: processes }, () => startReceivers(discovery, { copies }));
  await discovery.untilReceivers(receivers);
  return {
    async send() {
      const client = startClient(discovery, ["--to", "all", "--message", "x".repeat(bytes)]);
      return readGroupResult(await client.output(), receivers);
    },
    async stop() {
      for (const each of [...group, discovery]) await each.stop();
    },
  };
}

async function startBareGroup({ receivers, bytes }: Size): Promise<Waiting> {
  const file = "bench/peers/bare_group.js";
  const server = start(process.execPath, [file, "server", `${receivers}`]);
  const [, ports = ""] = await server.says(/listening on ports ([\d ]+)\./);
  return {
    async send() {
      const client = start(process.execPath, [file, "client", `${bytes}`, ...ports.split(" ")]);
      return JSON.parse(await client.output()).ms;
    },
    stop: server.stop,
  };
}

/** The time of a send to the group, in milliseconds, as the client tells it. */
export function readGroupResult(output: string, receivers: number): number {
  const [, acked, time = ""] = output.match(/group acked: (\d+) acked, .* in ([\d.]+m?s)/) ?? [];
  if (Number(acked) !== receivers) throw new Error(`not all of ${receivers} acked: ${output.slice(-300)}`);
  return readDuration(time);
}

/** The sizes along which the group grows, and nothing else does. */
export const withShortBody = (sizes: readonly SizeResult[]) => sizes.filter(({ bytes }) => bytes === SHORT);

export function showGroup({ sizes, skipped }: GroupResult): string {
  const points = withShortBody(sizes).flatMap(({ receivers, ms }) => ms.map((y) => ({ x: receivers, y })));
  const rows = sizes.map(({ receivers, bytes, ms, bareMs, secureMs }) => [
    bytes === SHORT ? show(receivers) : `${show(receivers)}, ${bytes / 1024} KiB to each`,
    showSpread(ms),
    showSpread(bareMs),
    `${show(medianRatio(byRound(ms), byRound(bareMs)) ?? Number.NaN)}×`,
    showSpread(secureMs),
    `${show(median(secureMs) / median(ms))}×`,
  ]);
  const notes = skipped.map(
    (receivers) =>
      `${show(receivers)} receivers: not measured, a process may open ${openFilesLimit()} files here ` +
      `and needs ${show(openFiles(receivers))}.`,
  );
  return [
    "### A send to the group, by a client that has just started",
    "Bare sockets connect, write a line and get it back, in turns with this project.",
    table(
      [
        "receivers",
        "ms until all have acked",
        "bare sockets, ms",
        "times theirs",
        "with a group file",
        "cost of TLS",
      ],
      rows,
    ),
    `It grows by ${show(slope(points) * 1000)} µs a receiver.`,
    ...notes,
  ].join("\n\n");
}

const byRound = (values: readonly number[]) => new Map(values.entries());
