import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as v from "valibot";
import { createLog } from "../plumbing/log.ts";
import { FAULTS } from "../receiver.ts";
import { readRecord } from "../trace/check_record.ts";
import {
  CLIENT_EVENTS,
  DISCOVERY_EVENTS,
  type EventDetails,
  type EventName,
  MONITOR_EVENTS,
  RECEIVER_EVENTS,
  type TraceEvent,
  TraceEventSchema,
} from "../trace/events.ts";
import { readRecords } from "../trace/read_records.ts";
import { openRecord } from "../trace/record.ts";
import { createTrace, describe, MAX_CLOCK } from "../trace/trace.ts";
import { keptLog, type Role, startRole, stopRole, until } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "trace-"));
after(() => rmSync(folder, { recursive: true }));

test("createTrace() raises its clock by one with each event, and sets it past what it hears", () => {
  const { tell } = createTrace("client-1", keptLog());
  assert.equal(tell("sent", { message: "m1" }), 1);
  assert.equal(tell("sent", { message: "m2" }), 2);
  assert.equal(tell("ack received", { message: "m1", heard: 10 }), 11, "past what it heard");
  assert.equal(
    tell("ack received", { message: "m2", heard: 11 }),
    12,
    "past what it heard, which is its own",
  );
  assert.equal(tell("ack received", { message: "m3", heard: 4 }), 13, "never back");
  assert.equal(tell("timed out", {}), 14);
});

test("createTrace() stops its clock at the last number that JSON carries exactly, whatever it hears", () => {
  const events: TraceEvent[] = [];
  const { tell } = createTrace("receiver-1", { ...keptLog(), outlets: [(event) => events.push(event)] });
  assert.equal(tell("received", { heard: Number.MAX_SAFE_INTEGER - 2 }), Number.MAX_SAFE_INTEGER - 1);
  for (const details of [{ heard: Number.MAX_SAFE_INTEGER }, { heard: MAX_CLOCK }, {}, { heard: 7 }, {}]) {
    assert.equal(tell("received", details), Number.MAX_SAFE_INTEGER);
  }
  for (const event of events) assert.ok(v.is(TraceEventSchema, event), `${event.clock}`);
});

test("createTrace() gives each event to all outlets, whole, before tell() returns", () => {
  const kept: TraceEvent[][] = [[], []];
  const outlets = kept.map((events) => (event: TraceEvent) => void events.push(event));
  const { tell } = createTrace("client-1", { ...keptLog(), outlets });
  const before = Date.now();
  tell("sent", { message: "m1", attempt: 1, receiver: "id-a" });
  tell("ack received", { message: "m1", heard: 7 });
  const [first, second] = kept;
  assert.deepEqual(first, second);
  assert.deepEqual(
    first?.map(({ at, ...rest }) => rest),
    [
      { event: "sent", process: "client-1", clock: 1, message: "m1", attempt: 1, receiver: "id-a" },
      { event: "ack received", process: "client-1", clock: 8, message: "m1", heard: 7 },
    ],
  );
  for (const { at } of first ?? []) assert.ok(at >= before && at <= Date.now());
});

for (const [logLevel, said] of [
  ["warn", []],
  ["info", ["sent", "processed"]],
  ["debug", ["started", "received", "sent", "gave up", "processed", "stopped"]],
] as const) {
  test(`createTrace() logs at ${logLevel}: ${said.join(", ") || "nothing"}`, () => {
    const lines: string[] = [];
    const log = createLog("test", { logLevel, writeLine: (line) => lines.push(line) });
    const kept: TraceEvent[] = [];
    const { tell } = createTrace("test", { log, outlets: [(event) => kept.push(event)] });
    for (const event of ["started", "received", "sent", "gave up", "processed", "stopped"] as const) {
      tell(event, { message: event, attempt: 1 });
    }
    assert.deepEqual(
      lines
        .map((line) => line.match(/message (.*), attempt 1|started|stopped/))
        .map((said) => said?.[1] ?? said?.[0]),
      said.map((event) => event.slice(0, 8)),
    );
    assert.equal(kept.length, 6, "what is logged has no say in what is recorded");
  });
}

