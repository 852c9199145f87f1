/** What a server does with peers that send too much, too slowly, or nothing, and with those that never read. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { answerBytes, answerPieces, hold, MAX_UNREAD_BYTES } from "../plumbing/answers.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../plumbing/connections.ts";
import { isOpen } from "../plumbing/far_socket.ts";
import { createHono } from "../plumbing/http_server.ts";
import { readBody } from "../plumbing/read_body.ts";
import { keptLog, until } from "./helpers.ts";
import { connect, fetch, reset, serve } from "./wires.ts";

const MIB = 1024 * 1024;
const HEAD = "HTTP/1.1\r\nHost: localhost\r\n";
const BIG = Buffer.alloc(64 * MIB); // more than the system takes from a server whose peer doesn't read
const SHARED = Buffer.alloc(MAX_UNREAD_BYTES / 2);

/** A server with a call that is quick, one that answers much, one that never answers, and one that takes a body. */
async function setUp(t: TestContext, limits: Partial<ConnectionLimits> = {}) {
  const { log, lines } = keptLog();
  const app = createHono({ name: "the test", log });
  const state = { waiting: 0, unread: 0, made: 0, open: 0 };
  app.get("/quick", (c) => c.text("quick"));
  app.get("/big", (c) => {
    const { outgoing } = c.env as { outgoing: ServerResponse };
    state.unread += 1;
    outgoing.once("close", () => (state.unread -= 1));
    return c.body(BIG);
  });
  app.get("/shared", (c) => answerBytes(c, SHARED));
  app.get("/distinct", (c) => answerBytes(c, Buffer.alloc(MAX_UNREAD_BYTES / 4)));
  app.get("/pieces", (c) => answerPieces(c, makePieces(state), {}, limits.answerWithinMs));
  app.get("/never", () => {
    state.waiting += 1;
    return new Promise<Response>(() => {});
  });
  app.post("/body", async (c) => c.text(await readBody(c, "take it", (text) => ({ value: text }), 4 * MIB)));
  const all = { ...CONNECTION_LIMITS, checkEveryMs: 20, ...limits };
  const { port, close } = await serve(app, { host: "127.0.0.1", port: 0 }, all);
  const sockets: Peer[] = [];
  t.after(() => {
    for (const { socket } of sockets) socket.destroy();
    close();
  });
  const open = (...args: [string?, { reads?: boolean }?]) => {
    const peer = openPeer(port, ...args);
    sockets.push(peer);
    return peer;
  };
  return { url: `http://127.0.0.1:${port}`, open, state, lines };
}

/** Without end, one when the one before is read. */
async function* makePieces(state: { made: number; open: number }) {
  state.open += 1;
  try {
    for (; ; state.made += 1) yield Buffer.alloc(MIB);
  } finally {
    state.open -= 1;
  }
}

interface Peer {
  socket: Socket;
  /** What it was answered, and whether its connection is closed. */
  got: { text: string; isClosed: boolean };
}

function openPeer(port: number, text = "", { reads = true } = {}): Peer {
  const got = { text: "", isClosed: false };
  const socket = connect({ host: "127.0.0.1", port });
  socket.write(text);
  socket.on("error", () => {}).on("close", () => (got.isClosed = true));
  if (reads) socket.setEncoding("latin1").on("data", (data: string) => (got.text += data));
  else socket.pause();
  return { socket, got };
}

const unfinished = (bytes: number) =>
  `POST /body ${HEAD}Content-Type: application/json\r\nContent-Length: ${4 * MIB}\r\n\r\n${"x".repeat(bytes)}`;

test("who has read is counted once, however often that is said", () => {
  const bytes = Buffer.alloc(MAX_UNREAD_BYTES);
  const [first, second] = [hold(bytes), hold(bytes)];
  first?.();
  first?.();
  assert.equal(hold(Buffer.alloc(1)), undefined, "another has yet to read it");
  second?.();
  second?.();
  const again = hold(bytes);
  assert.equal(hold(Buffer.alloc(1)), undefined, "the bound is where it was");
  again?.();
});

