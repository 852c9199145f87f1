/** Everything that is measured runs as a process of its own; here they are started, heard and ended. */
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { inTime, startProgram } from "../test/helpers.ts";

const TICKS_PER_SECOND = 100; // in which Linux counts a process's time, on every machine that we know

export interface Started {
  pid: number;
  /** The processor time that it has used, in seconds, as it was seen last; undefined without Linux's /proc. */
  processorSeconds(): number | undefined;
  /** Resolves as soon as its output matches; rejects when it ends or takes too long. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Writes a line to its standard input. */
  tell(line: string): void;
  /** Its whole stdout, once it has ended by itself. Rejects unless that was with code 0. */
  output(): Promise<string>;
  /** Throws if it has ended, with what it said last: it was to run until now, so it broke. */
  checkRuns(): void;
  /** Ends it and waits until it has. Rejects if it had ended before. */
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 20;

const running = new Set<ChildProcess>();

/** Ends all that still runs. */
export function stopAll(): void {
  for (const child of running) child.kill();
}

/** Starts a TypeScript file as its user does, with its own node. */
export function startScript(file: string, args: readonly string[]): Started {
  return start(process.execPath, ["--import", "tsx", file, ...args]);
}

/** Starts a program in the project's folder. */
export function start(command: string, args: readonly string[]): Started {
  const program = startProgram(command, args);
  const { child, said, ended: closed } = program;
  running.add(child);
  const ended = closed.finally(() => running.delete(child));
  ended.catch(() => {}); // it could not be started: who waits for it is told
  const lastWords = () => (said.stderr + said.stdout).trim().split("\n").slice(-3).join(" / ");

  function checkRuns() {
    if (!running.has(child)) throw new Error(`it ended by itself: ${lastWords()}`);
  }

  return {
    pid: child.pid ?? 0,
    processorSeconds: watchProcessor(child),
    says(pattern) {
      const silent = ended.then(() => {
        throw new Error(`it ended before it said ${pattern}: ${lastWords()}`);
      });
      return inTime(`it says ${pattern}`, Promise.race([untilSaid(program, pattern), silent]));
    },
    tell: (line) => void child.stdin.write(`${line}\n`),
    async output() {
      const [code, signal] = await inTime("it ends", ended);
      if (code !== 0) throw new Error(`it ended with ${signal ?? `code ${code}`}: ${lastWords()}`);
      return said.stdout;
    },
    checkRuns,
    async stop() {
      checkRuns();
      child.kill();
      await inTime("it ends", ended);
    },
  };
}

function untilSaid({ child, said }: ReturnType<typeof startProgram>, pattern: RegExp) {
  return new Promise<RegExpMatchArray>((resolve) => {
    const listen = () => {
      const match = `${said.stdout}${said.stderr}`.match(pattern);
      if (match) resolve(match);
    };
    listen();
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
  });
}

/** Looks again and again: once it has ended nobody can say. @returns a function that says how much it was at last */
function watchProcessor(child: ChildProcess): Started["processorSeconds"] {
  let seconds: number | undefined;
  const look = () => {
    seconds = processorSeconds(child.pid ?? 0) ?? seconds;
    return seconds;
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  child.on("exit", () => clearInterval(looking));
  return look;
}

/** Whether a command is on the PATH. */
export function isOnPath(command: string): boolean {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(`${folder}/${command}`));
}

/** The memory of a process, in bytes; undefined without Linux's /proc. */
export function residentBytes(pid: number): number | undefined {
  const kib = readProc(`${pid}/status`)?.match(/VmRSS:\s+(\d+) kB/)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** The processor time that a process has used, in seconds; undefined without Linux's /proc. */
export function processorSeconds(pid: number): number | undefined {
  const times = readTimes(pid);
  return times && times.user + times.system;
}

/** The same of all processes that this one started and that have ended, with those that they started. */
export function endedProcessorSeconds(): number | undefined {
  const times = readTimes("self");
  return times && times.endedUser + times.endedSystem;
}

function readTimes(process: number | "self") {
  // The fields after the name, which is in brackets and may have spaces.
  const fields = readProc(`${process}/stat`)?.split(") ").at(-1)?.split(" ");
  if (fields === undefined) return undefined;
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields
    .slice(11, 15)
    .map((ticks) => Number(ticks) / TICKS_PER_SECOND);
  return { user, system, endedUser, endedSystem };
}

function readProc(path: string): string | undefined {
  return existsSync(`/proc/${path}`) ? readFileSync(`/proc/${path}`, "utf8") : undefined;
}
