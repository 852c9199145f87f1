/** What the monitor's page makes of the events, whatever the order in which those of two processes come. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import { settledAt, stateOf } from "../monitor/attempt_state.js";
import { forgetCrowd, processesOf, tellMore } from "../monitor/crowd.js";
import { type Dots, tellDots } from "../monitor/dots.js";
import { applyList } from "../monitor/group_list.js";
import { attemptsOf } from "../monitor/kept_attempts.js";
import { layOutLanes } from "../monitor/lanes.js";
import { layOut, type Shape } from "../monitor/layout.js";
import { askGroup } from "../monitor/live.js";
import { goneOf } from "../monitor/lives.js";
import { apply, clear } from "../monitor/model.js";
import type { Page } from "../monitor/page.js";
import { createPlayer } from "../monitor/player.js";
import { beginningOf, printable, short } from "../monitor/short_names.js";
import { tellState, tellStory } from "../monitor/story.js";
import { createAxis } from "../monitor/time_axis.js";
import { viewOf } from "../monitor/view_of.js";
import type { TraceEvent } from "../trace/events.ts";
import { type Model, newModel } from "./page_helpers.ts";

type Details = Partial<TraceEvent>;
const eventsOf =
  (process: string) =>
  (clock: number, event: TraceEvent["event"], receiver: string, details: Details = {}): TraceEvent => ({
    process,
    clock,
    event,
    at: clock,
    message: "m",
    receiver,
    ...details,
  });
const client = eventsOf("client-1");
const a = eventsOf("receiver-a");

/** Every merging of the two that keeps the order of each. */
function mergings(left: TraceEvent[], right: TraceEvent[]): fc.Arbitrary<TraceEvent[]> {
  return fc
    .shuffledSubarray([...left.map(() => true), ...right.map(() => false)], {
      minLength: left.length + right.length,
    })
    .map((turns) => {
      const rest = { left: [...left], right: [...right] };
      return turns.map((isLeft) => (isLeft ? rest.left : rest.right).shift() as TraceEvent);
    });
}

/** How each attempt stands when all events have come, by number and receiver. */
function statesAfter(events: TraceEvent[]): Record<string, string> {
  const model = newModel();
  for (const event of events) apply(model, event);
  assert.ok(
    model.attempts.every((attempt) => attempt.sent),
    "no attempt that nobody made",
  );
  for (const attempt of model.attempts)
    assert.equal(settledAt(attempt) === undefined, stateOf(attempt) === "waiting");
  return Object.fromEntries(
    model.attempts.map((attempt) => [`${attempt.attempt} ${attempt.receiver}`, stateOf(attempt)]),
  );
}

function alwaysEnds(left: TraceEvent[], right: TraceEvent[], wanted: Record<string, string>) {
  fc.assert(
    fc.property(mergings(left, right), (events) => assert.deepEqual(statesAfter(events), wanted)),
    { includeErrorInReport: true },
  );
}

