/** `--link-delay`: a simulated distance, as a socket sees it, and as a client does. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connectFar, MAX_ON_THE_WAY_BYTES } from "../plumbing/far_socket.ts";
import { listen } from "../plumbing/listen.ts";
import type { TraceEvent } from "../trace/events.ts";
import { inTime, startRole, stopRole, until } from "./helpers.ts";
import { endAll, start, startOwnDiscovery, toClose } from "./started.ts";

afterEach(endAll);

const DELAY_MS = 200;
const EARLY_MS = 5; // by so much a timer may be early, or a clock round

/** A server that does this with each connection. @returns a link to it, over a distance */
async function connectTo(serve: (socket: Socket) => void, delayMs = DELAY_MS) {
  const server = createServer({ noDelay: true }, (socket) => serve(socket.on("error", () => {})));
  const port = await listen(server, 0, "127.0.0.1");
  const link = connectFar({ host: "127.0.0.1", port }, { linkDelayMs: delayMs });
  toClose.push(
    () => server.close(),
    () => link.destroy(),
  );
  await once(link, "connect");
  return link;
}

/** Notes what happens, and when. */
function diary() {
  const startedAt = performance.now();
  const lines: { what: string; at: number }[] = [];
  const note = (what: string) => void lines.push({ what, at: performance.now() - startedAt });
  const at = (what: string) => lines.find((line) => line.what === what)?.at ?? Number.NaN;
  return { lines, note, at };
}

/** Waits until a number doesn't change any more. */
async function untilStill(read: () => number): Promise<number> {
  for (let before = -1; before !== read(); await delay(300)) before = read();
  return read();
}

test("connectFar() without a delay gives the socket itself", async () => {
  assert.ok((await connectTo(() => {}, 0)) instanceof Socket);
  assert.ok(!((await connectTo(() => {})) instanceof Socket));
});

test("what is written arrives when the delay is over, and so does the answer", async () => {
  const { note, at } = diary();
  const link = await connectTo((socket) => {
    socket.once("data", (chunk) => {
      note(`there ${chunk}`);
      socket.write("pong");
    });
  });
  note("sent");
  link.write("ping");
  const [answer] = await inTime("the answer", once(link, "data"));
  note(`back ${answer}`);
  assert.ok(at("there ping") - at("sent") >= DELAY_MS - EARLY_MS);
  assert.ok(at("back pong") - at("there ping") >= DELAY_MS - EARLY_MS);
  assert.equal(link.bytesRead, 4);
  assert.equal(link.bytesWritten, 4);
});

test("what was written one after another is on its way together, and arrives in order", async () => {
  const { note, at, lines } = diary();
  let got = "";
  const link = await connectTo((socket) => {
    socket.on("data", (chunk) => {
      got += chunk;
      if (got.endsWith("99,")) note("all");
    });
  });
  note("sent");
  for (let number = 0; number < 100; number++) link.write(`${number},`);
  await until("all is there", () => lines.some(({ what }) => what === "all"));
  assert.equal(got, Array.from({ length: 100 }, (_, number) => `${number},`).join(""));
  assert.ok(at("all") - at("sent") < 5 * DELAY_MS, "one delay for all, not one for each");
});

test("that the peer closed the connection is known after what it said before, when that has arrived", async () => {
  const { note, at } = diary();
  const link = await connectTo((socket) => {
    note("closed");
    socket.end("last words");
  });
  link.on("data", (chunk) => note(`${chunk}`));
  await inTime("its close", once(link, "close"));
  note("known");
  assert.ok(at("last words") - at("closed") >= DELAY_MS - EARLY_MS);
  assert.ok(at("last words") <= at("known"));
});

test("a connection that is reset says why, after the delay; one that we close brings nothing more", async () => {
  const reset = await connectTo((socket) => void socket.once("data", () => socket.resetAndDestroy()));
  reset.write("hello");
  const [error] = (await inTime("the error", once(reset, "error"))) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");

  let isSaid = false;
  const link = await connectTo((socket) => void socket.write("too late", () => (isSaid = true)));
  const heard: unknown[] = [];
  link.on("data", (chunk) => heard.push(chunk));
  await until("it is said", () => isSaid);
  link.destroy();
  const later = connectFar({ host: "127.0.0.1", port: 1 }, { linkDelayMs: DELAY_MS }); // whose refusal sets out after the words
  await inTime("a refusal", once(later, "error"));
  assert.deepEqual(heard, []);
});

