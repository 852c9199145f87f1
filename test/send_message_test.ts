/** One message: the retry loop of client.ts, over lib/links.ts, to receivers that do what the test says. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { afterEach, test } from "node:test";
import type { AttemptState } from "../group/result.ts";
import { writeFrame } from "../lib/framing.ts";
import type { Message } from "../lib/messages.ts";
import { flush } from "../plumbing/joined_writes.ts";
import { listen } from "../plumbing/listen.ts";
import { ack, fakeDiscovery, fakeReceiver, giveUp, LONG_MS, makeClient, RETRY_MS } from "./fake_receivers.ts";
import { until } from "./helpers.ts";
import { endAll, toClose } from "./started.ts";
import { createServer, groupFile } from "./wires.ts";

afterEach(endAll);

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
  assert.equal(sockets.size, 4, "one on which nothing comes may be dead: the next attempt opens another");
});

test("sendMessage() takes an ack of an earlier attempt that comes late", async () => {
  const { receiver, seen } = await fakeReceiver((message, socket) => {
    if (message.attempt === 2) ack({ ...message, attempt: 1 }, socket); // that of the first, only now
  });
  const result = await makeClient([receiver]).send(receiver);
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
  const result = await makeClient([receiver], { maxAttempts: 2 }).send(receiver);
  assert.equal(result.outcome, "unknown");
  assert.equal(result.attempts, 2);
  assert.equal(result.reason, "no ack within 0.15s");
});

test("sendMessage() says undelivered when nothing listens and the receiver has left the group", async () => {
  const { receiver, close } = await fakeReceiver(() => {});
  close();
  const result = await makeClient([]).send(receiver);
  assert.equal(result.outcome, "undelivered");
  assert.match(result.reason ?? "", /not reached \(ECONNREFUSED\), and it is no longer in the group/);
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
  const result = await makeClient([receiver], { maxAttempts: 3 }).send(receiver);
  assert.equal(result.attempts, 3);
  assert.equal(result.outcome, "undelivered");
  assert.ok(performance.now() - startedAt >= 1990, "two pauses of a second");
});

test("sendMessage() says that the connection was lost, and unknown even if nothing listens afterwards", async () => {
  const { receiver, close } = await fakeReceiver(() => close());
  const { lines, send } = makeClient([]);
  const result = await send(receiver);
  assert.equal(result.outcome, "unknown");
  assert.match(result.reason ?? "", /connection lost \(.*\), and it is no longer in the group/);
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
    flush(socket);
    socket.end();
  });
  const result = await makeClient([], { maxAttempts: 1 }).send(receiver);
  assert.match(result.reason ?? "", /busy: later/);
});

test("sendMessage() is not fooled by an answer that is none", async () => {
  const { receiver } = await fakeReceiver((_message, socket) => socket.write("HTTP/1.1 400 Bad Request\r\n"));
  const result = await makeClient([], { maxAttempts: 1, ackTimeoutMs: 5000 }).send(receiver);
  assert.equal(result.outcome, "unknown");
  assert.match(result.reason ?? "", /no ack: it is not JSON/);
});

test("sendMessage() gives up when it is told to", async () => {
  const { receiver, seen } = await fakeReceiver(() => {});
  const { send } = makeClient([], { ackTimeoutMs: 60_000 });
  const stop = new AbortController();
  const sending = send(receiver, "oi", stop);
  await until("it was sent", () => seen.length === 1 || undefined);
  giveUp(stop);
  const result = await sending;
  assert.equal(result.outcome, "unknown");
  assert.equal(result.reason, "given up");
});

test("sendMessage() sends no further attempt when it is given up while it waits for discovery's answer", async () => {
  const { receiver, seen } = await fakeReceiver(() => {});
  const { client, eventsOf, send } = makeClient();
  let isAsked = false;
  client.discovery = fakeDiscovery(() => {
    isAsked = true;
    return new Promise(() => {}); // for ever
  });
  const stop = new AbortController();
  const sending = send(receiver, "oi", stop);
  await until("it wants to know whether the receiver is gone", () => isAsked);
  giveUp(stop);
  const result = await sending;
  assert.deepEqual([result.attempts, result.reason, seen.length], [1, "given up", 1]);
  assert.equal(eventsOf("gave up").length, 1);
});

test("sendMessage() says who was asked, whatever the receiver that acks calls itself", async () => {
  const { receiver } = await fakeReceiver((message, socket) => ack(message, socket, false, "another"));
  const { send, eventsOf } = makeClient();
  const result = await send(receiver);
  assert.deepEqual([result.outcome, result.receiver], ["acked", receiver.id]);
  const told = eventsOf("ack received").map(({ receiver, acker }) => ({ receiver, acker }));
  assert.deepEqual(told, [{ receiver: receiver.id, acker: "another" }]);
});

test("sendMessage() keeps its connection for the next message, and for a retry when other acks come on it", async () => {
  const { receiver, sockets } = await fakeReceiver((message, socket) => {
    if (message.body !== "unlucky" || message.attempt === 2) ack(message, socket);
  });
  const { send } = makeClient([receiver], { ackTimeoutMs: RETRY_MS });
  await send(receiver, "first");
  let attempts = 0;
  const unlucky = send(receiver, "unlucky").then((result) => {
    attempts = result.attempts;
  });
  while (attempts === 0) await send(receiver, "others");
  await unlucky;
  assert.deepEqual([attempts, sockets.size], [2, 1]);
});

test("sendMessage() takes a late ack on the connection that it has left", async () => {
  const held: (() => void)[] = [];
  const { receiver, sockets, seen } = await fakeReceiver((message, socket) => {
    held.push(() => ack(message, socket));
  });
  const { eventsOf, send } = makeClient([receiver], { ackTimeoutMs: RETRY_MS });
  const sending = send(receiver);
  await until("it was sent again, on another connection", () => seen.length === 2 && sockets.size === 2);
  held[0]?.(); // that of the first attempt, on its connection
  const result = await sending;
  assert.deepEqual([result.outcome, result.attempts], ["acked", 2]);
  held[1]?.();
  await until("the other ack is of no use", () => eventsOf("ack ignored").length === 1);
});

test("an ack that comes after the end of its message, on an old connection, is heard and ignored", async () => {
  let late = () => {};
  const { receiver, sockets } = await fakeReceiver((message, socket) => {
    if (message.attempt === 1) late = () => ack(message, socket);
    else ack(message, socket, true);
  });
  const { eventsOf, send } = makeClient([receiver]);
  const result = await send(receiver);
  assert.deepEqual([result.attempts, result.duplicate, sockets.size], [2, true, 2]);
  late();
  await until("it is heard", () => eventsOf("ack ignored").length === 1);
});

test("sendMessage() keeps a bounded number of connections, however often nothing comes", async () => {
  const { receiver, seen } = await fakeReceiver(() => {});
  const ackTimeoutMs = groupFile ? 50 : 1; // a handshake takes a few
  const { client, send } = makeClient([receiver], { ackTimeoutMs, maxAttempts: 60 });
  const most: number[] = [];
  await send(receiver, "oi", undefined, { onAttempt: () => most.push(client.links.all.size) });
  await send(receiver, "oi", undefined, { onAttempt: () => most.push(client.links.all.size) });
  assert.ok(seen.length > 40, `enough attempts for it, ${seen.length} came through`);
  assert.ok(Math.max(...most) <= 40, `${Math.max(...most)} connections`);
  await until("the rest are closed", () => client.links.all.size <= 17);
});

test("sendMessage() keeps no more than a megabyte and a frame for a receiver that doesn't read, however often it tries", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.pause().on("error", () => {})));
  const port = await listen(server, 0, "127.0.0.1");
  toClose.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const receiver = { id: "never reads", host: "127.0.0.1", port, last_seen: 1 };
  const { client, eventsOf, send } = makeClient([receiver], { ackTimeoutMs: 40, maxAttempts: 3 });
  const kept: number[] = [];
  const onAttempt = () => {
    for (const { socket } of client.links.all) kept.push(socket.writableLength);
  };
  const body = "x".repeat(900_000);
  const sends = Array.from({ length: 12 }, () => send(receiver, body, undefined, { onAttempt }));
  const outcomes = (await Promise.all(sends)).map(({ outcome }) => outcome);
  assert.ok(Math.max(...kept) < 2.1 * 1024 * 1024, `${Math.max(...kept)} bytes were kept for a connection`);
  assert.ok(eventsOf("timed out").some(({ note }) => note === "it doesn't read what was sent before"));
  // What never left this process provably did not arrive.
  assert.ok(outcomes.includes("unknown") && outcomes.includes("undelivered"), outcomes.join());
});

test("sendMessage() sends the rest as soon as a slow receiver reads on", async () => {
  const { receiver, seen } = await fakeReceiver((message, socket) => {
    ack(message, socket);
    if (seen.length % 4 === 0) setTimeout(() => socket.resume(), 20);
    if (seen.length % 4 === 0) socket.pause();
  });
  const { eventsOf, send } = makeClient([receiver], { ackTimeoutMs: LONG_MS });
  const sends = Array.from({ length: 24 }, () => send(receiver, "x".repeat(500_000)));
  const outcomes = (await Promise.all(sends)).map(({ outcome }) => outcome);
  assert.deepEqual(new Set(outcomes), new Set(["acked"]));
  assert.equal(eventsOf("sent").length, 24);
  assert.equal(eventsOf("retried").length, 0);
});

test("sendMessage() doesn't send afterwards what was given up before there was a connection", async () => {
  const { receiver, seen } = await fakeReceiver((message, socket) => ack(message, socket));
  const { eventsOf, send } = makeClient([receiver]);
  const stop = new AbortController();
  const sending = send(receiver, "given up", stop);
  giveUp(stop); // at once, while it is still connecting
  const result = await sending;
  assert.deepEqual([result.outcome, result.reason], ["undelivered", "given up"]);
  assert.equal((await send(receiver, "next")).outcome, "acked");
  assert.deepEqual(
    seen.map(({ body }) => body),
    ["next"],
  );
  assert.equal(eventsOf("sent").length, 1, "what never left is not told as sent");
});

test("sendMessage() tells each step as what it is: connecting, sent, pausing", async () => {
  const { receiver, close } = await fakeReceiver(() => {});
  const steps: Pick<AttemptState, "number" | "state" | "reason">[] = [];
  const onAttempt = ({ number, state, reason }: AttemptState) =>
    void steps.push({ number, state, reason: reason ?? "" });
  const there = makeClient([receiver], { maxAttempts: 1 });
  await there.send(receiver, "oi", undefined, { onAttempt });
  close();
  const away = makeClient([receiver], { maxAttempts: 2 });
  await away.send(receiver, "oi", undefined, { onAttempt });
  assert.deepEqual(
    steps.map(({ number, state, reason }) => `${number} ${state} ${reason}`.trim()),
    ["1 connecting", "1 sent", "1 connecting", "1 pausing not reached (ECONNREFUSED)", "2 connecting"],
  );
  assert.deepEqual(away.eventsOf("sent"), [], "nothing was sent");
  assert.deepEqual(
    away.eventsOf("connection failed").map(({ attempt, note }) => [attempt, note]),
    [1, 2].map((attempt) => [attempt, "not reached (ECONNREFUSED)"]),
  );
});

test("sendMessage() says what a receiver answered that is no frame, as the Python's does", async () => {
  const { receiver } = await fakeReceiver((_message, socket) => socket.end("ACK"));
  const result = await makeClient([], { maxAttempts: 1 }).send(receiver);
  assert.equal(result.reason, 'connection lost (it answered "ACK", which is no frame)');
});

test("sendMessage() goes on when a clock has come to its end", async () => {
  const clocks: (number | undefined)[] = [];
  const { receiver } = await fakeReceiver((message, socket) => {
    clocks.push(message.clock);
    writeFrame(socket, { type: "ack", id: message.id, receiver: "r", duplicate: false, clock: 2 ** 53 - 1 });
  });
  const { send } = makeClient([receiver]);
  assert.equal((await send(receiver)).outcome, "acked");
  assert.equal((await send(receiver)).outcome, "acked");
  assert.deepEqual(clocks, [1, 2 ** 53 - 1]);
});
