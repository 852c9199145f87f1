import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkRecord as checkAll, PROMISES, type Promised } from "../trace/check_promises.ts";
import { readRecord } from "../trace/check_record.ts";
import { DESK_EVENTS, type TraceEvent } from "../trace/events.ts";
import { MAX_FOUND } from "../trace/findings.ts";
import { MAX_NAMES } from "../trace/look_up.ts";
import type { RecordedEvent } from "../trace/read_records.ts";
import { startRole } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "records-"));
after(() => rmSync(folder, { recursive: true }));

/** An event in a line, as it was recorded: who, when, what, and the details. */
const at = (
  process: string,
  clock: number,
  event: TraceEvent["event"],
  details: Partial<TraceEvent> = {},
): TraceEvent => ({ process, clock, event, at: 0, ...details });

/**
 * A small run that keeps every promise. m1 goes to the whole group. m2 goes to a, whose ack is lost, and
 * whose second ack is that of a duplicate.
 */
function goodRun() {
  const m1 = { message: "m1", attempt: 1 };
  const m2 = { message: "m2", attempt: 1 };
  const again = { message: "m2", attempt: 2, duplicate: true };
  return {
    client: [
      at("client", 1, "sent", { ...m1, receiver: "id-a" }),
      at("client", 2, "sent", { ...m1, receiver: "id-b" }),
      at("client", 5, "ack received", { ...m1, receiver: "id-a", duplicate: false, heard: 4 }),
      at("client", 6, "ack received", { ...m1, receiver: "id-b", duplicate: false, heard: 5 }),
      at("client", 7, "group acked", { message: "m1", need: 2, ackedBy: ["id-a", "id-b"] }),
      at("client", 8, "sent", { ...m2, receiver: "id-a" }),
      at("client", 9, "timed out", { ...m2, receiver: "id-a", note: "no ack within 5s" }),
      at("client", 10, "retried", { message: "m2", attempt: 2, receiver: "id-a" }),
      at("client", 14, "ack received", { ...again, receiver: "id-a", heard: 13 }),
    ],
    a: [
      at("a", 1, "joined", { receiver: "id-a" }),
      at("a", 2, "received", { ...m1, from: "client", heard: 1, duplicate: false }),
      at("a", 3, "processed", m1),
      at("a", 4, "acked", { ...m1, duplicate: false }),
      at("a", 9, "received", { ...m2, from: "client", heard: 8, duplicate: false }),
      at("a", 10, "fault", { ...m2, fault: "lost-ack" }),
      at("a", 11, "processed", m2),
      at("a", 12, "received", { ...again, from: "client", heard: 10 }),
      at("a", 13, "acked", again),
    ],
    b: [
      at("b", 1, "joined", { receiver: "id-b" }),
      at("b", 3, "received", { ...m1, from: "client", heard: 2, duplicate: false }),
      at("b", 4, "processed", m1),
      at("b", 5, "acked", { ...m1, duplicate: false }),
    ],
  };
}

type Run = ReturnType<typeof goodRun>;
const flat = (run: Partial<Run>): RecordedEvent[] =>
  Object.entries(run).flatMap(([name, events]) =>
    events.map((event, index) => ({ ...event, where: `${name}:${index + 1}` })),
  );

/** The event of `process` at that Lamport time. */
function find(run: Run, process: keyof Run, clock: number): TraceEvent {
  return (
    run[process].find((event) => event.clock === clock) ?? assert.fail(`no event of ${process} at ${clock}`)
  );
}

function remove(run: Run, process: keyof Run, clock: number) {
  run[process].splice(run[process].indexOf(find(run, process, clock)), 1);
}

/** What the verdict is about, without what is for information. */
function checkRecord(events: Iterable<RecordedEvent>) {
  const { broken, unclear } = checkAll(events);
  return { broken, unclear };
}

test("checkRecord() finds nothing in a run that kept every promise", () => {
  assert.deepEqual(checkRecord(flat(goodRun())), { broken: [], unclear: [] });
});

test("checkRecord() takes a message that was lost on its way for one that never came", () => {
  const run = goodRun();
  remove(run, "a", 9);
  remove(run, "a", 11);
  Object.assign(find(run, "a", 10), { fault: "lost" });
  Object.assign(find(run, "a", 12), { duplicate: false });
  Object.assign(find(run, "a", 13), { clock: 14, duplicate: false });
  Object.assign(find(run, "client", 14), { clock: 15, duplicate: false, heard: 14 });
  run.a.splice(-1, 0, at("a", 13, "processed", { message: "m2", attempt: 2 }));
  assert.deepEqual(checkRecord(flat(run)), { broken: [], unclear: [] });
  remove(run, "a", 13);
  assert.ok(checkRecord(flat(run)).broken.length > 0, "it counts for no processing");
});

