import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, test } from "node:test";
import { discoverReceivers, sendMessage, showReceivers } from "../client.ts";
import { type Need, sendToAny, sendToGroup } from "../group/group.ts";
import { type Client, closeLinks, createClient } from "../lib/attempt.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { createFrameReader, writeFrame } from "../lib/framing.ts";
import { createLink } from "../lib/link.ts";
import { hasLeft } from "../lib/membership.ts";
import type { Message, Receiver } from "../lib/messages.ts";
import { listen } from "../plumbing/listen.ts";
import { chooseTarget } from "../terminal/conversation.ts";
import type { Member } from "../terminal/group_view.ts";
import type { Result } from "../terminal/results.ts";
import { createTrace, type TraceEvent } from "../trace/trace.ts";
import { keptLog, until } from "./helpers.ts";

const RETRY_MS = 150; // a timeout, with time enough for an ack on a busy machine

const toClose: (() => unknown)[] = [];
afterEach(() => {
  for (const close of toClose.splice(0)) close();
});

/** A receiver that does what the test says with each message. */
async function fakeReceiver(answer: (message: Message, socket: Socket) => void, id = "5f1c2a7e-1111") {
  const sockets = new Set<Socket>();
  const seen: Message[] = [];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on(
      "data",
      createFrameReader((line) => {
        const message: Message = JSON.parse(line);
        seen.push(message);
        answer(message, socket);
      }),
    );
  });
  const port = await listen(server, 0, "127.0.0.1");
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  toClose.push(close);
  const receiver: Receiver = { id, host: "127.0.0.1", port, last_seen: 0 };
  return { receiver, seen, sockets, close };
}

const ack = (message: Message, socket: Socket, duplicate = false, receiver = "5f1c2a7e-1111") =>
  writeFrame(socket, { type: "ack", id: message.id, receiver, duplicate });

function makeClient(group: Receiver[] = [], options: Partial<Client> = {}) {
  const { log, lines } = keptLog();
  const events: TraceEvent[] = [];
  const client: Client = {
    ...createClient("client-test", {
      discovery: { ...createDiscoveryApi("http://127.0.0.1:9"), list: async () => group },
      log,
      trace: createTrace("client-test", { log, outlets: [(event) => events.push(event)] }),
      ackTimeoutMs: RETRY_MS,
      attempts: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
    }),
    ...options,
  };
  toClose.push(() => {
    for (const link of client.links.values()) link.close();
  });
  const discover = (signal: AbortSignal) => discoverReceivers(client, signal);
  const send = (receiver: Receiver, body = "oi", stop = new AbortController()) =>
    sendMessage(client, receiver, body, { signal: stop.signal });
  const sendAny = (stop = new AbortController()) =>
    sendToAny(client, "oi", { discover, signal: stop.signal });
  const sendAll = (need: Need = "all", stop = new AbortController()) =>
    sendToGroup(client, "oi", { discover, sendMessage, need, signal: stop.signal });
  return { client, discover, events, lines, send, sendAny, sendAll };
}

test("sendMessage() is done at the first ack", async () => {
  const { receiver, seen } = await fakeReceiver((message, socket) => ack(message, socket));
  const result = await makeClient().send(receiver, "olá");
  assert.deepEqual(
    { ...result, ms: 0 },
    { id: result.id, receiver: receiver.id, outcome: "acked", attempts: 1, ms: 0, duplicate: false },
  );
  assert.deepEqual(seen, [
    { type: "message", id: result.id, from: "client-test", attempt: 1, body: "olá", clock: 1 },
  ]);
});

test("sendMessage() tries again after each timeout, with the same id and the next attempt", async () => {
  const { receiver, seen, sockets } = await fakeReceiver((message, socket) => {
    if (message.attempt === 4) ack(message, socket, true);
  });
  const result = await makeClient([receiver]).send(receiver);
  assert.equal(result.outcome, "acked");
  assert.equal(result.attempts, 4);
  assert.equal(result.duplicate, true);
  assert.ok(result.ms >= 3 * (RETRY_MS - 1), `three timeouts of ${RETRY_MS} ms in ${result.ms} ms`);
  assert.deepEqual(
    seen.map(({ id, attempt }) => [id, attempt]),
    [1, 2, 3, 4].map((attempt) => [result.id, attempt]),
  );
  assert.equal(sockets.size, 1, "one connection, kept open");
});

