import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result } from "../group/result.ts";
import type { GroupResult, Member } from "../group/send_to_all.ts";
import type { Receiver } from "../lib/messages.ts";
import { createReport, type Report, showGroupResult, showResult } from "../terminal/report.ts";
import { makeFakeScreen } from "./fake_screen.ts";

const [first, second] = [0, 1].map((n) => ({
  id: `${n}f1c2a7e-1111`,
  host: `receiver-${n}`,
  port: 40120 + n,
  last_seen: 0,
})) as [Receiver, Receiver];
const acked: Result = { id: "m1", receiver: first.id, outcome: "acked", attempts: 1, ms: 12.34 };
const lost: Result = {
  ...acked,
  receiver: second.id,
  outcome: "unknown",
  attempts: 2,
  ms: 99,
  reason: "given up",
};
const group: GroupResult = {
  group: "m1",
  outcome: "acked",
  need: 1,
  acked: [first.id],
  missing: [second.id],
  gone: [],
  ms: 2500,
};
const ACKED = "acked by 0f1c2a7e, after 1 attempt, in 12.3ms";
const LOST = "unknown: 1f1c2a7e may or may not have processed it, after 2 attempts: given up";
const GROUP = "group acked: 1 acked, 1 needed; no ack from 1: 1f1c2a7e; in 2.5s";

function makeReport({ count = 1, json = false } = {}) {
  const fake = makeFakeScreen();
  return { ...fake, report: createReport(fake.screen, { count, json }) };
}

/** A send to the group, whose members get those results one after the other. */
function showSend(report: Report, results: Result[], last = group): boolean {
  const members: Member[] = results.map(({ receiver }) => ({ receiver: { ...first, id: receiver } }));
  report.onMembers(members);
  for (const [index, result] of results.entries()) {
    const member = members[index] as Member;
    member.result = result;
    report.onMembers(members, member);
  }
  return report.show(last);
}

test("showResult() says each of the three outcomes in words that differ", () => {
  assert.equal(
    showResult({ ...acked, attempts: 2, ms: 5012 }),
    "acked by 0f1c2a7e, after 2 attempts, in 5.0s",
  );
  assert.match(showResult({ ...acked, duplicate: true }), /processed at an earlier attempt/);
  assert.match(
    showResult({ ...lost, outcome: "undelivered", reason: "ECONNREFUSED" }),
    /never reached.*ECONNREFUSED/,
  );
  assert.match(showResult({ ...lost, reason: "given up" }), /may or may not.*given up/);
});

test("showGroupResult() names at most five of those that did not ack, and those that are gone", () => {
  const ids = Array.from({ length: 7 }, (_value, n) => `${n}f1c2a7e-1111`);
  assert.equal(
    showGroupResult({ ...group, outcome: "unknown", acked: [], missing: ids, gone: ids.slice(0, 1) }),
    "group unknown: 0 acked, 1 needed; no ack from 7: 0f1c2a7e, 1f1c2a7e, 2f1c2a7e, 3f1c2a7e, 4f1c2a7e, …; " +
      "no longer in the group: 0f1c2a7e; in 2.5s",
  );
});

test("createReport() prints what came of one message, and no summary", () => {
  const { report, printed, onStdout, lives } = makeReport();
  report.onAttempt?.({ number: 1, receiver: first, state: "connecting", endsAt: 0 });
  assert.equal(report.show(acked), true);
  assert.deepEqual(printed, [ACKED]);
  assert.equal(lives.at(-1), "", "nothing is live any more");
  report.end();
  assert.deepEqual(printed, [ACKED]);
  assert.deepEqual(onStdout, []);
});

test("createReport() prints what came of a message that was not acked, and says that it was not", () => {
  const { report, printed } = makeReport();
  assert.equal(report.show(lost), false);
  assert.deepEqual(printed, [LOST]);
});

test("createReport() shows how the attempt under way stands", () => {
  const { report, lives } = makeReport();
  const endsAt = performance.now() + 4050;
  report.onAttempt?.({ number: 1, receiver: first, state: "connecting", endsAt });
  report.onAttempt?.({ number: 2, receiver: first, state: "sent", endsAt });
  report.onAttempt?.({ number: 2, receiver: first, state: "pausing", endsAt, reason: "not reached (E)" });
  report.onAttempt?.({
    number: 3,
    receiver: undefined,
    state: "pausing",
    endsAt: 0,
    reason: "nobody is there",
  });
  assert.deepEqual(
    lives.map((live) => live.trim()),
    [
      "attempt 1, connecting to 0f1c2a7e, 4.0s left (Ctrl-C gives up)",
      "attempt 2, waiting for the ack of 0f1c2a7e, 4.0s left (Ctrl-C gives up)",
      "attempt 2: not reached (E), trying again in 4.0s (Ctrl-C gives up)",
      "attempt 3: nobody is there, trying again in 0.0s (Ctrl-C gives up)",
    ],
  );
});

