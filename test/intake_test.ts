/** What peers that hold on to a place, or to memory, can't do to the others. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, test } from "node:test";
import { createFrameReader, MAX_FRAME_BYTES, sendFrame, serveFrames } from "../lib/framing.ts";
import { createIntake, type Guest, WORK_BYTES } from "../plumbing/intake.ts";
import { listen } from "../plumbing/listen.ts";
import { until } from "./helpers.ts";
import { endAll, toClose } from "./started.ts";

afterEach(endAll);

const LONG_MS = 60_000;
type Work = (text: string, peer: Guest) => Promise<void> | void;

/** Answers each frame as `work` says. */
async function startServer(
  maxGuests: number,
  limits: { maxHeldBytes?: number; maxWorkBytes?: number; patienceMs?: number } = {},
  work: Work = (text, peer) => sendFrame(peer, { text }),
) {
  const intake = createIntake(maxGuests, { patienceMs: LONG_MS, ...limits });
  let mostHeld = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    toClose.push(() => socket.destroy());
    socket.on("error", () => {});
    serveFrames(socket, {
      intake,
      onFrame: async (line, peer) => work(JSON.parse(line), peer),
      onUnfinished: () => {},
    });
    socket.on("data", () => {
      mostHeld = Math.max(mostHeld, intake.heldBytes);
    });
  });
  const port = await listen(server, 0, "127.0.0.1");
  toClose.push(() => server.close());
  return { intake, port, mostHeld: () => mostHeld };
}

async function connectTo({ port }: { port: number }) {
  const socket: Socket = connect({ port, host: "127.0.0.1" });
  toClose.push(() => socket.destroy());
  const answers: { text?: string; code?: string; message?: string }[] = [];
  let isClosed = false;
  socket.on(
    "data",
    createFrameReader(
      (line) => answers.push(JSON.parse(line)),
      () => {},
    ),
  );
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
  });
  await once(socket, "connect");
  return { socket, answers, isClosed: () => isClosed, send: (text: string) => socket.write(`"${text}"\n`) };
}
type Peer = Awaited<ReturnType<typeof connectTo>>;

const untilAnswered = ({ answers }: Peer, count = 1) =>
  until(`${count} answers`, () => answers.length >= count);

/** Waits until the server has accepted it. */
async function join(server: Awaited<ReturnType<typeof startServer>>) {
  const { intake } = server;
  const before = new Set(intake.guests);
  const peer = await connectTo(server);
  await until(
    "it is let in, or refused",
    () => [...intake.guests].some((guest) => !before.has(guest)) || peer.isClosed(),
  );
  return peer;
}

test("when all places are taken, the one who never sent a frame makes room; then who is answered, the quietest first", async () => {
  const server = await startServer(3);
  const answered = await join(server);
  const silent = await join(server);
  const busy = await join(server);
  for (const peer of [answered, busy]) {
    peer.send("1");
    await untilAnswered(peer);
  }
  const fourth = await join(server);
  await until("the silent one is told", () => silent.isClosed());
  assert.match(silent.answers[0]?.message ?? "", /more than 3 connections/);
  assert.equal(silent.answers[0]?.code, "busy");
  fourth.send("1");
  await untilAnswered(fourth);
  await join(server);
  await until("the quietest is told", () => answered.isClosed());
  busy.send("2");
  await untilAnswered(busy, 2);
});

test("one that waits for its answer keeps its place, also for one that a fault will never send", async () => {
  const never = new Promise<void>(() => {});
  const server = await startServer(2, {}, (text) => (text === "in work" ? never : undefined));
  const inWork = await join(server);
  inWork.send("in work");
  const unanswered = await join(server);
  unanswered.send("lost");
  await until("both are in work", () => [...server.intake.guests].every((guest) => guest.unanswered > 0));
  const third = await connectTo(server);
  await until("who comes last is refused", () => third.isClosed());
  assert.match(third.answers[0]?.message ?? "", /more than 2 connections/);
  assert.deepEqual([inWork.isClosed(), unanswered.isClosed()], [false, false]);
});

