import assert from "node:assert/strict";
import { test } from "node:test";
import { showDiscovery } from "../bench/discovery.ts";
import { readGroupResult, showGroup } from "../bench/group.ts";
import { startDiscovery } from "../bench/ours.ts";
import { drawRoundTrips } from "../bench/plot.ts";
import { endedProcessorSeconds, start } from "../bench/processes.ts";
import { type RoundTrip, showRoundTrips } from "../bench/round_trips.ts";
import { showSeveral } from "../bench/several.ts";
import { showStart } from "../bench/start.ts";
import { medianRatio, show, showSpread, slope, spread, table } from "../bench/statistics.ts";
import { OURS, readSummary } from "../bench/systems.ts";
import { showGroupResult } from "../terminal/report.ts";
import { addResult, createTally, showProgress, showTally } from "../terminal/tally.ts";

test("spread() gives the median, of an even number of values too, and the ends", () => {
  assert.deepEqual(spread([10, 9, 200]), { median: 10, min: 9, max: 200 });
  assert.deepEqual(spread([4, 1, 2, 100]), { median: 3, min: 1, max: 100 });
  assert.throws(() => spread([]), /no values/);
});

test("medianRatio() divides within a round, and leaves out a round that one of the two has not", () => {
  const ours = new Map([
    [0, 10],
    [1, 40],
    [2, 90],
    [3, 1],
  ]);
  const theirs = new Map([
    [0, 10],
    [1, 20],
    [2, 30],
  ]);
  assert.equal(medianRatio(ours, theirs), 2); // of 1, 2 and 3
  assert.equal(medianRatio(ours, new Map()), undefined);
});

test("slope() is that of the line through the points, wherever it starts", () => {
  const exact = [1, 100, 10_000].map((x) => ({ x, y: 50 + 0.25 * x }));
  assert.ok(Math.abs(slope(exact) - 0.25) < 1e-9);
  const noisy = [-1, 1, 0, 1, -1].map((noise, x) => ({ x, y: 7 - 2 * x + noise }));
  assert.ok(Math.abs(slope(noisy) + 2) < 1e-9);
});

test("show() and showSpread() write numbers for people", () => {
  assert.deepEqual([0.012345, 4.5678, 98.76, 1234.5].map(show), ["0.0123", "4.57", "98.8", "1,235"]);
  assert.equal(showSpread([3, 1, 2]), "2 (1–3)");
  assert.equal(showSpread([3]), "3");
});

test("table() is markdown whose columns stand below each other", () => {
  assert.equal(
    table(["a", "number"], [["longer", "1"]]),
    ["| a      | number |", "| ------ | -----: |", "| longer |      1 |"].join("\n"),
  );
});

test("showDiscovery() names what can't be measured on this machine in its row", () => {
  const listings = [100, 1000].map((receivers) => ({ receivers, ms: [receivers / 100] }));
  const shown = showDiscovery([
    { store: "memory", heartbeatsPerSecond: [40_000], listings },
    { store: "etcd", missing: "no etcd on the PATH", heartbeatsPerSecond: [], listings },
  ]);
  assert.match(shown, /^\| memory +\| +40,000 \| +1 \| +10 \|$/m);
  assert.match(shown, /^\| etcd +\| no etcd on the PATH \| +\| +\|$/m);
  assert.match(shown, /grows by 10 µs a receiver/);
});

test("readSummary() reads what our client says", () => {
  const tally = createTally();
  const result = { id: "1", receiver: "2", outcome: "acked" as const, attempts: 1 };
  for (let n = 0; n < 1500; n++) addResult(tally, { ...result, ms: n < 1400 ? 2 : 3000 });
  const { messages, seconds, medianMs, p99Ms } = readSummary(
    [showProgress(tally), ...showTally(tally)].join("\n"),
  );
  assert.deepEqual({ messages, medianMs, p99Ms }, { messages: 1500, medianMs: 2, p99Ms: 3000 });
  assert.ok(seconds > 0 && seconds < 10);
  assert.throws(() => readSummary("nothing"), /Cannot read/);
});

test("readGroupResult() takes the time of the group, and only if all have acked", () => {
  const result = { group: "1", outcome: "acked" as const, need: 2, acked: ["a", "b"], missing: [], gone: [] };
  const output = `acked by 1f2e, after 1 attempt, in 9.0ms\n${showGroupResult({ ...result, ms: 12.5 })}\n`;
  assert.equal(readGroupResult(output, 2), 12.5);
  assert.throws(() => readGroupResult(output, 3), /not all of 3 acked/);
});

