/** The group that the chaos test breaks: discovery, receivers that are started again when they die, and how each is harmed. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DiscoveryApi } from "../lib/discovery_api.ts";
import { findFreePort } from "../plumbing/listen.ts";
import { FAULT_NAMES } from "../receiver.ts";
import { type EtcdCluster, startEtcd } from "./etcd_nodes.ts";
import { type Role, startRole, stopRole, until } from "./helpers.ts";
import { closeNetwork, type Network, setWeather, startNetwork, type Weather } from "./tcp_proxy.ts";
import { createDiscoveryApi } from "./wires.ts";

const IN_GROUP_WITHIN_MS = 60_000;
const HARMS = ["kill", "stop", "weather", "weather", "weather", "discovery"] as const;
const HARMS_WITH_STORE = [...HARMS, "discovery", "etcd"] as const;
const ETCD_NODES = 3; // so that those that are left still agree when one is killed
const WEATHERS: Weather[] = ["cut", "slow", "lose requests", "lose answers"];

export interface ChaosGroup {
  seed: number;
  size: number;
  script: string; // of the receivers
  folder: string; // for their records
  etcd: EtcdCluster | undefined; // with a store: then there are two discoveries
  urls: string[]; // of the discoveries
  api: DiscoveryApi;
  discoveries: Role[];
  network: Network; // between the clients and the receivers
  receivers: Role[]; // by place; one that dies is replaced
  started: number; // receivers so far
  counts: Record<string, number>; // what happened to them, how often
}

/** Starts discovery, or two of them on an etcd of their own, and the network; the group is empty. */
export async function startGroup({
  hasStore,
  ...given
}: Pick<ChaosGroup, "seed" | "size" | "script" | "folder"> & { hasStore: boolean }): Promise<ChaosGroup> {
  const etcd = hasStore ? await startEtcd(ETCD_NODES) : undefined;
  const urls: string[] = []; // known before, as a discovery gets its port back after each kill
  while (urls.length < (etcd ? 2 : 1)) urls.push(`http://127.0.0.1:${await findFreePort()}`);
  const discoveries = await Promise.all(urls.map((url) => startDiscovery(url, etcd)));
  const api = createDiscoveryApi(urls);
  const network = await startNetwork(api);
  const counts = { kills: 0, deaths: 0, stops: 0, "discovery kills": 0, cuts: 0, slow: 0, "one way": 0 };
  return { ...given, etcd, urls, api, discoveries, network, receivers: [], started: 0, counts };
}

async function startDiscovery(url: string, etcd: EtcdCluster | undefined): Promise<Role> {
  const where = ["--host", "127.0.0.1", "--port", new URL(url).port];
  const store = etcd ? ["--store", etcd.urls.join(",")] : [];
  const leases = ["--receiver-ttl", "2s", "--sweep-every", "500ms"];
  const discovery = startRole("discovery.ts", [...where, ...leases, ...store]);
  await discovery.says(/listening/);
  return discovery;
}

/** Starts a receiver for each place, and waits until all are in the group. */
export async function startReceivers(group: ChaosGroup, faultRate: number): Promise<void> {
  for (let place = 0; place < group.size; place++) startReceiver(group, place, faultRate);
  await untilInGroup(group, group.size);
}

/** Starts a receiver, and another in its place when it dies, as Compose does. */
function startReceiver(group: ChaosGroup, place: number, faultRate: number): void {
  const { seed, started, urls, folder, script, receivers, counts } = group;
  const name = `receiver-${started}`;
  const role = startRole(script, [
    ...["--name", name, "--record", join(folder, `${name}.jsonl`), "--log-level", "warn"],
    ...["--discovery", urls.join(","), "--advertise-host", "127.0.0.1", "--heartbeat-every", "500ms"],
    ...[
      "--fault",
      FAULT_NAMES.join(","),
      "--fault-rate",
      `${faultRate}`,
      "--seed",
      `${seed * 1000 + started}`,
    ],
    ...["--late-by", "600ms"],
  ]);
  group.started += 1;
  receivers[place] = role;
  role.child.on("exit", (code) => {
    if (receivers[place] !== role) return; // it was to end
    if (code === 1) counts.deaths = (counts.deaths ?? 0) + 1;
    startReceiver(group, place, faultRate);
  });
}

/** Stops them all, and waits until the group is empty: one that died before is listed until its lease ends. */
export async function stopReceivers(group: ChaosGroup): Promise<void> {
  await Promise.all(group.receivers.splice(0).map((role) => stopRole(role)));
  await untilInGroup(group, 0);
}

async function untilInGroup({ api }: ChaosGroup, count: number): Promise<void> {
  let seen: number | undefined;
  const isSo = async () => {
    const listing = await api.list().catch(() => undefined);
    seen = listing?.receivers.length;
    return seen === count;
  };
  await until(() => `${count} receivers in the group, there are ${seen}`, isSo, IN_GROUP_WITHIN_MS);
}

/** Ends all at once. */
export async function endGroup({ receivers, discoveries, etcd, network }: ChaosGroup): Promise<void> {
  for (const { child } of [...receivers.splice(0), ...discoveries]) child.kill("SIGKILL");
  closeNetwork(network);
  await etcd?.close();
}

/** Does one thing to somebody, and waits until it is over. */
export async function doHarm(group: ChaosGroup, random: () => number): Promise<void> {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const harm = pick<(typeof HARMS_WITH_STORE)[number]>(group.etcd ? HARMS_WITH_STORE : HARMS);
  const child = group.receivers[Math.floor(random() * group.size)]?.child;
  const lastsMs = 300 + random() * 2000;
  if (harm === "kill") {
    count(group, "kills");
    child?.kill("SIGKILL");
  } else if (harm === "stop") {
    count(group, "stops");
    child?.kill("SIGSTOP");
    await delay(lastsMs);
    child?.kill("SIGCONT");
  } else if (harm === "discovery") {
    const place = Math.floor(random() * group.urls.length);
    await killDiscovery(group, place, lastsMs);
  } else if (harm === "etcd") {
    count(group, "etcd kills");
    const node = group.etcd && pick(group.etcd.nodes);
    await node?.kill();
    await delay(lastsMs);
    node?.start();
    await group.etcd?.untilUp();
  } else await changeWeather(group, pick(WEATHERS), { random, lastsMs });
}

function count({ counts }: ChaosGroup, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

async function killDiscovery(group: ChaosGroup, place: number, lastsMs: number): Promise<void> {
  count(group, "discovery kills");
  await stopRole(group.discoveries[place] as Role, "SIGKILL");
  await delay(lastsMs);
  group.discoveries[place] = await startDiscovery(group.urls[place] as string, group.etcd);
}

/** For some of the receivers. */
async function changeWeather(
  group: ChaosGroup,
  weather: Weather,
  { random, lastsMs }: { random: () => number; lastsMs: number },
): Promise<void> {
  const proxies = group.network.proxies.filter(() => random() < 0.4);
  count(group, weather === "cut" ? "cuts" : weather === "slow" ? "slow" : "one way");
  for (const proxy of proxies) setWeather(proxy, weather);
  await delay(lastsMs);
  for (const proxy of proxies) setWeather(proxy, "pass");
}