test("sendMessage() takes an ack of an earlier attempt that comes late", async () => {
  const { receiver, seen } = await fakeReceiver((message, socket) => {
    if (message.attempt === 2) ack({ ...message, attempt: 1 }, socket); // that of the first, only now
  });
  const result = await makeClient().send(receiver);
  assert.equal(result.outcome, "acked");
  assert.equal(seen.length, 2);
});

test("sendMessage() matches acks by id, in whatever order they come", async () => {
  const held: [Message, Socket][] = [];
  const { receiver } = await fakeReceiver((message, socket) => {
    held.push([message, socket]);
    if (held.length === 3) for (const [message, socket] of held.reverse()) ack(message, socket);
  });
  const { send } = makeClient([], { ackTimeoutMs: 5000 });
  const results = await Promise.all([send(receiver), send(receiver), send(receiver)]);
  assert.deepEqual(
    results.map(({ outcome, attempts }) => [outcome, attempts]),
    Array(3).fill(["acked", 1]),
  );
});

test("sendMessage() says unknown when it was sent and no ack came", async () => {
  const { receiver } = await fakeReceiver(() => {});
  const result = await makeClient([], { attempts: 2 }).send(receiver);
  assert.equal(result.outcome, "unknown");
  assert.equal(result.attempts, 2);
  assert.equal(result.reason, "no ack within 0.15s");
});

test("sendMessage() says undelivered when nothing listens and the receiver has left the group", async () => {
  const { receiver, close } = await fakeReceiver(() => {});
  close();
  const result = await makeClient([]).send(receiver);
  assert.equal(result.outcome, "undelivered");
  assert.match(result.reason ?? "", /not reached \(ECONNREFUSED\), and the receiver has left the group/);
});

test("sendMessage() says undelivered for a host that nobody knows", async () => {
  const { receiver } = await fakeReceiver(() => {});
  const result = await makeClient([], { ackTimeoutMs: 5000 }).send({
    ...receiver,
    host: "no-such-host.invalid",
  });
  assert.equal(result.outcome, "undelivered");
});

test("sendMessage() tries at most once a second while nothing listens, as long as it is in the group", async () => {
  const { receiver, close } = await fakeReceiver(() => {});
  close();
  const startedAt = performance.now();
  const result = await makeClient([receiver], { attempts: 3 }).send(receiver);
  assert.equal(result.attempts, 3);
  assert.equal(result.outcome, "undelivered");
  assert.ok(performance.now() - startedAt >= 1990, "two pauses of a second");
});

test("sendMessage() says that the connection was lost, and unknown even if nothing listens afterwards", async () => {
  const { receiver, close } = await fakeReceiver(() => close());
  const { lines, send } = makeClient([]);
  const result = await send(receiver);
  assert.equal(result.outcome, "unknown");
  assert.match(result.reason ?? "", /connection lost \(.*\), and the receiver has left the group/);
  assert.ok(lines.some((line) => line.includes("connection lost")));
});

test("sendMessage() opens its connection again after it was lost", async () => {
  const { receiver, sockets } = await fakeReceiver((message, socket) => {
    if (message.attempt === 1) socket.destroy();
    else ack(message, socket);
  });
  const result = await makeClient([receiver]).send(receiver);
  assert.equal(result.outcome, "acked");
  assert.equal(result.attempts, 2);
  assert.equal(sockets.size, 2);
});

test("sendMessage() repeats what a receiver says before it closes the connection", async () => {
  const { receiver } = await fakeReceiver((_message, socket) => {
    writeFrame(socket, { type: "error", code: "busy", message: "later" });
    socket.end();
  });
  const result = await makeClient([], { attempts: 1 }).send(receiver);
  assert.match(result.reason ?? "", /busy: later/);
});

test("sendMessage() is not fooled by an answer that is none", async () => {
  const { receiver } = await fakeReceiver((_message, socket) => socket.write("HTTP/1.1 400 Bad Request\r\n"));
  const result = await makeClient([], { attempts: 1, ackTimeoutMs: 5000 }).send(receiver);
  assert.equal(result.outcome, "unknown");
  assert.match(result.reason ?? "", /no ack: it is not JSON/);
});