const m1 = { message: "5f1c2a7e-1111", attempt: 2, receiver: "9b03d4c1-2222" };
const described: [EventName, EventDetails, string][] = [
  ["sent", m1, "message 5f1c2a7e, attempt 2: sent to 9b03d4c1"],
  ["retried", m1, "message 5f1c2a7e, attempt 2: sent again to 9b03d4c1"],
  ["ack received", m1, "message 5f1c2a7e, attempt 2: acked by 9b03d4c1"],
  [
    "ack received",
    { ...m1, duplicate: true },
    "message 5f1c2a7e, attempt 2: acked by 9b03d4c1, which processed it before",
  ],
  [
    "ack received",
    { message: "5f1c2a7e-1111", receiver: "9b03d4c1-2222" },
    "message 5f1c2a7e: acked by 9b03d4c1",
  ],
  [
    "timed out",
    { ...m1, note: "no ack within 5s" },
    "message 5f1c2a7e, attempt 2, to 9b03d4c1: no ack within 5s",
  ],
  [
    "connection failed",
    { ...m1, note: "not reached (ECONNREFUSED)" },
    "message 5f1c2a7e, attempt 2, to 9b03d4c1: not reached (ECONNREFUSED)",
  ],
  [
    "gave up",
    { ...m1, outcome: "unknown", note: "given up" },
    "message 5f1c2a7e, attempt 2: gave up on 9b03d4c1, unknown: given up",
  ],
  [
    "group acked",
    { message: m1.message, need: 2, ackedBy: ["a", "b", "c"] },
    "message 5f1c2a7e: acked by 3, 2 needed",
  ],
  ["joined", { receiver: "9b03d4c1-2222", note: "host:7" }, "registered as 9b03d4c1, host:7"],
  ["left", { receiver: "9b03d4c1-2222", note: "host:7" }, "9b03d4c1 left, host:7"],
  ["started", {}, "started"],
  ["stopped", {}, "stopped"],
  ["unreachable", { from: "client-1" }, "nothing is heard of client-1 any more"],
  ["reachable", { from: "client-1" }, "client-1 is heard again"],
  ["listed", { note: "3 in the group" }, "listed: 3 in the group"],
  [
    "ack ignored",
    { message: m1.message, receiver: "9b03d4c1-bbbb" },
    "message 5f1c2a7e: an ack of 9b03d4c1, nobody waits for it",
  ],
  ["registered", { receiver: "9b03d4c1-bbbb", note: "a:1" }, "9b03d4c1 registered, a:1"],
  ["heartbeat", { receiver: "9b03d4c1-bbbb" }, "heartbeat of 9b03d4c1"],
  ["expired", { receiver: "9b03d4c1-bbbb", note: "a:1" }, "9b03d4c1 expired, a:1"],
  ["replaced", { receiver: "9b03d4c1-bbbb", note: "a:1" }, "9b03d4c1 replaced, a:1"],
  ["received", { ...m1, from: "client-1" }, "message 5f1c2a7e, attempt 2, from client-1: received"],
  [
    "received",
    { ...m1, duplicate: true },
    "message 5f1c2a7e, attempt 2, from somebody: received, a duplicate",
  ],
  [
    "fault",
    { ...m1, fault: "silent", note: FAULTS.silent },
    "message 5f1c2a7e, attempt 2, from somebody: crashed before processing it, no ack",
  ],
  [
    "fault",
    { ...m1, fault: "lost", note: FAULTS.lost },
    "message 5f1c2a7e, attempt 2, from somebody: lost on its way, nothing was received",
  ],
  [
    "fault",
    { ...m1, fault: "lost-ack", note: FAULTS["lost-ack"] },
    "message 5f1c2a7e, attempt 2, from somebody: its ack will be lost",
  ],
  [
    "fault",
    { ...m1, fault: "late-ack", note: FAULTS["late-ack"] },
    "message 5f1c2a7e, attempt 2, from somebody: its ack will be late",
  ],
  [
    "fault",
    { ...m1, fault: "disconnect", note: FAULTS.disconnect },
    "message 5f1c2a7e, attempt 2, from somebody: closed the connection before processing it",
  ],
  [
    "fault",
    { ...m1, fault: "exit", note: FAULTS.exit },
    "message 5f1c2a7e, attempt 2, from somebody: the process dies before processing it",
  ],
  ["processed", { ...m1, note: '"oi"' }, 'message 5f1c2a7e, attempt 2, from somebody: processed "oi"'],
  ["acked", m1, "message 5f1c2a7e, attempt 2: acked"],
  [
    "acked",
    { ...m1, duplicate: true },
    "message 5f1c2a7e, attempt 2: acked again as a duplicate, not processed again",
  ],
  ["killed", { from: "receiver-1" }, "the desk killed receiver-1"],
  ["suspended", { from: "receiver-1" }, "the desk suspended receiver-1"],
  ["resumed", { from: "receiver-1" }, "the desk resumed receiver-1"],
  ["told to end", { from: "discovery" }, "the desk told discovery to end"],
  ["launched", { from: "discovery" }, "the desk started discovery"],
  [
    "given fault",
    { from: "receiver-1", fault: "lost-ack" },
    "the desk chose what the next message meets at receiver-1: lost-ack",
  ],
  ["given rate", { from: "receiver-1", note: "0.25" }, "the desk gave receiver-1 the fault rate 0.25"],
];
for (const [event, details, words] of described) {
  test(`describe() says "${words}"`, () => assert.equal(describe(event, details), words));
}

