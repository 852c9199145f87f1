import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { createFrameReader, FramingError, MAX_FRAME_BYTES, writeFrame } from "../lib/framing.ts";

/** Cuts bytes at the given places (each a fraction of the whole). */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const at = [
    0,
    ...places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

function readAll(chunks: Buffer[], maxBytes?: number): string[] {
  const lines: string[] = [];
  const read = createFrameReader((line) => lines.push(line), maxBytes === undefined ? {} : { maxBytes });
  for (const chunk of chunks) read(chunk);
  return lines;
}

const anyLine = fc.string({ unit: "binary" }).map((text) => JSON.stringify(text));
const anyPlaces = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

test("createFrameReader() gives the same frames however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(anyLine), anyPlaces, (lines, places) => {
      const stream = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      assert.deepEqual(readAll(cut(stream, places)), lines);
    }),
  );
});

test("createFrameReader() gives the same frames when they come a byte at a time", () => {
  const lines = ['{"body":"olá, 你好, 🎉"}', "", "x".repeat(3000)];
  const stream = Buffer.from(`${lines.join("\n")}\n`);
  assert.deepEqual(readAll([...stream].map((byte) => Buffer.from([byte]))), lines);
});

test("createFrameReader() treats any bytes the same however they are cut", () => {
  const outcome = (chunks: Buffer[]) => {
    const lines: string[] = [];
    const read = createFrameReader((line) => lines.push(line), { maxBytes: 50 });
    try {
      for (const chunk of chunks) read(chunk);
    } catch (error) {
      assert.ok(error instanceof FramingError);
      return { lines, code: error.code };
    }
    return { lines };
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
  const read = createFrameReader(() => {});
  read(Buffer.from(`${"a".repeat(MAX_FRAME_BYTES)}\n`));
  assert.throws(() => read(Buffer.from(`${"a".repeat(MAX_FRAME_BYTES + 1)}\n`)), { code: "too_large" });
});

test("createFrameReader() refuses a frame that is too large before it has ended", () => {
  const read = createFrameReader(() => {}, { maxBytes: 10 });
  read(Buffer.from("12345"));
  assert.throws(() => read(Buffer.from("678901")), { code: "too_large" });
});

test("createFrameReader() counts bytes, not characters", () => {
  assert.deepEqual(readAll([Buffer.from("áé\n")], 4), ["áé"]);
  assert.throws(() => readAll([Buffer.from("áé\n")], 3), { code: "too_large" });
});

test("createFrameReader() refuses a line that is not UTF-8", () => {
  assert.throws(() => readAll([Buffer.from([0x22, 0xff, 0x22, 0x0a])]), { code: "bad_frame" });
});

test("writeFrame() writes what createFrameReader() reads, several frames of a tick in one go", async () => {
  const frames = [{ body: "a\nb" }, { body: "olá" }, {}];
  const stream = new PassThrough();
  let writes = 0;
  stream._writev = (chunks, done) => {
    writes += 1;
    for (const { chunk } of chunks) stream.push(chunk);
    done();
  };
  for (const frame of frames) writeFrame(stream, frame);
  stream.end();
  const lines: string[] = [];
  const read = createFrameReader((line) => lines.push(line));
  for await (const chunk of stream) read(chunk);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    frames,
  );
  assert.equal(writes, 1);
});