test("sendMessage() gives up when it is told to", async () => {
  const { receiver, seen } = await fakeReceiver(() => {});
  const { client, send } = makeClient([], { ackTimeoutMs: 60_000 });
  const stop = new AbortController();
  const sending = send(receiver, "oi", stop);
  await until("it was sent", () => seen.length === 1 || undefined);
  stop.abort();
  for (const link of client.links.values()) link.close();
  const result = await sending;
  assert.equal(result.outcome, "unknown");
  assert.equal(result.reason, "given up");
});

test("sendMessage() sends no further attempt when it is given up while it waits for discovery's answer", async () => {
  const { receiver, seen } = await fakeReceiver(() => {});
  let answer = (_list: Receiver[]) => {};
  const slow = new Promise<Receiver[]>((resolve) => {
    answer = resolve;
  });
  const { client, events, send } = makeClient();
  client.discovery = { ...client.discovery, list: () => slow };
  const stop = new AbortController();
  const sending = send(receiver, "oi", stop);
  const timeouts = () => events.filter(({ event }) => event === "timed out").length;
  await until("it wants to know whether the receiver has left", () => timeouts() === 2);
  stop.abort();
  answer([receiver]);
  const result = await sending;
  assert.deepEqual([result.attempts, result.reason, seen.length], [2, "given up", 2]);
});

test("sendMessage() says who acked, if it is another than it meant: a receiver that got a new id", async () => {
  const { receiver } = await fakeReceiver((message, socket) => ack(message, socket, false, "its-new-id"));
  const result = await makeClient().send(receiver);
  assert.deepEqual([result.outcome, result.receiver], ["acked", "its-new-id"]);
});

/** So many receivers; `answer` is told which of them got the message. */
async function fakeGroup(
  size: number,
  answer: (number: number, message: Message, socket: Socket) => void = ackAs,
) {
  const fakes = await Promise.all(
    Array.from({ length: size }, (_value, number) =>
      fakeReceiver((message, socket) => answer(number, message, socket), `id-${number}`),
    ),
  );
  const receivers = fakes.map(({ receiver }) => receiver);
  const seen = () => fakes.map(({ seen }) => seen.map(({ attempt }) => attempt));
  const ids = () => new Set(fakes.flatMap(({ seen }) => seen.map(({ id }) => id)));
  return { fakes, receivers, seen, ids };
}
function ackAs(number: number, message: Message, socket: Socket) {
  ack(message, socket, false, `id-${number}`);
}
const LONG_MS = 60_000; // a test that waits for such a timeout fails

test("sendToGroup() sends one message to all, with one id, and each acks for itself", async () => {
  const { receivers, seen, ids } = await fakeGroup(3);
  const { events, sendAll } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
  const result = await sendAll();
  assert.deepEqual([...ids()], [result.group]);
  assert.deepEqual(seen(), [[1], [1], [1]]);
  assert.deepEqual(
    { ...result, acked: result.acked.toSorted(), ms: 0 },
    {
      group: result.group,
      outcome: "acked",
      need: 3,
      acked: ["id-0", "id-1", "id-2"],
      missing: [],
      left: [],
      ms: 0,
    },
  );
  const last = events.at(-1);
  assert.deepEqual([last?.event, last?.message, last?.need], ["group acked", result.group, 3]);
  assert.deepEqual(last?.ackedBy, result.acked);
});

test("sendToGroup() tries only those again that haven't acked", async () => {
  const { receivers, seen, ids } = await fakeGroup(3, (number, message, socket) => {
    if (number !== 1 || message.attempt === 3) ackAs(number, message, socket);
  });
  const result = await makeClient(receivers).sendAll();
  assert.equal(result.outcome, "acked");
  assert.deepEqual(seen(), [[1], [1, 2, 3], [1]]);
  assert.equal(ids().size, 1);
});