test("what is kept of unfinished frames is bounded over all connections: who keeps most for longest goes", async () => {
  const maxHeldBytes = 300_000;
  const server = await startServer(100, { maxHeldBytes });
  const honest = await join(server);
  const greedy = await join(server);
  greedy.socket.write(`"${"x".repeat(100_000)}`);
  await until("it is kept", () => server.intake.heldBytes >= 100_000);
  const others: Peer[] = [];
  for (let n = 0; n < 10; n++) {
    const other = await join(server);
    others.push(other);
    other.socket.write(`"${"x".repeat(100_000)}`);
  }
  await until("the first goes first", () => greedy.isClosed());
  assert.match(greedy.answers[0]?.message ?? "", /so much for all connections/);
  honest.send("still served");
  await untilAnswered(honest);
  assert.ok(server.mostHeld() <= maxHeldBytes, `${server.mostHeld()} bytes were kept`);
  await until("no more than two are left", () => others.filter((each) => !each.isClosed()).length <= 2);
});

test("a frame that comes a byte at a time costs as many bytes, not an object each", async () => {
  const server = await startServer(10);
  const peer = await join(server);
  peer.socket.setNoDelay(true);
  for (let n = 0; n < 40; n++) {
    peer.socket.write("x");
    await until("it has come", () => [...server.intake.guests][0]?.socket.bytesRead === n + 1);
  }
  assert.ok(server.intake.heldBytes >= 40 && server.intake.heldBytes <= 128, `${server.intake.heldBytes}`);
});

test("a small piece that came with a large chunk doesn't hold the chunk", async () => {
  const server = await startServer(10);
  const peer = await join(server);
  peer.socket.write(`"${"x".repeat(200_000)}"\n"y`);
  await untilAnswered(peer);
  await until("the rest has come", () => server.intake.heldBytes > 0);
  assert.ok(server.intake.heldBytes <= 16, `${server.intake.heldBytes} bytes are kept of two`);
});

test("a frame that has begun must come to its end in time, however it trickles", async () => {
  const server = await startServer(10, { patienceMs: 600 });
  const idle = await join(server);
  const slow = await join(server);
  const trickle = setInterval(() => slow.socket.write("x"), 50);
  toClose.push(() => clearInterval(trickle));
  await until("it is told", () => slow.isClosed());
  assert.match(slow.answers[0]?.message ?? "", /Cannot wait longer than 0.6s for the rest of a frame/);
  assert.equal(idle.isClosed(), false, "who has begun nothing may be idle");
});

test("who doesn't read its acks is not read from, then counted, and closed at last", async () => {
  const server = await startServer(10, { patienceMs: 1500 }, (text, peer) =>
    sendFrame(peer, { text: text.repeat(5) }),
  );
  const peer = await join(server);
  peer.socket.pause();
  const frame = `"${"x".repeat(1000)}"\n`;
  const guest = [...server.intake.guests][0] as Guest;
  const flood = setInterval(() => peer.socket.writableLength < 1e6 && peer.socket.write(frame.repeat(20)), 1);
  toClose.push(() => clearInterval(flood));
  await until("it is not read from any more, and counted", () => {
    const { socket, heldBytes } = guest;
    return socket.isPaused() && heldBytes > socket.writableLength && socket.writableLength > 0;
  });
  const pausedAt = performance.now();
  await until("it is closed", () => guest.socket.destroyed);
  assert.ok(performance.now() - pausedAt > 1000, "it had time to read");
  assert.equal(server.intake.heldBytes, 0);
});

