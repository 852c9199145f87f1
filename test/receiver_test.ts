import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, test } from "node:test";
import { startDiscovery } from "../discovery.ts";
import { createDiscoveryApi, DiscoveryError } from "../lib/discovery_api.ts";
import type { Fault } from "../lib/faults.ts";
import { createFrameReader } from "../lib/framing.ts";
import {
  cleanup,
  type ReceiverContext,
  type ReceiverNode,
  registerReceiver,
  startReceiver,
} from "../receiver.ts";
import { createTrace } from "../trace/trace.ts";
import { keptLog, until } from "./helpers.ts";

const OPTIONS = { advertiseHost: "127.0.0.1", port: 0, heartbeatEvery: 10_000, work: 0, lateBy: 100 };
const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** A receiver that isn't registered; the coin falls as told, then without faults. */
async function start(
  coins: (Fault | undefined)[] = [],
  options: Partial<typeof OPTIONS> = {},
  context: Partial<ReceiverContext> = {},
) {
  const stop = new AbortController();
  const { log, lines } = keptLog();
  const node = await startReceiver(
    { ...OPTIONS, ...options },
    {
      discovery: createDiscoveryApi("http://127.0.0.1:9"),
      log,
      trace: createTrace("receiver-test", { log }),
      tossCoin: () => coins.shift(),
      signal: stop.signal,
      ...context,
    },
  );
  toClose.push(() => cleanup(node));
  toClose.push(() => stop.abort());
  return { node, lines };
}

interface Peer {
  socket: Socket;
  frames: { type: string; id?: string; duplicate?: boolean; code?: string; message?: string }[];
  send(...texts: (string | object)[]): void;
}

async function connectTo(node: ReceiverNode): Promise<Peer> {
  const socket = connect({ port: node.port, host: "127.0.0.1" });
  await once(socket, "connect");
  toClose.push(() => socket.destroy());
  const frames: Peer["frames"] = [];
  socket.on(
    "data",
    createFrameReader((line) => frames.push(JSON.parse(line))),
  );
  return {
    socket,
    frames,
    send(...texts) {
      for (const text of texts) socket.write(typeof text === "string" ? text : `${JSON.stringify(text)}\n`);
    },
  };
}

const message = (id: string) => ({ type: "message", id, body: "oi" });
const idsAndDuplicates = ({ frames }: Peer) => frames.map(({ id, duplicate }) => [id, duplicate]);
const processedCount = (lines: string[]) => lines.filter((line) => line.includes(": processed ")).length;
const frameCount = (peer: Peer, count: number) =>
  until(`${count} frames`, () => peer.frames.length >= count || undefined);

test("a receiver answers each message with an ack of its id", async () => {
  const peer = await connectTo((await start()).node);
  peer.send(message("1"), message("2"));
  await frameCount(peer, 2);
  assert.deepEqual(peer.frames, [
    { type: "ack", id: "1", receiver: "unregistered", duplicate: false, clock: 3 },
    { type: "ack", id: "2", receiver: "unregistered", duplicate: false, clock: 6 },
  ]);
});

test("a message in two pieces is whole", async () => {
  const { node } = await start();
  const slow = await connectTo(node);
  slow.send('{"type":"message","id":"1",');
  const other = await connectTo(node);
  other.send(message("2"));
  await frameCount(other, 1); // by now the first piece has arrived too
  slow.send('"body":"olá"}\n');
  await frameCount(slow, 1);
  assert.equal(slow.frames[0]?.id, "1");
});

test("a repeated id is acked as a duplicate and not processed again, on whatever connection", async () => {
  const { node, lines } = await start();
  const first = await connectTo(node);
  first.send(message("1"), message("1"));
  await frameCount(first, 2);
  const second = await connectTo(node);
  second.send(message("1"));
  await frameCount(second, 1);
  assert.deepEqual(
    [...first.frames, ...second.frames].map((frame) => frame.duplicate),
    [false, true, true],
  );
  assert.equal(lines.filter((line) => line.includes('processed "oi"')).length, 1);
});

test("a repeated id that is still processed waits for that, and is acked on its own connection", async () => {
  const { node, lines } = await start([], { work: 100 });
  const first = await connectTo(node);
  const second = await connectTo(node);
  first.send(message("1"));
  await until("it is in progress", () => node.inProgress.has("1") || undefined);
  second.send(message("1"));
  await frameCount(second, 1);
  assert.equal(second.frames[0]?.duplicate, true);
  assert.ok(
    lines.some((line) => line.includes('processed "oi"')),
    "not acked before it was processed",
  );
});

test("a silent fault gives no answer, leaves the connection open, and doesn't count as processed", async () => {
  const peer = await connectTo((await start(["silent"])).node);
  peer.send(message("lost"), message("next"), message("lost"));
  await frameCount(peer, 2);
  assert.deepEqual(
    peer.frames.map(({ id, duplicate }) => [id, duplicate]),
    [
      ["next", false],
      ["lost", false],
    ],
  );
});

test("a lost-ack fault gives no answer; its retry is acked as a duplicate, and was processed once", async () => {
  const { node, lines } = await start(["lost-ack"]);
  const peer = await connectTo(node);
  peer.send(message("1"), message("next"));
  await frameCount(peer, 1);
  assert.deepEqual(idsAndDuplicates(peer), [["next", false]]);
  assert.equal(processedCount(lines), 2, "processed, though no ack came");
  peer.send(message("1"));
  await frameCount(peer, 2);
  assert.deepEqual(idsAndDuplicates(peer)[1], ["1", true]);
  assert.equal(processedCount(lines), 2, "not again");
});