for (const [need, acking, needed] of [
  [2, [0, 3], 2],
  [1, [2], 1],
  ["majority", [0, 1, 4], 3],
] as const) {
  test(`sendToGroup() with --need ${need} is done at once when ${needed} of 5 have acked`, async () => {
    const { receivers, seen } = await fakeGroup(5, (number, message, socket) => {
      if (acking.some((each) => each === number)) ackAs(number, message, socket);
    });
    const { client, discover, events } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
    const results: Result[] = [];
    const result = await sendToGroup(client, "oi", {
      discover,
      sendMessage,
      need,
      signal: new AbortController().signal,
      onResult: (each) => results.push(each),
    });
    assert.ok(result.ms < LONG_MS / 2, `at once, and it took ${result.ms} ms`);
    assert.deepEqual([result.outcome, result.need], ["acked", needed]);
    assert.deepEqual(
      result.acked.toSorted(),
      acking.map((number) => `id-${number}`),
    );
    assert.equal(result.missing.length, 5 - acking.length);
    const others = results.filter(({ outcome }) => outcome !== "acked");
    assert.deepEqual(
      others.map(({ outcome, reason, attempts }) => [outcome, reason, attempts]),
      Array(5 - acking.length).fill(["unknown", "enough others have acked", 1]),
    );
    assert.equal(events.filter(({ event }) => event === "gave up").length, 5 - acking.length);
    assert.ok(seen().every((attempts) => attempts.length <= 1));
  });
}

test("sendToGroup() doesn't take two acks of four for a majority", async () => {
  const { receivers } = await fakeGroup(4, (number, message, socket) => {
    if (number < 2) ackAs(number, message, socket);
  });
  const { events, sendAll } = makeClient(receivers, { attempts: 2 });
  const result = await sendAll("majority");
  assert.deepEqual([result.outcome, result.need, result.acked.length], ["unknown", 3, 2]);
  assert.deepEqual(result.missing, ["id-2", "id-3"]);
  assert.ok(!events.some(({ event }) => event === "group acked"));
});

test("sendToGroup() lets a receiver that leaves drop out of the wait, and names it", async () => {
  const { receivers, fakes } = await fakeGroup(3, (number, message, socket) => {
    if (number !== 1) ackAs(number, message, socket);
  });
  const group = [...receivers];
  const { sendAll } = makeClient(group);
  const sending = sendAll();
  await until("the silent one got it", () => fakes[1]?.seen.length === 1);
  group.splice(1, 1);
  const result = await sending;
  assert.deepEqual([result.outcome, result.need, result.left], ["acked", 2, ["id-1"]]);
  assert.deepEqual([result.acked.toSorted(), result.missing], [["id-0", "id-2"], []]);
});

test("sendToGroup() still needs a majority of those that were there at the start when some leave", async () => {
  const { receivers } = await fakeGroup(4, (number, message, socket) => {
    if (number < 2) ackAs(number, message, socket);
  });
  const { client, sendAll } = makeClient();
  const lists = [receivers];
  client.discovery = { ...client.discovery, list: async () => lists.shift() ?? receivers.slice(0, 2) };
  const result = await sendAll("majority");
  assert.deepEqual([result.outcome, result.need, result.acked.length], ["unknown", 3, 2]);
  assert.deepEqual(result.left.toSorted(), ["id-2", "id-3"]);
});

test("sendToGroup() is not acked by nobody, when all have left", async () => {
  const { receivers } = await fakeGroup(2, () => {});
  const { client, sendAll } = makeClient();
  const lists = [receivers];
  client.discovery = { ...client.discovery, list: async () => lists.shift() ?? [] };
  const result = await sendAll();
  assert.deepEqual([result.outcome, result.left.length], ["unknown", 2]);
});

for (const [need, size] of [
  [3, 2],
  [1, 0],
  ["all", 0],
  ["majority", 0],
] as const) {
  test(`sendToGroup() refuses --need ${need} of ${size} receivers, and sends nothing`, async () => {
    const { receivers, seen } = await fakeGroup(size);
    const { events, sendAll } = makeClient(receivers);
    await assert.rejects(sendAll(need), {
      message: `Cannot send: ${size} receivers are in the group, and --need is ${need}`,
    });
    assert.deepEqual(seen().flat(), []);
    assert.deepEqual(
      events.map(({ event }) => event),
      ["listed"],
    );
  });
}

