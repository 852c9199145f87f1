/** The group that the chaos test breaks: discovery, receivers that are started again when they die, and how each is harmed. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createDiscoveryApi, type DiscoveryApi } from "../lib/discovery_api.ts";
import { findFreePort } from "../plumbing/listen.ts";
import { FAULT_NAMES } from "../receiver.ts";
import { type Role, startRole, stopRole, until } from "./helpers.ts";
import { closeNetwork, type Network, setWeather, startNetwork, type Weather } from "./tcp_proxy.ts";

const IN_GROUP_WITHIN_MS = 60_000;
const HARMS = ["kill", "stop", "weather", "weather", "weather", "discovery"] as const;
const WEATHERS: Weather[] = ["cut", "slow", "lose requests", "lose answers"];

export interface ChaosGroup {
  seed: number;
  size: number;
  script: string; // of the receivers
  folder: string; // for their records
  api: DiscoveryApi;
  discovery: Role;
  network: Network; // between the clients and the receivers
  receivers: Role[]; // by place; one that dies is replaced
  started: number; // receivers so far
  counts: Record<string, number>; // what happened to them, how often
}

/** Starts discovery and the network; the group is empty. */
export async function startGroup(
  given: Pick<ChaosGroup, "seed" | "size" | "script" | "folder">,
): Promise<ChaosGroup> {
  const port = await findFreePort(); // known before, as discovery gets it back after each kill
  const api = createDiscoveryApi(`http://127.0.0.1:${port}`);
  const network = await startNetwork(api);
  const counts = { kills: 0, deaths: 0, stops: 0, "discovery kills": 0, cuts: 0, slow: 0, "one way": 0 };
  return { ...given, api, discovery: await startDiscovery(api), network, receivers: [], started: 0, counts };
}

async function startDiscovery({ url }: DiscoveryApi): Promise<Role> {
  const where = ["--host", "127.0.0.1", "--port", new URL(url).port];
  const discovery = startRole("discovery.ts", [...where, "--receiver-ttl", "2s", "--sweep-every", "500ms"]);
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
  const { seed, started, api, folder, script, receivers, counts } = group;
  const name = `receiver-${started}`;
  const role = startRole(script, [
    ...["--name", name, "--record", join(folder, `${name}.jsonl`), "--log-level", "warn"],
    ...["--discovery", api.url, "--advertise-host", "127.0.0.1", "--heartbeat-every", "500ms"],
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
export function endGroup({ receivers, discovery, network }: ChaosGroup): void {
  for (const { child } of [...receivers.splice(0), discovery]) child.kill("SIGKILL");
  closeNetwork(network);
}

/** Does one thing to somebody, and waits until it is over. */
export async function doHarm(group: ChaosGroup, random: () => number): Promise<void> {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const harm = pick(HARMS);
  const child = group.receivers[Math.floor(random() * group.size)]?.child;
  const lastsMs = 300 + random() * 2000;
  const count = (what: string) => {
    group.counts[what] = (group.counts[what] ?? 0) + 1;
  };
  if (harm === "kill") {
    count("kills");
    child?.kill("SIGKILL");
  } else if (harm === "stop") {
    count("stops");
    child?.kill("SIGSTOP");
    await delay(lastsMs);
    child?.kill("SIGCONT");
  } else if (harm === "discovery") {
    count("discovery kills");
    await stopRole(group.discovery, "SIGKILL");
    await delay(lastsMs);
    group.discovery = await startDiscovery(group.api);
  } else {
    const weather = pick(WEATHERS);
    const proxies = group.network.proxies.filter(() => random() < 0.4);
    count(weather === "cut" ? "cuts" : weather === "slow" ? "slow" : "one way");
    for (const proxy of proxies) setWeather(proxy, weather);
    await delay(lastsMs);
    for (const proxy of proxies) setWeather(proxy, "pass");
  }
}
