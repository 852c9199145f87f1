/** The parts of the attack (attack.ts): that what it sends is what it means to send, and that it finds what is broken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeartbeatSchema, MAX_RECEIVERS, MessageSchema, RegistrationSchema } from "../lib/messages.ts";
import { read } from "../plumbing/read_json.ts";
import { seededRandom } from "../plumbing/seeded_random.ts";
import { hasControls, isTrace, memoryLimit, type Target } from "./attack_field.ts";
import { EventsSchema } from "./attack_frames.ts";
import { mutatedFrames, oddRequests, validFor } from "./attack_mutate.ts";
import { findProblems, type Outcome } from "./attack_report.ts";
import { drawAll } from "./attack_run.ts";
import type { Watched } from "./attack_watch.ts";

const ROOT = `${import.meta.dirname}/..`;
const MIB = 1024 * 1024;

test("validFor() makes what the schemas of the wire take", () => {
  for (const schema of [MessageSchema, RegistrationSchema, HeartbeatSchema, EventsSchema])
    fc.assert(
      fc.property(validFor(schema), (value) => "value" in read(schema, JSON.parse(JSON.stringify(value)))),
    );
});

test("mutated frames are some valid, most not, and the same for the same seed", () => {
  const frames = fc.sample(mutatedFrames(MessageSchema), { numRuns: 300, seed: 7 });
  const isValid = (frame: Buffer) => {
    try {
      return "value" in read(MessageSchema, JSON.parse(`${frame}`));
    } catch {
      return false;
    }
  };
  const valid = frames.filter(isValid).length;
  assert.ok(valid > 10 && valid < 250, `${valid} of ${frames.length} are valid`);
  assert.deepEqual(fc.sample(mutatedFrames(MessageSchema), { numRuns: 300, seed: 7 }), frames);
});

test("odd requests are requests, of a bounded length", () => {
  for (const sample of fc.sample(oddRequests(HeartbeatSchema, ["/heartbeat"]), { numRuns: 300, seed: 7 })) {
    assert.match(sample.toString("latin1"), /^\S+ \S+ HTTP\/1\.1\r\n/);
    assert.ok(sample.length < 8 * MIB, `${sample.length} bytes`);
  }
});

test("drawAll() gives all before any comes again, in the order of the seed", () => {
  const draw = () => {
    const drawn = drawAll(["a", "b", "c"], seededRandom(3));
    return Array.from({ length: 6 }, () => drawn.next().value);
  };
  assert.deepEqual(draw().slice(0, 3).sort(), ["a", "b", "c"]);
  assert.deepEqual(draw().slice(3).sort(), ["a", "b", "c"]);
  assert.deepEqual(draw(), draw());
});

test("the limits are those of the Compose files", () => {
  assert.equal(memoryLimit(ROOT, "receiver"), 128 * MIB);
  assert.equal(memoryLimit(ROOT, "client"), 512 * MIB);
  assert.ok(MAX_RECEIVERS < 130_000, "a liar lists more than a list may have");
});

test("a stack and a control character are found, and words are not", () => {
  assert.ok(isTrace("    at register (file:///app/discovery.ts:3:1)"));
  assert.ok(!isTrace("22:07:37 receiver-1 info: message 1, at last"));
  assert.ok(hasControls("\u001b[2J") && hasControls("\u009b") && !hasControls("olá\n\tx\n"));
});

/** What came of an attack that found nothing. */
function goodOutcome(): Outcome {
  const target: Target = {
    role: "receiver",
    name: "receiver-1",
    host: "",
    port: 1,
    limitBytes: 128 * MIB,
    pid: 1,
  };
  const memory = { beforeBytes: 40 * MIB, peakBytes: 100 * MIB, afterBytes: 60 * MIB };
  const health = { asked: 60, busy: 3, closed: 0, hung: 0, worstMs: 80, isLost: false };
  const honest = { sent: 30, acked: 30, slowestMs: 5, peakBytes: 0, problems: [] };
  const ends = { crashes: [], outOfMemory: [] };
  const watched: Watched[] = [{ target, ...memory, ...health }];
  return { counts: {}, isClosed: false, watched, ...ends, honest, lies: [], logs: [], ownLagMs: 0 };
}

test("findProblems() finds none where all went well", () => {
  assert.deepEqual(findProblems(goodOutcome()), []);
});

const broken: [RegExp, (outcome: Outcome) => void][] = [
  [
    /^crashed: receiver-1 \(137\), 2 times/,
    ({ crashes }) => crashes.push("receiver-1 (137)", "receiver-1 (137)"),
  ],
  [/^out of memory: monitor, 1 times/, ({ outOfMemory }) => outOfMemory.push("monitor")],
  [/receiver-1 took 129 MiB, its limit is 128/, ({ watched }) => change(watched, { peakBytes: 129 * MIB })],
  [/receiver-1 kept 81 MiB, it had 40/, ({ watched }) => change(watched, { afterBytes: 81 * MIB })],
  [/receiver-1 does not run/, ({ watched }) => change(watched, { afterBytes: 0 })],
  [/receiver-1 hung 1 times/, ({ watched }) => change(watched, { hung: 1, worstMs: 6000 })],
  [/1 of 30 honest messages were not acked/, ({ honest }) => Object.assign(honest, { acked: 29 })],
  [/0 of 0 honest messages/, ({ honest }) => Object.assign(honest, { sent: 0, acked: 0 })],
  [
    /liar: it said too much/,
    ({ lies }) => lies.push({ lie: "liar", peakBytes: 1, problems: ["it said too much"] }),
  ],
  [/a stack in the log of monitor/, ({ logs }) => logs.push({ name: "monitor", bytes: 1, traces: ["at x"] })],
  [
    /odd requests: 2 times an answer 500/,
    ({ counts }) => Object.assign(counts, { "odd requests": { "HTTP 500": 2 } }),
  ],
  [
    /ids: a stranger was answered ack, 3 times/,
    (outcome) => {
      outcome.isClosed = true;
      outcome.counts.ids = { sent: 5, "HTTP 403": 1, "no answer": 2, ack: 3 };
    },
  ],
];

function change([first]: Watched[], more: Partial<Watched>): void {
  Object.assign(first ?? {}, more);
}

for (const [problem, breakIt] of broken) {
  test(`findProblems() finds: ${problem.source}`, () => {
    const outcome = goodOutcome();
    breakIt(outcome);
    const [found, ...others] = findProblems(outcome);
    assert.match(found ?? "", problem);
    assert.deepEqual(others, []);
  });
}