test("sendToGroup() is given up by its signal and the closing of the links", async () => {
  const { receivers, fakes } = await fakeGroup(3, (number, message, socket) => {
    if (number === 0) ackAs(number, message, socket);
  });
  const { client, events, sendAll } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
  const stop = new AbortController();
  const sending = sendAll("all", stop);
  await until("all got it", () => fakes.every(({ seen }) => seen.length === 1));
  await until("one has acked", () => events.some(({ event }) => event === "ack received"));
  stop.abort();
  closeLinks(client);
  const result = await sending;
  assert.deepEqual([result.outcome, result.acked, result.missing], ["unknown", ["id-0"], ["id-1", "id-2"]]);
  assert.deepEqual(
    events.filter(({ event }) => event === "gave up").map(({ note }) => note),
    ["given up", "given up"],
  );
});

test("sendToGroup() says undelivered when none could be reached", async () => {
  const { receivers, fakes } = await fakeGroup(2);
  for (const { close } of fakes) close();
  const result = await makeClient(receivers, { attempts: 1 }).sendAll();
  assert.deepEqual([result.outcome, result.acked, result.missing], ["undelivered", [], ["id-0", "id-1"]]);
});

test("sendToGroup() keeps what it knows of the members up to date", async () => {
  const { receivers } = await fakeGroup(2, (number, message, socket) => {
    if (number === 0 || message.attempt === 2) ackAs(number, message, socket);
  });
  const { client, discover } = makeClient(receivers);
  let members: readonly Member[] = [];
  const onStart = (started: readonly Member[]) => {
    members = started;
    assert.ok(started.every(({ result }) => result === undefined));
  };
  await sendToGroup(client, "oi", {
    discover,
    sendMessage,
    need: "all",
    signal: new AbortController().signal,
    onStart,
  });
  assert.deepEqual(
    members.map(({ receiver, attempt, result }) => [receiver.id, attempt, result?.outcome]),
    [
      ["id-0", 1, "acked"],
      ["id-1", 2, "acked"],
    ],
  );
});

test("sendToAny() moves to another receiver at each attempt, with the same id", async () => {
  const { receivers, seen, ids } = await fakeGroup(3, (number, message, socket) => {
    if (message.attempt === 3) ackAs(number, message, socket);
  });
  const result = await makeClient(receivers).sendAny();
  assert.deepEqual([result.outcome, result.attempts], ["acked", 3]);
  assert.deepEqual([...ids()], [result.id]);
  assert.deepEqual(seen().flat().toSorted(), [1, 2, 3]);
  assert.ok(
    seen().every((attempts) => attempts.length === 1),
    "each got it once",
  );
  assert.deepEqual(seen()[receivers.findIndex(({ id }) => id === result.receiver)], [3]);
});

test("sendToAny() takes the late ack of a receiver that it has moved on from", async () => {
  let first: { number: number; message: Message; socket: Socket } | undefined;
  const { receivers, seen } = await fakeGroup(2, (number, message, socket) => {
    if (message.attempt === 1) first = { number, message, socket };
    else if (first) ackAs(first.number, first.message, first.socket);
  });
  const { client, events, sendAny } = makeClient(receivers);
  const result = await sendAny();
  assert.deepEqual([result.outcome, result.receiver], ["acked", `id-${first?.number}`]);
  assert.deepEqual(seen().flat().toSorted(), [1, 2]);
  const acks = events.filter(({ event }) => event === "ack received");
  assert.deepEqual(
    acks.map(({ message, receiver }) => [message, receiver]),
    [[result.id, result.receiver]],
  );
  const over = events.filter(({ event }) => event === "gave up");
  assert.deepEqual(
    over.map(({ attempt, receiver, outcome }) => [attempt, receiver, outcome]),
    [[2, `id-${1 - (first?.number ?? 0)}`, "acked"]],
  );
  assert.equal(client.lateAcks.size, 0);
});

test("sendToAny() takes a late ack even when nobody is left in the group", async () => {
  let answer = () => {};
  const { receivers, seen } = await fakeGroup(1, (number, message, socket) => {
    answer = () => ackAs(number, message, socket);
  });
  const group = [...receivers];
  const { events, sendAny } = makeClient(group, { attempts: 4 });
  const sending = sendAny();
  await until("it is there", () => seen().flat().length === 1);
  group.length = 0;
  await until("it has timed out", () => events.some(({ event }) => event === "timed out"));
  answer();
  const result = await sending;
  assert.deepEqual([result.outcome, result.receiver], ["acked", "id-0"]);
});

