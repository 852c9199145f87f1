/** Recorded runs in the monitor: what `--replay` shows, in which order, how much of it, and what it refuses. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openReplay } from "../monitor/replay.ts";
import { UsageError } from "../plumbing/options.ts";
import { readRecord } from "../trace/check_record.ts";
import type { TraceEvent } from "../trace/events.ts";
import { keptLog, startRole } from "./helpers.ts";
import { endAll, roles, start } from "./started.ts";
import { fetch } from "./wires.ts";

const folder = mkdtempSync(join(tmpdir(), "replay-"));
after(() => rmSync(folder, { recursive: true }));
afterEach(endAll);

const at = (time: number, process: string, clock: number, message: string): TraceEvent => ({
  ...{ event: "sent", process, clock, at: time, message },
});

/** Writes a record. @returns its path */
function write(name: string, ...lines: (TraceEvent | string)[]): string {
  const text = lines.map((line) => (typeof line === "string" ? line : `${JSON.stringify(line)}\n`)).join("");
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function open(files: string[], limits = {}) {
  const { log, lines } = keptLog();
  const { store, first, last } = openReplay(files, log, limits);
  const events = store.from(store.first()).map((json) => JSON.parse(json.toString()) as TraceEvent);
  return { events, messages: events.map(({ message }) => message), first, last, lines };
}

test("openReplay() merges records by the wall clock, then by the Lamport clock, then as they stand", () => {
  const a = write(
    "a.jsonl",
    at(30, "a", 1, "6"),
    at(10, "a", 2, "1"),
    at(20, "a", 3, "4"),
    at(20, "a", 3, "5"),
  );
  const b = write("b.jsonl", at(10, "b", 3, "2"), at(15, "b", 1, "3"));
  const { messages, first, last, lines } = open([b, a]);
  assert.deepEqual([messages, first, last, lines], [["1", "2", "3", "4", "5", "6"], 10, 30, []]);
});

test("openReplay() shows an event that is in two records once, and names the lines that were cut", () => {
  const a = write("twice.jsonl", at(1, "a", 1, "1"), at(2, "a", 2, "2"));
  const b = write("cut.jsonl", at(2, "a", 2, "2"), '{"event":"sen\n', at(3, "a", 3, "3"), '{"event":');
  const { messages, lines } = open([a, b]);
  assert.deepEqual(messages, ["1", "2", "3"]);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /2 lines that were cut \(.*cut\.jsonl:2, .*cut\.jsonl:4\)$/);
});

test("openReplay() shows the last of too many events, however they stand, and says of how many", () => {
  const times = Array.from({ length: 50 }, (_value, n) => (n * 7) % 50);
  const file = write("many.jsonl", ...times.map((time) => at(time, "a", time + 1, `${time}`)));
  const { messages, lines, first } = open([file], { maxEvents: 10 });
  assert.deepEqual(messages, ["40", "41", "42", "43", "44", "45", "46", "47", "48", "49"]);
  assert.equal(first, 40);
  assert.match(lines.join(), /shows the last 10 of 50 events/);
});

test("openReplay() shows no more bytes than it may", () => {
  const file = write(
    "long.jsonl",
    ...Array.from({ length: 20 }, (_v, n) => ({ ...at(n, "a", n + 1, "m"), note: "x".repeat(200) })),
  );
  const { events, lines } = open([file], { maxBytes: 1200 });
  assert.deepEqual(
    events.map((event) => event.at),
    [16, 17, 18, 19],
  );
  assert.match(lines.join(), /shows the last 4 of 20 events/);
});

test("openReplay() holds 100,000 events, more than a minute of the chaos test has", () => {
  const lines = Array.from({ length: 100_001 }, (_value, n) => JSON.stringify(at(n, "a", n + 1, "m")));
  const { events, first } = open([write("whole.jsonl", `${lines.join("\n")}\n`)]);
  assert.deepEqual([events.length, first], [100_000, 1]);
});

