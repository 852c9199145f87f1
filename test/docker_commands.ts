/** Commands to the Docker engine: of the tests in containers (docker.ts), and of the attack (attack_engine.ts). */
import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";

/**
 * What the variable COMPOSE says: `docker-compose`, or `docker compose`, which is version 2; else the first of them that
 * is there. Its first arguments follow.
 */
export const [COMPOSE = "", ...COMPOSE_ARGS] = (process.env.COMPOSE || findCompose()).split(" ");

function findCompose(): string {
  try {
    execFileSync("docker-compose", ["version"], { stdio: "ignore" });
    return "docker-compose";
  } catch {
    return "docker compose";
  }
}

export interface RunToEndOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** In milliseconds. @default {60_000} */
  timeout?: number | undefined;
}

/** Runs a command to its end. @returns its stdout */
export async function runToEnd(
  command: string,
  args: string[],
  { cwd, env, timeout = 60_000 }: RunToEndOptions,
): Promise<string> {
  const options = { cwd, env, timeout, maxBuffer: 64 * 1024 * 1024 };
  return (await promisify(execFile)(command, args, options)).stdout.trim();
}