test("sendToAny() waits while the group is empty", async () => {
  const { receivers } = await fakeGroup(1);
  const lists = [[], receivers];
  const { client, sendAny } = makeClient();
  client.discovery = { ...client.discovery, list: async () => lists.shift() ?? receivers };
  const result = await sendAny();
  assert.deepEqual([result.outcome, result.receiver], ["acked", "id-0"]);
  assert.deepEqual(lists, []);
});

test("sendToAny() says undelivered when there was nobody, and unknown when one may have processed it", async () => {
  const nobody = await makeClient([], { attempts: 1 }).sendAny();
  assert.deepEqual([nobody.outcome, nobody.receiver], ["undelivered", "nobody"]);
  assert.match(nobody.reason ?? "", /nobody is in the group/);

  const { receivers } = await fakeGroup(2, () => {});
  const silent = await makeClient(receivers, { attempts: 2 }).sendAny();
  assert.deepEqual([silent.outcome, silent.reason], ["unknown", "no ack within 0.15s"]);
});

test("sendToAny() gives up when it is told to", async () => {
  const { receivers, seen } = await fakeGroup(2, () => {});
  const { client, sendAny } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
  const stop = new AbortController();
  const sending = sendAny(stop);
  await until("it was sent", () => seen().flat().length === 1);
  stop.abort();
  closeLinks(client);
  const result = await sending;
  assert.deepEqual([result.outcome, result.reason, result.attempts], ["unknown", "given up", 1]);
  assert.equal(client.lateAcks.size, 0);
});

test("what is given up while discovery is slow is not sent", { timeout: 20_000 }, async () => {
  const { receivers, seen } = await fakeGroup(2);
  for (const to of ["any", "all"] as const) {
    const { client, events, sendAny, sendAll } = makeClient();
    const stop = new AbortController();
    const list = async () => {
      stop.abort();
      return receivers;
    };
    client.discovery = { ...client.discovery, list };
    if (to === "any") assert.equal((await sendAny(stop)).outcome, "undelivered");
    else await assert.rejects(sendAll("all", stop), { name: "AbortError" });
    assert.ok(!events.some(({ event }) => event === "sent"));
  }
  assert.deepEqual(seen().flat(), []);
});

test("what waits for discovery to come back can be given up", { timeout: 20_000 }, async () => {
  for (const to of ["any", "all"] as const) {
    const { client, lines, sendAny, sendAll } = makeClient();
    client.discovery = createDiscoveryApi("http://127.0.0.1:9"); // where nobody listens
    const stop = new AbortController();
    const sending =
      to === "any"
        ? sendAny(stop).then(({ outcome }) => assert.equal(outcome, "undelivered"))
        : assert.rejects(sendAll("all", stop), { name: "AbortError" });
    await until("it waits for discovery", () => lines.some((line) => /waiting for discovery/.test(line)));
    const stoppedAt = performance.now();
    stop.abort();
    await sending;
    assert.ok(performance.now() - stoppedAt < 3000, "at once, not when it would have asked again");
  }
});

const someone: Receiver = { id: "id-0", host: "receiver-1", port: 7, last_seen: 0 };
const other: Receiver = { id: "id-1", host: "receiver-2", port: 7, last_seen: 0 };
for (const [what, listed, isComplete, expected] of [
  ["is in the list", [other, someone], true, false],
  ["is in the list of a discovery that was just started", [someone], false, false],
  ["isn't in the list", [other], true, true],
  ["isn't in the list of a discovery that was just started", [other], false, false],
  ["is in the list with a new id", [{ ...someone, id: "id-9" }], true, false],
  ["is in the list with a new address", [{ ...someone, host: "receiver-9" }], true, false],
  ["is in no list, as discovery is away", undefined, true, false],
] as const) {
  test(`hasLeft() says ${expected} of a receiver that ${what}`, async () => {
    const { client } = makeClient();
    const list = async () => [...(listed ?? assert.fail("discovery is away"))];
    client.discovery = { ...client.discovery, list, isComplete: () => isComplete };
    assert.equal(await hasLeft(client, someone), expected);
  });
}

