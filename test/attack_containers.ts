/** The field in containers, with the memory that the Compose files give: what a class runs. */
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePort } from "../plumbing/listen.ts";
import {
  compose,
  docker,
  type Engine,
  find,
  logOf,
  openInspector,
  takeDown,
  watchEvents,
} from "./attack_engine.ts";
import {
  type Field,
  memoryLimit,
  nodeOptions,
  type RoleName,
  type Run,
  startRun,
  type Target,
  urlOf,
} from "./attack_field.ts";
import { readLiveBytes } from "./attack_live.ts";
import { BUILD_TIMEOUT_MS, copyProject, ownProject } from "./docker_commands.ts";
import { until } from "./helpers.ts";
import { createDiscoveryApi, groupFile } from "./wires.ts";

const START_WITHIN_MS = 60_000;
const RECEIVER_PORT = "6000"; // each has an address of its own
const PORTS = { discovery: 5000, monitor: 5001, receiver: Number(RECEIVER_PORT), client: 0 };

/** A copy with the group's file in it, where the Compose files look for it. */
function copyWithFile(root: string, file: string): string {
  const folder = copyProject(root);
  const copied = join(folder, "group.pem");
  copyFileSync(file, copied);
  chmodSync(copied, 0o644); // in the containers another user reads it
  return folder;
}

/** Builds the images from a folder, and starts the field. Its own project and ports keep it from any other. */
export async function startContainers(from: string): Promise<Field> {
  const root = groupFile ? copyWithFile(from, groupFile.files) : from;
  const project = `attack-${process.pid}`;
  const ports = { DISCOVERY_PORT: `${await findFreePort()}`, MONITOR_PORT: `${await findFreePort()}` };
  const file = { GROUP_FILE: groupFile ? "./group.pem" : "" };
  const env = ownProject(project, { ...ports, ...file, FAULT_RATE: "0", MONITOR: "http://monitor:5001" });
  const found = { containers: new Map(), crashes: [], outOfMemory: [] };
  const engine: Engine = { root, project, env, ...found, isOver: false };
  try {
    await docker(engine, "info").catch(() => {
      throw new Error("Cannot attack containers: no Docker engine answers; start one, or pass --local");
    });
    await compose(engine, ["build"], BUILD_TIMEOUT_MS);
    engine.events = watchEvents(engine);
    await compose(engine, ["up", "-d", "--scale", "receiver=2"]);
    return await startField(engine);
  } catch (error) {
    await takeDown(engine);
    throw error;
  }
}

async function startField(engine: Engine): Promise<Field> {
  const { crashes, outOfMemory } = engine;
  const network = await docker(engine, "network", "inspect", `${engine.project}_default`);
  const ownHost: string = JSON.parse(network)[0].IPAM.Config[0].Gateway;
  const [monitor] = await addService(engine, "monitor", "monitor");
  const [discovery] = await addService(engine, "discovery", "discovery_server");
  const receivers = await addService(engine, "receiver", "receiver");
  if (!monitor || !discovery) throw new Error("Cannot attack: Compose started no discovery or no monitor");
  const lease = ["--receiver-ttl", "5s", "--sweep-every", "1s"];
  const flooded = await stand(engine, "discovery", "flooded", lease);
  const work = ["--discovery", urlOf(flooded), "--fault-rate", "0", "--work", "8s", "--port", RECEIVER_PORT];
  const worker = await stand(engine, "receiver", "worker", work);
  await until("discovery knows all receivers", () => isWhole(engine, receivers), START_WITHIN_MS);
  return {
    ...{ ownHost, discovery, flooded, monitor, receivers, worker, crashes, outOfMemory },
    run: (role, args) => run(engine, role, args),
    async look() {
      await Promise.all([...engine.containers].map(([target, id]) => find(engine, target, id)));
    },
    async liveBytesOf(target) {
      // From inside: one that `docker kill` has sent any signal to is not started again when it dies.
      await docker(engine, "exec", engine.containers.get(target) ?? "", "bash", "-c", "kill -USR1 1");
      return readLiveBytes(() => openInspector(engine, target));
    },
    logOf: (target) => logOf(engine, target),
    end: () => takeDown(engine),
  };
}

/** The containers that Compose has of a service. */
async function addService(engine: Engine, role: RoleName, service: string): Promise<Target[]> {
  const ids = (await compose(engine, ["ps", "-q", service])).split("\n").filter(Boolean);
  const nameOf = (number: number) => (ids.length > 1 ? `${role}-${number}` : role);
  return Promise.all(ids.map((id, number) => addTarget(engine, role, nameOf(number), id)));
}

async function addTarget(engine: Engine, role: RoleName, name: string, id: string): Promise<Target> {
  const limitBytes = memoryLimit(engine.root, role);
  const target: Target = { role, name, host: "", port: PORTS[role], limitBytes, pid: undefined };
  engine.containers.set(target, id);
  await until(`${name} runs`, () => find(engine, target, id), START_WITHIN_MS);
  return target;
}

/** Whether discovery knows all receivers that Compose started. */
async function isWhole(engine: Engine, receivers: Target[]): Promise<boolean> {
  const api = createDiscoveryApi(`http://localhost:${engine.env.DISCOVERY_PORT}`);
  const known = (await api.list().catch(() => undefined))?.receivers ?? [];
  const hosts = receivers.map((target) => engine.containers.get(target)?.slice(0, 12));
  return hosts.every((host) => known.some((each) => each.host === host));
}

/** How a container of a role is started that no Compose file has: with all that its file says, but without its ports. */
function runArgs({ root, project }: Engine, role: RoleName, name: string): string[] {
  const variable = `ACK_${role.toUpperCase()}_GROUP_FILE=./group.pem`;
  const member = ["--volume", `${root}/group.pem:/app/group.pem:ro`, "--env", variable];
  return [
    ...["--name", `${project}_${name}`, "--label", `com.docker.compose.project=${project}`],
    ...["--network", `${project}_default`, "--memory", `${memoryLimit(root, role)}`],
    ...["--env", `NODE_OPTIONS=${nodeOptions(root, role)}`],
    ...(groupFile ? member : []),
    ...["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"],
    ...[`ackgroup/${role}:${project}`, "node", `${role}.ts`],
  ];
}

async function stand(engine: Engine, role: RoleName, name: string, args: string[]): Promise<Target> {
  const how = ["run", "-d", "--restart", "unless-stopped", ...runArgs(engine, role, name), ...args];
  return addTarget(engine, role, name, await docker(engine, ...how));
}

function run(engine: Engine, role: RoleName, args: string[]): Run {
  const name = `${role}-${randomBytes(3).toString("hex")}`;
  const { said, ended } = startRun("docker", ["run", ...runArgs(engine, role, name), ...args], engine.root);
  const limitBytes = memoryLimit(engine.root, role);
  const id = `${engine.project}_${name}`;
  const target: Target = { role, name, host: "", port: 0, limitBytes, pid: undefined };
  let isOver = false; // it may be before it was found
  const found = until(`${name} runs`, async () => isOver || (await find(engine, target, id))).catch(() => {});
  const kill = (signal: string) => docker(engine, "kill", "-s", signal, id).catch(() => {});
  const removed = ended.then(async (code) => {
    isOver = true;
    await found;
    target.pid = undefined;
    await docker(engine, "rm", "-f", id).catch(() => {});
    return code;
  });
  return { target, said, ended: removed, kill };
}
