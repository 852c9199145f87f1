/** The house: which room may import which, what each image holds, and how large files and functions may be. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { listen } from "../plumbing/listen.ts";

const ROOT = join(import.meta.dirname, "..");
const ROLES = ["discovery", "receiver", "client", "monitor"];

/** Room → the rooms that it may import; those with "type" only for their types. Any room may import its own files. */
const DOORS: Record<string, string[]> = {
  plumbing: [],
  lib: ["plumbing"],
  group: ["lib", "plumbing"],
  trace: ["lib", "plumbing"],
  terminal: ["lib", "plumbing", "type group"],
  store: ["lib", "plumbing", "type trace"],
  monitor: ["lib", "plumbing", "trace"],
  role: ["lib", "group", "terminal", "plumbing", "trace", "store", "monitor"],
  classroom: ["role", "lib", "group", "plumbing", "trace", "monitor"],
  demo: ["role", "classroom", "terminal", "plumbing"],
  lesson: ["role", "classroom", "terminal", "plumbing"],
};

function listFiles(...patterns: string[]): string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...patterns];
  const listed = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
  return [...new Set(listed)].filter((file) => existsSync(join(ROOT, file)));
}
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

function roomOf(file: string): string {
  const [first = "", ...rest] = file.split("/");
  if (rest.length > 0) return first;
  return ROLES.includes(first.replace(".ts", "")) ? "role" : first.replace(".ts", "");
}

interface Import {
  from: string;
  to: string;
  isType: boolean;
}

/** What a file imports from the project itself. */
export function importsOf(file: string, source = read(file)): Import[] {
  const found = [
    ...source.matchAll(/^import\s+(type\s)?([^;]*?)\s*from "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm),
  ];
  return found.flatMap(([line, type, names = "", path, dynamic]) => {
    const to = normalize(join(dirname(file), path ?? dynamic ?? ""));
    const isType =
      type !== undefined || /^\{(\s*type \w+,?)+\s*\}$/.test(names) || /@|\*\s/.test(line[0] ?? "");
    return [{ from: file, to, isType }];
  });
}

/** @returns what is wrong with an import, if anything */
export function forbidden({ from, to, isType }: Import): string | undefined {
  const [room, wanted] = [roomOf(from), roomOf(to)];
  if (room === wanted && room !== "role") return undefined;
  if (isType && wanted === "role" && !["lib", "plumbing"].includes(room)) return undefined;
  const doors = DOORS[room] ?? [];
  if (doors.includes(wanted) || (isType && doors.includes(`type ${wanted}`))) return undefined;
  return `${from} imports ${to}: ${room} may import ${doors.join(", ") || "nothing"}`;
}

const CODE = listFiles("*.ts").filter((file) => DOORS[roomOf(file)] !== undefined);

test("each room imports only the rooms that it may", () => {
  assert.deepEqual(
    CODE.flatMap((file) => importsOf(file)).flatMap((each) => forbidden(each) ?? []),
    [],
  );
});

test("a forbidden import is found, and one of a type told from one of a value", () => {
  const problems = (file: string, source: string) => importsOf(file, source).map((each) => forbidden(each));
  assert.match(
    problems("lib/links.ts", 'import { main } from "../client.ts";')[0] ?? "",
    /lib may import plumbing/,
  );
  assert.match(
    problems("plumbing/log.ts", 'import type { Ack } from "../lib/messages.ts";')[0] ?? "",
    /nothing/,
  );
  assert.match(
    problems("group/a.ts", 'const a = await import("../terminal/screen.ts");')[0] ?? "",
    /group may/,
  );
  assert.match(problems("client.ts", 'import { register } from "./discovery.ts";')[0] ?? "", /role may/);
  const value = 'import { type Member, sendToAll } from "../group/send_to_all.ts";';
  assert.match(problems("terminal/report.ts", value)[0] ?? "", /terminal may/);
  const types = 'import { type Member, type Need } from "../group/send_to_all.ts";';
  assert.deepEqual(problems("terminal/report.ts", types), [undefined]);
});

/** All files that run when `file` does. */
function reach(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { to, isType } of importsOf(file)) if (!isType) reach(to, seen);
  return seen;
}

for (const role of ROLES) {
  test(`the ${role}'s image holds the rooms that ${role}.ts imports, and no other`, () => {
    const copied = [...read(`Dockerfile.${role}`).matchAll(/^COPY --chown=node:node (\w+) \1$/gm)].map(
      ([, room]) => room,
    );
    const rooms = new Set([...reach(`${role}.ts`)].map(roomOf).filter((room) => room !== "role"));
    assert.deepEqual(copied.toSorted(), [...rooms].sort());
    const context = new Set(read(".dockerignore").split("\n"));
    assert.deepEqual(
      [...rooms].filter((room) => !context.has(`!${room}`)),
      [],
      "Docker sees it",
    );
  });
}

