/** Who has no file of the group, and tries all the same. docs/SECURITY.md has the table of them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, before, test } from "node:test";
import { type ConnectionOptions, createServer as createTlsServer, connect as tlsConnect } from "node:tls";
import { startDiscovery } from "../discovery.ts";
import { createDiscoveryApi, DiscoveryError } from "../lib/discovery_api.ts";
import type { Receiver } from "../lib/messages.ts";
import { type GroupFile, readGroupFile } from "../plumbing/group_file.ts";
import { tlsOptions } from "../plumbing/handshakes.ts";
import { createIntake } from "../plumbing/intake.ts";
import { listen } from "../plumbing/listen.ts";
import { cleanup, startReceiver } from "../receiver.ts";
import { createTrace } from "../trace/trace.ts";
import { LONG_MS, makeClient } from "./fake_receivers.ts";
import { readThen, writeGroupFile } from "./group_files.ts";
import { inTime, keptLog, until } from "./helpers.ts";
import { endAll, toClose } from "./started.ts";

afterEach(endAll);

const HOST = "127.0.0.1";
let ours: GroupFile;
let others: GroupFile;
let expired: GroupFile;
let withExpired: GroupFile; // believes that one, as it did while it was good
before(async () => {
  const [a, b] = [await writeGroupFile("ours.pem"), await writeGroupFile("others.pem")];
  const old = await writeGroupFile("old.pem", { from: -9, until: -2 });
  const shown = await writeGroupFile("shown.pem", { from: -9 });
  [ours, others, expired] = [readGroupFile(a), readGroupFile(b), readThen(5, old)];
  withExpired = readThen(5, shown, old);
});

/** What a stranger comes to. */
interface Door {
  port: number;
  lines: string[]; // of its log
  /** What a stranger says who hopes for an answer. */
  words: string;
  /** Does what only a member can; it fails if that doesn't work. */
  serves(): Promise<unknown>;
}

async function openDiscovery(groupFile: GroupFile | null = ours): Promise<Door> {
  const { log, lines } = keptLog();
  const leases = { receiverTtlMs: 30_000, sweepEveryMs: 5000 };
  const options = { host: HOST, port: 0, ...leases, groupFile: groupFile ?? undefined };
  const { port, close } = await startDiscovery(options, log);
  toClose.push(close);
  const serves = () => createDiscoveryApi(`http://${HOST}:${port}`, options).list();
  return { port, lines, words: "GET /receivers HTTP/1.1\r\nHost: localhost\r\n\r\n", serves };
}

async function openReceiver(groupFile = ours): Promise<Door> {
  const { log, lines } = keptLog();
  const node = await startReceiver({
    ...{ name: "r", advertiseHost: HOST, port: 0, heartbeatEveryMs: LONG_MS, workMs: 0, lateByMs: 0 },
    ...{ discovery: createDiscoveryApi(`http://${HOST}:9`), log, trace: createTrace("r", { log }) },
    ...{ tossCoin: () => undefined, groupFile, intake: createIntake(1000) },
    signal: new AbortController().signal,
  });
  toClose.push(() => cleanup(node));
  const to = receiverAt(node.port);
  const serves = async () => assert.equal((await send(to, groupFile)).outcome, "acked");
  return { port: node.port, lines, words: '{"type":"message","id":"m","body":"let me in"}\n', serves };
}

const DOORS: Record<string, (groupFile?: GroupFile) => Promise<Door>> = {
  discovery: openDiscovery,
  receiver: openReceiver,
};

const receiverAt = (port: number): Receiver => ({ id: "r", host: HOST, port, last_seen: 0 });

/** A client of that group makes one attempt. */
function send(to: Receiver, groupFile?: GroupFile, body = "oi") {
  return makeClient([to], { ackTimeoutMs: 5000, maxAttempts: 1, groupFile }).send(to, body);
}

/** Says its words, and listens until the connection is closed. @returns what it heard, in all */
async function hear(socket: Socket, words: string): Promise<string> {
  toClose.push(() => socket.destroy());
  let heard = "";
  socket.on("data", (bytes) => {
    heard += bytes.toString("latin1");
  });
  socket.on("error", () => {});
  socket.write(words);
  await inTime("its end", new Promise((resolve) => socket.once("close", resolve)), 10_000);
  return heard;
}