test("a peer that doesn't read its answer is cut off", async (t) => {
  const { open, state } = await setUp(t, { answerWithinMs: 200 });
  open(`GET /big ${HEAD}\r\n`, { reads: false });
  await until("it is asked", () => state.unread === 1);
  await until("its connection is closed", () => state.unread === 0);
});

test("an answer in pieces waits for its reader, who is cut off when that takes too long", async (t) => {
  const { open, state, url } = await setUp(t, { answerWithinMs: 500 });
  open(`GET /pieces ${HEAD}\r\n`, { reads: false });
  await until("it begins", () => state.open === 1);
  await until("it is closed", () => state.open === 0);
  assert.ok(state.made < BIG.length / MIB, `${state.made} pieces were made, for nobody`);
  const begunAt = performance.now();
  const { body } = await fetch(`${url}/pieces`);
  assert.ok(body);
  for await (const _bytes of body) if (performance.now() - begunAt > 1000) break;
  await until("it has ended", () => state.open === 0);
});

test("pieces wait until there is room for them", async (t) => {
  const { open, state, url } = await setUp(t);
  // The system takes some of it from the server: two ask for more than there is room for.
  const greedy = [1, 2].map(() => open(`GET /distinct ${HEAD}\r\n`.repeat(4), { reads: false }));
  await until("there is no room", async () => {
    const answer = await fetch(`${url}/distinct`);
    await answer.text();
    return answer.status === 503;
  });
  const other = open(`GET /pieces ${HEAD}\r\n`);
  await until("it is asked", () => state.open === 1);
  assert.equal((await fetch(`${url}/quick`)).status, 200);
  assert.equal(state.made, 0);
  for (const { socket } of greedy) reset(socket);
  await until("it comes", () => state.made > 10);
  other.socket.destroy();
  await until("it has ended", () => state.open === 0);
});

test("a peer that reads is not cut off, however many answers it gets", async (t) => {
  const { open } = await setUp(t, { answerWithinMs: 200 });
  const { got, socket } = open();
  for (let n = 1; n <= 30; n++) {
    socket.write(`GET /quick ${HEAD}\r\n`);
    await until("an answer", () => got.text.split("quick").length === n + 1);
  }
  assert.equal(got.isClosed, false);
});

test("a peer that asks again and again without waiting for its answers is closed", async (t) => {
  const { open, state } = await setUp(t, { maxPipelined: 4 });
  const patient = open(`GET /never ${HEAD}\r\n`.repeat(4));
  const other = open(`GET /never ${HEAD}\r\n`.repeat(5));
  await until("it is closed", () => other.got.isClosed);
  assert.equal(state.waiting, 8);
  assert.equal(patient.got.isClosed, false);
});

for (const [what, text] of [
  ["a connection on which nothing is said", ""],
  ["headers that never end", `GET /quick ${HEAD}X-A:`],
  ["a body that never ends", unfinished(100)],
] as const) {
  test(`${what}: the connection is closed in time, and nothing is logged`, async (t) => {
    const { open, lines } = await setUp(t, { requestWithinMs: 200 });
    const { got } = open(text);
    await until("it is closed", () => got.isClosed);
    assert.match(got.text, /^HTTP\/1.1 408/);
    assert.deepEqual(lines, []);
  });
}

test("headers that are too long get 431", async (t) => {
  const { open } = await setUp(t);
  const { got } = open(`GET /quick ${HEAD}X-A: ${"a".repeat(9000)}\r\n\r\n`);
  await until("it is closed", () => got.isClosed);
  assert.match(got.text, /^HTTP\/1.1 431/);
});

test("connections that say nothing shut nobody out: the oldest of them is closed", async (t) => {
  const { open, state, url } = await setUp(t, { maxConnections: 10 });
  const busy = open(`GET /never ${HEAD}\r\n`);
  await until("it waits", () => state.waiting === 1);
  const silent: Peer[] = [];
  for (let place = 0; place < 9; place++) {
    const peer = open();
    await until("connected", () => isOpen(peer.socket));
    silent.push(peer);
  }
  assert.equal((await fetch(`${url}/quick`)).status, 200);
  await until("one is closed", () => silent.some(({ got }) => got.isClosed));
  assert.equal(silent.filter(({ got }) => got.isClosed).length, 1);
  assert.equal(silent[0]?.got.isClosed, true);
  assert.equal(busy.got.isClosed, false);
});

