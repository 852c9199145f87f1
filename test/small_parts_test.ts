import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { createChildController, isAbort, untilWoken, type Waiter } from "../plumbing/child_controller.ts";
import { createIds } from "../plumbing/ids.ts";
import { inLanes } from "../plumbing/lanes.ts";
import { createLog } from "../plumbing/log.ts";
import { openFilesLimit, problemWithOpenFiles } from "../plumbing/open_files.ts";
import { printable, quoted, shortId, showDuration } from "../plumbing/printable.ts";
import { createRecentIds } from "../plumbing/recent_ids.ts";
import { seededRandom } from "../plumbing/seeded_random.ts";
import { createCoin, FAULT_NAMES } from "../receiver.ts";
import { until } from "./helpers.ts";

test("createRecentIds() keeps at least the last 50,000 ids, without a gap", () => {
  const ids = createRecentIds();
  const idOf = (n: number) => `${n}`.padStart(36, "_"); // as long as a UUID
  // At each step only the edges are asked: what is known is always the newest ones, without a gap.
  for (let n = 1; n <= 260_000; n++) {
    ids.add(idOf(n));
    if (!ids.has(idOf(n))) assert.fail(`${n}: the newest is not known`);
    if (n >= 50_000 && !ids.has(idOf(n - 49_999))) assert.fail(`${n}: the 50,000th newest is not known`);
  }
  for (let n = 210_001; n <= 260_000; n++) assert.ok(ids.has(idOf(n)), "without a gap");
});

for (const [length, filling, bytes] of [
  [6, "_", 6],
  [36, "_", 36],
  [128, "_", 128],
  [128, "ação", 128],
  [128, "语", 256],
] as const) {
  test(`createRecentIds() keeps no more than 8 MiB of ids of ${length} characters such as ${filling}`, () => {
    const ids = createRecentIds();
    const most = Math.ceil((8 * 1024 * 1024) / (40 + bytes)) + 1;
    for (let n = 0; n < 400_000; n++) {
      ids.add(`${n}`.padStart(length, filling));
      if (ids.has(`${n - most}`.padStart(length, filling))) assert.fail(`${most} are kept`);
    }
  });
}

test("seededRandom() gives the same numbers for the same seed, others for another, all from 0 to 1", () => {
  const take = (seed: number) => Array.from({ length: 1000 }, seededRandom(seed));
  assert.deepEqual(take(7), take(7));
  assert.notDeepEqual(take(7), take(8));
  assert.ok(take(7).every((number) => number >= 0 && number < 1));
});

for (const rate of [0, 0.1, 0.5, 1]) {
  test(`createCoin() says a fault at a rate of ${rate}`, () => {
    const tossCoin = createCoin(rate, ["silent"], seededRandom(1));
    const faults = Array.from({ length: 10_000 }, tossCoin).filter((fault) => fault === "silent").length;
    assert.ok(Math.abs(faults / 10_000 - rate) < 0.02, `${faults} of 10,000`);
  });
}

test("createCoin() with several faults tells the same story for the same seed, and draws all of them", () => {
  const story = (seed: number) =>
    Array.from({ length: 1000 }, createCoin(0.5, FAULT_NAMES, seededRandom(seed)));
  assert.deepEqual(story(7), story(7));
  assert.notDeepEqual(story(7), story(8));
  for (const fault of FAULT_NAMES) {
    const times = story(7).filter((each) => each === fault).length;
    assert.ok(Math.abs(times - 100) < 40, `${fault} ${times} times of 1,000, and 100 are expected`);
  }
});

test("createCoin() draws only the faults that it was given", () => {
  const tossCoin = createCoin(1, ["late-ack", "exit"], seededRandom(1));
  assert.deepEqual(new Set(Array.from({ length: 100 }, tossCoin)), new Set(["late-ack", "exit"]));
});

test("createLog() writes one event a line, without what would move a terminal's cursor", () => {
  const lines: string[] = [];
  const log = createLog("client-1", { writeLine: (line) => lines.push(line) });
  log.info("hello \x1b[2J\n\x9bworld");
  log.debug("too much");
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^\d\d:\d\d:\d\d client-1 info: hello \\x1b\[2J\\x0a\\u009bworld$/);
});

