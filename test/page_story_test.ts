/** What the page says of a message: in the story, the list, the group's picture, and where it finds it. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { readAddress } from "../monitor/address.js";
import { stateOf } from "../monitor/attempt_state.js";
import { type Dots, tellDots } from "../monitor/dots.js";
import { findAttempts } from "../monitor/find_attempts.js";
import { LEGEND, tellScale } from "../monitor/legend.js";
import { apply } from "../monitor/model.js";
import { omittingAt } from "../monitor/omissions.js";
import { FAULT_TEXTS, tellState, tellStory } from "../monitor/story.js";
import { chooseLanguage, text } from "../monitor/text.js";
import { EN } from "../monitor/texts_en.js";
import { PT } from "../monitor/texts_pt.js";
import { tellStatus } from "../monitor/words.js";
import { FAULT_NAMES } from "../receiver.ts";
import type { TraceEvent } from "../trace/events.ts";
import { newModel, told } from "./page_helpers.ts";

function after(...events: TraceEvent[]) {
  const model = newModel();
  for (const event of events) apply(model, event);
  return model;
}
const c = (at: number, event: TraceEvent["event"], receiver: string, details: Partial<TraceEvent> = {}) =>
  told("client-1", at, event, { message: "m", attempt: 1, receiver, ...details });
const storyOf = (model: ReturnType<typeof newModel>, clientOnly = false) =>
  tellStory(model, "m", clientOnly).map(({ words }) => words);

afterEach(() => chooseLanguage("en"));

describe("a send to the group that has its majority", () => {
  const done = (at: number) =>
    told("client-1", at, "group acked", { message: "m", need: 2, ackedBy: ["a", "b"] });
  const model = after(
    ...["a", "b", "late", "gone"].map((receiver) => c(1, "sent", receiver)),
    c(2, "gave up", "gone", { outcome: "undelivered", note: "left" }),
    c(3, "ack received", "a"),
    c(4, "ack received", "b"),
    done(4),
    c(5, "gave up", "late", { outcome: "unknown", note: "enough others have acked" }),
  );

  test("says so, when it has it; the rest are no longer needed, not given up", () => {
    assert.deepEqual(
      model.attempts.map((attempt) => [attempt.receiver, stateOf(attempt), tellState(attempt)]),
      [
        ["a", "acked", "acked"],
        ["b", "acked", "acked"],
        ["late", "notNeeded", "no longer needed"],
        ["gone", "gaveUp", "given up"],
      ],
    );
    const story = storyOf(model, true);
    assert.equal(story.at(-2), "2 of 2 needed acks: enough.");
    assert.match(story.at(-1) ?? "", /no longer needs the ack of late.*unknown/);
    assert.deepEqual(model.groups.get("m"), { at: 4, client: "client-1", need: 2, ackedBy: 2 });
  });

  test("says so in Portuguese", () => {
    chooseLanguage("pt-BR");
    assert.equal(storyOf(model).at(-2), "2 de 2 acks necessários: bastam.");
    assert.equal(tellState(model.attempts[2] as never), "não precisa mais");
  });

  test("is kept for at most 6,000 messages, and for the one whose story is open", () => {
    const many = newModel();
    many.selected = "m-0";
    for (let n = 0; n < 10_000; n++)
      apply(many, told("c", n + 1, "group acked", { message: `m-${n}`, need: 1 }));
    assert.equal(many.groups.size, 6000);
    assert.ok(many.groups.has("m-0") && many.groups.has("m-9999"));
  });
});

describe("the order of a story", () => {
  const r = (at: number, event: TraceEvent["event"], details: Partial<TraceEvent> = {}) =>
    told("receiver-a", at, event, { message: "m", attempt: 1, receiver: "a", from: "client-1", ...details });
  const numbersIn = (model: ReturnType<typeof newModel>, words: RegExp[]) =>
    words.map((each) => storyOf(model).findIndex((line) => each.test(line)));

  /** All within a millisecond, or with a receiver whose clock is behind or ahead. */
  for (const skew of [0, -3000, 3000]) {
    test(`has a cause before what it causes, when the receiver's clock is ${skew} ms ahead`, () => {
      const [lost, again] = [9000, 9100].map((at) => at + skew) as [number, number];
      const model = after(
        c(9000, "sent", "a", { timeout: 100 }),
        r(lost, "received"),
        r(lost, "fault", { fault: "lost-ack" }),
        r(lost, "processed", { note: "hi" }),
        c(9100, "timed out", "a"),
        c(9100, "retried", "a", { attempt: 2 }),
        r(again, "received", { attempt: 2, duplicate: true }),
        { ...r(again, "acked", { attempt: 2, duplicate: true }), clock: 7 },
        c(9100, "ack received", "a", { attempt: 2, heard: 7, duplicate: true }),
        told("client-1", 9100, "group acked", { message: "m", need: 1, ackedBy: ["a"] }),
        c(9100, "gave up", "b", { outcome: "unknown", note: "enough others have acked" }),
      );
      const first = [/sent it to a/, /received attempt 1/, /processed it/, /will be lost/];
      const second = [
        /sent it again/,
        /received attempt 2/,
        /sent the ack/,
        /got the ack/,
        /1 of 1/,
        /no longer/,
      ];
      for (const numbers of [numbersIn(model, first), numbersIn(model, [/No ack/, ...second])]) {
        assert.ok(!numbers.includes(-1), `${storyOf(model).join("\n")}`);
        assert.deepEqual(
          numbers,
          numbers.toSorted((x, y) => x - y),
          storyOf(model).join("\n"),
        );
      }
    });
  }

  test("has a broken connection after the crash, and a timeout at its own time", () => {
    const crash = after(
      c(9, "sent", "a"),
      r(9, "received"),
      r(9, "fault", { fault: "exit" }),
      c(9, "connection failed", "a"),
    );
    assert.match(storyOf(crash).at(-1) ?? "", /connection to a failed/);
    const slow = after(c(1, "sent", "a"), c(5, "timed out", "a"), r(9, "received"), r(9, "processed"));
    assert.match(storyOf(slow)[1] ?? "", /^No ack of a in time/);
  });
});