test("the images that need no tsx begin alike, so that their layers are stored once; all have one base", () => {
  const [discovery, ...others] = ROLES.map((role) => {
    const lines = read(`Dockerfile.${role}`).split("\n");
    const first = lines.slice(
      lines.findIndex((line) => line.startsWith("# The first half")),
      lines.indexOf("USER node"),
    );
    return { role, first: first.join("\n"), base: lines.filter((line) => line.startsWith("FROM ")) };
  });
  for (const { role, first, base } of others) {
    if (role !== "client") assert.equal(first, discovery?.first);
    assert.deepEqual(base, discovery?.base);
  }
  assert.match(discovery?.base.join() ?? "", /^FROM node(:24-slim)?(@sha256:\w+)?$/);
});

/** Runs the audit against a registry that answers so. @returns its exit code and what it says */
async function audit(status: number, advisories: object) {
  const valibot = { name: "valibot", versions: { "1.0.0": { name: "valibot", version: "1.0.0" } } };
  const registry = createServer(({ method }, answer) => {
    answer.writeHead(method === "POST" ? status : 200, { "Content-Type": "application/json" });
    answer.end(JSON.stringify(method === "POST" ? advisories : valibot));
  });
  const port = await listen(registry, 0, "127.0.0.1");
  const cache = mkdtempSync(join(tmpdir(), "audit-")); // of what it was told once, npm doesn't ask again
  const env = {
    ...process.env,
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_cache: cache,
  };
  try {
    const { stdout } = await promisify(execFile)(join(ROOT, ".ci/audit"), { env, timeout: 60_000 });
    return { code: 0, said: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, said: stdout };
  } finally {
    registry.close();
    rmSync(cache, { recursive: true });
  }
}

test("a hole that is known and high fails the audit; a registry without one doesn't, and it says so", async () => {
  const hole = (severity: string) => {
    const url = "https://example.org/1";
    return { valibot: [{ id: 1, url, title: "a hole", severity, vulnerable_versions: "*", cwe: [] }] };
  };
  const found = await audit(200, hole("high"));
  assert.equal(found.code, 1);
  assert.match(found.said, /valibot/);
  assert.deepEqual(await audit(405, {}), {
    code: 0,
    said: "audit: NOT done, as the registry has no answer to it\n",
  });
  const clean = { code: 0, said: "audit: no known hole that is high or worse in what ships\n" };
  assert.deepEqual(await audit(200, {}), clean);
  assert.deepEqual(await audit(200, hole("low")), clean);
});

const countLines = (file: string) => read(file).split("\n").length - 1;
const LIMITS: Record<string, number> = { "discovery.ts": 210, "receiver.ts": 260, "client.ts": 250 };
const isTest = (file: string) =>
  /_test\.ts$|^test\/(docker|browser|browser_truth|browser_time|browser_desk|registry_suite|etcd|etcd_faults)\.ts$/.test(
    file,
  );

test("lib/ is tiny, and the port can be read in class", () => {
  const lib = listFiles("lib/*");
  assert.ok(lib.length <= 7, `${lib.length} files`);
  const sum = (files: string[]) => files.reduce((lines, file) => lines + countLines(file), 0);
  assert.ok(sum(lib) <= 650, `lib/ has ${sum(lib)} lines`);
  const port = sum([...lib, ...Object.keys(LIMITS)]);
  assert.ok(port <= 1370, `the port has ${port} lines`);
});

test("no file is longer than one can read in a sitting", () => {
  const files = listFiles("*.ts", "*.js", "*.css").filter((file) => !isTest(file));
  const long = files.filter((file) => countLines(file) > (LIMITS[file] ?? 180));
  assert.deepEqual(
    long.map((file) => `${file}: ${countLines(file)}`),
    [],
  );
});

/** Functions with more than 40 lines, from their head to their closing brace; the formatter keeps both in one column. */
export function longFunctions(file: string, source = read(file)): string[] {
  const lines = source.split("\n");
  return lines.flatMap((line, start) => {
    const head = line.match(/^(\s*)(?:export )?(?:async )?function\b|^(\s*)(?:export )?const \w+ = .*=> \{$/);
    if (!head) return [];
    const indent = head[1] ?? head[2] ?? "";
    const length =
      lines.slice(start).findIndex((each) => each.startsWith(`${indent}}`) && /^\s*\}[;,)]*$/.test(each)) + 1;
    return length > 40 ? [`${file}:${start + 1} has ${length} lines`] : [];
  });
}

test("no function is longer than 40 lines", () => {
  const files = listFiles("*.ts", "*.js").filter((file) => !isTest(file));
  assert.deepEqual(
    files.flatMap((file) => longFunctions(file)),
    [],
  );
  const long = `function long({\n  a,\n}: A) {\n${"  a();\n".repeat(40)}}\n`;
  assert.deepEqual(longFunctions("a.ts", long), ["a.ts:1 has 44 lines"]);
});
