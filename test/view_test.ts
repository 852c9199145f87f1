import assert from "node:assert/strict";
import { test } from "node:test";
import type { Receiver } from "../lib/messages.ts";
import { createSender, type Delivery, problemWithBody, type Target } from "../terminal/client_view.ts";
import { type Conversation, converse } from "../terminal/conversation.ts";
import { type Member, showGroup } from "../terminal/group_view.ts";
import type { GroupResult, Result } from "../terminal/results.ts";
import type { Screen } from "../terminal/screen.ts";
import { until } from "./helpers.ts";

const receivers: Receiver[] = [0, 1, 2].map((n) => ({
  id: `${n}f1c2a7e-1111`,
  host: `receiver-${n}`,
  port: 40120 + n,
  last_seen: 0,
}));
const [first, second, third] = receivers as [Receiver, Receiver, Receiver];
const result: Result = {
  id: "m1",
  receiver: first.id,
  outcome: "acked",
  attempts: 1,
  ms: 12.34,
  duplicate: false,
};
const lost: Result = {
  id: "m1",
  receiver: second.id,
  outcome: "unknown",
  attempts: 2,
  ms: 99,
  reason: "given up",
};
const group: GroupResult = {
  group: "m1",
  outcome: "acked",
  need: 1,
  acked: [first.id],
  missing: [second.id],
  left: [],
  ms: 2500,
};

/** A screen that keeps what is printed, and answers with what the test gives it; then the input ends. */
function fakeScreen(answers: string[] = []) {
  const printed: string[] = [];
  const onStdout: string[] = [];
  const lives: string[] = []; // the first drawing of each live line; "" is its end
  let interrupt = () => {};
  let isClosed = false;
  const screen: Screen = {
    print: (line, stream) => void (stream === process.stdout ? onStdout : printed).push(line),
    showLive: (render) => void lives.push(render ? render() : ""),
    ask: async () => answers.shift(), // what was typed ahead counts, even when it is closed: as in screen.ts
    rows: () => 24,
    onInterrupt(listener) {
      interrupt = listener;
    },
    close() {
      isClosed = true;
    },
  };
  return { screen, printed, onStdout, lives, interrupt: () => interrupt(), isClosed: () => isClosed };
}

test("showGroup() has a row for each receiver, and how many have acked", () => {
  const members: Member[] = [
    { receiver: first, attempt: 1, deadline: 4200 },
    { receiver: second, attempt: 2, deadline: 0, result: { ...result, ms: 1234, duplicate: true } },
    { receiver: third, attempt: 1, deadline: 0, result: { ...lost, left: true } },
    { receiver: first, attempt: 3, deadline: 900 },
    { receiver: first, attempt: 1, deadline: 0, result: { ...lost, outcome: "undelivered" } },
  ];
  assert.deepEqual(
    showGroup(members, 10, 1000)
      .split("\n")
      .map((line) => line.trim().replace(/ {2,}/g, " ")),
    [
      "0 0f1c2a7e receiver-0:40120 ◌ waiting, 3.2s left",
      "1 1f1c2a7e receiver-1:40121 ✔ acked in 1.2s, attempt 2, duplicate",
      "2 2f1c2a7e receiver-2:40122 ✖ left the group",
      "3 0f1c2a7e receiver-0:40120 ◌ waiting, 0.0s left, attempt 3",
      "4 0f1c2a7e receiver-0:40120 ✖ undelivered",
      "1 of 5 acked (Ctrl-C gives up)",
    ],
  );
});

test("showGroup() of more than fits shows some that still wait, and counts the rest", () => {
  const members: Member[] = Array.from({ length: 100 }, (_value, n) => ({
    receiver: { ...first, id: `${n}` },
    attempt: 1,
    deadline: 0,
    ...(n < 50 ? { result } : {}),
  }));
  const lines = showGroup(members, 4).split("\n");
  assert.deepEqual(
    lines.slice(0, 4).map((line) => line.trim().split(/\s+/)[0]),
    ["50", "51", "52", "53"],
  );
  assert.match(lines[4] ?? "", /… and 96 more/);
  assert.match(lines[5] ?? "", /50 of 100 acked/);
  assert.equal(lines.length, 6);
});

