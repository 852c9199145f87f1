/** A send to the group: the time until all receivers have acked, as the group grows. */
import { openFilesFor, openFilesLimit } from "../plumbing/open_files.ts";
import { makeGroup, startClient, startDiscovery, startReceivers } from "./ours.ts";
import { median, show, showSpread, slope, table } from "./statistics.ts";
import { readDuration } from "./systems.ts";

const SIZES = { full: [1, 10, 100, 1000, 5000], quick: [1, 10] };
/** Of the receivers' process: each listens, and has a connection. */
const openFiles = (receivers: number) => openFilesFor(2 * receivers);

export interface GroupResult {
  sizes: { receivers: number; ms: number[]; secureMs: number[] }[]; // the second with a group file
  /** Sizes for which the system lets a process have too few files open. */
  skipped: number[];
}

/** Each send is by a client of its own, which has its connections yet to open. */
export async function measureGroup({ rounds, isQuick }: { rounds: number; isQuick: boolean }) {
  const result: GroupResult = { sizes: [], skipped: [] };
  for (const receivers of isQuick ? SIZES.quick : SIZES.full) {
    if (openFiles(receivers) > (openFilesLimit() ?? Infinity)) {
      result.skipped.push(receivers);
      continue;
    }
    const ms = await measureSize(receivers, rounds);
    const secureMs = await measureSize(receivers, rounds, await makeGroup());
    result.sizes.push({ receivers, ms, secureMs });
  }
  return result;
}

async function measureSize(receivers: number, rounds: number, groupFile?: string): Promise<number[]> {
  const discovery = await startDiscovery({ groupFile });
  const group = startReceivers(discovery, { copies: receivers });
  await discovery.untilReceivers(receivers);
  const ms: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const client = startClient(discovery, ["--to", "all"]);
    ms.push(readGroupResult(await client.output(), receivers));
  }
  await group.stop();
  await discovery.stop();
  return ms;
}

/** The time of a send to the group, in milliseconds, as the client tells it. */
export function readGroupResult(output: string, receivers: number): number {
  const [, acked, time = ""] = output.match(/group acked: (\d+) acked, .* in ([\d.]+m?s)/) ?? [];
  if (Number(acked) !== receivers) throw new Error(`not all of ${receivers} acked: ${output.slice(-300)}`);
  return readDuration(time);
}

export function showGroup({ sizes, skipped }: GroupResult): string {
  const points = sizes.flatMap(({ receivers, ms }) => ms.map((y) => ({ x: receivers, y })));
  const rows = sizes.map(({ receivers, ms, secureMs }) => [
    show(receivers),
    showSpread(ms),
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
    table(["receivers", "ms until all have acked", "with a group file", "cost of TLS"], rows),
    `It grows by ${show(slope(points) * 1000)} µs a receiver.`,
    ...notes,
  ].join("\n\n");
}
