import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  AckSchema,
  AnswerSchema,
  isAck,
  isMessage,
  MAX_RECEIVERS,
  MessageSchema,
  ReceiversSchema,
  RegistrationSchema,
} from "../lib/messages.ts";
import { read, readJson } from "../plumbing/read_json.ts";
import { RefusalSchema } from "../plumbing/servers.ts";

test("readJson() fills in what a message may leave out, and lets unknown fields through", () => {
  const frame = readJson(MessageSchema, '{"type":"message","id":"1","body":"oi","colour":"red"}');
  assert.deepEqual(frame, { value: { type: "message", id: "1", body: "oi", attempt: 1 } });
});

const badMessages = [
  ["{", "it is not JSON"],
  ["", "it is not JSON"],
  ["null", "it must be a JSON object with the fields of the protocol"],
  ["7", "it must be a JSON object with the fields of the protocol"],
  ['{"id":"1","body":"oi"}', '"type" is missing'],
  ['{"type":"ack","id":"1","body":"oi"}', '"type" must be "message"'],
  ['{"type":"message","body":"oi"}', '"id" is missing'],
  ['{"type":"message","id":"","body":"oi"}', '"id" must not be empty'],
  ['{"type":"message","id":7,"body":"oi"}', '"id" must be a text'],
  [`{"type":"message","id":"${"x".repeat(129)}","body":"oi"}`, '"id" must have at most 128 characters'],
  ['{"type":"message","id":"1"}', '"body" is missing'],
  ['{"type":"message","id":"1","body":"oi","attempt":0}', '"attempt" must be 1 or more'],
  ['{"type":"message","id":"1","body":"oi","attempt":1.5}', '"attempt" must be a whole number'],
  ['{"type":"message","id":"1","body":"oi","clock":0}', '"clock" must be 1 or more'],
  ['{"type":"message","id":"1","body":"oi","clock":9007199254740992}', '"clock" must be a whole number'],
] as const;
for (const [json, problem] of badMessages) {
  test(`readJson() says what is wrong with the message ${json.slice(0, 80)}`, () => {
    assert.deepEqual(readJson(MessageSchema, json), { problem });
  });
}

const mostly = <T>(right: fc.Arbitrary<T>) => fc.oneof({ weight: 9, arbitrary: right }, fc.jsonValue());
const edges = fc.constantFrom("", "x".repeat(128), "x".repeat(129));
const anyText = mostly(
  fc.oneof({ weight: 9, arbitrary: fc.string({ unit: "binary", minLength: 1 }) }, edges),
);
const anyCount = mostly(fc.oneof(fc.maxSafeNat(), fc.constantFrom(1, 0, -1, 1.5, 2 ** 53 - 1, 2 ** 53)));
const anyFrame = fc.record(
  {
    type: mostly(fc.constantFrom("message", "ack")),
    id: anyText,
    from: anyText,
    receiver: anyText,
    attempt: anyCount,
    clock: anyCount,
    body: anyText,
    duplicate: mostly(fc.boolean()),
  },
  { noNullPrototype: true, requiredKeys: ["type", "id", "clock"] },
);

for (const { name, isRight, schema } of [
  { name: "isMessage", isRight: isMessage, schema: MessageSchema },
  { name: "isAck", isRight: isAck, schema: AckSchema },
]) {
  test(`${name}() lets nothing through that the schema would refuse or change`, () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(anyFrame, fc.jsonValue()), (frame) => {
        if (!isRight(frame)) return;
        taken += 1;
        const checked = read(schema, frame);
        assert.ok("value" in checked);
        assert.deepEqual({ ...(frame as object), ...checked.value }, frame);
      }),
      { numRuns: 3000 },
    );
    assert.ok(taken > 20, `${taken} were taken`);
  });
}

test("readJson() takes the last clock that JSON carries exactly, of a message and of an ack", () => {
  const clock = Number.MAX_SAFE_INTEGER;
  const frame = { type: "message", id: "1", attempt: 1, body: "oi", clock };
  assert.deepEqual(readJson(MessageSchema, JSON.stringify(frame)), { value: frame });
  const ack = { type: "ack", id: "1", receiver: "r", duplicate: false, clock };
  assert.deepEqual(readJson(AckSchema, JSON.stringify(ack)), { value: ack });
});

for (const port of [0, -1, 65536, 99999999, 1.5, "80", null, Number.NaN]) {
  test(`read() refuses a registration with port ${JSON.stringify(port)}, and says the limit`, () => {
    const problem = '"port" must be a whole number from 1 to 65535';
    assert.deepEqual(read(RegistrationSchema, { host: "a", port }), { problem });
  });
}

for (const host of ["", "two words", "\x1b[2J", "x".repeat(254), "<b>"]) {
  test(`read() refuses a registration with host ${JSON.stringify(host.slice(0, 20))}`, () => {
    const problem = '"host" must be a host name or an IP address, at most 253 characters';
    assert.deepEqual(read(RegistrationSchema, { host, port: 1 }), { problem });
  });
}

for (const host of ["receiver-1", "my_service", "10.0.0.1", "::1", "fe80::1%eth0", "a.example.org"]) {
  test(`read() takes a registration with host ${host}`, () => {
    assert.deepEqual(read(RegistrationSchema, { host, port: 1 }), { value: { host, port: 1 } });
  });
}

test("read() takes a registration with a name, and refuses an empty one", () => {
  const where = { host: "a", port: 1, name: "receiver-a" };
  assert.deepEqual(read(RegistrationSchema, where), { value: where });
  const problem = '"name" must not be empty';
  assert.deepEqual(read(RegistrationSchema, { ...where, name: "" }), { problem });
});

test("readJson() tells acks from errors", () => {
  const ack = { type: "ack", id: "1", receiver: "r", duplicate: false };
  const error = { type: "error", code: "busy", message: "later" };
  assert.deepEqual(readJson(AnswerSchema, JSON.stringify(ack)), { value: ack });
  assert.deepEqual(readJson(AnswerSchema, JSON.stringify(error)), { value: error });
  assert.ok("problem" in readJson(AnswerSchema, '{"type":"ack","id":"1"}'));
});

test("read() keeps of what a peer says only the beginning, and tells what is wrong in few words", () => {
  const said = "x".repeat(500_000);
  const cut = `${said.slice(0, 200)}…`;
  const busy = { type: "error", code: "busy" };
  assert.deepEqual(read(AnswerSchema, { ...busy, message: said }), { value: { ...busy, message: cut } });
  assert.deepEqual(read(RefusalSchema, { error: said }), { value: { error: cut } });
  for (const wrong of [{ ...busy, code: said, message: "" }, { type: said }]) {
    const answer = read(AnswerSchema, wrong);
    assert.ok("problem" in answer && answer.problem.length <= 201, JSON.stringify(answer).slice(0, 300));
  }
});

test("read() refuses a list with a last_seen that is no time, and one that is too long", () => {
  const receiver = { id: "a", host: "b", port: 1, last_seen: 1.5 };
  assert.deepEqual(read(ReceiversSchema, [receiver]), { value: [receiver] });
  for (const last_seen of [-1, -1e300, 1e300]) {
    const answer = read(ReceiversSchema, [{ ...receiver, last_seen }]);
    assert.match("problem" in answer ? answer.problem : "", /last_seen/);
  }
  assert.ok("value" in read(ReceiversSchema, Array(MAX_RECEIVERS).fill(receiver)));
  assert.ok("problem" in read(ReceiversSchema, Array(MAX_RECEIVERS + 1).fill(receiver)));
});
