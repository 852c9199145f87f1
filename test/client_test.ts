import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, test } from "node:test";
import { sendMessage, showReceivers } from "../client.ts";
import { type Client, createClient } from "../lib/attempt.ts";
import { chooseTarget } from "../lib/conversation.ts";
import { createDiscoveryApi } from "../lib/discovery_api.ts";
import { createFrameReader, writeFrame } from "../lib/framing.ts";
import { createLink } from "../lib/link.ts";
import { listen } from "../lib/listen.ts";
import type { Message, Receiver } from "../lib/messages.ts";
import { createTrace, type TraceEvent } from "../lib/trace.ts";
import { keptLog, until } from "./helpers.ts";

const toClose: (() => unknown)[] = [];
afterEach(() => {
  for (const close of toClose.splice(0)) close();
});

/** A receiver that does what the test says with each message. */
async function fakeReceiver(answer: (message: Message, socket: Socket) => void) {
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
  const receiver: Receiver = { id: "5f1c2a7e-1111", host: "127.0.0.1", port, last_seen: 0 };
  return { receiver, seen, sockets, close };
}

const ack = (message: Message, socket: Socket, duplicate = false) =>
  writeFrame(socket, { type: "ack", id: message.id, receiver: "5f1c2a7e-1111", duplicate });

function makeClient(group: Receiver[] = [], options: Partial<Client> = {}) {
  const { log, lines } = keptLog();
  const events: TraceEvent[] = [];
  const client: Client = {
    ...createClient("client-test", {
      discovery: { ...createDiscoveryApi("http://127.0.0.1:9"), list: async () => group },
      log,
      trace: createTrace("client-test", { log, outlets: [(event) => events.push(event)] }),
      ackTimeoutMs: 50,
      attempts: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
    }),
    ...options,
  };
  toClose.push(() => {
    for (const link of client.links.values()) link.close();
  });
  const send = (receiver: Receiver, body = "oi", stop = new AbortController()) =>
    sendMessage(client, receiver, body, { signal: stop.signal });
  return { client, events, lines, send };
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
  assert.ok(result.ms >= 3 * 49, `three timeouts of 50 ms in ${result.ms} ms`);
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
  assert.equal(result.reason, "no ack within 0.05s");
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

test("createLink() doesn't send afterwards what was given up before there was a connection", async () => {
  // 192.0.2.1 would leave the machine; a full backlog doesn't: a server that never accepts.
  const { receiver, seen } = await fakeReceiver(() => {});
  const link = createLink(receiver);
  const attempt = link.attempt({ type: "message", id: "1", attempt: 1, body: "oi" }, 5000);
  link.close(); // at once, while it is still connecting
  assert.equal((await attempt).end, "unreachable");
  const next = link.attempt({ type: "message", id: "2", attempt: 1, body: "oi" }, 5000);
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
