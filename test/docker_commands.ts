/** Commands to the Docker engine: of the tests in containers (docker*.ts), and of the attack (attack_engine.ts). */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const ROOT = join(import.meta.dirname, "..");
/** Each has a Compose file of its own. */
export const ROLES = ["discovery", "receiver", "client", "monitor"] as const;
export const BUILD_TIMEOUT_MS = 10 * 60_000; // the first time, the packages are fetched

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

/** Compose's arguments: its files, and what it shall do with them. */
export function composeLine(files: readonly string[], ...args: string[]): string[] {
  return [...COMPOSE_ARGS, ...files.flatMap((file) => ["-f", `docker-compose.${file}.yml`]), ...args];
}

/**
 * The environment of a Compose project that no other disturbs, under its own name, with images of its own. What a student
 * may have set, in the shell or in .env, is not for it.
 */
export function ownProject(name: string, own: Record<string, string>): NodeJS.ProcessEnv {
  const files = readdirSync(ROOT).filter((file) => file.startsWith("docker-compose."));
  const variables = files.flatMap((file) => [
    ...readFileSync(join(ROOT, file), "utf8").matchAll(/\$\{(\w+):-/g),
  ]);
  const unset = Object.fromEntries(variables.map(([, variable]) => [variable, ""]));
  const project = { COMPOSE_PROJECT_NAME: name, COMPOSE_IGNORE_ORPHANS: "true", TAG: name };
  return { ...process.env, ...unset, ...project, ...own };
}

/** How the containers of a project are found that Compose has made. */
export const labelOf = (project: string) => `label=com.docker.compose.project=${project}`;

export interface Project {
  name: string;
  /** What is set here later holds for the commands that follow. */
  env: NodeJS.ProcessEnv;
  docker(...args: string[]): Promise<string>;
  compose(args: string[], timeout?: number): Promise<string>;
  /** The ids of those that run. */
  containersOf(service: string): Promise<string[]>;
}

/** A project for a test, made of these Compose files of the project's folder, or of a copy of it. */
export function openProject(
  files: readonly string[],
  own: Record<string, string>,
  cwd: string = ROOT,
): Project {
  const name = `acktest${process.pid}`;
  const env = ownProject(name, own);
  const docker = (...args: string[]) => runToEnd("docker", args, { cwd, env });
  const compose = (args: string[], timeout?: number) =>
    runToEnd(COMPOSE, composeLine(files, ...args), { cwd, env, timeout });
  async function containersOf(service: string) {
    const filters = [labelOf(name), `label=com.docker.compose.service=${service}`];
    const ids = await docker("ps", "-q", "--no-trunc", ...filters.flatMap((each) => ["--filter", each]));
    return ids.split("\n").filter(Boolean);
  }
  return { name, env, docker, compose, containersOf };
}

/** A copy of the project that containers may read, without its packages. @returns its folder */
export function copyProject(root: string = ROOT): string {
  const folder = mkdtempSync(join(tmpdir(), "copy-"));
  cpSync(root, folder, { recursive: true, filter: (file) => !/\/(node_modules|\.git)$/.test(file) });
  chmodSync(folder, 0o755); // in the container another user reads it
  return folder;
}
