/**
 * Discovery alone, in memory and on an etcd of its own: how many heartbeats it takes a second, and how long its list takes
 * as the group grows.
 */
import { inLanes } from "../plumbing/lanes.ts";
import { startEtcd } from "../test/etcd_nodes.ts";
import { type Discovery, startDiscovery } from "./ours.ts";
import { isOnPath, startScript } from "./processes.ts";
import { show, showSpread, slope, spread, table } from "./statistics.ts";

const SIZES = { full: [100, 1000, 10_000], quick: [100, 1000] };
const SIZE_AT_HEARTBEATS = 1000;
const HEARTBEAT_SECONDS = { full: 3, quick: 1 };
const LISTINGS = 20; // at each size
const LANES = 50; // registrations under way

/** What discovery keeps its group in; etcd's nodes are all on this machine. */
const STORES = [
  { store: "memory", nodes: 0 },
  { store: "etcd, one node", nodes: 1 },
  { store: "etcd, three nodes", nodes: 3 },
];

export interface StoreResult {
  store: string;
  /** Why it can't be measured on this machine, if it can't. */
  missing?: string | undefined;
  /** Of each round. */
  heartbeatsPerSecond: number[];
  listings: { receivers: number; ms: number[] }[];
}

export async function measureDiscovery({ rounds, isQuick }: { rounds: number; isQuick: boolean }) {
  const sizes = isQuick ? SIZES.quick : SIZES.full;
  const missing = isOnPath("etcd") ? undefined : "no etcd on the PATH";
  const results = STORES.map(({ store, nodes }): StoreResult => {
    const listings = sizes.map((receivers) => ({ receivers, ms: [] }));
    return { store, ...(nodes > 0 && { missing }), heartbeatsPerSecond: [], listings };
  });
  for (let round = 0; round < rounds; round++) {
    for (const [index, { nodes }] of STORES.entries()) {
      const result = results[index] as StoreResult;
      if (nodes === 0) await measureRound(result, isQuick);
      else if (!missing) await onEtcd(nodes, (...args) => measureRound(result, isQuick, ...args));
    }
  }
  return results;
}

async function onEtcd(size: number, measure: (...args: string[]) => Promise<void>): Promise<void> {
  const etcd = await startEtcd(size);
  const kill = () => etcd.nodes.forEach(({ child }) => void child.kill("SIGKILL"));
  process.on("exit", kill); // a user who has enough ends it at any time
  try {
    await measure("--store", etcd.urls.join(","));
  } finally {
    await etcd.close();
    process.off("exit", kill);
  }
}

async function measureRound(result: StoreResult, isQuick: boolean, ...args: string[]): Promise<void> {
  const discovery = await startDiscovery({ args });
  let registered = 0;
  for (const { receivers, ms } of result.listings) {
    await register(discovery, registered, receivers);
    registered = receivers;
    const times: number[] = [];
    for (let n = 0; n < LISTINGS; n++) times.push(await timeListing(discovery, receivers));
    ms.push(spread(times).median);
    if (receivers === SIZE_AT_HEARTBEATS)
      result.heartbeatsPerSecond.push(await countHeartbeats(discovery, isQuick));
  }
  await discovery.stop();
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

export function showDiscovery(results: readonly StoreResult[]): string {
  const [inMemory = { listings: [] }] = results;
  const sizes = inMemory.listings.map(({ receivers }) => `list of ${show(receivers)}, ms`);
  const rows = results.map(({ store, missing, heartbeatsPerSecond, listings }) =>
    missing
      ? [store, missing]
      : [store, showSpread(heartbeatsPerSecond), ...listings.map(({ ms }) => showSpread(ms))],
  );
  const points = inMemory.listings.flatMap(({ receivers, ms }) => ms.map((y) => ({ x: receivers, y })));
  return [
    "### Discovery",
    `Heartbeats are those of ${show(SIZE_AT_HEARTBEATS)} receivers.`,
    table(["the group is in", "heartbeats a second", ...sizes], rows),
    `In memory the list grows by ${show(slope(points) * 1000)} µs a receiver.`,
  ].join("\n\n");
}