test("showGroup() sets bare sockets beside each round, and grows by its short bodies alone", () => {
  const short = { processes: 1, bytes: 16 };
  const shown = showGroup({
    sizes: [
      { ...short, receivers: 1, ms: [2, 9, 4], bareMs: [1, 3, 4], secureMs: [8] },
      { ...short, receivers: 1001, ms: [104], bareMs: [52], secureMs: [1040] },
      { processes: 4, bytes: 64 * 1024, receivers: 100, ms: [500], bareMs: [1000], secureMs: [500] },
    ],
    skipped: [5000],
  });
  assert.match(shown, /^\| 1 +\| +4 \(2–9\) \| +3 \(1–4\) \| +2× \| +8 \| +2× \|$/m); // the ratios are 2, 3 and 1
  assert.match(shown, /^\| 100, 64 KiB to each +\| +500 \| +1,000 \| +0\.5× \|/m);
  assert.match(shown, /grows by 99 µs a receiver/); // from 2, 9 and 4, whose mean is 5, to 104
  assert.match(shown, /5,000 receivers: not measured/);
});

test("showSeveral() shows where the sum grows no more, and what could not be measured", () => {
  const round = { perSecond: 200_000, processorSecondsAMessage: 9e-6, busyShare: 0.5 };
  const pair = { clients: 1, receivers: 1, processes: 1, inFlight: 64 };
  const shown = showSeveral([
    { ...pair, rounds: [round, { ...round, perSecond: 100_000 }] },
    { ...pair, clients: 2, rounds: [{ ...round, perSecond: 180_000, busyShare: 1 }] },
    { ...pair, clients: 4, rounds: [{ ...round, processorSecondsAMessage: Number.NaN }] },
    { ...pair, receivers: 1000, rounds: [] },
  ]);
  assert.match(shown, /^\| 1 × 1 +\| +2 \| +150,000 \(100,000–200,000\) \| +9 \| +50% \|$/m);
  assert.match(shown, /^\| 4 × 1 +\| +5 \| +200,000 \| +no \/proc \|/m);
  assert.match(shown, /^\| 1 × 1,000 +\| +2 \| +not measured: takes 2050 open files \|/m);
  assert.match(shown, /The most is made by 4 × 1: 5 processes/);
});

test("showStart() shows wall and processor time, and names what this Node can't do", () => {
  const shown = showStart([
    { way: "tsx", ms: [400, 300, 500], processorMs: [450] },
    { way: "node", missing: "it doesn't strip types", ms: [], processorMs: [] },
  ]);
  assert.match(shown, /^\| tsx +\| +400 \(300–500\) \| +450 \|$/m);
  assert.match(shown, /^\| node +\| +not measured: it doesn't strip types \| +\|$/m);
});

test("a discovery that can't start says why, at once", async () => {
  await assert.rejects(startDiscovery({ args: ["--sweep-every", "soon"] }), /--sweep-every .* is "soon"/);
});

test("endedProcessorSeconds() has what a process used that was started by one of ours", async () => {
  const burn = "const { user } = process.cpuUsage(); while (process.cpuUsage().user - user < 2e5);";
  const before = endedProcessorSeconds() ?? Number.NaN;
  await start("sh", ["-c", '"$0" -e "$1"; true', process.execPath, burn]).output();
  assert.ok((endedProcessorSeconds() ?? Number.NaN) - before >= 0.19);
});

test("tables and picture show what was measured, and name what broke", () => {
  const one = { inFlight: 1, bytes: 16, messages: 1000, seconds: 1, medianMs: 0.5, p99Ms: 4 };
  const cost = { clientSeconds: 0.5, startSeconds: 0.496, serverSeconds: 0.003 };
  const results: RoundTrip[] = [0, 1].flatMap((round) => [
    { ...one, ...cost, round, system: OURS, perSecond: 1000 },
    { ...one, round, system: "bare socket", perSecond: 4000 },
  ]);
  const tables = showRoundTrips(results);
  assert.match(tables, /\| this project +\| +1,000 \(1,000–1,000\) \| +broke \|/);
  assert.match(tables, /\| bare socket +\| +0\.25× \|/);
  assert.match(tables, /\| bare socket +\| +0\.5 \/ 4 \|/);
  assert.match(tables, /\| this project +\| +4 \/ 3 \|/);
  assert.match(tables, /\| bare socket +\| +no \/proc \|/);
  assert.doesNotMatch(tables, /Disturbed/);
  const slower = { ...one, round: 2, system: "bare socket", perSecond: 3000 };
  assert.match(showRoundTrips([...results, slower]), /Disturbed.* \(1 × 16 B\)/);

  const bars = [...(drawRoundTrips(results, "here") ?? "").matchAll(/width="([\d.]+)" height="18"/g)];
  const [ours, theirs] = bars.map(([, width]) => Number(width));
  assert.equal(bars.length, 2);
  assert.ok(ours !== undefined && theirs !== undefined && ours < theirs);
  assert.equal(drawRoundTrips([], "here"), undefined);
});