describe("the page's model of the messages", () => {
  const firstAtA = [
    a(3, "received", "id-a", { attempt: 1, heard: 2 }),
    a(4, "fault", "id-a", { attempt: 1, fault: "late-ack" }),
    a(5, "processed", "id-a", { attempt: 1 }),
  ];

  test("gives a late ack that nobody waits for to no attempt of another receiver", () => {
    alwaysEnds(
      [
        client(1, "sent", "id-b", { attempt: 1 }),
        client(2, "sent", "id-a", { attempt: 1 }),
        client(8, "timed out", "id-b", { attempt: 1 }),
        client(9, "timed out", "id-a", { attempt: 1 }),
        client(10, "retried", "id-b", { attempt: 2 }),
        client(11, "retried", "id-a", { attempt: 2 }),
        client(14, "ack received", "id-a", { attempt: 2, heard: 13, duplicate: true }),
        client(15, "timed out", "id-b", { attempt: 2 }),
        client(16, "retried", "id-b", { attempt: 3 }),
        client(18, "ack ignored", "id-a", { heard: 17 }),
        client(19, "gave up", "id-b", { attempt: 3, outcome: "unknown" }),
      ],
      [
        ...firstAtA,
        a(12, "received", "id-a", { attempt: 2, heard: 11, duplicate: true }),
        a(13, "acked", "id-a", { attempt: 2, duplicate: true }),
        a(17, "acked", "id-a", { attempt: 1 }),
      ],
      {
        "1 id-b": "timedOut",
        "2 id-b": "timedOut",
        "3 id-b": "gaveUp",
        "1 id-a": "timedOut", // its ack came when nobody waited
        "2 id-a": "acked",
      },
    );
  });

  test("knows an attempt under way again when its receiver registers anew, and tells of it under its new id", () => {
    const told: TraceEvent[] = [
      a(1, "joined", "id-old", { message: undefined }),
      a(2, "joined", "id-new", { message: undefined }),
      a(5, "received", "id-new", { attempt: 1, heard: 4 }),
      a(6, "fault", "id-new", { attempt: 1, fault: "lost-ack" }),
      a(7, "processed", "id-new", { attempt: 1 }),
      a(10, "received", "id-new", { attempt: 2, heard: 9, duplicate: true }),
      a(11, "acked", "id-new", { attempt: 2, duplicate: true }),
    ];
    const known = [
      client(4, "sent", "id-old", { attempt: 1 }),
      client(8, "timed out", "id-old", { attempt: 1 }),
      client(9, "retried", "id-old", { attempt: 2 }),
      client(12, "ack received", "id-old", { attempt: 2, heard: 11, duplicate: true }),
    ];
    fc.assert(
      fc.property(mergings(known, told), (events) => {
        const model = newModel();
        for (const event of events) apply(model, event);
        const [first, second, ...others] = model.attempts.toSorted((a, b) => a.attempt - b.attempt);
        assert.deepEqual(others, []);
        assert.deepEqual([first?.sent, first?.receivedAt, first?.fault], [true, 5, "lost-ack"]);
        assert.deepEqual([second?.sent, second?.receivedAt], [true, 10]);
        assert.deepEqual(
          second?.acks.map(({ at, receivedAt }) => [at, receivedAt]),
          [[11, 12]],
        );
      }),
      { includeErrorInReport: true },
    );
  });

  test("knows that an attempt is over when the late ack of the one before ends it", () => {
    alwaysEnds(
      [
        client(2, "sent", "id-a", { attempt: 1 }),
        client(8, "timed out", "id-a", { attempt: 1 }),
        client(9, "retried", "id-a", { attempt: 2 }),
        client(14, "ack received", "id-a", { attempt: 2, heard: 11 }),
        client(15, "ack ignored", "id-a", { heard: 12, duplicate: true }),
      ],
      [
        ...firstAtA,
        a(10, "received", "id-a", { attempt: 2, heard: 9, duplicate: true }),
        a(11, "acked", "id-a", { attempt: 1 }),
        a(12, "acked", "id-a", { attempt: 2, duplicate: true }),
      ],
      { "1 id-a": "acked", "2 id-a": "acked" },
    );
  });
});