/** A sender whose messages end as the test says. */
function makeSender(results: Result[], { count = 1, json = false, last = group } = {}) {
  const fake = fakeScreen();
  const bodies: string[] = [];
  const next = async (body: string) => {
    bodies.push(body);
    return results.shift() ?? assert.fail("there is no further result");
  };
  const delivery: Delivery = {
    async toOne(receiver, body, { onAttempt }) {
      onAttempt?.(1, receiver);
      return next(body);
    },
    toAny: next,
    async toGroup(body, { onStart, onResult }) {
      onStart?.(
        receivers.slice(0, results.length).map((receiver) => ({ receiver, attempt: 1, deadline: 0 })),
      );
      while (results.length > 0) onResult?.(await next(body));
      return last;
    },
  };
  const sender = createSender(delivery, { screen: fake.screen, ackTimeoutMs: 5000, count, json });
  const { signal } = new AbortController();
  return {
    ...fake,
    bodies,
    sender,
    send: (target: Target, body = "oi") => sender.send(target, body, signal),
  };
}
const ACKED = "acked by 0f1c2a7e, after 1 attempt, in 12.3ms";
const LOST = "unknown: 1f1c2a7e may or may not have processed it, after 2 attempts: given up";
const GROUP = "group acked: 1 acked, 1 needed; no ack from 1: 1f1c2a7e; in 2.5s";

test("createSender() prints what came of one message, and no summary", async () => {
  const { sender, send, printed, onStdout, lives, bodies } = makeSender([result, lost]);
  assert.equal(await send(first, "olá"), true);
  assert.deepEqual(printed, [ACKED]);
  assert.equal(lives.at(-1), "", "nothing is live any more");
  sender.summarize();
  assert.deepEqual(printed, [ACKED]);
  assert.equal(await send("any"), false);
  assert.deepEqual(printed, [ACKED, LOST]);
  assert.deepEqual([bodies, onStdout], [["olá", "oi"], []]);
});

test("createSender() prints a line for each of the group, and one for all of it", async () => {
  const { send, printed, lives } = makeSender([result, lost]);
  assert.equal(await send("all"), true);
  assert.deepEqual(printed, [ACKED, LOST, GROUP]);
  assert.match(lives[0] ?? "", /0 of 2 acked/);
  assert.equal(lives.at(-1), "");
});

test("createSender() says of a group that was not acked as needed that it wasn't", async () => {
  const { send, printed } = makeSender([lost], { last: { ...group, outcome: "unknown", acked: [] } });
  assert.equal(await send("all"), false);
  assert.match(printed.at(-1) ?? "", /^group unknown: 0 acked, 1 needed/);
});

test("createSender() of many messages prints only what went wrong, and then a summary", async () => {
  const { sender, send, printed, lives } = makeSender([result, lost, result], { count: 3 });
  for (let n = 0; n < 3; n++) await send(first);
  assert.deepEqual(printed, [LOST]);
  assert.match(lives[0] ?? "", /0 messages: 0 acked/);
  sender.summarize();
  assert.match(printed[1] ?? "", /^3 messages: 2 acked, 0 undelivered, 1 unknown/);
  assert.match(printed.at(-1) ?? "", /1 attempt .* 2$/);
  assert.equal(lives.at(-1), "");
});

test("createSender() of many sends to the group is silent about those that were acked as needed", async () => {
  const { send, printed } = makeSender([result, lost], { count: 3 });
  assert.equal(await send("all"), true);
  assert.deepEqual(printed, []);
});

test("createSender() with json prints a result a line on stdout, and nothing else", async () => {
  const one = makeSender([result, lost], { json: true, count: 2 });
  await one.send(first);
  await one.send(first);
  one.sender.summarize();
  assert.deepEqual(
    one.onStdout.map((line) => JSON.parse(line)),
    [result, lost],
  );
  assert.deepEqual(one.printed, []);

  const all = makeSender([result, lost], { json: true });
  await all.send("all");
  assert.deepEqual(
    all.onStdout.map((line) => JSON.parse(line)),
    [result, lost, group],
  );
  assert.deepEqual(all.printed, []);
});