describe("a send to any that goes on to another receiver", () => {
  const first = c(1, "sent", "a");
  const second = c(20, "retried", "b", { attempt: 2 });
  const lost = c(10, "timed out", "a");

  test("says so, and that two may have processed it", () => {
    const model = after(first, lost, second);
    assert.equal(model.attempts[1]?.movedFrom, "a");
    assert.match(storyOf(model).at(-1) ?? "", /moved on from a, and sent it to b, attempt 2\. If both/);
  });

  test("does so whatever is told first, by whomever", () => {
    const received = told("receiver-b", 21, "received", {
      message: "m",
      attempt: 2,
      receiver: "b",
      from: "client-1",
    });
    const model = after(received, first, lost, second);
    assert.deepEqual(
      model.attempts.map(({ movedFrom }) => movedFrom),
      ["a", undefined],
    );
  });

  test("says nothing of two, if nothing was sent before", () => {
    const model = after(c(1, "connection failed", "a", { note: "not reached (ECONNREFUSED)" }), second);
    assert.equal(storyOf(model).at(-1), "client-1 moved on to b, attempt 2: a was not reached.");
  });

  test("is told from a send to the group, where each member has its own attempts", () => {
    const model = after(first, c(1, "sent", "b"), c(20, "retried", "b", { attempt: 2 }), c(1, "sent", "c"));
    assert.ok(model.attempts.every(({ movedFrom }) => movedFrom === undefined));
  });
});

