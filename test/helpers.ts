/** What several tests need: roles as processes, a quiet log, and waiting for what is to become true. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createLog, type Log } from "../plumbing/log.ts";

const ROOT = `${import.meta.dirname}/..`;

/** A log that keeps its lines instead of showing them. */
export function keptLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog("test", { logLevel: "debug", writeLine: (line) => lines.push(line) }), lines };
}

/** Waits until `check` gives a value, and fails loudly when it doesn't in time. */
export async function until<T>(
  what: string | (() => string),
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    await delay(20);
  }
  throw new Error(`Timed out waiting: ${typeof what === "string" ? what : what()}`);
}

/** Waits for what must come to its end, but not for ever. */
export async function inTime<T>(what: string, promise: Promise<T>, timeoutMs = 60_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Timed out waiting: ${what}`)), timeoutMs);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}

/** This shell's, but of its ACK_ variables only the group's file. */
export function cleanEnvironment(): Record<string, string | undefined> {
  const isKept = (key: string) => !key.startsWith("ACK_") || key.endsWith("_GROUP_FILE");
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => isKept(key)));
}

/** Starts a program in the project's folder, with standard input open. */
export function startProgram(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...cleanEnvironment(), ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (said.stderr += text));
  return { child, said, ended: once(child, "close") };
}

export interface Role {
  child: ChildProcessByStdio<Writable, Readable, Readable>;
  stdout: () => string;
  stderr: () => string;
  /** Waits until stdout or stderr matches. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Waits for its end. */
  exitCode(): Promise<number | null>;
}

/** Starts a role as a process of its own; `through` is a program that starts what comes after it. */
export function startRole(
  file: string,
  args: string[] = [],
  env: Record<string, string> = {},
  through: string[] = [],
): Role {
  const node = [process.execPath, ...process.execArgv.filter(isLoader), file, ...args];
  const [command = "", ...rest] = [...through, ...node];
  const { child, said, ended } = startProgram(command, rest, env);
  return {
    child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    says(pattern) {
      const check = () => said.stdout.match(pattern) ?? said.stderr.match(pattern) ?? undefined;
      return until(() => `${file} says ${pattern}; it said: ${said.stdout}${said.stderr}`, check);
    },
    async exitCode() {
      await ended;
      return child.exitCode;
    },
  };
}

/** Of node's own arguments, those by which it reads TypeScript; not `--test`. */
function isLoader(arg: string, index: number, all: string[]): boolean {
  return arg === "--import" || all[index - 1] === "--import";
}

/** Ends a role and waits until it has. */
export async function stopRole(role: Role, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
  role.child.kill(signal);
  return role.exitCode();
}

/** The port of a discovery server that says where it listens. */
export async function discoveryUrl(discovery: Role): Promise<string> {
  const [, port] = await discovery.says(/listening on .*port (\d+)/);
  return `http://127.0.0.1:${port}`;
}