test("createSender() takes the live table away when the group can't be sent to", async () => {
  const { screen, lives } = fakeScreen();
  const toGroup = async () => Promise.reject(new Error("too few"));
  const delivery = { toGroup } as Partial<Delivery> as Delivery;
  const sender = createSender(delivery, { screen, ackTimeoutMs: 5000, count: 1, json: false });
  await assert.rejects(sender.send("all", "oi", new AbortController().signal), { message: "too few" });
  assert.equal(lives.at(-1), "");
});

test("problemWithBody() says how long a body may be", () => {
  assert.equal(problemWithBody("olá"), undefined);
  assert.match(problemWithBody("x".repeat(1024 * 1024)) ?? "", /at most 1047552 bytes/);
  assert.match(problemWithBody('"'.repeat(600_000)) ?? "", /at most/, "as it is in JSON");
});

/** A conversation with a user who types that; says what was listed and sent. */
function makeConversation(typed: string[], conversation: Partial<Conversation> = {}) {
  const fake = fakeScreen(typed);
  const sent: [Target, string | undefined][] = [];
  const counts = { listed: 0, givenUp: 0 };
  const stop = new AbortController();
  const talking = converse(fake.screen, {
    async list() {
      counts.listed += 1;
      return receivers;
    },
    async send(target, body) {
      sent.push([target, body]);
    },
    problemWith: (body) => (body.length > 20 ? "too long" : undefined),
    onGiveUp: () => {
      counts.givenUp += 1;
    },
    signal: stop.signal,
    ...conversation,
  });
  return { ...fake, sent, counts, stop, talking };
}

test("converse() sends what was chosen, with its text or without, and lists again after each", async () => {
  const { talking, sent, counts, printed } = makeConversation([
    "0",
    " 1  some text ",
    "all",
    "any x",
    "2f1c olá",
    "",
  ]);
  await talking;
  assert.deepEqual(sent, [
    [first, undefined],
    [second, "some text"],
    ["all", undefined],
    ["any", "x"],
    [third, "olá"],
  ]);
  assert.equal(counts.listed, 7, "at first, after each of five, and after Enter");
  assert.deepEqual(printed, []);
});

test("converse() says what is wrong, and asks again without listing", async () => {
  const { talking, sent, counts, printed } = makeConversation([
    "7",
    "-1 hello",
    "0 more than twenty characters",
    "q",
    "0",
  ]);
  await talking;
  assert.deepEqual(sent, [], "what comes after q isn't read");
  assert.equal(counts.listed, 1);
  assert.match(printed[0] ?? "", /^There is no receiver "7": give a number from 0 to 2/);
  assert.match(printed[1] ?? "", /^There is no receiver "-1"/);
  assert.equal(printed[2], "too long");
});

test("converse() at Ctrl-C gives up what is under way, then asks again; at the prompt it quits", async () => {
  let signal: AbortSignal | undefined;
  const conversation = makeConversation(["0", "q"], {
    send: async (_target, _body, given) => {
      signal = given;
      await until("it is given up", () => given.aborted);
    },
  });
  await until("it is under way", () => signal !== undefined);
  conversation.interrupt();
  await conversation.talking;
  assert.equal(signal?.aborted, true);
  assert.deepEqual(conversation.counts, { listed: 2, givenUp: 1 });
  assert.equal(conversation.isClosed(), false);
  conversation.interrupt();
  assert.equal(conversation.isClosed(), true);
  assert.equal(conversation.counts.givenUp, 1);
});

test("converse() ends when it is told to, and gives up what is under way", async () => {
  let signal: AbortSignal | undefined;
  const { stop, talking, counts, isClosed } = makeConversation(["0", "1"], {
    send: async (_target, _body, given) => {
      signal = given;
      await until("it is given up", () => given.aborted);
    },
  });
  await until("it is under way", () => signal !== undefined);
  stop.abort();
  await talking;
  assert.deepEqual([counts, isClosed()], [{ listed: 1, givenUp: 1 }, true]);
});

test("converse() that is told to end while it lists doesn't send a line that was typed ahead", async () => {
  const stop = new AbortController();
  const { talking, sent } = makeConversation(["0"], {
    signal: stop.signal,
    list: async () => {
      stop.abort();
      return receivers;
    },
  });
  await talking;
  assert.deepEqual(sent, []);
});