test("frames in work are bounded for all connections, repeated ones too, and room comes back", async () => {
  const finish: (() => void)[] = [];
  const work = (text: string, peer: Guest) =>
    new Promise<void>((resolve) => {
      finish.push(() => {
        sendFrame(peer, { text });
        resolve();
      });
    });
  const server = await startServer(10, { maxWorkBytes: 3 * WORK_BYTES }, work);
  const [one, two] = [await join(server), await join(server)];
  one.send("a");
  one.send("a");
  two.send("a");
  await until("three are in work", () => finish.length === 3);
  two.send("a");
  await until("the fourth is refused", () => two.isClosed());
  assert.equal(two.answers[0]?.code, "busy");
  for (const each of finish) each();
  await untilAnswered(one, 2);
  assert.equal(server.intake.workBytes, 0);
  const three = await join(server);
  three.send("b");
  await until("it is in work", () => finish.length === 4);
});

test("a crowd that is refused has no time to read why, and leaves nothing behind", async () => {
  const server = await startServer(5);
  const crowd = await Promise.all(Array.from({ length: 400 }, () => connectTo(server)));
  await until("the crowd has gone", () => crowd.filter((peer) => !peer.isClosed()).length <= 5);
  const honest = await join(server);
  honest.send("1");
  await untilAnswered(honest);
  await until("nobody is leaving any more", () => server.intake.leaving.size === 0);
  assert.ok(server.intake.guests.size <= 5);
});

test("a frame of the largest size is served beside many that are unfinished", async () => {
  const server = await startServer(100, { maxHeldBytes: 3 * MAX_FRAME_BYTES }, (text, peer) =>
    sendFrame(peer, { text: `${text.length}` }),
  );
  const others = await Promise.all(Array.from({ length: 20 }, () => join(server)));
  for (const { socket } of others) socket.write(`"${"x".repeat(MAX_FRAME_BYTES - 100)}`);
  await until("they are kept, as far as there is room", () => server.intake.heldBytes > 2 * MAX_FRAME_BYTES);
  const honest = await join(server);
  honest.send("x".repeat(MAX_FRAME_BYTES - 2));
  await untilAnswered(honest);
  assert.equal(honest.answers[0]?.text, `${MAX_FRAME_BYTES - 2}`);
});

test("peers that send as fast as they can don't keep another waiting for long", async () => {
  let flooded = 0; // characters
  const work: Work = (text, peer) => {
    flooded += text.length;
    if (text === "ping") sendFrame(peer, { text });
  };
  const server = await startServer(100, {}, work);
  const flood = `"${"x".repeat(100)}"\n`.repeat(20_000);
  for (let n = 0; n < 5; n++) {
    const { socket } = await join(server);
    const writeOn = () => {
      while (socket.write(flood));
    };
    socket.on("drain", writeOn);
    writeOn();
  }
  const other = await join(server);
  await until("all of them are read", () => flooded > 10_000_000);
  const before = flooded;
  for (let count = 0; count < 10; count++) {
    const answered = once(other.socket, "data");
    other.send("ping");
    await answered;
  }
  const meanwhile = (flooded - before) / 10;
  assert.ok(meanwhile < 500_000, `${meanwhile} characters of others were read before one answer`);
});

test("who has read all that it was sent stays, however long it says nothing", async () => {
  const server = await startServer(10, { patienceMs: 300 });
  const peer = await join(server);
  peer.socket.write(`"x"\n`.repeat(500));
  await untilAnswered(peer, 500);
  await new Promise((resolve) => setTimeout(resolve, 700)); // more than its patience
  assert.equal(peer.isClosed(), false);
  peer.send("still here");
  await untilAnswered(peer, 501);
});

test("acks that were read count for nobody, however many peers there are", async () => {
  const server = await startServer(100, { maxHeldBytes: 100_000 });
  const peers: Peer[] = [];
  for (let n = 0; n < 60; n++) peers.push(await join(server));
  for (const peer of peers) {
    peer.socket.write(`"x"\n`.repeat(100)); // its acks are 1.5 kB, and count four times until they are read
    await untilAnswered(peer, 100);
  }
  assert.deepEqual(peers.filter(({ isClosed }) => isClosed()).length, 0);
});
