/** A send to the group: group/send_to_all.ts and take_turns.ts, with the client's own sendMessage. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { afterEach, test } from "node:test";
import { sendMessage } from "../client.ts";
import { isGone } from "../group/is_gone.ts";
import type { Result, SendOptions } from "../group/result.ts";
import { type Enough, type Member, sendToAll } from "../group/send_to_all.ts";
import { DiscoveryError, type Listing } from "../lib/discovery_api.ts";
import type { Message, Receiver } from "../lib/messages.ts";
import { ackAs, fakeDiscovery, fakeGroup, giveUp, LONG_MS, makeClient } from "./fake_receivers.ts";
import { until } from "./helpers.ts";
import { endAll } from "./started.ts";
import { createDiscoveryApi } from "./wires.ts";

afterEach(endAll);

test("sendToAll() sends one message to all, with one id, and each acks for itself", async () => {
  const { receivers, seen, ids } = await fakeGroup(3);
  const { sendAll } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
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
      gone: [],
      ms: 0,
    },
  );
});

test("sendToAll() tries only those again that haven't acked", async () => {
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
  test(`sendToAll() with --need ${need} is done at once when ${needed} of 5 have acked`, async () => {
    const { receivers, seen } = await fakeGroup(5, (number, message, socket) => {
      if (acking.some((each) => each === number)) ackAs(number, message, socket);
    });
    const { client, events } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
    const results: Result[] = [];
    const enough: unknown[] = [];
    const send = (to: Receiver, how: SendOptions) => sendMessage(client, to, "oi", how);
    const result = await sendToAll(receivers, send, {
      id: "m-1",
      need,
      signal: new AbortController().signal,
      onChange: (_members, changed) => changed?.result && results.push(changed.result),
      onEnough: (told) => enough.push(told, events.filter(({ event }) => event === "gave up").length),
    });
    assert.deepEqual(
      enough,
      [{ need: needed, ackedBy: result.acked }, 0],
      "told once, before any other is given up",
    );
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

test("sendToAll() of all tells that it has enough at the last ack, or when the last that is missing has left", async () => {
  for (const leaves of [false, true]) {
    const { receivers, fakes } = await fakeGroup(3, (number, message, socket) => {
      if (number !== 1 || (!leaves && message.attempt === 2)) ackAs(number, message, socket);
    });
    const group = [...receivers];
    const { client } = makeClient(group);
    const enough: Enough[] = [];
    const send = (to: Receiver, how: SendOptions) => sendMessage(client, to, "oi", how);
    const { signal } = new AbortController();
    const onEnough = (told: Enough) => void enough.push({ ...told, ackedBy: told.ackedBy.toSorted() });
    const sending = sendToAll(receivers, send, { id: "m-1", need: "all", signal, onEnough });
    await until("the silent one got it", () => (fakes[1]?.seen.length ?? 0) > 0);
    if (leaves) group.splice(1, 1);
    await sending;
    const ackedBy = leaves ? ["id-0", "id-2"] : ["id-0", "id-1", "id-2"];
    assert.deepEqual(enough, [{ need: ackedBy.length, ackedBy }]);
  }
});

test("sendToAll() doesn't tell that it has enough when it never has", async () => {
  const { receivers } = await fakeGroup(2, (number, message, socket) => {
    if (number === 0) ackAs(number, message, socket);
  });
  const { client } = makeClient(receivers, { maxAttempts: 1 });
  const send = (to: Receiver, how: SendOptions) => sendMessage(client, to, "oi", how);
  const onEnough = () => assert.fail("it hasn't");
  const { signal } = new AbortController();
  await sendToAll(receivers, send, { id: "m-1", need: "all", signal, onEnough });
});

test("sendToAll() doesn't take two acks of four for a majority", async () => {
  const { receivers } = await fakeGroup(4, (number, message, socket) => {
    if (number < 2) ackAs(number, message, socket);
  });
  const { sendAll } = makeClient(receivers, { maxAttempts: 2 });
  const result = await sendAll("majority");
  assert.deepEqual([result.outcome, result.need, result.acked.length], ["unknown", 3, 2]);
  assert.deepEqual(result.missing, ["id-2", "id-3"]);
});

test("sendToAll() lets a receiver that leaves drop out of the wait, and names it", async () => {
  const { receivers, fakes } = await fakeGroup(3, (number, message, socket) => {
    if (number !== 1) ackAs(number, message, socket);
  });
  const group = [...receivers];
  const { sendAll } = makeClient(group);
  const sending = sendAll();
  await until("the silent one got it", () => (fakes[1]?.seen.length ?? 0) > 0);
  group.splice(1, 1);
  const result = await sending;
  assert.deepEqual([result.outcome, result.need, result.gone], ["acked", 2, ["id-1"]]);
  assert.deepEqual([result.acked.toSorted(), result.missing], [["id-0", "id-2"], []]);
});

test("sendToAll() still needs a majority of those that were there at the start when some leave", async () => {
  const { receivers } = await fakeGroup(4, (number, message, socket) => {
    if (number < 2) ackAs(number, message, socket);
  });
  const { client, sendAll } = makeClient();
  const lists = [receivers];
  const rest = receivers.slice(0, 2);
  client.discovery = fakeDiscovery(() => ({ receivers: lists.shift() ?? rest, isComplete: true }));
  const result = await sendAll("majority");
  assert.deepEqual([result.outcome, result.need, result.acked.length], ["unknown", 3, 2]);
  assert.deepEqual(result.gone.toSorted(), ["id-2", "id-3"]);
});

test("sendToAll() is not acked by nobody, when all have left", async () => {
  const { receivers } = await fakeGroup(2, () => {});
  const { client, sendAll } = makeClient();
  const lists = [receivers];
  client.discovery = fakeDiscovery(() => ({ receivers: lists.shift() ?? [], isComplete: true }));
  const result = await sendAll();
  assert.deepEqual([result.outcome, result.gone.length], ["unknown", 2]);
});

for (const [need, size] of [
  [3, 2],
  [1, 0],
  ["all", 0],
  ["majority", 0],
] as const) {
  test(`sendToAll() refuses --need ${need} of ${size} receivers, and sends nothing`, async () => {
    const { receivers, seen } = await fakeGroup(size);
    const { events, sendAll } = makeClient(receivers);
    const result = await sendAll(need);
    assert.equal(result.outcome, "undelivered");
    assert.equal(result.reason, `${size} receivers are in the group, and --need is ${need}`);
    assert.deepEqual(seen().flat(), []);
    assert.deepEqual(
      events.map(({ event }) => event),
      ["listed"],
    );
  });
}

test("sendToAll() is given up by its signal", async () => {
  const { receivers, fakes } = await fakeGroup(3, (number, message, socket) => {
    if (number === 0) ackAs(number, message, socket);
  });
  const { events, sendAll } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
  const stop = new AbortController();
  const sending = sendAll("all", stop);
  await until("all got it", () => fakes.every(({ seen }) => seen.length === 1));
  await until("one has acked", () => events.some(({ event }) => event === "ack received"));
  giveUp(stop);
  const result = await sending;
  assert.deepEqual([result.outcome, result.acked, result.missing], ["unknown", ["id-0"], ["id-1", "id-2"]]);
  assert.deepEqual(
    events.filter(({ event }) => event === "gave up").map(({ note }) => note),
    ["given up", "given up"],
  );
});

test("sendToAll() says undelivered when none could be reached", async () => {
  const { receivers, fakes } = await fakeGroup(2);
  for (const { close } of fakes) close();
  const result = await makeClient(receivers, { maxAttempts: 1 }).sendAll();
  assert.deepEqual([result.outcome, result.acked, result.missing], ["undelivered", [], ["id-0", "id-1"]]);
});

test("sendToAll() keeps what it knows of the members up to date", async () => {
  const { receivers } = await fakeGroup(2, (number, message, socket) => {
    if (number === 0 || message.attempt === 2) ackAs(number, message, socket);
  });
  const { client } = makeClient(receivers);
  let members: readonly Member[] = [];
  await sendToAll(receivers, (to, how) => sendMessage(client, to, "oi", how), {
    id: "m-1",
    need: "all",
    signal: new AbortController().signal,
    onChange(now, changed) {
      members = now;
      if (changed === undefined) assert.ok(now.every(({ result }) => result === undefined));
    },
  });
  assert.deepEqual(
    members.map(({ receiver, attempt, result }) => [receiver.id, attempt?.number, result?.outcome]),
    [
      ["id-0", 1, "acked"],
      ["id-1", 2, "acked"],
    ],
  );
});

test("sendToAll() counts members that call themselves the same as several", async () => {
  const { receivers } = await fakeGroup(3, (number, message, socket) => {
    if (number < 2) ackAs(7, message, socket);
  });
  const { eventsOf, sendAll } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
  const result = await sendAll("majority");
  assert.deepEqual([result.outcome, result.acked.toSorted()], ["acked", ["id-0", "id-1"]]);
  assert.deepEqual(
    eventsOf("ack received")
      .map(({ receiver }) => receiver)
      .toSorted(),
    ["id-0", "id-1"],
    "the record says who was asked, too",
  );
});

test("sendToAll() counts a member that is listed twice once, and three at one address as three", async () => {
  const { receivers, seen } = await fakeGroup(1);
  const [one] = receivers as [Receiver];
  const listed = [one, one, { ...one, id: "id-1" }, { ...one, id: "id-2" }];
  const result = await makeClient(listed, { ackTimeoutMs: LONG_MS }).sendAll();
  assert.deepEqual([result.outcome, result.need, result.acked], ["acked", 3, ["id-0", "id-1", "id-2"]]);
  assert.deepEqual(seen(), [[1, 1, 1]]);
});

test("takeTurns() moves to another receiver at each attempt, with the same id", async () => {
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

test("takeTurns() takes the late ack of a receiver that it has moved on from", async () => {
  let first: { number: number; message: Message; socket: Socket } | undefined;
  const { receivers, seen } = await fakeGroup(2, (number, message, socket) => {
    if (message.attempt === 1) first = { number, message, socket };
    else if (first) ackAs(first.number, first.message, first.socket);
  });
  const { events, sendAny } = makeClient(receivers);
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
});

test("takeTurns() takes a late ack even when nobody is left in the group", async () => {
  let answer = () => {};
  const { receivers, seen } = await fakeGroup(1, (number, message, socket) => {
    answer = () => ackAs(number, message, socket);
  });
  const group = [...receivers];
  const { events, sendAny } = makeClient(group, { maxAttempts: 4 });
  const sending = sendAny();
  await until("it is there", () => seen().flat().length === 1);
  group.length = 0;
  await until("it has timed out", () => events.some(({ event }) => event === "timed out"));
  answer();
  const result = await sending;
  assert.deepEqual([result.outcome, result.receiver], ["acked", "id-0"]);
});

test("takeTurns() waits while the group is empty", async () => {
  const { receivers } = await fakeGroup(1);
  const lists = [[], receivers];
  const { client, sendAny } = makeClient();
  client.discovery = fakeDiscovery(() => ({ receivers: lists.shift() ?? receivers, isComplete: true }));
  const result = await sendAny();
  assert.deepEqual([result.outcome, result.receiver], ["acked", "id-0"]);
  assert.deepEqual(lists, []);
});

test("takeTurns() says undelivered when there was nobody, and unknown when one may have processed it", async () => {
  const nobody = await makeClient([], { maxAttempts: 1 }).sendAny();
  assert.deepEqual([nobody.outcome, nobody.receiver], ["undelivered", "nobody"]);
  assert.match(nobody.reason ?? "", /nobody is in the group/);

  const { receivers } = await fakeGroup(2, () => {});
  const silent = await makeClient(receivers, { maxAttempts: 2 }).sendAny();
  assert.deepEqual([silent.outcome, silent.reason], ["unknown", "no ack within 0.15s"]);
});

test("takeTurns() gives up when it is told to", async () => {
  const { receivers, seen } = await fakeGroup(2, () => {});
  const { sendAny } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
  const stop = new AbortController();
  const sending = sendAny(stop);
  await until("it was sent", () => seen().flat().length === 1);
  giveUp(stop);
  const result = await sending;
  assert.deepEqual([result.outcome, result.reason, result.attempts], ["unknown", "given up", 1]);
});

test("what is given up while discovery is slow is not sent", { timeout: 20_000 }, async () => {
  const { receivers, seen } = await fakeGroup(2);
  for (const to of ["any", "all"] as const) {
    const { client, events, sendAny, sendAll } = makeClient();
    const stop = new AbortController();
    client.discovery = fakeDiscovery(() => {
      giveUp(stop);
      return { receivers, isComplete: true };
    });
    if (to === "any") assert.equal((await sendAny(stop)).outcome, "undelivered");
    else assert.equal((await sendAll("all", stop)).outcome, "undelivered");
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
    giveUp(stop);
    await sending;
    assert.ok(performance.now() - stoppedAt < 3000, "at once, not when it would have asked again");
  }
});

const someone: Receiver = { id: "id-0", host: "receiver-1", port: 7, last_seen: 0 };
const other: Receiver = { id: "id-1", host: "receiver-2", port: 7, last_seen: 0 };
const aMessage = (startedAt = performance.now()) => ({
  sending: { signal: new AbortController().signal, wake: undefined },
  startedAt,
});
for (const [what, listed, isComplete, expected] of [
  ["is in the list", [other, someone], true, false],
  ["is in the list of a discovery that was just started", [someone], false, false],
  ["isn't in the list", [other], true, true],
  ["isn't in the list of a discovery that was just started", [other], false, false],
  ["is in the list with a new id", [{ ...someone, id: "id-9" }], true, false],
  ["is in the list with a new address", [{ ...someone, host: "receiver-9" }], true, false],
  ["is in no list, as discovery is away", undefined, true, false],
] as const) {
  test(`isGone() says ${expected} of a receiver that ${what}`, async () => {
    const discovery = fakeDiscovery(() => ({
      receivers: [...(listed ?? assert.fail("discovery is away"))],
      isComplete,
    }));
    assert.equal(await isGone(discovery, someone, aMessage()), expected);
  });
}

test("isGone() asks discovery once for many at a time, and at most twice a second", async () => {
  let asked = 0;
  const discovery = fakeDiscovery(() => {
    asked += 1;
    return { receivers: [someone], isComplete: true };
  });
  const message = aMessage();
  const ask = (receiver: Receiver) => isGone(discovery, receiver, message);
  assert.deepEqual(await Promise.all([ask(someone), ask(other)]), [false, true]);
  assert.deepEqual([await ask(someone), await ask(other)], [false, true]);
  assert.equal(asked, 1);
  await until("it is asked again", async () => {
    await ask(someone);
    return asked === 2;
  });
  assert.ok(performance.now() - message.startedAt >= 500);
});

test("isGone() doesn't take a list for an answer that is older than the message", async () => {
  const lists = [[other], [someone, other]]; // someone has come in between
  const discovery = fakeDiscovery(() => ({ receivers: lists.shift() ?? [], isComplete: true }));
  assert.equal(await isGone(discovery, other, aMessage()), false);
  assert.equal(await isGone(discovery, someone, aMessage()), false);
});

test("isGone() doesn't take the answer to an older question that is still open", async () => {
  let answer = (_listing: Listing) => {};
  const discovery = fakeDiscovery(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  const older = isGone(discovery, other, aMessage());
  const younger = isGone(discovery, someone, aMessage());
  answer({ receivers: [], isComplete: true });
  assert.deepEqual([await older, await younger], [true, false]);
});

test("isGone() of a discovery that doesn't answer says no within about a second", async () => {
  const discovery = fakeDiscovery(() => new Promise(() => {}));
  const answer = await Promise.race([
    isGone(discovery, someone, aMessage()),
    until("it answers", () => undefined, 5000),
  ]);
  assert.equal(answer, false);
});

test("a client whose attempts fail quickly doesn't ask a discovery that answers 503 more than twice a second", async () => {
  let asked = 0;
  const { receivers } = await fakeGroup(1, () => {});
  const { client, send } = makeClient(receivers, { ackTimeoutMs: 5, maxAttempts: 200 });
  client.discovery = fakeDiscovery(() => {
    asked += 1;
    throw new DiscoveryError("unreachable", "Cannot list receivers: it answered 503");
  });
  const startedAt = performance.now();
  await send(receivers[0] as Receiver);
  const seconds = (performance.now() - startedAt) / 1000;
  assert.ok(asked >= 1 && asked <= 2 * seconds + 1, `asked ${asked} times in ${seconds}s`);
});

test("a receiver that a restarted discovery doesn't know yet is not said to be gone", async () => {
  const { receivers } = await fakeGroup(1, (_number, message, socket) => {
    if (message.attempt === 4) ackAs(0, message, socket);
  });
  const { client, send } = makeClient();
  client.discovery = fakeDiscovery(() => ({ receivers: [], isComplete: false }));
  const [receiver] = receivers as [Receiver];
  assert.equal((await send(receiver)).outcome, "acked");
});

test("takeTurns() comes by each receiver again and again, and a late ack, the signal and the end still count", async () => {
  const { receivers, seen } = await fakeGroup(2, (_number, message, socket) => {
    ackAs(9, { ...message, id: "another" }, socket); // something comes, so that the connections stay in use
  });
  const { sendAny } = makeClient(receivers, { ackTimeoutMs: 20, maxAttempts: 40 });
  const result = await sendAny();
  assert.deepEqual([result.outcome, result.attempts], ["unknown", 40]);
  assert.deepEqual(
    seen().map((attempts) => attempts.length),
    [20, 20],
  );

  const stop = new AbortController();
  const patient = makeClient(receivers, { ackTimeoutMs: 20 });
  const sending = patient.sendAny(stop);
  await until("it has come by often", () => patient.eventsOf("timed out").length > 20);
  giveUp(stop);
  assert.equal((await sending).reason, "given up");
});

test("a member that registers anew leaves no connection behind in use", async () => {
  const { fakes, receivers } = await fakeGroup(1);
  const [receiver] = receivers as [Receiver];
  const { client, send } = makeClient();
  for (let time = 0; time < 60; time++)
    assert.equal((await send({ ...receiver, id: `id-${time}` })).outcome, "acked");
  assert.equal(client.links.current.size, 1);
  await until("few are open", () => client.links.all.size <= 18);
  assert.equal(fakes[0]?.sockets.size, 60);
});

test("sendToAll() that fails in the middle ends the rest, and says why", { timeout: 20_000 }, async () => {
  const { receivers } = await fakeGroup(3, () => {});
  const { client, eventsOf } = makeClient(receivers, { ackTimeoutMs: LONG_MS });
  const send = (to: Receiver, how: SendOptions) =>
    to === receivers[1] ? Promise.reject(new Error("no room")) : sendMessage(client, to, "oi", how);
  const { signal } = new AbortController();
  await assert.rejects(sendToAll(receivers, send, { id: "m-1", need: "all", signal }), {
    message: "no room",
  });
  assert.equal(eventsOf("gave up").length, 2);
});