test("checkRecord() doesn't depend on the order of the files", () => {
  const { client, a, b } = goodRun();
  assert.deepEqual(checkRecord(flat({ b, client, a })), { broken: [], unclear: [] });
});

/** What is done to the good run, the promise that it breaks, and the line that is named first. */
test("checkRecord() takes no notice of what the desk did, nor to whom", () => {
  const monitor = DESK_EVENTS.flatMap((event, index) => [
    at("monitor", 2 * index + 1, event, { from: "a", fault: "silent" }),
    at("monitor", 2 * index + 2, event, { from: "receiver-9", note: "0.5" }),
  ]);
  assert.deepEqual(checkRecord(flat({ ...goodRun(), monitor } as Partial<Run>)), { broken: [], unclear: [] });
});

const breaks: [string, Promised, string, (run: Run) => void][] = [
  [
    "an ack for what was never processed",
    "acked only what was processed",
    "a:10",
    (run) => run.a.push(at("a", 20, "acked", { message: "m3" })),
  ],
  [
    "an ack before the processing",
    "acked only what was processed",
    "b:5",
    (run) => {
      run.b.push(at("b", 20, "acked", { message: "m3" }), at("b", 21, "processed", { message: "m3" }));
    },
  ],
  [
    "an ack of one receiver for what only another one processed",
    "acked only what was processed",
    "b:5",
    (run) => run.b.push(at("b", 20, "acked", { message: "m2", attempt: 1 })),
  ],
  [
    "a message that is processed again at its retry",
    "processed once",
    "a:7",
    (run) => {
      Object.assign(find(run, "client", 14), { event: "gave up" });
      Object.assign(find(run, "a", 13), { event: "processed" });
    },
  ],
  [
    "a client's ack of a receiver that never processed the message",
    "acked means processed",
    "client:10",
    (run) => run.client.push(at("client", 20, "ack received", { message: "m2", receiver: "id-b" })),
  ],
  [
    "a clock that goes back within a process",
    "no effect before its cause",
    "b:4",
    (run) => run.b.push(at("b", 2, "left", { receiver: "id-b" })),
  ],
  [
    "a clock that stands still",
    "no effect before its cause",
    "b:1",
    (run) => Object.assign(find(run, "b", 1), { clock: 3 }),
  ],
  [
    "a message that is received no later than it was sent",
    "no effect before its cause",
    "a:5",
    (run) => {
      remove(run, "client", 9);
      Object.assign(find(run, "client", 8), { clock: 9 });
      Object.assign(find(run, "a", 9), { heard: 9 });
    },
  ],
  [
    "an ack that is received before it was sent",
    "no effect before its cause",
    "client:9",
    (run) => {
      Object.assign(find(run, "a", 13), { clock: 30 });
      Object.assign(find(run, "client", 14), { heard: 30 });
    },
  ],
  [
    "a message that nobody sent at that time",
    "no effect before its cause",
    "b:2",
    (run) => Object.assign(find(run, "client", 2), { event: "timed out" }),
  ],
  [
    "a message that was sent then, but another one",
    "no effect before its cause",
    "a:2",
    (run) => {
      Object.assign(find(run, "client", 1), { message: "m9" });
      run.client.push(at("client", 20, "gave up", { message: "m9", attempt: 1, receiver: "id-a" }));
    },
  ],
  [
    "an ack that its receiver did not send at that time",
    "no effect before its cause",
    "client:9",
    (run) => Object.assign(find(run, "client", 14), { heard: 12 }),
  ],
  [
    "a group called acked with fewer acks than it needed",
    "group sends met their need",
    "client:5",
    (run) => Object.assign(find(run, "client", 7), { need: 3 }),
  ],
  [
    "a group called acked by a receiver whose ack never came",
    "group sends met their need",
    "client:4",
    (run) => remove(run, "client", 6),
  ],
  [
    "a group called acked by the same receiver twice",
    "group sends met their need",
    "client:5",
    (run) => Object.assign(find(run, "client", 7), { ackedBy: ["id-a", "id-a"] }),
  ],
  [
    "a group called acked by nobody",
    "group sends met their need",
    "client:5",
    (run) => Object.assign(find(run, "client", 7), { need: 0, ackedBy: [] }),
  ],
];
for (const [what, promise, where, breakIt] of breaks) {
  test(`checkRecord() finds "${promise}" broken by ${what}`, () => {
    const run = goodRun();
    breakIt(run);
    const { broken, unclear } = checkRecord(flat(run));
    assert.deepEqual(
      broken.map((each) => [each.promise, each.where[0]]),
      [[promise, where]],
    );
    assert.deepEqual(unclear, []);
  });
}

