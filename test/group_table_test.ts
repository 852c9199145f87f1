import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttemptState, Result } from "../group/result.ts";
import type { Member } from "../group/send_to_all.ts";
import type { Receiver } from "../lib/messages.ts";
import { showGroup } from "../terminal/group_table.ts";

const [first, second, third] = [0, 1, 2].map((n) => ({
  id: `${n}f1c2a7e-1111`,
  host: `receiver-${n}`,
  port: 40120 + n,
  last_seen: 0,
})) as [Receiver, Receiver, Receiver];
const acked: Result = { id: "m1", receiver: first.id, outcome: "acked", attempts: 1, ms: 12.34 };
const lost: Result = { ...acked, outcome: "unknown", reason: "given up" };

function trying(receiver: Receiver, number: number, endsAt: number, state: AttemptState["state"]): Member {
  return { receiver, attempt: { number, receiver, state, endsAt, reason: "not reached (ECONNREFUSED)" } };
}

/** The rows, without what only aligns them. */
function showRows(...given: Parameters<typeof showGroup>): string[] {
  return showGroup(...given)
    .split("\n")
    .map((line) => line.trim().replace(/ {2,}/g, " "));
}

test("showGroup() shows no control character of a name", () => {
  const rows = showRows([{ receiver: { ...first, name: "\x1b[2J\n" } }], 10);
  assert.match(rows[0] ?? "", /\\x1b\[2J\\x0a/);
  assert.equal(rows.length, 2);
});

test("showGroup() has a row for each receiver, and how many have acked", () => {
  const members: Member[] = [
    trying(first, 1, 4200, "sent"),
    { receiver: second, result: { ...acked, attempts: 2, ms: 1234, duplicate: true } },
    { receiver: third, result: { ...lost, gone: true } },
    trying(first, 3, 900, "sent"),
    { receiver: first, result: { ...lost, outcome: "undelivered" } },
    { receiver: second, result: { ...lost, attempts: 4 } },
    { receiver: { ...third, name: "receiver-1ca034" } },
    trying(first, 2, 1500, "connecting"),
    trying(first, 2, 1500, "pausing"),
  ];
  assert.deepEqual(showRows(members, 10, 1000), [
    "0 0f1c2a7e receiver-0:40120 ◌ waiting, 3.2s left",
    "1 1f1c2a7e receiver-1:40121 ✔ acked in 1.2s, attempt 2, duplicate",
    "2 2f1c2a7e receiver-2:40122 ✖ no longer in the group",
    "3 0f1c2a7e receiver-0:40120 ◌ waiting, 0.0s left, attempt 3",
    "4 0f1c2a7e receiver-0:40120 ✖ undelivered",
    "5 1f1c2a7e receiver-1:40121 ✖ unknown, attempt 4",
    "6 2f1c2a7e receiver-1ca034 ◌ not tried yet",
    "7 0f1c2a7e receiver-0:40120 ◌ connecting, 0.5s left, attempt 2",
    "8 0f1c2a7e receiver-0:40120 ◌ not reached (ECONNREFUSED), again in 0.5s, attempt 2",
    "1 of 9 acked (Ctrl-C gives up)",
  ]);
});

test("showGroup() of more than fits shows some that still wait, and counts the rest", () => {
  const members: Member[] = Array.from({ length: 100 }, (_value, n) => ({
    ...trying({ ...first, id: `${n}` }, 1, 0, "sent"),
    ...(n < 50 ? { result: acked } : {}),
  }));
  const rows = showRows(members, 4);
  assert.deepEqual(
    rows.slice(0, 4).map((row) => row.split(" ")[0]),
    ["50", "51", "52", "53"],
  );
  assert.equal(rows[4], "… and 96 more");
  assert.match(rows[5] ?? "", /^50 of 100 acked/);
  assert.equal(rows.length, 6);
});

test("showGroup() of exactly what fits shows all, those that have acked too", () => {
  const members: Member[] = [{ receiver: first, result: acked }, trying(second, 1, 0, "sent")];
  assert.equal(showRows(members, 2).length, 3);
  assert.deepEqual(
    showRows(members, 1).map((row) => row.split(" ")[0]),
    ["1", "…", "1"],
  );
});
