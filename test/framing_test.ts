import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameReader, MAX_FRAME_BYTES, writeFrame } from "../lib/framing.ts";
import { flush } from "../plumbing/joined_writes.ts";

/** Cuts bytes at the given places (each a fraction of the whole). */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const at = [
    0,
    ...places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

/** Reads all chunks: the frames, the problems, and what was left of a frame that hasn't ended. */
function readAll(chunks: Buffer[], maxBytes = MAX_FRAME_BYTES) {
  const lines: string[] = [];
  const problems: { code: string; message: string }[] = [];
  const read = createFrameReader(
    (line) => lines.push(line),
    (code, message) => problems.push({ code, message }),
    maxBytes,
  );
  for (const chunk of chunks) read(chunk);
  return { lines, problems, unfinished: read.unfinished() };
}
const whole = (lines: string[]) => ({ lines, problems: [], unfinished: "" });
const codes = ({ problems }: ReturnType<typeof readAll>) => problems.map(({ code }) => code);

const anyLine = fc.string({ unit: "binary" }).map((text) => JSON.stringify(text));
const anyPlaces = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

test("createFrameReader() gives the same frames however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(anyLine), anyPlaces, (lines, places) => {
      const stream = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      assert.deepEqual(readAll(cut(stream, places)), whole(lines));
    }),
  );
});

test("createFrameReader() gives the same frames when they come a byte at a time", () => {
  const lines = ['{"body":"olá, 你好, 🎉"}', "", "x".repeat(3000)];
  const stream = Buffer.from(`${lines.join("\n")}\n`);
  assert.deepEqual(readAll([...stream].map((byte) => Buffer.from([byte]))), whole(lines));
});

test("createFrameReader() treats any bytes the same however they are cut", () => {
  // What is left after a problem is no promise; that nothing comes of it is.
  const outcome = (chunks: Buffer[]) => {
    const { unfinished, ...rest } = readAll(chunks, 50);
    return rest.problems.length > 0 ? rest : { ...rest, unfinished };
  };
  const anyBytes = fc
    .uint8Array({ maxLength: 200 })
    .map((bytes) => Buffer.from(bytes.map((b) => (b < 40 ? 10 : b))));
  fc.assert(
    fc.property(anyBytes, anyPlaces, (bytes, places) => {
      assert.deepEqual(outcome(cut(bytes, places)), outcome([bytes]));
    }),
  );
});

test("createFrameReader() takes a frame of exactly the limit and refuses one byte more", () => {
  const frame = Buffer.from(`${"a".repeat(MAX_FRAME_BYTES)}\n`);
  const tooLong = Buffer.from(`${"a".repeat(MAX_FRAME_BYTES + 1)}\n`);
  assert.deepEqual(codes(readAll([frame])), []);
  const { lines, problems } = readAll([frame, tooLong]);
  assert.equal(lines.length, 1);
  assert.deepEqual(problems, [
    { code: "too_large", message: "Cannot read frame: it has more than 1048576 bytes" },
  ]);
});

test("createFrameReader() refuses a frame that is too large before it has ended", () => {
  assert.deepEqual(codes(readAll([Buffer.from("12345")], 10)), []);
  assert.deepEqual(codes(readAll([Buffer.from("12345"), Buffer.from("67890")], 10)), []);
  assert.deepEqual(codes(readAll([Buffer.from("12345"), Buffer.from("678901")], 10)), ["too_large"]);
});

test("createFrameReader() counts bytes, not characters", () => {
  assert.deepEqual(readAll([Buffer.from("áé\n")], 4), whole(["áé"]));
  assert.deepEqual(codes(readAll([Buffer.from("áé\n")], 3)), ["too_large"]);
});

test("createFrameReader() refuses a line that is not UTF-8", () => {
  const { lines, problems } = readAll([Buffer.from([0x22, 0xff, 0x22, 0x0a])]);
  assert.deepEqual(problems, [{ code: "bad_frame", message: "Cannot read frame: it is not UTF-8" }]);
  assert.deepEqual(lines, []);
});

for (const [what, bad] of [
  ["too large", "12345678901\n"],
  ["too large and has not ended", "12345678901"],
  ["not UTF-8", "\xff\n"],
] as const) {
  test(`createFrameReader() tells once that a frame is ${what}, and ignores what comes after`, () => {
    const stream = [`one\n${bad}`, "two\n", "\xff\n", "three\n12345678901\n", "four"];
    const { lines, problems, unfinished } = readAll(
      stream.map((text) => Buffer.from(text, "latin1")),
      10,
    );
    assert.deepEqual(lines, ["one"]);
    assert.equal(problems.length, 1);
    assert.equal(unfinished, "", "it keeps nothing of it");
  });
}

test("createFrameReader() says what has come of a frame that hasn't ended", () => {
  assert.equal(readAll([Buffer.from("one\ntw"), Buffer.from("o")]).unfinished, "two");
  assert.equal(readAll([Buffer.from("one\ntw"), Buffer.from("o\n")]).unfinished, "");
});

test("writeFrame() writes what createFrameReader() reads, several frames of a tick in one go", async () => {
  const frames = [{ body: "a\nb" }, { body: "olá" }, {}];
  const stream = new PassThrough();
  for (const frame of frames) writeFrame(stream, frame);
  flush(stream);
  stream.end();
  const chunks = await stream.toArray();
  const { lines } = readAll(chunks);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    frames,
  );
  assert.equal(chunks.length, 1);
});

test("writeFrame() makes the JSON of a long body once, for all who get it", async (t) => {
  const body = `${"x".repeat(5000)} "olá" \n \ud800 ,"body":""`;
  const stringify = t.mock.method(JSON, "stringify");
  const stream = new PassThrough();
  const frames = ["a", 'b,"body":""'].map((id) => ({ type: "message", id, body, clock: 7 }));
  for (const frame of frames) writeFrame(stream, frame);
  writeFrame(stream, { short: true });
  flush(stream);
  stream.end();
  assert.equal(stringify.mock.calls.filter(({ result = "" }) => result.length > 5000).length, 1);
  const { lines } = readAll(await stream.toArray());
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [...frames, { short: true }],
  );
});