/** TLS with whatever is shown, believing everything: a stranger has no scruples. */
function come(port: number, options: ConnectionOptions): Socket {
  return tlsConnect({ host: HOST, port, ...options, rejectUnauthorized: false });
}

const strangers: [string, RegExp, (door: Door) => Promise<string>][] = [
  ["no file", /it has no group file/, ({ port, words }) => hear(come(port, {}), words)],
  [
    "another group's file",
    /it has another group's file/,
    ({ port, words }) => hear(come(port, others), words),
  ],
  [
    "TLS 1.2 and the right file",
    /it speaks an older TLS than 1\.3/,
    ({ port, words }) => hear(come(port, { ...ours, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }), words),
  ],
  [
    "words in the clear",
    /it speaks in the clear, without a group file/,
    ({ port, words }) => hear(connect(port, HOST), words),
  ],
  ["nothing to say", /its handshake didn't end in time/, ({ port }) => hear(connect(port, HOST), "")],
];

for (const [name, open] of Object.entries(DOORS)) {
  for (const [what, why, come] of strangers) {
    test(`a stranger with ${what} hears nothing of the ${name}, which says why, and goes on`, async () => {
      const door = await open();
      assert.equal(await come(door), "");
      const line = await until("it says why", () => door.lines.find((each) => why.test(each)));
      assert.match(line, /warn: not let in: /);
      await door.serves();
    });
  }

  test(`who shows a file that has expired hears nothing of the ${name}`, async () => {
    const door = await open(withExpired);
    assert.equal(await hear(come(door.port, expired), door.words), "");
    await until("it says why", () => door.lines.find((line) => /its group file has expired/.test(line)));
  });

  test(`1,000 who begin a handshake and never end it keep nobody out of the ${name}, and are gone soon`, async () => {
    const door = await open();
    const crowd = Array.from({ length: 1000 }, () => connect(door.port, HOST));
    toClose.push(() => crowd.forEach((socket) => void socket.destroy()));
    const closed = crowd.map((socket) =>
      once(
        socket.on("error", () => {}),
        "close",
      ),
    );
    await Promise.all(crowd.map((socket) => once(socket, "connect")));
    await inTime("a member is served", door.serves(), 4000);
    for (const socket of crowd) socket.resume();
    await inTime("they are closed", Promise.all(closed), 15_000);
    await door.serves();
    assert.ok(door.lines.filter((line) => /not let in/.test(line)).length < 20, "they don't fill the log");
  });
}

/** A receiver that is none of ours: acks whatever comes, and keeps it. */
async function openStrange(groupFile: GroupFile | undefined, options = {}) {
  const came: string[] = [];
  const serve = (socket: Socket) => {
    toClose.push(() => socket.destroy());
    socket.on("error", () => {});
    socket.on("data", (bytes) => came.push(bytes.toString("latin1")));
  };
  const server = groupFile
    ? createTlsServer({ ...tlsOptions(groupFile), rejectUnauthorized: false, ...options }, serve)
    : createServer(serve);
  toClose.push(() => server.close());
  return { to: receiverAt(await listen(server, 0, HOST)), came };
}

test("a client sends nothing to a receiver with another group's file, or a man in the middle, and names it", async () => {
  const { to, came } = await openStrange(others);
  const { outcome, reason } = await send(to, ours, "a secret");
  assert.deepEqual([outcome, reason], ["undelivered", "not reached (it has another group's file)"]);
  assert.deepEqual(came, []);
});

test("a client sends nothing to a receiver whose file has expired, and names it", async () => {
  const { to, came } = await openStrange(expired);
  const { outcome, reason } = await send(to, withExpired, "a secret");
  assert.deepEqual([outcome, reason], ["undelivered", "not reached (its group file has expired)"]);
  assert.deepEqual(came, []);
});

test("a client sends nothing over an older TLS than 1.3", async () => {
  const { to, came } = await openStrange(ours, { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
  const { outcome, reason } = await send(to, ours, "a secret");
  assert.deepEqual([outcome, reason], ["undelivered", "not reached (it doesn't speak TLS 1.3)"]);
  assert.deepEqual(came, []);
});

test("a client sends nothing in the clear to a receiver that answers in the clear, and names it", async () => {
  const { to, came } = await openStrange(undefined);
  const clear = createServer((socket) => socket.on("error", () => {}).end('{"type":"error"}\n'));
  toClose.push(() => clear.close());
  const { outcome, reason } = await send(receiverAt(await listen(clear, 0, HOST)), ours, "a secret");
  const why = "not reached (it speaks in the clear, without a group file)";
  assert.deepEqual([outcome, reason], ["undelivered", why]);

  const { client, send: attempt } = makeClient([to], { ackTimeoutMs: 300, maxAttempts: 1, groupFile: ours });
  const silent = await attempt(to, "a secret");
  assert.deepEqual([silent.outcome, silent.reason], ["undelivered", "not reached (no connection in time)"]);
  assert.equal(client.links.all.size, 1, "the handshake is still under way");
  assert.ok(!came.join("").includes("secret"));
});

test("who is refused after the handshake, as with TLS 1.3 a client learns late, knows that the outcome is unknown", async () => {
  const door = await openReceiver(ours);
  const half = { ...others, ca: [...others.ca, ...ours.ca] }; // believes this group, and shows another's
  const { outcome, reason } = await send(receiverAt(door.port), half);
  assert.equal(outcome, "unknown");
  assert.match(reason ?? "", /^connection lost \(/);
  await until("it says why", () => door.lines.find((line) => /it has another group's file/.test(line)));
});

test("a group that changes its file over is one group all the time", async () => {
  const [both, back] = [
    { ...ours, ca: [...ours.ca, ...others.ca] },
    { ...others, ca: [...others.ca, ...ours.ca] },
  ];
  const asked: [GroupFile, GroupFile][] = [
    [ours, both],
    [both, ours],
    [both, back],
    [back, others],
    [others, back],
  ];
  for (const [server, client] of asked) {
    const { port } = await openReceiver(server);
    assert.equal((await send(receiverAt(port), client)).outcome, "acked");
    const discovery = await openDiscovery(server);
    await createDiscoveryApi(`http://${HOST}:${discovery.port}`, { groupFile: client }).list();
  }
});

test("between a client and a receiver nothing can be read", async () => {
  const { port } = await openReceiver();
  let wire = "";
  const between = createServer((client) => {
    const receiver = connect(port, HOST);
    for (const [from, into] of [
      [client, receiver],
      [receiver, client],
    ] as const) {
      toClose.push(() => from.destroy());
      from.on("error", () => {});
      from.on("data", (bytes: Buffer) => {
        wire += bytes.toString("latin1");
        into.write(bytes);
      });
    }
  });
  toClose.push(() => between.close());
  const to = receiverAt(await listen(between, 0, HOST));
  assert.equal((await send(to, ours, "a secret")).outcome, "acked");
  assert.ok(wire.length > 1000, "it went by there");
  for (const word of ["secret", '"message"', '"ack"', '"id"']) assert.ok(!wire.includes(word), word);
});

test("discovery's callers say of whom it is that they don't ask, and don't say that discovery has to be started", async () => {
  const api = async (groupFile: GroupFile | undefined, door: Promise<Door>) => {
    const asking = createDiscoveryApi(`http://${HOST}:${(await door).port}`, { groupFile }).list();
    return asking.then(
      () => assert.fail("it was answered"),
      (error) => error as DiscoveryError,
    );
  };
  const said = async (...given: Parameters<typeof api>) => {
    const error = await api(...given);
    assert.ok(error instanceof DiscoveryError);
    assert.equal(error.code, "unable");
    return error.message.replace(/:\d+/, "");
  };
  const at = `Cannot list receivers at http://${HOST}`;
  assert.equal(await said(others, openDiscovery()), `${at}: it has another group's file`);
  assert.equal(await said(withExpired, openDiscovery(expired)), `${at}: its group file has expired`);
  assert.match(await said(ours, openDiscovery(null)), /in the clear|doesn't speak TLS 1\.3/);
  assert.match(await said(undefined, openDiscovery()), /does only one of the two have the group file\?/);
});

test("a server takes 300 members at a time, as each takes more memory than in the clear; the one that is idle for longest goes", async () => {
  const door = await openDiscovery();
  const members: Socket[] = [];
  for (let number = 0; number <= 300; number++) {
    const member = tlsConnect({ host: HOST, port: door.port, ...ours });
    toClose.push(() => member.destroy());
    await once(
      member.on("error", () => {}),
      "secureConnect",
    );
    members.push(member.resume());
  }
  await until("the first is closed", () => members[0]?.destroyed);
  assert.equal(members.filter(({ destroyed }) => destroyed).length, 1);
  await door.serves();
});
