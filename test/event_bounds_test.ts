/** What `tell` puts out, whatever a peer says: valid for all who read it, and bounded in bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as v from "valibot";
import { AnswerSchema, MessageSchema, RegisteredSchema } from "../lib/messages.ts";
import { createLog } from "../plumbing/log.ts";
import { quoted } from "../plumbing/printable.ts";
import { readJson } from "../plumbing/read_json.ts";
import {
  type EventDetails,
  type EventName,
  MAX_EVENT_BYTES,
  MAX_NOTE,
  type TraceEvent,
  TraceEventSchema,
} from "../trace/events.ts";
import { createTrace, MAX_CLOCK } from "../trace/trace.ts";
import { keptLog } from "./helpers.ts";

const MAX_WITHOUT_IDS = 4096; // bytes of an event's line, but for `ackedBy`
const LONG = 1024 * 1024;

/** Texts of any UTF-16: lone surrogates, control characters, what is two units or three bytes. */
const unit = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.constantFrom(
    "\x00",
    "\x1b",
    "\x85",
    '"',
    "\\",
    "\n",
    "\ud83d",
    "\ude00",
    "😀",
    "\u202e",
    "\u2028",
    "啊",
  ),
);
const text = fc.array(unit, { maxLength: 700 }).map((units) => units.join(""));
const longText = fc.tuple(unit, unit).map(([a, b]) => (a + b).repeat(LONG / 2).slice(0, LONG));
const anyText = fc.oneof({ weight: 30, arbitrary: text }, { weight: 1, arbitrary: longText });
const name = fc.array(unit, { minLength: 1, maxLength: 128 }).map((units) => units.join("").slice(0, 128));
const counting = fc.oneof(fc.integer({ min: 1, max: MAX_CLOCK }), fc.constant(MAX_CLOCK));

/** Reads what a peer wrote, as the roles do; each arbitrary below makes only what the schemas let through. */
function taken<S extends v.GenericSchema>(schema: S, frame: unknown): v.InferOutput<S> {
  const result = readJson(schema, JSON.stringify(frame));
  if ("problem" in result) assert.fail(result.problem);
  return result.value;
}

/** Tells it in a trace of its own. @returns the event */
function told(event: EventName, details: EventDetails): TraceEvent {
  const events: TraceEvent[] = [];
  const outlets = [(each: TraceEvent) => void events.push(each)];
  const before = structuredClone(details);
  createTrace("x".repeat(70), { ...keptLog(), outlets }).tell(event, details);
  assert.deepEqual(details, before, "what it is given stays as it was");
  return events[0] ?? assert.fail("no event");
}

/** @returns the bytes of its line */
function checkEvent(event: TraceEvent): number {
  const json = JSON.stringify(event);
  assert.ok(v.is(TraceEventSchema, event), `not valid: ${json.slice(0, 1000)}`);
  assert.ok("value" in readJson(TraceEventSchema, json), "not valid after a trip through JSON");
  assert.doesNotMatch(event.note ?? "", /\p{Surrogate}/u, "a lone surrogate");
  return Buffer.byteLength(json);
}

const SEED = { seed: 20, numRuns: 300 }; // a failure prints the seed and the path to it

test("tell() puts out a valid and bounded event, whatever a message and a registration say", () => {
  const wire = { id: name, from: fc.option(name, { nil: undefined }), attempt: counting, body: anyText };
  const frame = fc.record({ type: fc.constant("message"), ...wire, clock: counting });
  fc.assert(
    fc.property(frame, name, (given, receiverId) => {
      const { id, from, attempt, body, clock: heard } = taken(MessageSchema, given);
      const { id: receiver } = taken(RegisteredSchema, { message: body, id: receiverId });
      const about = { message: id, attempt, receiver, from };
      const note = quoted(body);
      for (const event of [
        told("received", { ...about, heard, duplicate: true }),
        told("fault", { ...about, fault: "disconnect", note: "closed the connection before processing it" }),
        told("processed", { ...about, note }),
        told("acked", { message: id, attempt, receiver, duplicate: false }),
        told("joined", { receiver, note: body }),
      ])
        assert.ok(checkEvent(event) < MAX_WITHOUT_IDS);
    }),
    SEED,
  );
});

