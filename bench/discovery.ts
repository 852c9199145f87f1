/** Discovery alone: how many heartbeats it takes a second, and how long its list takes as the group grows. */
import { inLanes } from "../plumbing/lanes.ts";
import { type Discovery, startDiscovery } from "./ours.ts";
import { startScript } from "./processes.ts";
import { show, showSpread, slope, spread, table } from "./statistics.ts";

const SIZES = { full: [100, 1000, 10_000], quick: [100, 1000] };
const SIZE_AT_HEARTBEATS = 1000;
const HEARTBEAT_SECONDS = { full: 3, quick: 1 };
const LISTINGS = 20; // at each size
const LANES = 50; // registrations under way

export interface DiscoveryResult {
  /** Of each round. */
  heartbeatsPerSecond: number[];
  listings: { receivers: number; ms: number[] }[];
}

export async function measureDiscovery({ rounds, isQuick }: { rounds: number; isQuick: boolean }) {
  const sizes = isQuick ? SIZES.quick : SIZES.full;
  const result: DiscoveryResult = {
    heartbeatsPerSecond: [],
    listings: sizes.map((receivers) => ({ receivers, ms: [] })),
  };
  for (let round = 0; round < rounds; round++) {
    const discovery = await startDiscovery();
    let registered = 0;
    for (const { receivers, ms } of result.listings) {
      await register(discovery, registered, receivers);
      registered = receivers;
      const times: number[] = [];
      for (let n = 0; n < LISTINGS; n++) times.push(await timeListing(discovery, receivers));
      ms.push(spread(times).median);
      if (receivers !== SIZE_AT_HEARTBEATS) continue;
      result.heartbeatsPerSecond.push(await countHeartbeats(discovery, isQuick));
    }
    await discovery.stop();
  }
  return result;
}

/** Registers receivers that are nowhere: discovery can't tell. */
async function register({ url }: Discovery, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_value, index) => from + index);
  await inLanes(LANES, numbers, async (number) => {
    const where = { host: `receiver-${number}`, port: 1 + (number % 65_535) };
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/register`, { method: "POST", headers, body: JSON.stringify(where) });
    await answer.text();
    if (answer.status !== 201) throw new Error(`discovery answered ${answer.status} to a registration`);
  });
}

/** @returns milliseconds from asking until the whole body is there */
async function timeListing({ url }: Discovery, receivers: number): Promise<number> {
  const startedAt = performance.now();
  const text = await fetch(`${url}/receivers`).then((answer) => answer.text());
  const ms = performance.now() - startedAt;
  const listed = JSON.parse(text).length;
  if (listed !== receivers) throw new Error(`discovery listed ${listed} receivers of ${receivers}`);
  return ms;
}

async function countHeartbeats({ port }: Discovery, isQuick: boolean): Promise<number> {
  const seconds = isQuick ? HEARTBEAT_SECONDS.quick : HEARTBEAT_SECONDS.full;
  const load = startScript("bench/heartbeats.ts", [`${port}`, `${seconds}`]);
  return JSON.parse(await load.output()).perSecond;
}

export function showDiscovery({ heartbeatsPerSecond, listings }: DiscoveryResult): string {
  const rows = listings.map(({ receivers, ms }) => [show(receivers), showSpread(ms)]);
  const points = listings.flatMap(({ receivers, ms }) => ms.map((y) => ({ x: receivers, y })));
  return [
    "### Discovery",
    `Heartbeats a second, of ${show(SIZE_AT_HEARTBEATS)} receivers: ${showSpread(heartbeatsPerSecond)}.`,
    table(["receivers in the group", "GET /receivers, ms"], rows),
    `The list grows by ${show(slope(points) * 1000)} µs a receiver.`,
  ].join("\n\n");
}