describe("the page, when a receiver can't be reached", () => {
  const discovery = eventsOf("discovery");
  const note = "not reached (ECONNREFUSED)";
  const model = newModel();
  for (const event of [
    discovery(1, "registered", "id-a", { message: undefined }),
    client(1000, "connection failed", "id-a", { attempt: 1, note }),
    client(2000, "retried", "id-a", { attempt: 2 }),
    client(3000, "timed out", "id-a", { attempt: 2 }),
    client(4000, "connection failed", "id-a", { attempt: 3, note }),
    client(4001, "gave up", "id-a", { attempt: 3, outcome: "unknown" }),
    client(5000, "gave up", "nobody", { attempt: 4, outcome: "unknown" }),
  ])
    apply(model, event);

  test("knows whose attempt failed, though nothing was sent", () => {
    assert.deepEqual(
      model.attempts.map((attempt) => [attempt.client, stateOf(attempt), tellState(attempt)]),
      [
        ["client-1", "failed", "not reached"],
        ["client-1", "timedOut", "timed out"],
        ["client-1", "failed", "not reached"],
        ["client-1", "gaveUp", "given up"],
      ],
    );
  });

  for (const clientOnly of [false, true]) {
    test(`draws a mark on its client's lane, and no arrow, ${clientOnly ? "as the client knows it" : "as it was"}`, () => {
      const activity = [{ from: 0, to: 6000 }];
      const axis = createAxis(activity, { now: 6000, pxPerMs: 0.04 });
      const size = { top: 0, width: 600, height: 240 };
      const view = viewOf({ axis, ...size, now: 6000, clientOnly, heartbeats: false });
      const layout = layOutLanes(model, view);
      const x = layout.lanes.find(({ process }) => process.role === "client")?.x;
      const shapes = layOut(model, view, layout).filter((shape) => "message" in shape);
      const ofKind = (...kinds: Shape["kind"][]) => shapes.filter(({ kind }) => kinds.includes(kind));
      assert.deepEqual(
        ofKind("unsent"),
        [1000, 4000, 5000].map((at) => ({ kind: "unsent", x, y: at * 0.04, message: "m" })),
      );
      assert.deepEqual(
        ofKind("arrow", "bar").map((shape) => "attempt" in shape && shape.attempt),
        [2, 2],
      );
    });

    test(`tells that it was not reached, not that something was sent, ${clientOnly ? "as the client knows it" : "as it was"}`, () => {
      const told = tellStory(model, "m", clientOnly).map(({ at, words }) => [
        at,
        words.split(/ (?=id-a|nobody)/)[0],
      ]);
      assert.deepEqual(told, [
        [1000, "client-1 did not reach"],
        [2000, "client-1 sent it again to"],
        [3000, "No ack of"],
        [4000, "client-1 did not reach"],
        [4001, "client-1 gave up on"],
        [5000, "client-1 gave up on"],
      ]);
    });
  }
});

describe("the page's model of the group", () => {
  const discovery = eventsOf("discovery");
  const id = "id-a";
  const listed = { id, host: "a", port: 4000, last_seen: 0.001 };

  /** Registered at 1 ms for 6 s, in the list, and then no longer there at this time. */
  function missingAt(at: number, ...told: TraceEvent[]) {
    const model = newModel();
    apply(model, discovery(1, "registered", id, { lease: 6000, message: undefined }));
    applyList(model, [listed], 2);
    applyList(model, [], at);
    for (const event of told) apply(model, event);
    return goneOf(model.byId.get(id) ?? { lives: [] })?.how;
  }

  test("says of a receiver that is missing from discovery's list whether its lease was over", () => {
    assert.equal(missingAt(3000), "left");
    assert.equal(missingAt(6100), "expired");
  });

  test("believes what the event says, when it comes", () => {
    assert.equal(missingAt(6100, a(3000, "left", id, { message: undefined })), "left");
    assert.equal(missingAt(5900, discovery(7000, "expired", id, { message: undefined })), "expired");
  });
});