test("createLog() writes JSON", () => {
  const lines: string[] = [];
  createLog("client-1", { logFormat: "json", writeLine: (line) => lines.push(line) }).warn("olá\u202e");
  assert.match(lines[0] ?? "", /"olá\\u202e"/);
  const { time, ...rest } = JSON.parse(lines[0] ?? "");
  assert.deepEqual(rest, { level: "warn", message: "olá\u202e", name: "client-1" });
  assert.ok(!Number.isNaN(Date.parse(time)));
});

test("createLog() keeps no line: each is written before the next", () => {
  const lines: string[] = [];
  const log = createLog("client-1", { writeLine: (line) => lines.push(line) });
  for (let n = 1; n <= 1000; n++) {
    log.info(`${n}`);
    assert.equal(lines.length, n);
  }
});

test("createLog() loses what nobody reads, says how much, and keeps nothing of it", async () => {
  const script = `
    import { createLog } from "./plumbing/log.ts";
    const log = createLog("role");
    for (let n = 0; n < 100_000; n++) log.info("x".repeat(100));
    process.send(process.stderr.writableLength);
    process.on("message", () => log.info("read again"));`;
  const args = [
    ...process.execArgv.filter((arg) => !arg.startsWith("--test")),
    "--input-type=module",
    "-e",
    script,
  ];
  const child = spawn(process.execPath, args, {
    cwd: `${import.meta.dirname}/..`,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const [kept] = await once(child, "message");
  assert.ok(kept > 1024 * 1024 && kept < 1.1 * 1024 * 1024, `${kept} bytes wait for a reader`);
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text) => (said += text));
  await until("what waited is read", () => said.length > 1024 * 1024);
  child.send("go on");
  const [, lost] = await until(
    "it says what was lost",
    () => said.match(/warn: (\d+) lines of this log were lost/) ?? undefined,
  );
  child.kill();
  const written = said.split("\n").filter((line) => line.endsWith("xxx")).length;
  assert.equal(written + Number(lost), 100_000);
});

test("printable() leaves letters of any language alone", () => {
  assert.equal(printable("olá 你好 🎉 עברית"), "olá 你好 🎉 עברית");
});

test("printable() lets nothing through that moves a cursor or turns a direction, and no half of a pair", () => {
  assert.equal(printable("\x1b[2J\x7f\x9b"), "\\x1b[2J\\u007f\\u009b");
  assert.equal(printable("a\u202eb\u2066c\u2069"), "a\\u202eb\\u2066c\\u2069");
  assert.equal(printable("a\ud83d b\udc00"), "a\\ud83d b\\udc00");
  for (let code = 0; code <= 0xffff; code++) {
    const shown = printable(String.fromCharCode(code));
    const isHarmful = /^[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]$/u.test(String.fromCharCode(code));
    assert.equal(shown.length > 1, isHarmful, `U+${code.toString(16)}`);
  }
});

test("printable() leaves JSON as it was: what is read back is the same", () => {
  const value = { text: Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join("") };
  const shown = printable(JSON.stringify(value));
  assert.equal(printable(shown), shown);
  assert.deepEqual(JSON.parse(shown), value);
});

test("shortId() gives the first eight characters, as harmless as printable()", () => {
  assert.equal(shortId("5f1c2a7e-1111"), "5f1c2a7e");
  assert.equal(shortId("a\x1b[2Jb"), "a\\x1b[2Jb");
});

test("quoted() cuts a long text, and says so", () => {
  assert.equal(quoted('say "oi"\n'), '"say \\"oi\\"\\n"');
  assert.equal(quoted("12345", 5), '"12345"');
  assert.equal(quoted("123456", 5), '"12345"…');
});

for (const [ms, shown] of [
  [0.123, "0.12ms"],
  [1, "1.0ms"],
  [12.34, "12.3ms"],
  [999.9, "999.9ms"],
  [1000, "1.0s"],
  [5012, "5.0s"],
] as const) {
  test(`showDuration() shows ${ms} ms as ${shown}`, () => assert.equal(showDuration(ms), shown));
}

