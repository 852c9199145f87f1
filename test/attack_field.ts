/** What is attacked, as attack_containers.ts and attack_local.ts start it, and what of it both do in the same way. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { cleanEnvironment } from "./helpers.ts";

export type RoleName = "discovery" | "monitor" | "receiver" | "client";

const MAX_KEPT_BYTES = 8 * 1024 * 1024; // of what a program that ends has said; one that says more is at fault

export interface Target {
  role: RoleName;
  name: string;
  /** Where this program reaches it. */
  host: string;
  port: number;
  limitBytes: number;
  /** Undefined while it doesn't run. */
  pid: number | undefined;
}

/** A program that comes to its end: a client, or a receiver among liars. */
export interface Run {
  target: Target;
  said: { stdout: string; stderr: string; bytes: number };
  /** Its exit code, as a shell would say it. */
  ended: Promise<number>;
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<unknown>;
}

export interface Field {
  /** Where the roles reach this program's own servers. */
  ownHost: string;
  discovery: Target; // of the honest group: nobody else is let in
  flooded: Target; // another discovery, of a group that nobody honest belongs to
  monitor: Target;
  receivers: Target[]; // of the honest group
  worker: Target; // a receiver of the flooded group that works for 8 s at each message
  /** Starts a role that ends. */
  run(role: RoleName, args: string[]): Run;
  /** Finds those again that were started anew. */
  look(): Promise<void>;
  logOf(target: Target): Readable;
  /** What it has in memory after a collection, in bytes. */
  liveBytesOf(target: Target): Promise<number>;
  /** What ended though nobody had asked it to, and what the system killed for its memory: names, with why. */
  crashes: string[];
  outOfMemory: string[];
  end(): Promise<void>;
}

export function standing({ discovery, flooded, monitor, receivers, worker }: Field): Target[] {
  return [discovery, flooded, monitor, ...receivers, worker];
}

/** How its own side calls a role. */
export const urlOf = ({ host, port }: Pick<Target, "host" | "port">) => `http://${host}:${port}`;

/** The memory that a role's Compose file gives it. */
export function memoryLimit(root: string, role: RoleName): number {
  const [, mib] =
    readFileSync(join(root, `docker-compose.${role}.yml`), "utf8").match(/mem_limit: (\d+)m/) ?? [];
  if (mib === undefined) throw new Error(`Cannot attack: docker-compose.${role}.yml has no mem_limit`);
  return Number(mib) * 1024 * 1024;
}

/** What its Compose file tells V8 of that, if anything. */
export function nodeOptions(root: string, role: RoleName): string {
  const file = readFileSync(join(root, `docker-compose.${role}.yml`), "utf8");
  return file.match(/NODE_OPTIONS: ([^#\n]+)/)?.[1]?.trim() ?? "";
}

/** Starts a program and keeps what it says, up to a bound. */
export function startRun(command: string, args: string[], cwd: string) {
  const child: ChildProcess = spawn(command, args, {
    cwd,
    env: cleanEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "", bytes: 0 };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      said.bytes += text.length;
      if (said.bytes < MAX_KEPT_BYTES) said[stream] += text;
    });
  const ended = new Promise<number>((resolve) =>
    child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"])),
  );
  return { child, said, ended };
}

/** What of a log must not be there. A line of a stack begins like that. */
export const isTrace = (line: string) => /^\s+at .*[(:]/.test(line);
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal would obey
export const hasControls = (text: string) => /[\x00-\x08\x0b-\x1f\x7f\x9b]/.test(text);