describe("the page, when there are more than anybody could look at", () => {
  const MANY = 100_000;
  const MOST_KEPT = 1200;
  const counts = (to: number) => Array.from({ length: to }, (_, n) => n);
  const others = counts(MANY).map((n) => ({ id: `id-${n}`, host: "a", port: 4000, last_seen: 1 }));
  const view = { from: 0, to: 10_000, now: 5000, width: 600, clientOnly: false, heartbeats: false };
  const nothing = { message: undefined, receiver: undefined };

  /** A client that sends once to a receiver of its group. */
  function smallGroup() {
    const model = newModel();
    applyList(model, [{ id: "id-a", host: "a", port: 4000, last_seen: 1 }], 1000);
    apply(model, client(1000, "sent", "id-a"));
    return model;
  }
  const namesOf = (model: Model) => processesOf(model).map(({ name }) => name);

  test("keeps of 100,000 clients at most 1,200, those who take part among them, and counts the others", () => {
    const model = smallGroup();
    const isThere = () => ["client-1", "id-a"].every((name) => namesOf(model).includes(name));
    for (const n of counts(MANY)) {
      apply(model, eventsOf(`c-${n}`)(1000, "listed", "", nothing));
      assert.ok(model.byName.size <= MOST_KEPT, `${model.byName.size} are kept`);
    }
    assert.ok(isThere());
    assert.equal(processesOf(model).length + model.crowd.clients.size, MANY + 2);
    for (const n of counts(MANY)) apply(model, eventsOf(`c-${n}`)(2000, "listed", "", nothing));
    assert.equal(processesOf(model).length + model.crowd.clients.size, MANY + 2, "nobody is counted twice");
    assert.ok(isThere());
    const { lanes, more } = layOutLanes(model, view);
    assert.deepEqual([lanes.length, more], [100, MANY + 2 - 100]);
    assert.ok(lanes.some(({ process }) => process.name === "id-a"));
  });

  test("keeps of a list of 100,000 at most 1,200, and counts the others", () => {
    const model = smallGroup();
    for (const _ of ["the first list", "the second"]) {
      applyList(model, [...others, { id: "id-a", host: "a", port: 4000, last_seen: 1 }], 1000);
      assert.ok(model.byId.size <= MOST_KEPT, `${model.byId.size} are kept`);
      assert.equal(model.byId.size + model.crowd.receivers.size, MANY + 1);
      assert.ok(model.byId.has("id-a"));
    }
    const { lanes, more } = layOutLanes(model, view);
    assert.deepEqual([lanes.length, more], [100, MANY + 2 - 100]);
  });

  test("shows the receiver of a crowd to whom a message goes", () => {
    const model = smallGroup();
    applyList(model, others, 1000);
    assert.ok(!model.byId.has("id-99999"));
    apply(model, client(2000, "sent", "id-99999"));
    applyList(model, others, 2000);
    const { lanes } = layOutLanes(model, view);
    assert.ok(lanes.some(({ process }) => process.id === "id-99999"));
  });

  test("keeps of a receiver with 100,000 ids the newest", () => {
    const model = smallGroup();
    for (const n of counts(MANY)) apply(model, a(1000, "joined", `new-${n}`, { message: undefined }));
    assert.ok(model.byId.size <= MOST_KEPT, `${model.byId.size} ids`);
    assert.equal(model.byId.get(`new-${MANY - 1}`)?.name, "receiver-a");
  });

  test("counts at most 100,000 of a kind, forgets them after a minute without a word, and when it is cleared", () => {
    const model = newModel();
    for (const n of counts(MANY + 5000)) apply(model, eventsOf(`c-${n}`)(1000, "listed", "", nothing));
    assert.equal(model.crowd.clients.size, MANY);
    assert.equal(tellMore(model.crowd.clients.size), "… and 100,000 more");
    forgetCrowd(model, 61_000);
    assert.equal(model.crowd.clients.size, MANY);
    forgetCrowd(model, 61_001);
    assert.equal(model.crowd.clients.size, 0);
    assert.equal(tellMore(0), "");
    applyList(model, others, 1000);
    clear(model, 1000);
    assert.equal(model.crowd.receivers.size, 0);
  });

  test("forgets old attempts and acks, but not the message that is selected", () => {
    const model = smallGroup();
    model.selected = "m";
    for (const n of counts(MANY)) {
      const details = { message: `m-${n}`, attempt: 1, heard: n + 1 };
      apply(model, client(2000, "sent", "id-a", details));
      apply(model, client(2000, "ack received", "id-a", details));
      apply(model, client(2000, "ack ignored", "id-b", { message: `other-${n}`, heard: n + 1 }));
    }
    assert.ok(model.attempts.length <= 7200, `${model.attempts.length} attempts`);
    assert.ok(model.acks.size <= 14_400, `${model.acks.size} acks`);
    assert.equal(model.byKey.size, model.attempts.length);
    assert.equal([...model.byMessage.values()].flat().length, model.attempts.length);
    assert.equal(attemptsOf(model, "m").length, 1);
    assert.equal(attemptsOf(model, `m-${MANY - 1}`).length, 1);
  });

  test("keeps of one message's 100,000 attempts the last ones, and of an attempt's acks a hundred", () => {
    const model = smallGroup();
    model.selected = "m";
    for (const n of counts(MANY)) {
      apply(model, client(2000, "retried", "id-a", { attempt: n + 2 }));
      apply(model, client(2000, "ack received", "id-b", { attempt: 1, heard: n + 1 }));
    }
    assert.ok(model.attempts.length <= 7200, `${model.attempts.length} attempts`);
    assert.equal(attemptsOf(model, "m").length, model.attempts.length);
    for (const { acks, came } of model.attempts) assert.ok(acks.length <= 100 && came.length <= 100);

    const story = tellStory(model, "m", false);
    assert.equal(story.length, 2001);
    assert.match(story.at(-1)?.words ?? "", /^… and [\d,]+ more$/);
  });

  for (const [whose, details] of [
    ["messages that it doesn't know", {}],
    ["one attempt", { attempt: 1 }],
  ] as const)
    test(`keeps of 100,000 acks of ${whose} at most 14,400`, () => {
      const model = newModel();
      for (const n of counts(MANY))
        apply(model, client(2000, "ack ignored", "id-b", { message: "other", heard: n + 1, ...details }));
      assert.ok(model.acks.size <= 14_400, `${model.acks.size} acks`);
    });

  test("keeps the landings of at most 10,000 messages that fly in the picture", () => {
    const model = smallGroup();
    const dots = { flying: [], landings: new Map() } as unknown as Dots;
    for (const n of counts(MANY))
      tellDots(dots, client(2000, "sent", `id-${n}`), model, { now: 2000, clientOnly: false });
    assert.equal(dots.landings.size, 10_000);
  });
});

