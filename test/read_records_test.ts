/** How records are read: line by line, as often as is asked, each event once, what was cut apart; and the hash table. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import fc from "fast-check";
import type { TraceEvent } from "../trace/events.ts";
import { createHashTable } from "../trace/hash_table.ts";
import { MAX_LINE_BYTES, readLines } from "../trace/read_lines.ts";
import { readRecords } from "../trace/read_records.ts";
import { inTime, startRole, stopRole, until } from "./helpers.ts";
import { endAll, start } from "./started.ts";

const folder = mkdtempSync(join(tmpdir(), "read-"));
after(() => rmSync(folder, { recursive: true }));
afterEach(endAll);

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const event = (clock: number, more: Partial<TraceEvent> = {}): TraceEvent => ({
  event: "sent",
  process: "c",
  clock,
  at: 0,
  ...more,
});
const lines = (...events: TraceEvent[]) => events.map((each) => `${JSON.stringify(each)}\n`).join("");
const clocksOf = (records: Iterable<TraceEvent>) => [...records].map(({ clock }) => clock);

test("readLines() gives the lines of a file, however they lie in its chunks", () => {
  const line = fc.oneof(
    fc.constant(""),
    fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replaceAll("\n", "")),
    fc
      .tuple(fc.constantFrom("x", "é", "啊", "😀"), fc.integer({ min: 1, max: 300_000 }))
      .map(([c, n]) => c.repeat(n)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.boolean(), (texts, isWhole) => {
      const file = write("lines.txt", texts.join("\n") + (isWhole ? "\n" : ""));
      const expected = texts.map((text, i) => ({ text, isWhole: isWhole || i < texts.length - 1 }));
      if (texts.length === 0 && isWhole) expected.push({ text: "", isWhole: true });
      if (!isWhole && texts.at(-1) === "") expected.pop();
      assert.deepEqual([...readLines(file)], expected);
    }),
    { seed: 20, numRuns: 60 },
  );
});

test("readLines() names a line that is too long, and takes one that is nearly so", () => {
  const nearly = "x".repeat(MAX_LINE_BYTES - 1);
  const file = write("long.txt", `a\n${nearly}\n`);
  assert.deepEqual(
    [...readLines(file)].map(({ text }) => text.length),
    [1, nearly.length],
  );
  appendFileSync(file, `${nearly.slice(0, 1000).repeat(MAX_LINE_BYTES / 1000 + 500)}`);
  assert.throws(() => [...readLines(file)], {
    message: `Cannot read ${file}:3: a line of more than 16 MiB; is it a record?`,
  });
});

test("readLines() takes only what can be read twice, and doesn't wait for a pipe", () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const file of [folder, pipe, "/dev/null"]) {
    const message = `Cannot read ${file}: it is read more than once, so it must be a file: write it to one first`;
    assert.throws(() => [...readLines(file)], { message });
  }
});

test("readRecords() skips and names lines that were cut, in the middle and at the end", () => {
  for (const [end, last] of [
    ["", []],
    ['{"event":"se', [6]],
    [JSON.stringify(event(9)), [6]],
  ] as const) {
    const file = write(
      "cut.jsonl",
      `${lines(event(1))}{"event":"sent"\n\n{"event${lines(event(2), event(3))}${end}`,
    );
    const records = readRecords([file]);
    assert.deepEqual(clocksOf(records), [1, 3], "the fourth line is glued to one that was cut");
    assert.deepEqual(
      records.cut,
      [2, 3, 4, ...last].map((number) => `${file}:${number}`),
    );
    assert.deepEqual(clocksOf(records), [1, 3], "again");
    assert.equal(records.cut.length, 3 + last.length, "named once");
  }
});

test("readRecords() names the first of very many lines that were cut", () => {
  const records = readRecords([write("no_record.txt", "oi\n".repeat(5000))]);
  assert.deepEqual([...records], []);
  assert.equal(records.cut.length, 1000);
});

test("readRecords() gives each event once, whoever wrote its fields in which order", () => {
  const more = { message: "m", heard: 3, receiver: "r", from: "x" };
  const own = write("own.jsonl", lines(event(1), event(2, more)));
  const swapped = Object.fromEntries(Object.entries(event(2, more)).reverse()) as unknown as TraceEvent;
  const monitors = write("events.jsonl", lines(swapped, event(3), event(1)));
  const records = readRecords([own, monitors, own]);
  for (let time = 1; time <= 2; time++) assert.deepEqual(clocksOf(records), [1, 2, 3]);
});

test("readRecords() reads again what it read, though a record grew, and says so when one lost lines", () => {
  const files = ["one", "two"].map((name, index) =>
    write(`${name}.jsonl`, lines(event(1 + index), event(5 + index))),
  );
  const records = readRecords(files);
  assert.deepEqual(clocksOf(records), [1, 5, 2, 6]);
  appendFileSync(files[0] ?? "", lines(event(8)));
  assert.deepEqual(clocksOf(records), [1, 5, 2, 6]);
  truncateSync(files[1] ?? "", lines(event(2)).length);
  assert.throws(() => clocksOf(records), {
    message: `Cannot read ${files[1]}: it was made shorter meanwhile; try again`,
  });
});

test("readRecords() begins anew after it was left in the middle", () => {
  const records = readRecords([write("left.jsonl", lines(event(1), event(2)))]);
  for (const { clock } of records) if (clock === 1) break;
  assert.deepEqual(clocksOf(records), [1, 2]);
});

test("the checker needs little memory for many events, and a signal ends it at once", async () => {
  const file = join(folder, "many.jsonl");
  const descriptor = openSync(file, "w");
  for (let clock = 1; clock <= 300_000; clock += 1000) {
    const thousand = Array.from({ length: 1000 }, (_value, i) =>
      event(clock + i, { event: "listed", note: "x".repeat(200) }),
    );
    writeSync(descriptor, lines(...thousand));
  }
  closeSync(descriptor);
  // The events alone are more than that.
  const checker = startRole("trace/check_record.ts", [file], { NODE_OPTIONS: "--max-old-space-size=50" });
  assert.equal(await checker.exitCode(), 0, checker.stderr().slice(0, 500));
  assert.match(checker.stdout(), /^300000 events, 1 processes\n(✔ held .*\n){5}$/);

  const long = start("trace/check_record.ts", ...Array(100).fill(file));
  const open = `/proc/${long.child.pid}/fd`; // that it reads is told by the system, not by itself
  const isRead = (fd: string) => existsSync(join(open, fd)) && readlinkSync(join(open, fd)) === file;
  await until("it reads", () => readdirSync(open).some(isRead));
  await inTime("it ends", stopRole(long, "SIGINT"), 5000);
  assert.equal(long.child.signalCode, "SIGINT");
});

test("createHashTable() keeps keys apart, and their values while it grows", () => {
  const table = createHashTable(2, 8);
  for (let n = 0; n < 20_000; n++) {
    const at = table.add("key", n, "x".repeat(n % 5));
    table.values[at] = n;
    table.values[at + 1] = -n;
  }
  assert.equal(table.size, 20_000);
  for (let n = 0; n < 20_000; n++) {
    const at = table.find("key", n, "x".repeat(n % 5));
    assert.deepEqual([...table.values.subarray(at, at + 2)], [n, -n]);
    assert.equal(table.add("key", n, "x".repeat(n % 5)), at, "it is there");
    assert.equal(table.find("key", n, "x".repeat((n % 5) + 1)), -1);
  }
  for (const [key, other] of [
    [
      ["a", "bc"],
      ["ab", "c"],
    ],
    [["a", ""], ["a"]],
    [
      ["", "a"],
      ["a", ""],
    ],
    [["\0"], ["\0", ""]],
  ] as const) {
    const table = createHashTable();
    table.add(...key);
    assert.equal(table.find(...other), -1, JSON.stringify([key, other]));
  }
});
