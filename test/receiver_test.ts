import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { afterEach, test } from "node:test";
import * as v from "valibot";
import { type DiscoveryApi, DiscoveryError } from "../lib/discovery_api.ts";
import { createFrameReader } from "../lib/framing.ts";
import { AckSchema } from "../lib/messages.ts";
import { isAbort } from "../plumbing/child_controller.ts";
import { createIntake } from "../plumbing/intake.ts";
import { findFreePort, listen } from "../plumbing/listen.ts";
import {
  cleanup,
  type Fault,
  type ReceiverNode,
  type ReceiverOptions,
  registerReceiver,
  stayRegistered,
} from "../receiver.ts";
import type { TraceEvent } from "../trace/events.ts";
import { createTrace } from "../trace/trace.ts";
import { keptLog, startRole, stopRole, until } from "./helpers.ts";
import {
  connect,
  createDiscoveryApi,
  createHttpServer as createServer,
  opened,
  startDiscovery,
  startReceiver,
} from "./wires.ts";

const OPTIONS = {
  name: "receiver-test",
  advertiseHost: "127.0.0.1",
  port: 0,
  heartbeatEveryMs: 10_000,
  workMs: 0,
  lateByMs: 100,
  discovery: createDiscoveryApi("http://127.0.0.1:9"),
};
const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** A receiver that isn't registered; the coin falls as told, then without faults. */
async function start(coins: (Fault | undefined)[] = [], options: Partial<ReceiverOptions> = {}) {
  const stop = new AbortController();
  const { log, lines } = keptLog();
  const events: TraceEvent[] = [];
  const node = await startReceiver({
    ...OPTIONS,
    log,
    trace: createTrace("receiver-test", { log, outlets: [(event) => events.push(event)] }),
    tossCoin: () => coins.shift(),
    signal: stop.signal,
    intake: createIntake(1000),
    ...options,
  });
  toClose.push(() => cleanup(node));
  toClose.push(() => stop.abort());
  return { node, lines, events, stop };
}

interface Peer {
  socket: Socket;
  frames: {
    type: string;
    id?: string;
    duplicate?: boolean;
    code?: string;
    message?: string;
    clock?: number;
  }[];
  send(...texts: (string | object)[]): void;
}

async function connectTo(node: ReceiverNode): Promise<Peer> {
  const socket = connect({ port: node.port, host: "127.0.0.1" });
  await opened(socket);
  toClose.push(() => socket.destroy());
  const frames: Peer["frames"] = [];
  const onProblem = (_code: string, problem: string) => socket.destroy(new Error(problem));
  socket.on(
    "data",
    createFrameReader((line) => frames.push(JSON.parse(line)), onProblem),
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
    { type: "ack", id: "1", receiver: "receiver-test", duplicate: false, clock: 3 },
    { type: "ack", id: "2", receiver: "receiver-test", duplicate: false, clock: 6 },
  ]);
});

