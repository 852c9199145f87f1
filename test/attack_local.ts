/** The field as processes of this machine, on loopback; `--root` may be another state of the project. */
import { type ChildProcess, spawn } from "node:child_process";
import { createReadStream, mkdtempSync, openSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "../plumbing/listen.ts";
import { type Field, memoryLimit, type RoleName, startRun, type Target, urlOf } from "./attack_field.ts";
import { readLiveBytes } from "./attack_live.ts";
import { cleanEnvironment, until } from "./helpers.ts";

const HOST = "127.0.0.1";
const TSX_BYTES = 64 * 1024 * 1024; // which the images have no need of: they run on Node's own type stripping
const PROGRAM = (role: RoleName) => ["--import", "tsx", `${role}.ts`];

interface Local {
  root: string;
  folder: string; // of the logs
  isOver: boolean;
  crashes: string[];
  children: Set<ChildProcess>;
  inspectors: Map<Target, number>; // the port of each, once it is opened
}

const limitOf = (root: string, role: RoleName) => memoryLimit(root, role) + TSX_BYTES;

/** Starts the field from the files in `root`. */
export async function startLocal(root: string): Promise<Field> {
  const folder = mkdtempSync(join(tmpdir(), "attack-"));
  const found = { crashes: [], children: new Set<ChildProcess>(), inspectors: new Map<Target, number>() };
  const local: Local = { root, folder, isOver: false, ...found };
  try {
    return {
      ...(await startGroup(local)),
      ...{ ownHost: HOST, crashes: local.crashes, outOfMemory: [] },
      run: (role, args) => run(local, role, args),
      look: async () => {},
      async liveBytesOf(target) {
        if (target.pid) process.kill(target.pid, "SIGUSR1");
        return readLiveBytes(() => connect(local.inspectors.get(target) ?? 0, HOST));
      },
      logOf: ({ name }) => createReadStream(join(folder, name)),
      end: async () => end(local),
    };
  } catch (error) {
    end(local);
    throw error;
  }
}

async function startGroup(local: Local) {
  const here = ["--host", HOST];
  const monitor = await stand(local, "monitor", "monitor", here);
  const told = ["--monitor", urlOf(monitor)];
  const discovery = await stand(local, "discovery", "discovery", [...here, ...told]);
  const flooded = await stand(local, "discovery", "flooded", [...here, "--receiver-ttl", "5s"]);
  const receiver = (group: Target) => [
    ...["--discovery", urlOf(group), "--advertise-host", HOST, "--fault-rate", "0"],
  ];
  const receivers = [
    await stand(local, "receiver", "receiver-0", [...receiver(discovery), ...told]),
    await stand(local, "receiver", "receiver-1", [...receiver(discovery), ...told]),
  ];
  const worker = await stand(local, "receiver", "worker", [...receiver(flooded), "--work", "8s"]);
  return { discovery, flooded, monitor, receivers, worker };
}

function end(local: Local): void {
  local.isOver = true;
  for (const child of local.children) child.kill("SIGKILL");
  rmSync(local.folder, { recursive: true });
}

/** Starts a role that goes on, and again when it ends, as Compose does. Resolves when it listens. */
async function stand(local: Local, role: RoleName, name: string, args: string[]): Promise<Target> {
  const port = await findFreePort();
  const limitBytes = limitOf(local.root, role);
  const target: Target = { role, name, host: HOST, port, limitBytes, pid: undefined };
  local.inspectors.set(target, await findFreePort());
  startAgain(local, target, [...args, "--port", `${port}`]);
  const isThere = () => new Promise<boolean>((resolve) => listens(target, resolve));
  await until(`${name} listens`, isThere);
  return target;
}

function startAgain(local: Local, target: Target, args: string[]): void {
  const log = openSync(join(local.folder, target.name), "a");
  const inspector = `--inspect-port=${local.inspectors.get(target)}`;
  const command = [inspector, ...PROGRAM(target.role), ...args];
  const child = spawn(process.execPath, command, {
    cwd: local.root,
    env: cleanEnvironment(),
    stdio: ["ignore", log, log],
  });
  target.pid = child.pid;
  local.children.add(child);
  child.on("exit", (code, signal) => {
    target.pid = undefined;
    local.children.delete(child);
    if (local.isOver) return;
    local.crashes.push(`${target.name} (${signal ?? code})`);
    startAgain(local, target, args);
  });
}

function listens({ host, port }: Target, resolve: (is: boolean) => void): void {
  const socket = connect(port, host);
  socket.on("error", () => resolve(false)).on("connect", () => resolve(true) ?? socket.destroy());
}

function run({ root, children }: Local, role: RoleName, args: string[]) {
  const more = role === "receiver" ? ["--advertise-host", HOST] : [];
  const { child, said, ended } = startRun(process.execPath, [...PROGRAM(role), ...args, ...more], root);
  children.add(child);
  child.on("exit", () => children.delete(child));
  const limitBytes = limitOf(root, role);
  const target: Target = { role, name: role, host: HOST, port: 0, limitBytes, pid: child.pid };
  return { target, said, ended, kill: async (signal: NodeJS.Signals) => child.kill(signal) };
}