test("every event has its words above", () => {
  assert.deepEqual(
    new Set(described.map(([event]) => event)),
    new Set([...CLIENT_EVENTS, ...RECEIVER_EVENTS, ...DISCOVERY_EVENTS, ...MONITOR_EVENTS]),
  );
});

test("openRecord() writes a line per event, at once, after what is there already", () => {
  const file = join(folder, "appended.jsonl");
  for (const name of ["first", "second"]) {
    const { tell } = createTrace(name, { ...keptLog(), outlets: [openRecord(file)] });
    tell("sent", { message: "m1", note: "two\nlines" });
    tell("timed out", { message: "m1" });
    assert.equal(readFileSync(file, "utf8").endsWith("\n"), true);
  }
  assert.deepEqual(
    readRecord(file).map(({ process, clock, where }) => [process, clock, where]),
    [
      ["first", 1, `${file}:1`],
      ["first", 2, `${file}:2`],
      ["second", 1, `${file}:3`],
      ["second", 2, `${file}:4`],
    ],
  );
});

test("openRecord() says what is wrong with a file that can't be opened", () => {
  const file = join(folder, "no", "such", "folder");
  assert.throws(() => openRecord(file), { message: new RegExp(`^Cannot record to ${file}: ENOENT`) });
});

const needsDevFull = existsSync("/dev/full") ? {} : { skip: "the system has no /dev/full" };
test("openRecord() says once what is wrong with a file that can't be written", needsDevFull, () => {
  const failures: string[] = [];
  const record = openRecord("/dev/full", ({ message }) => void failures.push(message));
  const event: TraceEvent = { event: "sent", process: "client-1", clock: 1, at: 0, message: "m1" };
  assert.throws(() => record(event), { message: /^Cannot record to \/dev\/full: ENOSPC/ });
  for (let clock = 2; clock <= 3; clock++) assert.doesNotThrow(() => record({ ...event, clock }));
  assert.equal(failures.length, 1, "who ends the program is told once");
});

test("tell() cuts a note that is longer than the record and the monitor take", () => {
  const events: TraceEvent[] = [];
  const trace = createTrace("receiver-1", { log: keptLog().log, outlets: [(event) => events.push(event)] });
  trace.tell("processed", { message: "m1", note: JSON.stringify("\x01".repeat(80)) });
  assert.ok(v.is(TraceEventSchema, events[0]));
  assert.match(events[0]?.note ?? "", /^"(\\u0001)+.*…$/);
});

const script = join(folder, "writer.ts");
const importing = (path: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, "..", path)).href);
writeFileSync(
  script,
  `import { openRecord } from ${importing("trace/record.ts")};
const [file = "", name = "", count = ""] = process.argv.slice(2);
const record = openRecord(file);
const note = "x".repeat(250);
for (let clock = 1; clock <= Number(count); clock++) {
  record({ event: "sent", process: name, clock, at: Date.now(), message: \`\${name}-\${clock}\`, note });
  if (clock === 1000) console.log("busy");
}
`,
);

test("openRecord() keeps the lines whole when two processes write to one file", async () => {
  const file = join(folder, "shared.jsonl");
  const writers = ["a", "b"].map((name) => startRole(script, [file, name, "10000"]));
  for (const writer of writers) assert.equal(await writer.exitCode(), 0, writer.stderr());
  const events = readRecord(file);
  for (const name of ["a", "b"]) {
    const clocks = events.filter(({ process }) => process === name).map(({ clock }) => clock);
    assert.deepEqual(
      clocks,
      Array.from({ length: 10_000 }, (_value, index) => index + 1),
    );
  }
});

test("openRecord() leaves whole lines, but for the last one at most, when its process is killed while it writes", async () => {
  const rounds = [0, 3_000_000].map(async (bytes, round) => {
    const file = join(folder, `killed-${round}.jsonl`);
    const writer: Role = startRole(script, [file, "killed", "100000000"]);
    await writer.says(/busy/);
    await until("it has written some more", () => statSync(file).size > bytes || undefined);
    await stopRole(writer, "SIGKILL");
    assert.equal(writer.child.signalCode, "SIGKILL", "it was still writing");
    const records = readRecords([file]);
    const events = [...records];
    // Linux cuts a write between two pages of memory, if at all.
    const isCut = statSync(file).size % 4096 === 0 && !readFileSync(file, "utf8").endsWith("}\n");
    assert.deepEqual(records.cut, isCut ? [`${file}:${events.length + 1}`] : []);
    assert.ok(events.length >= 1000, `${events.length} lines`);
    assert.ok(events.every(({ clock }, index) => clock === index + 1));
  });
  await Promise.all(rounds);
});