test("openReplay() keeps no more of a long record than it shows, twice, while it reads", async () => {
  const line = (n: number) => `${JSON.stringify(at(n, "a", n + 1, "m"))}\n`;
  const file = write("longer.jsonl", Array.from({ length: 400_000 }, (_value, n) => line(n)).join(""));
  const importing = (path: string) =>
    JSON.stringify(pathToFileURL(join(import.meta.dirname, "..", path)).href);
  const script = join(folder, "reader.ts");
  writeFileSync(
    script,
    `import { openReplay } from ${importing("monitor/replay.ts")};
import { createLog } from ${importing("plumbing/log.ts")};
const { first } = openReplay([${JSON.stringify(file)}], createLog("test"), { maxEvents: 10 });
console.log(\`from ${"$"}{first} on\`);
`,
  );
  const reader = startRole(script, [], { NODE_OPTIONS: "--max-old-space-size=48" });
  roles.push(reader);
  assert.equal(await reader.exitCode(), 0, reader.stderr().slice(0, 1000));
  assert.match(reader.stdout(), /^from 399990 on$/m);
});

const good = write("good.jsonl", at(1, "a", 1, "m"));
for (const [what, file, why] of [
  ["isn't there", join(folder, "nowhere.jsonl"), /^Cannot replay: Cannot read .*nowhere\.jsonl: ENOENT/],
  ["is empty", write("empty.jsonl"), /^Cannot replay: there is no event in .*empty\.jsonl; is it a record\?/],
  ["is a text", write("text.jsonl", "hello\nworld\n"), /^Cannot replay: there is no event in .*text\.jsonl/],
  ["is other JSON", write("other.jsonl", '{"a":1}\n'), /^Cannot replay: Cannot read .*other\.jsonl:1: /],
  ["is a folder", folder, /^Cannot replay: Cannot read .*it must be a file/],
] as const)
  test(`openReplay() refuses a file that ${what}, beside one that is a record, and says what to do`, () => {
    assert.throws(
      () => open([good, file]),
      (error: Error) =>
        error instanceof UsageError && why.test(error.message) && /\nTry: .*--replay/.test(error.message),
    );
  });

async function startReplay(files: string[], env: Record<string, string> = {}) {
  const monitor = startRole("monitor.ts", ["--host", "127.0.0.1", "--port", "0", ...files], env);
  roles.push(monitor);
  const [, port] = await monitor.says(/port (\d+)/);
  return `http://127.0.0.1:${port}`;
}

test("monitor.ts --replay shows records over the same stream, and takes no events", async () => {
  const a = write("one.jsonl", at(1000, "client-a", 1, "m1"));
  const b = write("two.jsonl", at(2000, "client-b", 1, "m2"));
  const url = await startReplay(["--replay", a, b]);
  const stop = new AbortController();
  const stream = await fetch(`${url}/events`, { signal: stop.signal });
  let text = "";
  for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(chunk);
    if (text.includes('"m2"')) break;
  }
  stop.abort();
  const hello = JSON.parse(text.match(/event: hello\ndata: (.*)\n/)?.[1] ?? "");
  assert.deepEqual([hello.replay, hello.from], [{ first: 1000, last: 2000 }, 1]);
  assert.match(text, /"m1".*"m2"/);

  const batch = JSON.stringify({ events: [at(3, "x", 1, "m3")] });
  const headers = { "content-type": "application/json" };
  const refused = await fetch(`${url}/events`, { method: "POST", headers, body: batch });
  assert.equal(refused.status, 409);
  assert.match(
    await refused.text(),
    /Cannot take events: this monitor replays records; start one without --replay/,
  );
  assert.equal((await fetch(`${url}/group`)).status, 404);

  const saved = write("events.jsonl", await (await fetch(`${url}/events.jsonl`)).text());
  assert.equal(readRecord(saved).length, 2);
  const again = await startReplay([], { ACK_MONITOR_REPLAY: `${saved}, ${a}` });
  assert.equal(((await (await fetch(`${again}/health`)).json()) as { events: number }).events, 2);
});

test("monitor.ts --replay ends with 2 where there is nothing to show", async () => {
  for (const files of [["--replay"], ["--replay", ""], ["--replay", join(folder, "nowhere.jsonl")]]) {
    const monitor = start("monitor.ts", "--port", "0", ...files);
    assert.equal(await monitor.exitCode(), 2, monitor.stderr());
    assert.match(monitor.stderr(), /^Cannot .*replay.*\nTry: /);
    assert.doesNotMatch(monitor.stderr(), /\n +at /);
  }
});