describe("the page, when it asks who is in the group", () => {
  /** Asks once. @returns what it asked for, and after how long it asks again */
  async function ask(t: TestContext, { busyMs = 0, isSlow = false }) {
    const within: number[] = [];
    const againAfter: number[] = [];
    const times = [0, busyMs];
    Object.assign(globalThis, { document: { hidden: false } });
    t.mock.method(performance, "now", () => times.shift() ?? 0);
    t.mock.method(AbortSignal, "timeout", (ms: number) => {
      within.push(ms);
      return isSlow ? AbortSignal.abort() : new AbortController().signal;
    });
    t.mock.method(globalThis, "fetch", async (_: string, { signal }: RequestInit) => {
      signal?.throwIfAborted();
      return Response.json({ receivers: [{ id: "id-a", host: "a", port: 4000, last_seen: 1 }] });
    });
    t.mock.method(globalThis, "setTimeout", (_: unknown, ms: number) => againAfter.push(ms));
    const model = newModel();
    const player = createPlayer();
    await askGroup({ model, player, ahead: 0, isConnected: true } as Page);
    return { within, againAfter, isTaken: model.byId.has("id-a") };
  }

  test("asks again after 2 s, after a list that kept it busy for long later", async (t) => {
    assert.deepEqual(await ask(t, {}), { within: [15_000], againAfter: [2000], isTaken: true });
    assert.deepEqual((await ask(t, { busyMs: 200 })).againAfter, [6000]);
  });

  test("waits no longer than 15 s, and asks again", async (t) => {
    const asked = await ask(t, { isSlow: true });
    assert.deepEqual(asked, { within: [15_000], againAfter: [2000], isTaken: false });
  });
});

describe("what comes from outside", () => {
  test("is shown without what can't be seen, or would turn the text around it", () => {
    assert.equal(printable("a\x1b[2J\x00\x85\n"), "a\\x1b[2J\\x00\\x85\\x0a");
    assert.equal(printable("\u202eabc\u2066\u200f\u061c"), "\\u202eabc\\u2066\\u200f\\u061c");
    assert.equal(printable("\ud83d, \ude00, \ud83d\ude00"), "\\ud83d, \\ude00, \ud83d\ude00");
    assert.equal(printable("olá, 日本, שלום, 👩‍🏫"), "olá, 日本, שלום, 👩‍🏫");
  });

  test("is cut between characters, to at most so many", () => {
    assert.equal(short("5f1c2a7e-0000"), "5f1c2a7e");
    assert.equal(short("a😀😀😀😀😀😀😀😀"), "a😀😀😀😀😀😀😀");
    assert.equal(beginningOf("\u202e".repeat(128), 8), "\\u202e\\u");
  });

  test("is in the words of a story as it is on a lane", () => {
    const model = newModel();
    apply(model, eventsOf("client-\u202e1")(1, "sent", "id-\x1b", { note: "x" }));
    apply(model, a(2, "processed", "id-\x1b", { note: "\ud800" }));
    const told = tellStory(model, "m", false).map(({ words }) => words);
    assert.deepEqual(told, [
      "client-\\u202e1 sent it to id-\\x1b, attempt 1, and waits 5 s for the ack.",
      "id-\\x1b processed it: \\ud800",
    ]);
  });
});