test("each promise has a record above that breaks it", () => {
  assert.deepEqual(new Set(breaks.map(([, promise]) => promise)), new Set(Object.keys(PROMISES)));
});

test("checkRecord() can't tell without the record of a receiver, or of a client", () => {
  const { client, a, b } = goodRun();
  const withoutReceiver = checkRecord(flat({ client, a }));
  assert.deepEqual(withoutReceiver, {
    broken: [],
    unclear: ["receiver id-b acked messages, and its record is not here"],
  });
  assert.deepEqual(checkRecord(flat({ a, b })), {
    broken: [],
    unclear: ["client sent messages, and its record is not here"],
  });
});

/** Writes each record to a file of its own, and says which files. */
function write(name: string, run: Partial<Run>, end = "\n"): string[] {
  return Object.entries(run).map(([process, events]) => {
    const file = join(folder, `${name}-${process}.jsonl`);
    writeFileSync(file, events.map((event) => JSON.stringify(event)).join("\n") + end);
    return file;
  });
}

function writeText(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The good run, changed by the test. */
function changedRun(change: (run: Run) => void) {
  const run = goodRun();
  change(run);
  return checkRecord(flat(run));
}

test("checkRecord() finds an ack, and what the client makes of it, before the processing", () => {
  const { broken, unclear } = changedRun(({ client, b }) => {
    const m3 = { message: "m3", attempt: 1 };
    client.push(at("client", 20, "sent", { ...m3, receiver: "id-b" }));
    b.push(at("b", 21, "acked", m3), at("b", 23, "processed", m3));
    client.push(at("client", 22, "ack received", { ...m3, receiver: "id-b", heard: 21 }));
  });
  assert.deepEqual(
    broken.map(({ promise, where }) => [promise, ...where]),
    [
      ["acked means processed", "client:11", "b:6"],
      ["acked only what was processed", "b:5", "b:6"],
    ],
  );
  assert.deepEqual(unclear, []);
});

/** b is at the address of a, whom the client asked, by now. */
function runWithAcker(acker: string | undefined) {
  return changedRun(({ client, b }) => {
    const m3 = { message: "m3", attempt: 1 };
    client.push(at("client", 20, "sent", { ...m3, receiver: "id-a" }));
    b.push(at("b", 21, "received", { ...m3, from: "client", heard: 20 }));
    b.push(at("b", 22, "processed", m3), at("b", 23, "acked", m3));
    client.push(at("client", 24, "ack received", { ...m3, receiver: "id-a", acker, heard: 23 }));
  });
}

for (const acker of ["id-b", "b"]) {
  test(`checkRecord() looks for the processing at who acked, ${acker}, where that isn't whom the client asked`, () => {
    assert.deepEqual(runWithAcker(acker), { broken: [], unclear: [] });
    assert.equal(runWithAcker(undefined).broken[0]?.promise, "acked means processed");
    assert.match(runWithAcker("id-x").unclear[0] ?? "", /^receiver id-x acked messages, and its record/);
  });
}

test("checkRecord() doesn't order an ack that came without a clock", () => {
  const verdict = changedRun(({ client, a }) => {
    for (const event of a.filter(({ clock }) => clock > 1)) event.clock += 100; // later than the client's clock
    for (const event of client) if (event.receiver === "id-a") delete event.heard;
    for (const event of a) delete event.heard;
  });
  assert.deepEqual(verdict, { broken: [], unclear: [] });
});

test("checkRecord() takes a process that begins again at time 1 as started again", () => {
  const verdict = changedRun(({ client }) => {
    const lives = [1, 2, 3, 1, 2].map((clock) => at("discovery", clock, "heartbeat", { receiver: "id-a" }));
    client.push(...lives);
  });
  assert.deepEqual(verdict, { broken: [], unclear: [] });
});

test("checkRecord() lets a receiver that was started again under its name process a message again", () => {
  const verdict = changedRun(({ client, a }) => {
    const m5 = { message: "m5", attempt: 1 };
    client.push(at("client", 15, "sent", { ...m5, receiver: "id-a" }));
    a.push(at("a", 16, "received", { ...m5, from: "client", heard: 15 }), at("a", 17, "processed", m5));
    a.push(at("a", 1, "joined", { receiver: "id-a2" }));
    client.push(at("client", 16, "retried", { message: "m5", attempt: 2, receiver: "id-a2" }));
    a.push(at("a", 17, "received", { ...m5, from: "client", heard: 16 }), at("a", 18, "processed", m5));
    a.push(at("a", 19, "acked", m5));
    client.push(at("client", 20, "ack received", { ...m5, receiver: "id-a2", heard: 19 }));
  });
  assert.deepEqual(verdict, { broken: [], unclear: [] });
});

test("checkRecord() lets the clock stand still at its end, and says that it can't tell", () => {
  const verdict = changedRun(({ client }) => {
    const sent = { message: "m3", attempt: 1, receiver: "id-a" };
    for (const name of ["sent", "timed out", "gave up"] as const)
      client.push(at("client", 2 ** 53 - 1, name, sent));
  });
  assert.deepEqual(verdict.broken, []);
  assert.match(verdict.unclear.join(), /the clock of client has come to its end/);
});

test("checkRecord() can't tell of a message that was sent and never came to an end", () => {
  const verdict = changedRun(({ client }) => {
    client.push(at("client", 20, "sent", { message: "m9", attempt: 1, receiver: "id-a" }));
    client.push(at("client", 21, "timed out", { message: "m9", attempt: 1, receiver: "id-a" }));
  });
  assert.deepEqual(verdict, { broken: [], unclear: ["client sent m9, and never came to an end with it"] });
});

test("checkRecord() finds an ack whose id is wrong, though nobody took it for one", () => {
  const verdict = changedRun(({ client }) => {
    const last = client.at(-1) as TraceEvent;
    client.push({ ...last, event: "ack ignored", clock: 30, message: "m2x" });
  });
  assert.deepEqual(
    verdict.broken.map(({ promise, why }) => [promise, why]),
    [["no effect before its cause", 'a has no "acked" of m2x at time 13']],
  );
});

test("checkRecord() counts who was asked: three that call themselves the same are three", () => {
  const verdict = changedRun(({ client }) => {
    for (const event of client) if (event.event === "ack received") event.note = "it calls itself same";
  });
  assert.deepEqual(verdict, { broken: [], unclear: [] });
});

test("checkRecord() tells of a message that two lives of a process processed, and breaks nothing", () => {
  const run = goodRun();
  const m5 = { message: "m5", attempt: 1 };
  for (let life = 1; life <= 3; life++)
    run.b.push(at("b", 1, "joined", { receiver: `id-b${life}` }), at("b", 2, "processed", m5));
  assert.deepEqual(checkAll(flat(run)), {
    broken: [],
    unclear: [],
    repeated: [
      { why: "b, started again, processed m5 again", where: ["b:6", "b:8"] },
      { why: "b, started again, processed m5 again", where: ["b:6", "b:10"] },
    ],
    events: 28,
    processes: 3,
  });
});

test("checkRecord() tells of a message that two receivers at one address processed, and breaks nothing", () => {
  const run = goodRun();
  Object.assign(find(run, "a", 1), { note: "host:7001" });
  Object.assign(find(run, "b", 1), { note: "host:7002" });
  const c = [at("c", 1, "joined", { receiver: "id-c", note: "host:7002" })];
  c.push(at("c", 2, "processed", { message: "m2" }), at("c", 3, "processed", { message: "m1" }));
  const { broken, unclear, repeated } = checkAll(flat({ ...run, c } as Run));
  assert.deepEqual({ broken, unclear }, { broken: [], unclear: [] });
  const why = "c processed m1, as did another at host:7002";
  assert.deepEqual(repeated, [{ why, where: ["b:3", "c:3"] }], "m2 was processed at another address");
});

test("checkRecord() counts the acks that came, where those who acked were too many to name", () => {
  for (const [need, promises] of [
    [2, []],
    [3, ["group sends met their need"]],
  ] as const) {
    const { broken, unclear } = changedRun((run) => {
      const { ackedBy: _named, ...event } = find(run, "client", 7);
      run.client.splice(4, 1, { ...event, need });
    });
    assert.deepEqual(
      broken.map(({ promise }) => promise),
      promises,
    );
    assert.deepEqual(unclear, []);
  }
});

test("checkRecord() takes no two names for one, wherever one ends and the next begins", () => {
  const [first, second] = [
    ["r 1", "m"],
    ["r", "1 m"],
  ] as const;
  const events = [first, second].map(([process, message]) => at(process, 1, "processed", { message }));
  assert.deepEqual(checkAll(flat({ b: events })).repeated, []);
  const acked = at(second[0], 2, "acked", { message: second[1] });
  const { broken } = checkRecord(flat({ b: [events[0] as TraceEvent, acked] }));
  assert.equal(broken[0]?.promise, "acked only what was processed");
});

/** Any number of events, made when they are read. */
const many = (count: number, make: (index: number) => TraceEvent): Iterable<RecordedEvent> => ({
  *[Symbol.iterator]() {
    for (let index = 0; index < count; index++) yield { ...make(index), where: `many:${index + 1}` };
  },
});

test("checkRecord() keeps the first of very many breaks, of what is missing, and of what was processed again", () => {
  const { broken } = checkAll(many(5000, (n) => at("b", n + 1, "acked", { message: `m${n}` })));
  assert.equal(broken.length, MAX_FOUND);
  assert.deepEqual(broken.at(-1)?.where, [`many:${MAX_FOUND}`]);
  const { unclear } = checkAll(many(5000, (n) => at("c", n + 1, "sent", { message: `m${n}` })));
  assert.equal(unclear.length, MAX_FOUND);
  const lives = many(5000, () => at("b", 1, "processed", { message: "m1" }));
  assert.equal(checkAll(lives).repeated.length, MAX_FOUND);
});

test("checkRecord() says so when more processes or receivers are named than it can keep", () => {
  const joined = many(MAX_NAMES + 1, (n) => at("b", n + 1, "joined", { receiver: `id-${n}` }));
  assert.throws(() => checkRecord(joined), {
    message: /^Cannot check: more than 1000000 .*; check a shorter run$/,
  });
});

test("checkRecord() takes no longer for each event when one message has very many", () => {
  const message = "m1";
  const names = ["processed", "acked", "ack received"] as const;
  const run = many(120_000, (n) => at("b", n + 1, names[n % 3] ?? "acked", { message, receiver: "id-b" }));
  const begun = performance.now();
  const { broken } = checkRecord(run);
  assert.ok(broken.length >= MAX_FOUND);
  assert.ok(performance.now() - begun < 20_000, "four minutes, when each looked at all before it");
});

test("readRecord() says of each event where it stands", () => {
  const [file = ""] = write("where", { b: goodRun().b });
  assert.deepEqual(
    readRecord(file),
    goodRun().b.map((event, index) => ({ ...event, where: `${file}:${index + 1}` })),
  );
});

for (const [what, line, problem] of [
  ["is JSON but no event", "7", "it must be a JSON object with the fields of the protocol"],
  ["is an unknown event", '{"event":"slept","process":"b","clock":1,"at":0}', '"event" '],
  ["has no clock", '{"event":"left","process":"b","at":0}', '"clock" is missing'],
  ["has a clock of 0", '{"event":"left","process":"b","clock":0,"at":0}', '"clock" '],
] as const) {
  test(`readRecord() names a line that ${what}`, () => {
    const good = JSON.stringify(at("b", 1, "joined", { receiver: "id-b" }));
    const file = writeText("bad.jsonl", `${good}\n${line}\n${good}\n`);
    assert.throws(
      () => readRecord(file),
      ({ message }: Error) => message.startsWith(`Cannot read ${file}:2: ${problem}`),
    );
  });
}

/** The command line, as a process. */
async function checkFiles(...files: string[]) {
  const checker = startRole("trace/check_record.ts", files);
  const code = await checker.exitCode();
  assert.equal(checker.stderr(), "");
  return { code, said: checker.stdout() };
}

test("check_record.ts ends with 0 when all held", async () => {
  const { code, said } = await checkFiles(...write("good", goodRun()));
  assert.equal(code, 0);
  assert.match(said, /^22 events, 3 processes\n(✔ held .*\n){5}$/);
});

test("check_record.ts counts each event once, when a file is named twice", async () => {
  const files = write("twice", goodRun());
  const { code, said } = await checkFiles(...files, ...files);
  assert.equal(code, 0, said);
  assert.match(said, /^22 events, 3 processes\n(✔ held .*\n){5}$/);
});

test("check_record.ts names the lines that were cut, and what was processed again, and ends with 0", async () => {
  const run = goodRun();
  run.b.push(at("b", 1, "joined", { receiver: "id-b2" }), at("b", 2, "processed", { message: "m1" }));
  const files = write("cut", run, '\n{"event":"lef');
  const [first = ""] = files;
  writeFileSync(first, readFileSync(first, "utf8").replace("\n", '\n{"event":"se\n'));
  const { code, said } = await checkFiles(...files);
  assert.equal(code, 0, said);
  const [a, b, c] = files;
  const cut = [`${a}:2`, `${a}:11`, `${b}:10`, `${c}:7`];
  assert.deepEqual(said.split("\n").slice(-6), [
    ...cut.map((where) => `ℹ not written: a line that was cut (${where})`),
    `ℹ processed again: b, started again, processed m1 again (${c}:3, ${c}:6)`,
    "",
  ]);
  assert.match(said, /^24 events, 3 processes\n(✔ held .*\n){5}ℹ/);
});

test("check_record.ts shows nothing of a record that a terminal would obey", async () => {
  const bad = "\x1b[2Jm\x07\x9b";
  const run = goodRun();
  run.b.push(at(`b${bad}`, 1, "acked", { message: bad }), at("c", 1, "sent", { message: bad }));
  run.b.push(at("b", 1, "joined", { receiver: "id-b2", note: bad }));
  for (const process of [bad, `${bad}2`])
    run.b.push(at(process, 1, "joined", { note: bad }), at(process, 2, "processed", { message: bad }));
  const files = write("obeyed", run, `\n{"${bad}`);
  const evil = writeText(`${bad}.jsonl`, `{"${bad}`);
  for (const each of [[...files, evil], [...files.slice(1), evil], [writeText(`${bad}2.jsonl`, "7\n")]]) {
    const { said } = await checkFiles(...each);
    assert.ok(said.includes("\\x1b[2Jm\\x07"), said);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
    assert.doesNotMatch(said, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  }
});

test("check_record.ts shows the first of many breaks, and says how many more", async () => {
  const acked = (count: number) =>
    Array.from({ length: count }, (_value, n) => at("b", n + 1, "acked", { message: `m${n}` }));
  const { said } = await checkFiles(...write("more", { b: acked(25) } as Run));
  assert.match(said, /^ {4}b never processed m9 .*\n {4}… and 15 more$/m);
  const { code, said: most } = await checkFiles(...write("most", { b: acked(2000) } as Run));
  assert.equal(code, 1);
  assert.match(most, /^ {4}… and at least 990 more$/m);
});

test("check_record.ts ends with 1 when a promise is broken, and names the lines", async () => {
  const broken = goodRun();
  broken.b.push(at("b", 20, "processed", { message: "m1" }));
  const files = write("broken", broken);
  const { code, said } = await checkFiles(...files);
  assert.equal(code, 1);
  assert.match(said, /^✖ broken {2}processed once: no message processed twice by one receiver$/m);
  assert.ok(said.includes(`    b processed m1 again (${files[2]}:3, ${files[2]}:5)\n`));
  assert.equal(said.match(/^✔ held/gm)?.length, 4);
});

test("check_record.ts ends with 1 when a promise is broken, even if it can't tell of others", async () => {
  const { client, b } = goodRun();
  b.push(at("b", 20, "processed", { message: "m1" }));
  assert.equal((await checkFiles(...write("half", { client, b }))).code, 1);
});

for (const [what, files, why] of [
  [
    "a receiver's record is missing",
    () => write("no-b", { client: goodRun().client, a: goodRun().a }),
    /id-b acked/,
  ],
  ["a record is empty", () => [writeText("empty.jsonl", "")], /there is no event/],
  ["a file isn't there", () => [join(folder, "nowhere.jsonl")], /^Cannot read .*nowhere.jsonl: ENOENT/],
  [
    "a line is no event",
    () => [writeText("bad.jsonl", '"oi"\n')],
    /^Cannot read .*bad.jsonl:1: it must be a JSON object/,
  ],
  ["no record is named", () => [], /^Cannot check: name the records\nTry: npm run check-record -- /],
] as const) {
  test(`check_record.ts ends with 2 when ${what}`, async () => {
    const { code, said } = await checkFiles(...files());
    assert.equal(code, 2);
    assert.match(said, why);
    assert.doesNotMatch(said, /✖|✔/);
  });
}
