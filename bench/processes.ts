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
  /** Its whole stdout, once it has ended by itself. Rejects unless that was with code 0. */
  output(): Promise<string>;
  /** Ends it and waits until it has. Rejects if it had ended before: it was to run until now, so it broke. */
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
  const { child, said, ended: closed } = startProgram(command, args);
  running.add(child);
  const ended = closed.finally(() => running.delete(child));
  ended.catch(() => {}); // it could not be started: who waits for it is told
  const lastWords = () => (said.stderr + said.stdout).trim().split("\n").slice(-3).join(" / ");

  return {
    pid: child.pid ?? 0,
    processorSeconds: watchProcessor(child),
    says(pattern) {
      const heard = new Promise<RegExpMatchArray>((resolve) => {
        const listen = () => {
          const match = `${said.stdout}${said.stderr}`.match(pattern);
          if (match) resolve(match);
        };
        listen();
        child.stdout.on("data", listen);
        child.stderr.on("data", listen);
      });
      const silent = ended.then(() => {
        throw new Error(`it ended before it said ${pattern}: ${lastWords()}`);
      });
      return inTime(`it says ${pattern}`, Promise.race([heard, silent]));
    },
    async output() {
      const [code, signal] = await inTime("it ends", ended);
      if (code !== 0) throw new Error(`it ended with ${signal ?? `code ${code}`}: ${lastWords()}`);
      return said.stdout;
    },
    async stop() {
      if (!running.has(child)) throw new Error(`it ended by itself: ${lastWords()}`);
      child.kill();
      await inTime("it ends", ended);
    },
  };
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
  // The fields after the name, which is in brackets and may have spaces; 12 and 13 are utime and stime.
  const fields = readProc(`${pid}/stat`)?.split(") ").at(-1)?.split(" ");
  return fields && (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function readProc(path: string): string | undefined {
  return existsSync(`/proc/${path}`) ? readFileSync(`/proc/${path}`, "utf8") : undefined;
}