test("problemWithOpenFiles() says both numbers when there are too few, and lets the rest pass", () => {
  assert.equal(
    problemWithOpenFiles("send", 1000, 1024),
    "Cannot send: that takes 1050 open files, and this process may have 1024; try ulimit -n 1050, or fewer",
  );
  assert.match(problemWithOpenFiles("send", 975, 1024) ?? "", /1025 open files/);
  assert.equal(problemWithOpenFiles("send", 974, 1024), undefined);
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

test("inLanes() rejects only when all that is under way has ended, and begins nothing more", async () => {
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  let isOver = false;
  const working = inLanes(3, [1, 2, 3, 4, 5], async (item) => {
    begun.push(item);
    if (item === 1) throw new Error("the first fails");
    await new Promise<void>((resolve) => ends.push(resolve));
  }).finally(() => {
    isOver = true;
  });
  working.catch(() => {}); // it is looked at below
  for (let done = 0; done < 2; done++) {
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isOver, false, `${done} of 2 are done`);
    ends.shift()?.();
  }
  await assert.rejects(working, /the first fails/);
  assert.deepEqual(begun, [1, 2, 3]);
});

test("inLanes() that fails in every lane begins nothing more", async () => {
  const begun: number[] = [];
  const working = inLanes(2, [1, 2, 3, 4], async (item) => {
    begun.push(item);
    throw new Error("no");
  });
  await assert.rejects(working, /no/);
  assert.deepEqual(begun, [1, 2]);
});

test("createChildController() ends with its parent, for the same reason, or alone", () => {
  const parent = new AbortController();
  const [child, other] = [createChildController(parent.signal), createChildController(parent.signal)];
  child.abort("given up");
  assert.deepEqual([child.signal.aborted, other.signal.aborted, parent.signal.aborted], [true, false, false]);
  assert.equal(child.signal.reason.message, "given up");
  assert.ok(isAbort(child.signal.reason));
  parent.abort(new Error("stopped"));
  assert.equal(other.signal.reason, parent.signal.reason);
  assert.equal(createChildController(parent.signal).signal.reason, parent.signal.reason, "even at once");
});

test("createChildController() forgets its parent at release()", () => {
  const parent = new AbortController();
  const child = createChildController(parent.signal);
  child.release();
  parent.abort();
  assert.equal(child.signal.aborted, false);
});

/** Work that goes on until its signal ends it. */
function endless(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

function makeWaiter() {
  const stop = new AbortController();
  const waiter: Waiter = { signal: stop.signal, wake: undefined };
  return { stop, waiter };
}

test("untilWoken() gives what the work gives", async () => {
  assert.equal(await untilWoken(makeWaiter().waiter, async () => "done"), "done");
});

test("untilWoken() is ended by wake, and leaves the signal alone", async () => {
  const { stop, waiter } = makeWaiter();
  const waiting = untilWoken(waiter, endless);
  waiter.wake?.();
  assert.equal(await waiting, undefined);
  assert.equal(stop.signal.aborted, false);
});

test("untilWoken() is ended by the signal, also by one that was aborted before", async () => {
  const { stop, waiter } = makeWaiter();
  const waiting = untilWoken(waiter, endless);
  stop.abort();
  assert.equal(await waiting, undefined);
  assert.equal(await untilWoken(waiter, endless), undefined);
});

test("untilWoken() rethrows other errors", async () => {
  const failing = async () => Promise.reject(new TypeError("a mistake"));
  await assert.rejects(untilWoken(makeWaiter().waiter, failing), { message: "a mistake" });
});

test("createIds() gives no id twice, also to two of one name, and people can tell them apart", () => {
  const makers = [createIds("client-4f2a61"), createIds("client-4f2a61"), createIds("demo")];
  const ids = makers.flatMap((newId) => Array.from({ length: 1000 }, newId));
  assert.equal(new Set(ids).size, 3000);
  assert.deepEqual(ids.slice(0, 2).map(shortId), ["1-4f2a61", "2-4f2a61"]);
  assert.ok(ids.every((id) => /^\d+-\w{16,18}$/.test(id)));
});