test("what happens to a receiver that has no id yet is told of none", async () => {
  const { node, events } = await start();
  const peer = await connectTo(node);
  peer.send(message("1"));
  await frameCount(peer, 1);
  const ids = events.map(({ event, receiver }) => [event, receiver]);
  assert.deepEqual(
    ids,
    ["received", "processed", "acked"].map((event) => [event, undefined]),
  );
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
  const { node, lines } = await start([], { workMs: 100 });
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

test("a lost fault: nothing is received, the connection stays open, and the retry is a first", async () => {
  const { node, lines, events } = await start(["lost"]);
  const peer = await connectTo(node);
  peer.send({ ...message("1"), clock: 700 }, message("next"), message("1"));
  await frameCount(peer, 2);
  assert.deepEqual(idsAndDuplicates(peer), [
    ["next", false],
    ["1", false],
  ]);
  const told = events.filter((each) => each.message === "1").map((each) => [each.event, each.fault]);
  assert.deepEqual(told, [
    ["fault", "lost"],
    ["received", undefined],
    ["processed", undefined],
    ["acked", undefined],
  ]);
  assert.ok((peer.frames[0]?.clock ?? 0) < 700, "not even the time of its sending came");
  assert.ok(lines.some((line) => line.includes("message 1, attempt 1, from somebody: lost on its way")));
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
  const { node, lines } = await start(["late-ack"], { lateByMs: 300 });
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
  const { node } = await start([], { tossCoin });
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

for (const [what, idOf] of [
  ["one id again and again", () => "same"],
  ["ids of their own", (n: number) => `${n}`],
] as const) {
  test(`a receiver keeps of messages in work no more than their acks need: 300 MiB with ${what}`, async () => {
    const args = ["--discovery", "http://127.0.0.1:9", "--work", "60s", "--fault-rate", "0"];
    const port = await findFreePort();
    const small = { NODE_OPTIONS: "--max-old-space-size=64" };
    const role = startRole("receiver.ts", [...args, "--port", `${port}`, "--log-level", "debug"], small);
    toClose.push(() => stopRole(role, "SIGKILL"));
    await role.says(/waiting for discovery/);
    const socket = connect({ port, host: "127.0.0.1" });
    toClose.push(() => socket.destroy());
    const rest = `","body":"${"x".repeat(1024 * 1024 - 100)}"}\n`;
    for (let n = 0; n < 300; n++)
      if (!socket.write(`{"type":"message","id":"${idOf(n)}${rest}`)) await once(socket, "drain");
    socket.write("and is alive\n");
    const [answer] = await once(socket, "data");
    assert.match(`${answer}`, /"code":"bad_frame"/);
  });
}

test("a receiver whose clock was pushed to its end answers acks that are right, and goes on", async () => {
  const { node } = await start();
  const peer = await connectTo(node);
  peer.send('{"type":"message","id":"1","body":"oi","clock":9007199254740991}\n', message("2"));
  await frameCount(peer, 2);
  const other = await connectTo(node);
  other.send({ ...message("3"), clock: 7 });
  await frameCount(other, 1);
  const acks = [...peer.frames, ...other.frames];
  assert.deepEqual(
    acks.map(({ type, id }) => [type, id]),
    [
      ["ack", "1"],
      ["ack", "2"],
      ["ack", "3"],
    ],
  );
  for (const ack of acks) assert.ok(v.is(AckSchema, ack), JSON.stringify(ack));
});

test("a connection that was half-closed gets all its acks, the late one too, and is closed then", async () => {
  const { node, lines } = await start([undefined, "late-ack"], { lateByMs: 200 });
  const peer = await connectTo(node);
  let isClosed = false;
  peer.socket.on("close", () => {
    isClosed = true;
  });
  peer.send(message("1"), message("late"), message("2"));
  peer.socket.end();
  await frameCount(peer, 2);
  assert.deepEqual(
    peer.frames.map(({ id }) => id),
    ["1", "2"],
  );
  assert.equal(isClosed, false, "one is owed still");
  await once(peer.socket, "end");
  assert.deepEqual(
    peer.frames.map(({ id }) => id),
    ["1", "2", "late"],
  );
  await until("the receiver has let go of it", () => node.connections.size === 0);
  assert.equal(processedCount(lines), 3);
});

test("a connection that was half-closed does not wait for the messages of others", async () => {
  const { node } = await start([], { workMs: 60_000 });
  const other = await connectTo(node);
  other.send(message("long"));
  await until("it is in progress", () => node.inProgress.has("long"));
  node.workMs = 0;
  const peer = await connectTo(node);
  peer.send(message("1"));
  peer.socket.end();
  await once(peer.socket, "end");
  assert.deepEqual(
    peer.frames.map(({ id }) => id),
    ["1"],
  );
  assert.ok(node.inProgress.has("long"), "that one is still in progress");
  assert.deepEqual(other.frames, []);
});

test("a connection that was half-closed without a message is closed", async () => {
  const { node, lines } = await start();
  const peer = await connectTo(node);
  peer.socket.end();
  await once(peer.socket, "end");
  assert.deepEqual(peer.frames, []);
  assert.deepEqual(lines, []);
});

test("a connection that ends without a newline is logged once, and nothing is acked", async () => {
  const { node, lines, events } = await start();
  const peer = await connectTo(node);
  peer.send("Hello Receiver!");
  peer.socket.end();
  await once(peer.socket, "end");
  await until("the receiver has let go of it", () => node.connections.size === 0);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /warn: got "Hello Receiver!" and no newline/);
  assert.deepEqual(peer.frames, []);
  assert.deepEqual(events, []);
});

test("a connection that stays open for 3 s without a newline is logged once, and its frame may still end", async () => {
  const { node, lines } = await start();
  const peer = await connectTo(node);
  const startedAt = performance.now();
  peer.send('{"type":"message",');
  await until("it is logged", () => lines.length > 0);
  assert.ok(performance.now() - startedAt >= 2900, "not at once");
  assert.match(lines[0] ?? "", /warn: got "\{\\"type\\":\\"message\\"," and no newline/);
  assert.deepEqual(peer.frames, []);
  peer.send('"id":"1",');
  await until("it stays there for 3 s again", () => performance.now() - startedAt >= 6500);
  assert.equal(lines.length, 1, "once");
  peer.send('"body":"oi"}\n');
  await frameCount(peer, 1);
  assert.deepEqual(idsAndDuplicates(peer), [["1", false]]);
  assert.equal(lines.filter((line) => line.includes("no newline")).length, 1);
});

test("a connection on which nothing has begun may be idle, and is not logged", async () => {
  const { node, lines } = await start();
  const [idle, peer] = [await connectTo(node), await connectTo(node)];
  peer.send("Hello");
  await until("that one is logged", () => lines.length > 0);
  idle.send(message("1"));
  await frameCount(idle, 1);
  assert.equal(lines.filter((line) => line.includes("no newline")).length, 1);
});

/** A discovery that does all that is asked, or what the test gives it. */
function fakeDiscovery(given: Partial<DiscoveryApi>): DiscoveryApi {
  return {
    list: async () => ({ receivers: [], isComplete: true }),
    register: async () => "id-1",
    heartbeat: async () => true,
    leave: async () => true,
    ...given,
  };
}

/** Keeps its lease until the test is over. */
function stay({ node, stop }: Awaited<ReturnType<typeof start>>): void {
  stayRegistered(node).catch((error) => {
    if (!isAbort(error)) throw error; // it may be stopped in the middle of a heartbeat, as run.ts knows, too
  });
  toClose.push(() => stop.abort());
}

test("registerReceiver() waits out a full group, and stayRegistered() registers again after a 404", {
  timeout: 20_000,
}, async () => {
  const answers = [new DiscoveryError("unreachable", "503"), "id-1", "id-2"];
  const asked: object[] = [];
  const beats: string[] = [];
  const discovery = fakeDiscovery({
    async register(where) {
      asked.push(where);
      const answer = answers.shift() ?? "id-3";
      if (answer instanceof Error) throw answer;
      return answer as string;
    },
    async heartbeat(id) {
      beats.push(id);
      return id !== "id-1";
    },
  });
  const started = await start([], { heartbeatEveryMs: 1, discovery });
  const { node, lines } = started;
  await registerReceiver(node);
  assert.match(lines[0] ?? "", /warn: waiting for discovery/);
  assert.equal(node.id, "id-1");
  stay(started);
  await until("it has its second id", () => beats.includes("id-2"));
  assert.equal(beats[0], "id-1");
  assert.equal(node.id, "id-2");
  assert.deepEqual(asked, Array(3).fill({ host: "127.0.0.1", port: node.port, name: "receiver-test" }));
});

test("stayRegistered() goes on when a heartbeat gets no answer, and says so", async () => {
  let beats = 0;
  const discovery = fakeDiscovery({
    async heartbeat() {
      beats += 1;
      if (beats === 1) throw new DiscoveryError("unreachable", "Cannot send heartbeat: ECONNREFUSED");
      return true;
    },
  });
  const started = await start([], { heartbeatEveryMs: 1, discovery });
  await registerReceiver(started.node);
  stay(started);
  await until("it has sent another", () => beats > 1);
  assert.equal(started.node.id, "id-1");
  const said = started.lines.filter((line) => line.includes("Cannot send heartbeat"));
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /warn: .*ECONNREFUSED; the next heartbeat tries again/);
});

test("stayRegistered() outlives a discovery that refuses it, and comes back when it doesn't any more", async () => {
  const answers: (() => Promise<string>)[] = [
    async () => "first",
    async () => Promise.reject(new DiscoveryError("refused", "Cannot register: it answered 400")),
    async () => "second",
  ];
  const discovery = fakeDiscovery({
    register: () => answers.shift()?.() ?? assert.fail("it registers once more"),
    heartbeat: async (id) => id === "second",
  });
  const { node, lines, stop } = await start([], { discovery, heartbeatEveryMs: 20 });
  await registerReceiver(node);
  const staying = stayRegistered(node);
  await until("it has come back", () => node.id === "second");
  assert.ok(lines.some((line) => /warn: .*answered 400; the next heartbeat tries again/.test(line)));
  stop.abort();
  await staying;
});

test("a receiver comes back after discovery was started again, and leaves at its cleanup", async () => {
  const { log } = keptLog();
  const options = { host: "127.0.0.1", port: 0, receiverTtlMs: 30_000, sweepEveryMs: 5000 };
  let server = await startDiscovery(options, log);
  toClose.push(() => server.close());
  const discovery = createDiscoveryApi(`http://127.0.0.1:${server.port}`);
  const list = async () => (await discovery.list()).receivers;
  const started = await start([], { heartbeatEveryMs: 20, discovery });
  const { node, events } = started;
  await registerReceiver(node);
  stay(started);
  const before = node.id;
  assert.deepEqual(
    (await list()).map(({ id, host, port, name }) => [id, host, port, name]),
    [[before, "127.0.0.1", node.port, "receiver-test"]],
  );

  server.close();
  server = await startDiscovery({ ...options, port: server.port }, log);
  const [back] = await until("it is back", async () => {
    const listed = await list();
    return listed.length > 0 && listed;
  });
  assert.equal(back?.port, node.port);
  assert.notEqual(back?.id, before);

  started.stop.abort();
  await cleanup(node);
  assert.deepEqual(await list(), []);
  assert.deepEqual(
    events.map(({ event, receiver, note }) => [event, receiver, note]),
    [
      ["joined", before, `127.0.0.1:${node.port}`],
      ["joined", back?.id, `127.0.0.1:${node.port}`],
      ["left", back?.id, `127.0.0.1:${node.port}`],
    ],
  );
});

test("cleanup() that can't tell discovery says so, tells no event, and closes all the same", async () => {
  const { port, close } = await startDiscovery(
    { host: "127.0.0.1", port: 0, receiverTtlMs: 30_000, sweepEveryMs: 5000 },
    keptLog().log,
  );
  const { node, lines, events } = await start([], {
    discovery: createDiscoveryApi(`http://127.0.0.1:${port}`),
  });
  await registerReceiver(node);
  const peer = await connectTo(node);
  close();
  await cleanup(node);
  assert.equal(lines.filter((line) => /warn: Cannot leave at .*ECONNREFUSED/.test(line)).length, 1);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["joined"],
  );
  await until("its connections are closed", () => peer.socket.readableEnded || peer.socket.destroyed);
});

test("cleanup() of a receiver that never was in the group tells nobody", async () => {
  let left = 0;
  const discovery = fakeDiscovery({
    async leave() {
      left += 1;
      return true;
    },
  });
  const { node, events } = await start([], { discovery });
  await cleanup(node);
  assert.deepEqual([left, events], [0, []]);
});

test("each of many copies sends heartbeats from its own registration on, not from the last one's", async () => {
  let isKept = false;
  const held: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    const isFirst = request.url === "/register" && held.push(response) === 1;
    isKept ||= request.url === "/heartbeat";
    if (isFirst) response.writeHead(201).end(JSON.stringify({ message: "Receiver registered", id: "first" }));
    else if (request.url !== "/register") response.end(JSON.stringify({ message: "Heartbeat received" }));
  });
  const url = `http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`;
  const args = ["--discovery", url, "--copies", "2", "--heartbeat-every", "20ms"];
  const role = startRole("receiver.ts", args);
  toClose.push(() => stopRole(role, "SIGKILL"));
  toClose.push(() => server.close().closeAllConnections());
  await until("the first copy's lease is kept while the second waits", () => isKept);
});
