/** The Docker engine, as attack_containers.ts uses it: commands, where a container is, who died, and taking all down. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { Duplex, type Readable } from "node:stream";
import type { Target } from "./attack_field.ts";
import { COMPOSE, composeLine, labelOf, ROLES, runToEnd } from "./docker_commands.ts";
import { groupFile } from "./wires.ts";

export interface Engine {
  root: string; // a copy, if there is a file of the group: Compose wants it beside its own files
  project: string;
  env: NodeJS.ProcessEnv;
  containers: Map<Target, string>; // of those that go on: the id of each
  events?: ChildProcess;
  crashes: string[];
  outOfMemory: string[];
  isOver: boolean;
}

export const docker = ({ root, env }: Engine, ...args: string[]) =>
  runToEnd("docker", args, { cwd: root, env });
export const compose = ({ root, env }: Engine, args: string[], timeout?: number) =>
  runToEnd(COMPOSE, composeLine(ROLES, ...args), { cwd: root, env, timeout });

/** Reads where a container is now: one that was started again has another process, and perhaps another address. */
export async function find(engine: Engine, target: Target, id: string): Promise<boolean> {
  const inspected = await docker(engine, "inspect", id).catch(() => "[]");
  const [container] = JSON.parse(inspected);
  target.pid = container?.State.Pid || undefined;
  const [network]: { IPAddress: string }[] = Object.values(container?.NetworkSettings.Networks ?? {});
  target.host = network?.IPAddress || target.host;
  return target.pid !== undefined && target.host !== "";
}

/** The engine says who died, and whom the system killed for its memory. A container that comes back has forgotten that. */
export function watchEvents(engine: Engine): ChildProcess {
  const filters = [labelOf(engine.project), "event=die", "event=oom"];
  const format =
    '{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}} {{index .Actor.Attributes "exitCode"}}';
  const args = ["events", ...filters.flatMap((each) => ["--filter", each]), "--format", format];
  const child = spawn("docker", args, { stdio: ["ignore", "pipe", "ignore"] });
  createInterface(child.stdout).on("line", (line) => {
    const [what, id, name = "", code] = line.split(" ");
    const target = [...engine.containers].find(([, each]) => each === id)?.[0];
    if (what === "oom") engine.outOfMemory.push(target?.name ?? name);
    else if (target && !engine.isOver) engine.crashes.push(`${target.name} (exit code ${code})`);
  });
  return child;
}

export function logOf({ root, containers }: Engine, target: Target): Readable {
  const args = ["-c", 'exec docker logs "$0" 2>&1', containers.get(target) ?? ""];
  return spawn("sh", args, { cwd: root }).stdout;
}

/** A connection to the inspector of a container's process, which listens inside alone; bash takes less memory than node. */
export function openInspector({ root, containers }: Engine, target: Target): Duplex {
  const relay = "exec 3<>/dev/tcp/127.0.0.1/9229; cat <&3 & cat >&3; kill $!";
  const args = ["exec", "-i", containers.get(target) ?? "", "bash", "-c", relay];
  const child = spawn("docker", args, { cwd: root, stdio: ["pipe", "pipe", "ignore"] });
  return Duplex.from({ readable: child.stdout, writable: child.stdin }).once("close", () => child.kill());
}

export async function takeDown(engine: Engine): Promise<void> {
  engine.isOver = true;
  engine.events?.kill();
  const mine = ["--filter", labelOf(engine.project)];
  const left = await docker(engine, "ps", "-aq", ...mine).catch(() => "");
  if (left) await docker(engine, "rm", "-fv", ...left.split("\n"));
  await compose(engine, ["down", "-v", "--rmi", "all", "--timeout", "2"], 120_000);
  if (groupFile) rmSync(engine.root, { recursive: true });
}
