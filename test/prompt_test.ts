import assert from "node:assert/strict";
import { test } from "node:test";
import type { Receiver } from "../lib/messages.ts";
import {
  askWhom,
  BODY,
  chooseTarget,
  listenToPerson,
  listReceivers,
  problemWithBody,
  showReceivers,
} from "../terminal/prompt.ts";
import { makeFakeScreen } from "./fake_screen.ts";
import { until } from "./helpers.ts";

const group: Receiver[] = [
  { id: "5f1c2a7e-aaaa", host: "receiver-1", port: 40121, last_seen: 97 },
  { id: "9b03d4c1-bbbb", host: "r-2", port: 381, last_seen: 99.2, name: "receiver-1ca034" },
  { id: "9b77ffff-cccc", host: "r-3", port: 382, last_seen: 101, name: "a\x1b[2Jb" },
];

test("listReceivers() shows number, id, address, when it was seen, and the name", () => {
  assert.deepEqual(listReceivers(group, 100), [
    "Available receivers:",
    "  0: 5f1c2a7e  receiver-1:40121  seen 3s ago",
    "  1: 9b03d4c1  r-2:381           seen 1s ago  receiver-1ca034",
    "  2: 9b77ffff  r-3:382           seen 0s ago  a\\x1b[2Jb",
  ]);
});

test("showReceivers() prints what listReceivers() lists, a line each", () => {
  const { screen, printed } = makeFakeScreen();
  showReceivers(screen, group, []);
  assert.equal(printed.length, 4);
  assert.match(printed[1] ?? "", /^ {2}0: 5f1c2a7e {2}receiver-1:40121 {2}seen \d+s ago$/);
});

for (const [discovery, command] of [
  [["http://localhost:5000"], /^No receiver .*tsx receiver\.ts$/],
  [["http://localhost:5050"], /^No receiver .*tsx receiver\.ts --discovery http:\/\/localhost:5050$/],
  [["http://a:1", "http://b:2"], /^No receiver .*tsx receiver\.ts --discovery http:\/\/a:1,http:\/\/b:2$/],
] as const) {
  test(`showReceivers() says how a receiver joins the empty group at ${discovery}`, () => {
    const { screen, printed } = makeFakeScreen();
    showReceivers(screen, [], discovery);
    assert.match(printed.join("\n"), command);
  });
}

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

for (const [line, body] of [
  [" 1  some text ", "some text"],
  ["1 olá\tmundo", "olá\tmundo"],
  ["9b0\t1", "1"],
  ["1", undefined],
  ["1   ", undefined],
] as const) {
  test(`chooseTarget() takes ${JSON.stringify(line)}, a receiver and ${body ? "a text" : "no text"}`, () => {
    const expected = body === undefined ? { target: group[1] } : { target: group[1], body };
    assert.deepEqual(chooseTarget(group, line), expected);
  });
}

test("chooseTarget() refuses a text that is too long", () => {
  assert.match(
    JSON.stringify(chooseTarget(group, `0 ${"x".repeat(1024 * 1024)}`)),
    /"problem":"a message has/,
  );
});

test("chooseTarget() of nobody says what to do, except for all and any", () => {
  assert.match(JSON.stringify(chooseTarget([], "0")), /"problem":"No receiver .*start one.*--discovery"/);
  assert.deepEqual(chooseTarget([], "all"), { target: "all" });
  assert.deepEqual(chooseTarget([], "any x"), { target: "any", body: "x" });
});

test("problemWithBody() says how long a body may be", () => {
  assert.equal(problemWithBody("olá"), undefined);
  assert.equal(problemWithBody("x".repeat(1047552 - 2)), undefined, "with its quotes");
  assert.match(problemWithBody("x".repeat(1047552 - 1)) ?? "", /at most 1047552 bytes/);
  assert.match(problemWithBody('"'.repeat(600_000)) ?? "", /at most/, "as it is in JSON");
});

test("BODY takes a text that fits in a frame, and no empty one", () => {
  assert.equal(BODY.parse("olá"), "olá");
  assert.equal(BODY.parse(""), undefined);
  assert.equal(BODY.parse("x".repeat(1024 * 1024)), undefined);
  assert.match(BODY.right, /1 to 1047552 bytes/);
});