test("hasLeft() of many receivers at once asks discovery once", async () => {
  const { client } = makeClient();
  let asked = 0;
  const list = async () => {
    asked += 1;
    return [someone];
  };
  client.discovery = { ...client.discovery, list };
  assert.deepEqual(await Promise.all([hasLeft(client, someone), hasLeft(client, other)]), [false, true]);
  assert.equal(asked, 1);
  await hasLeft(client, someone);
  assert.equal(asked, 2, "and later again");
});

test("isComplete() of discovery's API says what discovery said with its last list", async () => {
  let complete = "no";
  const server = createHttpServer((_request, response) => {
    response.setHeader("X-Complete", complete).end("[]");
  });
  const discovery = createDiscoveryApi(`http://127.0.0.1:${await listen(server, 0, "127.0.0.1")}`);
  toClose.push(() => server.close().closeAllConnections());
  await discovery.list();
  assert.equal(discovery.isComplete(), false);
  complete = "yes";
  await discovery.list();
  assert.equal(discovery.isComplete(), true);
});

test("a receiver that a restarted discovery doesn't know yet is not said to have left", async () => {
  const { receiver } = await fakeReceiver((message, socket) => {
    if (message.attempt === 4) ack(message, socket);
  });
  const { client, send } = makeClient();
  client.discovery = { ...client.discovery, list: async () => [], isComplete: () => false };
  assert.equal((await send(receiver)).outcome, "acked");
});

test("createLink() doesn't send afterwards what was given up before there was a connection", async () => {
  // 192.0.2.1 would leave the machine; a full backlog doesn't: a server that never accepts.
  const { receiver, seen } = await fakeReceiver(() => {});
  const link = createLink(receiver, { ackTimeoutMs: 5000 });
  const attempt = link.attempt({ type: "message", id: "1", attempt: 1, body: "oi" });
  link.close(); // at once, while it is still connecting
  assert.equal((await attempt).end, "unreachable");
  const next = link.attempt({ type: "message", id: "2", attempt: 1, body: "oi" });
  await until("the next one arrives", () => seen.length > 0 || undefined);
  link.close();
  await next;
  assert.deepEqual(
    seen.map(({ id }) => id),
    ["2"],
  );
});

const group: Receiver[] = [
  { id: "5f1c2a7e-aaaa", host: "receiver-1", port: 40121, last_seen: 97 },
  { id: "9b03d4c1-bbbb", host: "r-2", port: 381, last_seen: 99.2 },
  { id: "9b77ffff-cccc", host: "r-3", port: 382, last_seen: 101 },
];

test("showReceivers() shows number, id, address and when it was seen", () => {
  assert.deepEqual(showReceivers(group, 100), [
    "Available receivers:",
    "  0: 5f1c2a7e  receiver-1:40121  seen 3s ago",
    "  1: 9b03d4c1  r-2:381           seen 1s ago",
    "  2: 9b77ffff  r-3:382           seen 0s ago",
  ]);
});

test("showReceivers() says what to do when nobody is there", () => {
  assert.match(showReceivers([])[0] ?? "", /tsx receiver.ts/);
});

for (const [choice, index] of [
  ["0", 0],
  ["2", 2],
  ["5f1c", 0],
  ["5F1C2A7E", 0],
  ["9b0", 1],
  ["9b77ffff-cccc", 2],
] as const) {
  test(`chooseTarget() takes ${choice}`, () => {
    assert.deepEqual(chooseTarget(group, choice), { target: group[index] });
  });
}

for (const choice of ["any", "all"]) {
  test(`chooseTarget() takes ${choice}`, () =>
    assert.deepEqual(chooseTarget(group, choice), { target: choice }));
}

for (const choice of ["3", "-1", "99", "abc", "5", "0x1", "1.0", "9b", ""]) {
  test(`chooseTarget() refuses "${choice}", and says what is right`, () => {
    const chosen = chooseTarget(group, choice);
    assert.ok("problem" in chosen);
    assert.match(chosen.problem, /from 0 to 2|more of it/);
  });
}