test("no more is on its way than has room there, however slowly the peer reads", async () => {
  const piece = Buffer.alloc(64 * 1024);
  const link = await connectTo((socket) => socket.pause(), 1);
  let written = 0;
  const writeOn = () => {
    while (written < 100 * MAX_ON_THE_WAY_BYTES) {
      written += piece.length;
      if (!link.write(piece)) return;
    }
  };
  link.on("drain", writeOn);
  writeOn();
  await untilStill(() => link.bytesWritten); // the kernel takes some, too
  assert.ok(written < 100 * MAX_ON_THE_WAY_BYTES, `${written} bytes were taken`);
  assert.ok(link.writableNeedDrain);
});

test("what a peer says to one who is slow to hear is read no faster than it arrives", async () => {
  const sent = { bytes: 0 };
  const link = await connectTo((socket) => {
    const piece = Buffer.alloc(64 * 1024);
    const writeOn = () => {
      while (socket.write(piece)) sent.bytes += piece.length;
    };
    socket.on("drain", writeOn);
    writeOn();
  }, 2000);
  await untilStill(() => sent.bytes);
  assert.equal(link.bytesRead, 0);
  assert.ok(sent.bytes < 20 * MAX_ON_THE_WAY_BYTES, `${sent.bytes} bytes were read`); // the kernel's buffers too
});

/** Runs a client over a distance, and its receiver. @returns what both recorded, and what the client said */
async function play(receiverOptions: string[], ...clientOptions: string[]) {
  const { url } = await startOwnDiscovery();
  const folder = mkdtempSync(join(tmpdir(), "far-"));
  const to = (role: string) => ["--discovery", url, "--record", join(folder, role)];
  const receiver = start(
    "receiver.ts",
    ...to("receiver"),
    "--advertise-host",
    "127.0.0.1",
    "--fault-rate",
    "0",
    ...receiverOptions,
  );
  await receiver.says(/registered as/);
  const client = start("client.ts", ...to("client"), "--to", "0", ...clientOptions);
  await client.exitCode();
  await stopRole(receiver);
  const read = (role: string) => readFileSync(join(folder, role), "utf8").trim().split("\n");
  const events = [...read("receiver"), ...read("client")].map((line): TraceEvent => JSON.parse(line));
  rmSync(folder, { recursive: true });
  const at = (name: string, attempt?: number) =>
    events.find(({ event, ...each }) => event === name && each.attempt === attempt)?.at ?? Number.NaN;
  return { at, said: client.stdout() };
}

test("a client tells of a message when it leaves, and of its ack when it arrives", async () => {
  const { at } = await play([], "--link-delay", "400ms");
  assert.ok(at("received", 1) - at("sent", 1) >= 400 - EARLY_MS);
  assert.ok(at("ack received", 1) - at("acked", 1) >= 400 - EARLY_MS);
});

test("an ack that takes longer than the timeout crosses the retry, and counts; the retry is a duplicate", async () => {
  const { at, said } = await play([], "--link-delay", "900ms", "--ack-timeout", "1s");
  assert.match(said, /acked by \w+, after 2 attempts, in (1\.[89]|2\.\d)s$/m);
  assert.ok(at("acked", 1) < at("retried", 2), "the ack was on its way already");
  assert.ok(at("retried", 2) < at("ack received", 2));
});

test("a process that dies at a distance is known to be gone when the news of it arrives", async () => {
  const { at, said } = await play(["--plan", "exit"], "--link-delay", "400ms", "--attempts", "1");
  assert.match(said, /^unknown: .*connection lost/m);
  assert.ok(at("connection failed", 1) - at("sent", 1) >= 800 - 2 * EARLY_MS);
});

test("--link-delay takes at most 10s", async () => {
  const client = startRole("client.ts", ["--link-delay", "11s"]);
  assert.equal(await client.exitCode(), 2);
  assert.match(
    client.stderr(),
    /--link-delay .* is "11s"; it takes a duration of at most 10s, such as 250ms/,
  );
});