for (const [answers, expected] of [
  [["0 olá"], { target: group[0], body: "olá" }],
  [["all"], { target: "all" }],
  [["q"], "quit"],
  [[" q "], "quit"],
  [[], "quit"],
  [[""], "list"],
  [["  "], "list"],
  [[null], "refresh"],
] as const) {
  test(`askWhom() takes ${JSON.stringify(answers)} for ${JSON.stringify(expected)?.slice(0, 30)}`, async () => {
    const { screen, printed } = makeFakeScreen([...answers]);
    assert.deepEqual(await askWhom(screen, group), expected);
    assert.deepEqual(printed, []);
  });
}

test("askWhom() says what is wrong, and asks again", async () => {
  const tooLong = `0 ${"x".repeat(1024 * 1024)}`;
  const { screen, printed, withinMs } = makeFakeScreen(["7", "-1 hello", tooLong, "1 oi", "0"]);
  assert.deepEqual(await askWhom(screen, group), { target: group[1], body: "oi" });
  assert.match(printed[0] ?? "", /^There is no receiver "7": give a number from 0 to 2/);
  assert.match(printed[1] ?? "", /^There is no receiver "-1"/);
  assert.match(printed[2] ?? "", /^a message has at most/);
  assert.equal(printed.length, 3);
  assert.deepEqual(withinMs, Array(4).fill(undefined), "for as long as it takes");
});

test("askWhom() of an empty group waits a second for the answer", async () => {
  const { screen, withinMs } = makeFakeScreen([null]);
  assert.equal(await askWhom(screen, []), "refresh");
  assert.deepEqual(withinMs, [1000]);
});

/** A person, and something under way that only its signal ends. */
function listen({ isTerminal = true } = {}) {
  const program = new AbortController();
  const fake = makeFakeScreen([], { isTerminal });
  const person = listenToPerson(fake.screen, program.signal);
  const work = { signal: undefined as AbortSignal | undefined, isOver: false };
  const begin = () =>
    person.during(async (signal) => {
      Object.assign(work, { signal, isOver: false });
      await until("it is ended", () => signal.aborted);
      work.isOver = true;
      return "its result";
    });
  const state = () => ({ all: person.signal.aborted, work: work.signal?.aborted, isClosed: fake.isClosed() });
  return { ...fake, program, person, begin, work, state };
}

test("listenToPerson() at Ctrl-C ends what is under way alone; at the prompt it ends all", async () => {
  const { interrupt, begin, work, state } = listen();
  const doing = begin();
  interrupt();
  assert.equal(await doing, "its result");
  assert.deepEqual(state(), { all: false, work: true, isClosed: false });
  assert.equal(work.signal?.reason.message, "given up");
  const again = begin();
  assert.deepEqual(state(), { all: false, work: false, isClosed: false });
  interrupt();
  await again;
  interrupt();
  assert.deepEqual(state(), { all: true, work: true, isClosed: true });
});

test("listenToPerson() at the end of the program ends what is under way, and the conversation", async () => {
  const { program, begin, person, state } = listen();
  const doing = begin();
  program.abort(new Error("stopped"));
  await doing;
  assert.deepEqual(state(), { all: true, work: true, isClosed: true });
  assert.equal(person.signal.reason.message, "stopped");
});

test("listenToPerson() at Ctrl-D ends what is under way, and the conversation", async () => {
  const { end, begin, state } = listen();
  const doing = begin();
  end();
  await doing;
  assert.deepEqual(state(), { all: true, work: true, isClosed: true });
});

test("listenToPerson() at the end of a pipe lets what is under way go on", async () => {
  const { end, begin, interrupt, state } = listen({ isTerminal: false });
  const doing = begin();
  end();
  assert.deepEqual(state(), { all: false, work: false, isClosed: false });
  interrupt();
  await doing;
});

test("listenToPerson() at the end of a pipe ends the wait for discovery", () => {
  const { end, state } = listen({ isTerminal: false });
  end();
  assert.equal(state().all, true);
});

test("listenToPerson() begins nothing after the end of the program", async () => {
  const { program, begin, work } = listen();
  program.abort();
  await begin();
  assert.equal(work.signal?.aborted, true, "it is given up before it begins");
});