test("of five late acks, the list says of each attempt that its ack came late, and of the last that it is acked", () => {
  const r = (at: number, attempt: number) =>
    told("receiver-a", at, "acked", { message: "m", attempt, receiver: "a", duplicate: attempt > 1 });
  const numbers = [1, 2, 3, 4, 5];
  const model = after(
    ...numbers.flatMap((n) => [
      c(700 * n, n > 1 ? "retried" : "sent", "a", { attempt: n, timeout: 700 }),
      ...(n < 5 ? [c(700 * n + 699, "timed out", "a", { attempt: n })] : []),
    ]),
    ...numbers.map((n) => r(700 * n + 1400, n)),
    c(3600, "ack received", "a", { attempt: 5, heard: 2100 }),
    ...numbers
      .slice(1)
      .map((n) =>
        c(700 * n + 2800, "ack ignored", "a", { attempt: undefined, heard: 700 * n + 1400, duplicate: true }),
      ),
  );
  const late = "acked late";
  assert.deepEqual(model.attempts.map(tellState), [late, late, late, late, "acked"]);
});

describe("what went wrong", () => {
  const fault = (at: number, name: string) =>
    told("receiver-a", at, "fault", {
      message: "m",
      attempt: 1,
      receiver: "a",
      from: "client-1",
      fault: name,
    });

  test("has its words, for each fault that a receiver can have, in both languages", () => {
    for (const name of [...FAULT_NAMES, "lost"]) {
      const key = FAULT_TEXTS[name as keyof typeof FAULT_TEXTS];
      assert.ok(key && EN[key] && PT[key] && EN[key] !== PT[key], name);
    }
    assert.match(text(FAULT_TEXTS.silent, { receiver: "a" }), /^Omission: .* alive/);
    assert.match(text(FAULT_TEXTS.exit, { receiver: "a" }), /^Crash: /);
    assert.match(text(FAULT_TEXTS.lost, { receiver: "a" }), /lost on the way .* received nothing/);
  });

  test("is not what a client knows: a lost message, a lost ack and an omission are one story", () => {
    const stories = ["lost", "lost-ack", "silent"].map((name) => {
      const received = told("receiver-a", 2, "received", { message: "m", attempt: 1, receiver: "a" });
      const rest = name === "lost" ? [] : [received];
      return storyOf(after(c(1, "sent", "a"), ...rest, fault(3, name), c(10, "timed out", "a")), true);
    });
    assert.deepEqual(stories[0], stories[1]);
    assert.deepEqual(stories[1], stories[2]);
  });

  test("by omission is said of a receiver that is alive, for ten seconds, or until it answers the next", () => {
    const received = (at: number, attempt: number) =>
      told("receiver-a", at, "received", { message: "m", attempt, receiver: "a" });
    const model = after(received(1, 1), fault(2, "silent"));
    const receiver = model.byName.get("receiver-a");
    assert.deepEqual([...omittingAt(model, 10_001)], [receiver]);
    assert.deepEqual([...omittingAt(model, 10_002)], []);
    assert.equal(receiver?.lives[0]?.to, undefined);
    apply(model, received(3, 2));
    assert.deepEqual([...omittingAt(model, 10)], []);
  });

  test("flies as it was: what is lost on the way doesn't arrive, and of what it can't know the client sees half", () => {
    const model = after(told("receiver-a", 1, "joined", { receiver: "a" }), c(1, "sent", "a"));
    const fly = (clientOnly: boolean, ...events: TraceEvent[]) => {
      const dots = { flying: [], landings: new Map() } as unknown as Dots;
      for (const event of events) tellDots(dots, event, model, { now: 0, clientOnly });
      return dots.flying.map(({ what, end }) => `${what} ${end}`);
    };
    const sent = c(1, "sent", "a");
    assert.deepEqual(fly(false, sent, fault(2, "lost")), ["message lost"]);
    assert.deepEqual(fly(false, sent, fault(2, "silent")), ["message undefined"]);
    assert.deepEqual(fly(false, sent, fault(2, "exit")), ["message undefined", "message lost"]);
    for (const name of ["lost", "silent", "exit"])
      assert.deepEqual(fly(true, sent, fault(2, name)), ["message unknown"]);
  });

  test("with discovery is in the status, and no longer when it is back", () => {
    const about = (at: number, event: TraceEvent["event"]) =>
      told("monitor", at, event, { from: "discovery" });
    const page = { isConnected: true, lost: 0, player: { isLive: true } } as never as object;
    const status = (...events: TraceEvent[]) => tellStatus({ ...page, model: after(...events) } as never);
    assert.deepEqual(status(about(1, "unreachable")), {
      problems: ["discovery does not answer"],
      state: "connected",
    });
    assert.deepEqual(status(about(1, "unreachable"), about(2, "reachable")).problems, []);
  });
});

