import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCoin, FAULTS, seededRandom } from "../lib/faults.ts";
import { createRecentIds } from "../lib/recent_ids.ts";
import { inLanes } from "../plumbing/lanes.ts";
import { createLog, printable } from "../plumbing/log.ts";
import { checkOpenFiles, openFilesLimit } from "../plumbing/open_files.ts";
import { createTally, type Result, showResult } from "../terminal/results.ts";

test("createRecentIds() remembers at least the newest ids, and at most twice as many", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100 }), (atLeast, added) => {
      const ids = createRecentIds({ atLeast });
      for (let n = 1; n <= added; n++) ids.add(`${n}`);
      for (let n = Math.max(1, added - atLeast + 1); n <= added; n++) assert.ok(ids.has(`${n}`));
      for (let n = 1; n <= added - 2 * atLeast; n++) assert.ok(!ids.has(`${n}`));
    }),
  );
});

test("seededRandom() gives the same numbers for the same seed, others for another, all from 0 to 1", () => {
  const take = (seed: number) => Array.from({ length: 1000 }, seededRandom(seed));
  assert.deepEqual(take(7), take(7));
  assert.notDeepEqual(take(7), take(8));
  assert.ok(take(7).every((number) => number >= 0 && number < 1));
});

for (const rate of [0, 0.1, 0.5, 1]) {
  test(`createCoin() says a fault at a rate of ${rate}`, () => {
    const tossCoin = createCoin({ rate, faults: ["silent"], random: seededRandom(1) });
    const faults = Array.from({ length: 10_000 }, tossCoin).filter((fault) => fault === "silent").length;
    assert.ok(Math.abs(faults / 10_000 - rate) < 0.02, `${faults} of 10,000`);
  });
}

test("createCoin() with several faults tells the same story for the same seed, and draws all of them", () => {
  const story = (seed: number) =>
    Array.from({ length: 1000 }, createCoin({ rate: 0.5, faults: FAULTS, random: seededRandom(seed) }));
  assert.deepEqual(story(7), story(7));
  assert.notDeepEqual(story(7), story(8));
  for (const fault of FAULTS) {
    const times = story(7).filter((each) => each === fault).length;
    assert.ok(Math.abs(times - 100) < 40, `${fault} ${times} times of 1,000, and 100 are expected`);
  }
});

test("createCoin() draws only the faults that it was given", () => {
  const tossCoin = createCoin({ rate: 1, faults: ["late-ack", "exit"], random: seededRandom(1) });
  assert.deepEqual(new Set(Array.from({ length: 100 }, tossCoin)), new Set(["late-ack", "exit"]));
});

test("createLog() writes one event a line, without what would move a terminal's cursor", () => {
  const lines: string[] = [];
  const log = createLog("client-1", { writeLine: (line) => lines.push(line) });
  log.info("hello \x1b[2J\n\x9bworld");
  log.debug("too much");
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^\d\d:\d\d:\d\d client-1 info: hello \\x1b\[2J\\x0a\\x9bworld$/);
});

test("createLog() writes JSON", () => {
  const lines: string[] = [];
  createLog("client-1", { logFormat: "json", writeLine: (line) => lines.push(line) }).warn("olá");
  const { time, ...rest } = JSON.parse(lines[0] ?? "");
  assert.deepEqual(rest, { level: "warn", message: "olá", name: "client-1" });
  assert.ok(!Number.isNaN(Date.parse(time)));
});

test("printable() leaves letters of any language alone", () => {
  assert.equal(printable("olá 你好 🎉"), "olá 你好 🎉");
});

const result: Result = { id: "m1", receiver: "5f1c2a7e-0000", outcome: "acked", attempts: 2, ms: 5012 };

test("showResult() says each of the three outcomes in words that differ", () => {
  assert.equal(showResult(result), "acked by 5f1c2a7e, after 2 attempts, in 5.0s");
  assert.match(showResult({ ...result, duplicate: true }), /processed at an earlier attempt/);
  assert.match(
    showResult({ ...result, outcome: "undelivered", reason: "ECONNREFUSED" }),
    /never reached.*ECONNREFUSED/,
  );
  assert.match(showResult({ ...result, outcome: "unknown", reason: "given up" }), /may or may not.*given up/);
});

test("createTally() counts, and shows how many attempts messages took", () => {
  const tally = createTally();
  for (const attempts of [1, 1, 2, 9, 12]) tally.add({ ...result, attempts, duplicate: attempts > 1 });
  tally.add({ ...result, outcome: "unknown", attempts: 3 });
  const [total, attempts, time, ...bars] = tally.show();
  assert.match(total ?? "", /^6 messages: 5 acked, 0 undelivered, 1 unknown/);
  assert.match(attempts ?? "", /^attempts: 28, 4.67 a message; acked as duplicates: 3$/);
  assert.match(time ?? "", /median 5.0s, 99th percentile 5.0s/);
  assert.deepEqual(
    bars.map((bar) => bar.replace(/█+/, "█")),
    ["  1 attempt  █ 2", "  2 attempts █ 1", " 8+ attempts █ 2"],
  );
});

test("checkOpenFiles() says both numbers when there are too few, and lets the rest pass", () => {
  const check = (sockets: number, limit: number) => () => checkOpenFiles("send", sockets, limit);
  assert.throws(check(1000, 1024), /Cannot send: .* 1100 open files, .* may have 1024\nTry: ulimit -n 1100/);
  assert.doesNotThrow(check(924, 1024));
  const limit = openFilesLimit();
  assert.ok(limit === undefined || limit > 0);
});

test("inLanes() works on each item once, and on so many at a time", async () => {
  let underWay = 0;
  let most = 0;
  const done: number[] = [];
  await inLanes(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    done.push(item);
  });
  assert.deepEqual(done.toSorted(), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(most, 3);
  await assert.rejects(
    inLanes(2, [1], () => Promise.reject(new Error("no"))),
    /no/,
  );
});