test("tell() puts out a valid and bounded event, whatever an answer says and however an attempt fails", () => {
  const ack = {
    type: fc.constant("ack"),
    id: name,
    receiver: name,
    duplicate: fc.boolean(),
    clock: counting,
  };
  const error = { type: fc.constant("error"), code: fc.constant("busy"), message: anyText };
  fc.assert(
    fc.property(fc.record(ack), fc.record(error), anyText, (givenAck, givenError, reason) => {
      const answer = taken(AnswerSchema, givenAck);
      const refusal = taken(AnswerSchema, givenError);
      assert.ok(answer.type === "ack" && refusal.type === "error");
      const about = { message: answer.id, attempt: 9, receiver: answer.receiver, timeout: 2 ** 31 - 1 };
      for (const event of [
        told("ack received", { ...about, duplicate: answer.duplicate, heard: answer.clock }),
        told("connection failed", { ...about, note: `connection lost (it answered: ${refusal.message})` }),
        told("gave up", { ...about, outcome: "undelivered", note: reason }),
      ])
        assert.ok(checkEvent(event) < MAX_WITHOUT_IDS);
    }),
    SEED,
  );
});

test("tell() cuts a note after it was escaped, and never within a character of two units", () => {
  for (let before = MAX_NOTE - 8; before <= MAX_NOTE + 2; before++) {
    const { note = "" } = told("gave up", { note: "x".repeat(before) + "😀".repeat(4) });
    assert.ok(note.length <= MAX_NOTE);
    assert.equal(note.length < before + 8, note.endsWith("…"), "it says so");
    assert.doesNotMatch(note, /\p{Surrogate}/u);
  }
  const { note: escaped = "" } = told("gave up", { note: "\x1b".repeat(MAX_NOTE - 10) });
  assert.match(escaped, /^(\\x1b)+.*…$/);
  assert.equal(escaped.length, MAX_NOTE);
  assert.equal(told("gave up", { note: "y".repeat(MAX_NOTE) }).note, "y".repeat(MAX_NOTE), "whole");
});

test("tell() logs no more of a note than it records", () => {
  const { log, lines } = keptLog();
  createTrace("client-1", { log }).tell("gave up", { note: "\x07".repeat(LONG) });
  assert.ok((lines[0]?.length ?? 0) < MAX_NOTE + 100);
});

const idsOf = (count: number) => Array.from({ length: count }, (_, i) => String(i).padStart(36, "0"));

test("tell() keeps the ids of 10,000 who acked, and leaves them out where they are too many bytes", () => {
  const ackedBy = idsOf(10_000);
  const whole = told("group acked", { message: "m1", need: 10_000, ackedBy });
  assert.deepEqual(whole.ackedBy, ackedBy);
  assert.ok(checkEvent(whole) <= MAX_EVENT_BYTES);

  for (const many of [idsOf(100_000), Array(2000).fill("\x01".repeat(128))]) {
    const { log, lines } = keptLog();
    const event = told("group acked", { message: "m1", need: many.length, ackedBy: many });
    assert.equal(event.ackedBy, undefined);
    assert.ok(checkEvent(event) < MAX_WITHOUT_IDS);
    createTrace("client-1", { log }).tell("group acked", { message: "m1", need: 7, ackedBy: many });
    assert.match(lines[0] ?? "", new RegExp(`acked by ${many.length}, 7 needed`));
  }
});

test("tell() looks at no details at log level warn, when nobody records", () => {
  const log = createLog("test", { logLevel: "warn", writeLine: () => assert.fail("it logs") });
  const { tell } = createTrace("client-1", { log });
  const unseen = new Proxy({ heard: 4 } as EventDetails, {
    get: (details, key) => (key === "heard" ? details.heard : assert.fail(`it reads ${String(key)}`)),
  });
  assert.equal(tell("processed", unseen), 5);
});
