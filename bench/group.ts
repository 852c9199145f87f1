/** A send to the group: the time until all receivers have acked, as the group grows. */
import { openFilesFor, openFilesLimit } from "../plumbing/open_files.ts";
import { startClient, startDiscovery, startReceivers } from "./ours.ts";
import { show, showSpread, slope, table } from "./statistics.ts";
import { readDuration } from "./systems.ts";

const SIZES = { full: [1, 10, 100, 1000, 5000], quick: [1, 10] };
/** Of the receivers' process: each listens, and has a connection. */
const openFiles = (receivers: number) => openFilesFor(2 * receivers);

export interface GroupResult {
  sizes: { receivers: number; ms: number[] }[];
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
    const discovery = await startDiscovery();
    const group = startReceivers(discovery, { copies: receivers });
    await discovery.untilReceivers(receivers);
    const ms: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const client = startClient(discovery, ["--to", "all"]);
      ms.push(readGroupResult(await client.output(), receivers));
    }
    result.sizes.push({ receivers, ms });
    await group.stop();
    await discovery.stop();
  }
  return result;
}

/** The time of a send to the group, in milliseconds, as the client tells it. */
export function readGroupResult(output: string, receivers: number): number {
  const [, acked, time = ""] = output.match(/group acked: (\d+) acked, .* in ([\d.]+m?s)/) ?? [];
  if (Number(acked) !== receivers) throw new Error(`not all of ${receivers} acked: ${output.slice(-300)}`);
  return readDuration(time);
}

export function showGroup({ sizes, skipped }: GroupResult): string {
  const points = sizes.flatMap(({ receivers, ms }) => ms.map((y) => ({ x: receivers, y })));
  const rows = sizes.map(({ receivers, ms }) => [show(receivers), showSpread(ms)]);
  const notes = skipped.map(
    (receivers) =>
      `${show(receivers)} receivers: not measured, a process may open ${openFilesLimit()} files here ` +
      `and needs ${show(openFiles(receivers))}.`,
  );
  return [
    "### A send to the group, by a client that has just started",
    table(["receivers", "ms until all have acked"], rows),
    `It grows by ${show(slope(points) * 1000)} µs a receiver.`,
    ...notes,
  ].join("\n\n");
}