test("a late-ack fault acks after its time; a retry before that is acked at once, as a duplicate", async () => {
  const { node, lines } = await start(["late-ack"], { lateBy: 300 });
  const peer = await connectTo(node);
  const sentAt = performance.now();
  peer.send(message("1"), message("1"));
  await frameCount(peer, 1);
  assert.deepEqual(idsAndDuplicates(peer), [["1", true]]);
  await frameCount(peer, 2);
  assert.ok(performance.now() - sentAt >= 299, "the ack is late");
  assert.deepEqual(idsAndDuplicates(peer)[1], ["1", false]);
  assert.equal(processedCount(lines), 1);
});

test("a disconnect fault closes the connection and doesn't process; the retry does", async () => {
  const { node, lines } = await start(["disconnect"]);
  const first = await connectTo(node);
  first.send(message("1"));
  await once(first.socket, "close");
  assert.deepEqual(first.frames, []);
  assert.equal(processedCount(lines), 0);
  const second = await connectTo(node);
  second.send(message("1"));
  await frameCount(second, 1);
  assert.deepEqual(idsAndDuplicates(second), [["1", false]]);
  assert.equal(processedCount(lines), 1);
});

test("the coin is not tossed for a message that was processed already", async () => {
  let tossed = 0;
  const tossCoin = () => {
    tossed += 1;
    return undefined;
  };
  const { node } = await start([], {}, { tossCoin });
  const peer = await connectTo(node);
  peer.send(message("1"), message("1"), message("2"));
  await frameCount(peer, 3);
  assert.equal(tossed, 2);
});

test("a connection that sends nothing keeps nobody else waiting", async () => {
  const { node } = await start();
  await connectTo(node);
  const talker = await connectTo(node);
  talker.send(message("1"));
  await frameCount(talker, 1);
});

const badInput: [string, string, RegExp][] = [
  ["hello\n", "bad_frame", /not JSON/],
  ["\n", "bad_frame", /not JSON/],
  ['{"type":"message","id":"1"}\n', "bad_frame", /"body" is missing/],
  [`"${"a".repeat(1024 * 1024)}"\n`, "too_large", /1048576 bytes/],
  ["a".repeat(1024 * 1024 + 1), "too_large", /1048576 bytes/],
];
for (const [text, code, reason] of badInput) {
  test(`a receiver answers ${JSON.stringify(text.slice(0, 30))} with ${code}, closes, and serves on`, async () => {
    const { node } = await start();
    const peer = await connectTo(node);
    peer.send(text, message("after it"));
    await once(peer.socket, "close");
    assert.equal(peer.frames.length, 1);
    assert.equal(peer.frames[0]?.type, "error");
    assert.equal(peer.frames[0]?.code, code);
    assert.match(peer.frames[0]?.message ?? "", reason);
    const other = await connectTo(node);
    other.send(message("1"));
    await frameCount(other, 1);
  });
}

test("a receiver refuses more connections than it can hold, and says that it is busy", async () => {
  const { node } = await start();
  for (let n = 0; n < 1000; n++) await connectTo(node);
  await until("all are accepted", () => node.connections.size >= 1000 || undefined);
  const peer = await connectTo(node);
  await once(peer.socket, "close");
  assert.equal(peer.frames[0]?.code, "busy");
});

test("a receiver refuses more work than it can hold, and says that it is busy", async () => {
  const { node } = await start([], { work: 60_000 });
  const peer = await connectTo(node);
  for (let n = 0; n <= 10_000; n++) peer.send(message(`${n}`));
  await once(peer.socket, "close");
  assert.equal(peer.frames[0]?.code, "busy");
});

test("registerReceiver() waits out a full group, and sendHeartbeat() registers again after a 404", async () => {
  const answers = [new DiscoveryError("unreachable", "503"), "id-1", "id-2"];
  const beats: string[] = [];
  const { node } = await start(
    [],
    { heartbeatEvery: 1 },
    {
      discovery: {
        url: "",
        isComplete: () => true,
        health: async () => {},
        list: async () => [],
        leave: async () => {},
        async register() {
          const answer = answers.shift() ?? "id-3";
          if (answer instanceof Error) throw answer;
          return answer as string;
        },
        async heartbeat(id) {
          beats.push(id);
          return id !== "id-1";
        },
      },
    },
  );
  await registerReceiver(node);
  await until("it has its second id", () => beats.includes("id-2") || undefined);
  assert.equal(beats[0], "id-1");
  assert.equal(node.id, "id-2");
});

test("a receiver comes back after discovery was started again, and leaves at its cleanup", async () => {
  const { log } = keptLog();
  const options = { host: "127.0.0.1", port: 0, receiverTtl: 30_000, sweepEvery: 5000 };
  let server = await startDiscovery(options, log);
  toClose.push(() => server.close());
  const discovery = createDiscoveryApi(`http://127.0.0.1:${server.port}`);
  const { node } = await start([], { heartbeatEvery: 20 }, { discovery });
  await registerReceiver(node);
  const before = node.id;
  assert.deepEqual(
    (await discovery.list()).map(({ id, host, port }) => [id, host, port]),
    [[before, "127.0.0.1", node.port]],
  );

  server.close();
  server = await startDiscovery({ ...options, port: server.port }, log);
  const [back] = await until("it is back", async () => {
    const listed = await discovery.list();
    return listed.length > 0 ? listed : undefined;
  });
  assert.equal(back?.port, node.port);
  assert.notEqual(back?.id, before);

  await cleanup(node);
  assert.deepEqual(await discovery.list(), []);
});