describe("finding", () => {
  const model = after(
    told("receiver-a", 1, "joined", { receiver: "old-id" }),
    c(2, "sent", "old-id", { message: "5f1c-1" }),
    told("receiver-a", 3, "joined", { receiver: "new-id" }),
    c(4, "sent", "new-id", { message: "5f1c-2" }),
    c(5, "sent", "other", { message: "9999" }),
  );
  const found = (words: string) => findAttempts(model, words).attempts.map(({ message }) => message);

  test("takes the beginning of a message's id, an id that a receiver had, a name", () => {
    assert.deepEqual(found("5F1C"), ["5f1c-1", "5f1c-2"]);
    assert.deepEqual(found(" old"), ["5f1c-1", "5f1c-2"]);
    assert.deepEqual(
      findAttempts(model, "old").processes.map(({ name }) => name),
      ["receiver-a"],
    );
    assert.deepEqual(found("other"), ["9999"]);
    assert.equal(found("client-1").length, 3);
    assert.deepEqual([found(""), found("nothing")], [[], []]);
  });

  test("looks at no more than 128 characters of what is asked", () => {
    assert.deepEqual(found(`5f1c-1${" ".repeat(122)}and more`), []);
    const long = "x".repeat(128);
    apply(model, c(6, "sent", "a", { message: long }));
    assert.deepEqual(found(`${long}${"y".repeat(100_000)}`), [long]);
  });
});

describe("the page's address", () => {
  test("gives a language that there is, and an id that could be one", () => {
    assert.deepEqual(readAddress("?lang=pt&message=m-1"), { language: "pt", message: "m-1" });
    const nothing = { language: undefined, message: undefined };
    assert.deepEqual(readAddress(""), nothing);
    assert.deepEqual(readAddress(`?lang=<b>&message=${"x".repeat(129)}`), nothing);
    assert.deepEqual(readAddress("?lang=__proto__&message="), nothing);
  });
});

describe("the words", () => {
  test("are there in both languages, with the same values to fill in", () => {
    const valuesOf = (words: string) => (words.match(/\{\w+\}/g) ?? []).sort();
    assert.deepEqual(Object.keys(PT), Object.keys(EN));
    for (const [key, words] of Object.entries(EN))
      assert.deepEqual(valuesOf(PT[key as keyof typeof EN]), valuesOf(words), key);
  });

  test("of the legend are different ones for each mark", () => {
    const words = Object.values(LEGEND).map(([mark, key]) => `${mark} ${text(key)}`);
    assert.equal(new Set(words).size, Object.keys(LEGEND).length);
  });

  test("of the scale are true at each zoom", () => {
    assert.match(tellScale(0.04), /40 px = 1 s; what is faster than 0\.3 s /);
    assert.match(tellScale(10), /10 px = 1 ms; what is faster than 1\.2 ms /);
    assert.match(tellScale(0.0002), /12 px = 1 min; what is faster than 1 min /);
    chooseLanguage("pt-BR");
    assert.match(tellScale(0.04), /40 px = 1 s; o que leva menos de 0,3 s /);
  });
});