test("createReport() prints a line for each of the group, and one for all of it", () => {
  const { report, printed, lives } = makeReport();
  assert.equal(showSend(report, [acked, lost]), true);
  assert.deepEqual(printed, [ACKED, LOST, GROUP]);
  assert.match(lives[0] ?? "", /0 of 2 acked/);
  assert.equal(lives.at(-1), "");
});

test("createReport() of a group of more than twenty prints those that did not ack", () => {
  const { report, printed } = makeReport();
  showSend(report, [...Array(20).fill(acked), lost]);
  assert.deepEqual(printed, [LOST, GROUP]);
  const twenty = makeReport();
  showSend(twenty.report, [...Array(19).fill(acked), lost]);
  assert.equal(twenty.printed.length, 21, "of twenty, all");
});

test("createReport() says of a group that was not acked as needed that it wasn't", () => {
  const { report, printed } = makeReport();
  assert.equal(showSend(report, [lost], { ...group, outcome: "unknown", acked: [] }), false);
  assert.match(printed.at(-1) ?? "", /^group unknown: 0 acked, 1 needed/);
});

test("createReport() says why nothing was sent to a group, and leaves nothing live", () => {
  const { report, printed, lives } = makeReport();
  const reason = "1 receivers are in the group, and --need is 2";
  const refused: GroupResult = { ...group, outcome: "undelivered", need: 2, acked: [], ms: 0, reason };
  assert.equal(report.show(refused), false);
  assert.deepEqual(printed, [`group undelivered: ${reason}`]);
  assert.equal(lives.at(-1), "");
});

test("createReport() of many messages prints only what went wrong, and then a summary", () => {
  const { report, printed, lives } = makeReport({ count: 3 });
  assert.equal(report.onAttempt, undefined);
  for (const result of [acked, lost, acked]) report.show(result);
  assert.deepEqual(printed, [LOST]);
  assert.match(lives[0] ?? "", /0 messages: 0 acked/);
  assert.equal(lives.length, 1, "it stays");
  report.end();
  assert.match(printed[1] ?? "", /^3 messages: 2 acked, 0 undelivered, 1 unknown, in .* acked a second/);
  assert.match(printed.at(-1) ?? "", /1 attempt .* 2$/);
  assert.equal(lives.at(-1), "");
});

test("createReport() of several messages that a person sent sums up without a rate", () => {
  const { report, printed } = makeReport();
  for (const result of [acked, lost]) report.show(result);
  report.end();
  assert.deepEqual(printed.slice(0, 3), [ACKED, LOST, "2 messages: 1 acked, 0 undelivered, 1 unknown"]);
  assert.match(printed[3] ?? "", /^attempts: 3/);
});

test("createReport() of many sends to the group is silent about those that were acked as needed", () => {
  const { report, printed } = makeReport({ count: 3 });
  assert.equal(showSend(report, [acked, lost]), true);
  assert.deepEqual(printed, []);
  assert.equal(showSend(report, [lost], { ...group, outcome: "unknown" }), false);
  assert.match(printed.join(), /^group unknown/);
});

test("createReport() with json prints a result a line on stdout, and nothing else", () => {
  const one = makeReport({ json: true, count: 2 });
  one.report.show({ ...acked, ms: 12.3456789 });
  one.report.show(lost);
  one.report.end();
  assert.deepEqual(
    one.onStdout.map((line) => JSON.parse(line)),
    [{ ...acked, ms: 12.346 }, lost],
  );
  assert.deepEqual(one.printed, []);

  const all = makeReport({ json: true });
  showSend(all.report, [acked, lost]);
  all.report.end();
  assert.deepEqual(
    all.onStdout.map((line) => JSON.parse(line)),
    [acked, lost, group],
  );
  assert.deepEqual(all.printed, []);
});

test("createReport() with json prints each member of any group, and of many sends too", () => {
  const { report, onStdout } = makeReport({ json: true, count: 2 });
  showSend(report, Array(25).fill(acked));
  assert.equal(onStdout.length, 26);
});

test("end() takes away what is live, when a send was ended in the middle", () => {
  const { report, printed, lives } = makeReport();
  report.onMembers([{ receiver: first }]);
  assert.match(lives.at(-1) ?? "", /0 of 1 acked/);
  report.end();
  assert.equal(lives.at(-1), "");
  assert.deepEqual(printed, []);
});