test("connections that are all busy shut nobody out either", async (t) => {
  const { open, state, url } = await setUp(t, { maxConnections: 5 });
  const busy: Peer[] = [];
  for (let n = 1; n <= 5; n++) {
    busy.push(open(`GET /never ${HEAD}\r\n`));
    await until("it waits", () => state.waiting === n);
  }
  assert.equal((await fetch(`${url}/quick`)).status, 200);
  await until("one is closed", () => busy.some(({ got }) => got.isClosed));
  assert.deepEqual(
    busy.map(({ got }) => got.isClosed),
    [true, false, false, false, false],
  );
});

test("what many get and nobody reads is counted once", async (t) => {
  const { open, url } = await setUp(t);
  for (let n = 1; n <= 20; n++) open(`GET /shared ${HEAD}\r\n`.repeat(4), { reads: false });
  await until("all have asked", async () => (await fetch(`${url}/shared`)).status === 200);
  const answer = await fetch(`${url}/distinct`);
  assert.equal(answer.status, 200);
  await answer.arrayBuffer();
});

test("answers that nobody reads have a bound together; when they are gone, there is room again", async (t) => {
  const { open, url } = await setUp(t);
  const status = async () => {
    const answer = await fetch(`${url}/distinct`);
    const body = await answer.text();
    if (answer.status === 503) assert.match(JSON.parse(body).error, /^Cannot answer: .*; try again$/);
    return answer.status;
  };
  assert.equal(await status(), 200);
  // Most of them wait for another on their own connection. The system takes some of it from the server: two ask for more than there is room for.
  const greedy = [1, 2].map(() => open(`GET /distinct ${HEAD}\r\n`.repeat(4), { reads: false }));
  await until("there is no room", async () => (await status()) === 503);
  assert.equal((await fetch(`${url}/quick`)).status, 200);
  for (const { socket } of greedy) reset(socket);
  await until("there is room again", async () => (await status()) === 200);
});

test("bodies that are not whole yet have a bound together; one that comes at once is always taken", async (t) => {
  const { open, url } = await setUp(t);
  const headers = { "content-type": "application/json" };
  const send = (body: string) => fetch(`${url}/body`, { method: "POST", headers, body });
  assert.equal((await send("x".repeat(3 * MIB))).status, 200);
  const many = Array.from({ length: 5 }, () => open(unfinished(4 * MIB - 1)));
  const refused = await until("one is refused", () => many.find(({ got }) => got.text !== ""));
  assert.match(refused.got.text, /^HTTP\/1.1 503.*"Cannot take it: [^"]*; try again"/s);
  await until("there is no room", async () => {
    many.push(open(unfinished(4 * MIB - 1))); // in place of those that were refused, too
    return (await send("x".repeat(3 * MIB))).status === 503;
  });
  assert.equal((await send("small")).status, 200);
  for (const { socket } of many) socket.destroy();
  await until("there is room again", async () => (await send("x".repeat(3 * MIB))).status === 200);
});

test("a body may come in pieces, but not in crumbs", async (t) => {
  const { open } = await setUp(t);
  const head = `POST /body ${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const inPieces = (text: string, bytes: number) =>
    text
      .match(new RegExp(`.{${bytes}}`, "g"))
      ?.map((piece) => `${bytes.toString(16)}\r\n${piece}\r\n`)
      .join("");
  const fine = open(`${head}${inPieces("ab".repeat(20_000), 40)}0\r\n\r\n`);
  await until("an answer", () => fine.got.text.endsWith("ab".repeat(20_000)));
  const crumbs = open(`${head}${inPieces("ab".repeat(500), 1)}`);
  await until("it is closed", () => crumbs.got.isClosed);
  assert.equal(crumbs.got.text, "", "and not because it took too long");
});
