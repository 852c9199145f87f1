/** A record that meets harm: a line that was cut, a full disk, and a file that is taken away while it is written. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { TraceEvent } from "../trace/events.ts";
import { openRecord } from "../trace/record.ts";
import { startRole, until } from "./helpers.ts";
import { endAll, roles, start, startOwnDiscovery } from "./started.ts";
import { createDiscoveryApi } from "./wires.ts";

const folder = mkdtempSync(join(tmpdir(), "harmed-"));
after(() => rmSync(folder, { recursive: true }));
afterEach(endAll);

const event = (clock: number, note?: string): TraceEvent => ({
  event: "sent",
  process: "p",
  clock,
  at: 0,
  note,
});
const linesOf = (file: string) => readFileSync(file, "utf8").split("\n");
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

for (const [what, before, lines] of [
  ["nothing", "", []],
  ["a whole line", '{"a":1}\n', ['{"a":1}']],
  ["a line that was cut", '{"a":1}\n{"b":', ['{"a":1}', '{"b":']],
] as const) {
  test(`openRecord() begins on a new line after ${what}`, () => {
    const file = write("begun.jsonl", before);
    openRecord(file)(event(7));
    assert.deepEqual(linesOf(file), [...lines, JSON.stringify(event(7)), ""]);
  });
}

/** Writes lines without end: ten, then it waits for a word, then all others. */
const script = write(
  "writer.ts",
  `import { openRecord } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../trace/record.ts")).href)};
const [file = "", process_ = "", count = ""] = process.argv.slice(2);
const record = openRecord(file, ({ message }) => console.log(message));
let clock = 0;
const write = () => record({ event: "sent", process: process_, clock: ++clock, at: 0, note: "x".repeat(clock % 97) });
while (clock < 10) write();
console.log("ten");
process.stdin.once("data", () => {
  while (clock < Number(count)) write();
  process.exit(0);
});
`,
);

function startWriter(file: string, name: string, count: number, through: string[] = []) {
  const writer = startRole(script, [file, name, String(count)], {}, through);
  roles.push(writer);
  return writer;
}

test("openRecord() keeps all lines whole when two processes begin at once after a line that was cut", async () => {
  const file = write("two.jsonl", '{"event":"sen');
  const writers = ["a", "b"].map((name) => startWriter(file, name, 10_000));
  for (const writer of writers) await writer.says(/ten/);
  for (const { child } of writers) child.stdin.write("go\n");
  for (const writer of writers) assert.equal(await writer.exitCode(), 0, writer.stderr());
  const [cut, ...lines] = linesOf(file).filter((line) => line !== "");
  assert.equal(cut, '{"event":"sen');
  const events = lines.map((line) => JSON.parse(line) as TraceEvent);
  for (const name of ["a", "b"])
    assert.deepEqual(
      events.filter(({ process }) => process === name).map(({ clock }) => clock),
      Array.from({ length: 10_000 }, (_value, index) => index + 1),
    );
});

// No file of the process may be longer; the signal that says so is ignored.
const small = ["sh", "-c", `trap '' XFSZ; ulimit -f 64; exec "$@"`, "sh"];
const isWhole = (line: string) => line.startsWith("{") && line.endsWith("}");

test("openRecord() keeps the last whole line, and nothing after it, when the disk is full", async () => {
  const file = join(folder, "full.jsonl");
  const writer = startWriter(file, "full", 1e6, small);
  await writer.says(/ten/);
  writer.child.stdin.write("go\n");
  assert.equal(await writer.exitCode(), 1);
  assert.match(writer.stdout(), /^Cannot record to .*full.jsonl: no room for the whole of a line$/m);
  const lines = linesOf(file);
  assert.equal(lines.pop(), "", "it ends with a whole line");
  assert.ok(lines.length > 100 && lines.every(isWhole));
});

test("openRecord() takes nothing back on a full disk where another process writes, too", async () => {
  const file = join(folder, "shared-full.jsonl");
  const writer = startWriter(file, "full", 1e6, small);
  await writer.says(/ten/);
  const other = `${JSON.stringify({ other: 1 })}\n`;
  appendFileSync(file, other);
  writer.child.stdin.write("go\n");
  assert.equal(await writer.exitCode(), 1);
  const lines = linesOf(file);
  assert.notEqual(lines.at(-1), "", "half a line");
  assert.equal(statSync(file).size % 512, 0, "all that the limit had room for");
  assert.ok(lines.slice(0, -1).every(isWhole));
  assert.ok(lines.includes(other.trim()), "the other's line");
});

for (const [what, harm, problem] of [
  ["deleted", (file: string) => rmSync(file), "deleted or renamed"],
  ["renamed", (file: string) => renameSync(file, `${file}.1`), "deleted or renamed"],
  [
    "renamed, and another is in its place",
    (file: string) => {
      renameSync(file, `${file}.1`);
      writeFileSync(file, "x".repeat(100_000));
    },
    "deleted or renamed",
  ],
  ["emptied", (file: string) => truncateSync(file, 0), "made shorter"],
  [
    "made one byte shorter",
    (file: string) => truncateSync(file, linesOf(file).join("\n").length - 1),
    "made shorter",
  ],
] as const) {
  test(`openRecord() says once that its file was ${what}, a second later at most`, async () => {
    const file = join(folder, `${what.replaceAll(" ", "-")}.jsonl`);
    const failures: string[] = [];
    const record = openRecord(file, ({ message }) => void failures.push(message));
    for (let clock = 1; clock <= 10; clock++) record(event(clock));
    harm(file);
    let clock = 10;
    const thrown = await until("it notices", () => {
      try {
        record(event(++clock));
      } catch (error) {
        return (error as Error).message;
      }
    });
    assert.ok(
      thrown.startsWith(`Cannot record to ${file}: it was ${problem} meanwhile; start again`),
      thrown,
    );
    assert.doesNotThrow(() => record(event(++clock)), "it drops what comes");
    assert.deepEqual(failures, [thrown]);
  });
}

test("openRecord() doesn't mind what others append", async () => {
  const file = join(folder, "others.jsonl");
  const record = openRecord(file, ({ message }) => assert.fail(message));
  const begun = performance.now();
  let clock = 0;
  await until("it has looked twice", () => {
    record(event(++clock));
    appendFileSync(file, "{}\n");
    return performance.now() - begun > 2200;
  });
});

test("a record that is deleted ends a receiver in order, with 1 and a line that says so", async () => {
  const { url } = await startOwnDiscovery();
  const file = join(folder, "receiver.jsonl");
  const common = ["--discovery", url, "--log-level", "warn"];
  const own = ["--advertise-host", "127.0.0.1", "--fault-rate", "0", "--record", file];
  const receiver = start("receiver.ts", ...common, ...own);
  const { list } = createDiscoveryApi(url);
  await until("it has joined", async () => (await list()).receivers.length === 1);
  const client = start("client.ts", ...common, "--to", "0", "--count", "1000000", "--attempts", "1");
  await until("it records", () => linesOf(file).length > 100);
  rmSync(file);
  assert.equal(await receiver.exitCode(), 1);
  assert.equal(
    receiver.stderr(),
    `Cannot record to ${file}: it was deleted or renamed meanwhile; start again to begin a new one\n`,
  );
  assert.deepEqual((await list()).receivers, [], "it has left");
  client.child.kill();
});
