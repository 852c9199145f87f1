import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result } from "../group/result.ts";
import {
  addResult,
  countResults,
  createTally,
  showOutcomes,
  showProgress,
  showTally,
} from "../terminal/tally.ts";

const acked: Result = { id: "m1", receiver: "5f1c2a7e-0000", outcome: "acked", attempts: 2, ms: 5012 };

test("addResult() counts, and showTally() shows how many attempts messages took", () => {
  const tally = createTally();
  for (const attempts of [1, 1, 2, 9, 12]) addResult(tally, { ...acked, attempts, duplicate: attempts > 1 });
  addResult(tally, { ...acked, outcome: "unknown", attempts: 3 });
  assert.equal(countResults(tally), 6);
  assert.equal(showOutcomes(tally), "6 messages: 5 acked, 0 undelivered, 1 unknown");
  const [attempts, time, ...bars] = showTally(tally);
  assert.match(attempts ?? "", /^attempts: 28, 4.67 a message; acked as duplicates: 3$/);
  assert.match(time ?? "", /median 5.0s, 99th percentile 5.0s/);
  assert.deepEqual(
    bars.map((bar) => bar.replace(/█+/, "█")),
    ["  1 attempt  █ 2", "  2 attempts █ 1", " 8+ attempts █ 2"],
  );
  assert.deepEqual(
    bars.map((bar) => bar.match(/█/g)?.length),
    [40, 20, 40],
  );
});

test("showProgress() says the outcomes and the rate since the start", () => {
  const tally = createTally();
  for (let n = 0; n < 3000; n++) addResult(tally, acked);
  addResult(tally, { ...acked, outcome: "undelivered" });
  tally.startedAt = performance.now() - 2000;
  const [, rate = ""] =
    showProgress(tally).match(
      /^3001 messages: 3000 acked, 1 undelivered, 0 unknown, in 2\.\ds \(([\d,]+) acked a second\)$/,
    ) ?? assert.fail(showProgress(tally));
  assert.match(rate, /^1,[45]\d\d$/);
});

test("showTally() without an ack shows no times and no bars", () => {
  const tally = createTally();
  addResult(tally, { ...acked, outcome: "unknown", attempts: 3 });
  assert.deepEqual(showTally(tally), ["attempts: 3, 3.00 a message; acked as duplicates: 0"]);
});
