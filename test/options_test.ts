import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as kind from "../plumbing/kinds.ts";
import { flag, option, optional, parseOptions, UsageError } from "../plumbing/options.ts";

const TABLE = {
  "ack-timeout": option(kind.duration, "5s", "how long"),
  every: option(kind.interval, "1s", "how often"),
  port: option(kind.port, "0", "the port"),
  rate: option(kind.chance, "0.5", "the chance"),
  count: option(kind.whole(1), "1", "how many"),
  need: option(kind.wholeOr(1, ["majority", "all"]), "all", "how many acks"),
  fault: option(kind.wordsOf(["silent", "exit"]), "silent", "which"),
  discovery: option(kind.url, "http://localhost:5000", "where"),
  name: optional(kind.text, "what it is called"),
  seed: optional(kind.whole(0), "the seed"),
  json: flag("as JSON"),
};
const parse = (...argv: string[]) =>
  parseOptions("test", TABLE, argv, { about: "A test.", example: "test.ts" });

test("parseOptions() gives the defaults, as values", () => {
  const options = parse();
  assert.equal(options.ackTimeout, 5000);
  assert.equal(options.port, 0);
  assert.equal(options.rate, 0.5);
  assert.deepEqual(options.fault, ["silent"]);
  assert.equal(options.json, false);
});

test("parseOptions() gives undefined for an optional one that isn't given, and its value for one that is", () => {
  const { name, seed } = parse();
  assert.deepEqual([name, seed], [undefined, undefined]);
  const given = parse("--name", "receiver-a", "--seed", "0");
  assert.deepEqual([given.name, given.seed], ["receiver-a", 0]);
});

test("parseOptions() prefers a flag to the environment, and that to the default", (t) => {
  setVariable(t, "ACK_TEST_ACK_TIMEOUT", "7s");
  assert.equal(parse().ackTimeout, 7000);
  assert.equal(parse("--ack-timeout", "250ms").ackTimeout, 250);
});

/** Sets a variable of the environment until the test is over. */
function setVariable(t: TestContext, name: string, value: string) {
  process.env[name] = value;
  t.after(() => delete process.env[name]);
}

test("parseOptions() reads several words", () => {
  assert.deepEqual(parse("--fault", "exit, silent").fault, ["exit", "silent"]);
});

test("parseOptions() reads one or several addresses", () => {
  const table = { discovery: option(kind.urls, "http://localhost:5000", "where") };
  const parse = (...argv: string[]) =>
    parseOptions("test", table, argv, { about: "A test.", example: "test.ts" }).discovery;
  assert.deepEqual(parse(), ["http://localhost:5000"]);
  assert.deepEqual(parse("--discovery", "http://a:5000, https://b:1"), ["http://a:5000", "https://b:1"]);
  const eight = Array.from({ length: 8 }, (_value, n) => `http://a:${n + 1}`);
  assert.deepEqual(parse("--discovery", eight.join(",")), eight);
  for (const wrong of ["http://a,", "http://a,b", "http://a,http://a", `${eight.join(",")},http://a:9`])
    assert.throws(
      () => parse("--discovery", wrong),
      /it takes one to 8 different addresses, comma separated/,
    );
});

const wrong: [string[], RegExp][] = [
  [["--ack-timeout", "abc"], /--ack-timeout \(or ACK_TEST_ACK_TIMEOUT\) is "abc"; it takes .*5s/],
  [["--ack-timeout", "5"], /--ack-timeout/],
  [["--ack-timeout", "-5s"], /--ack-timeout/],
  [["--every", "0s"], /--every .*1ms or more/],
  [["--port", "abc"], /--port .*0 to 65535/],
  [["--port", "65536"], /--port/],
  [["--port", "1.5"], /--port/],
  [["--port", "1e3"], /--port/],
  [["--port="], /--port/],
  [["--port"], /Not enough arguments following: port/],
  [["--port", "1", "--port", "2"], /given more than once/],
  [["--rate", "1.1"], /--rate .*0 \(never\) to 1/],
  [["--rate", "NaN"], /--rate/],
  [["--count", "0"], /--count .*1 or more/],
  [["--need", "0"], /--need .*1 or more, majority or all/],
  [["--need", "some"], /--need/],
  [["--name", ""], /--name .*not empty/],
  [["--seed", "-1"], /--seed .*0 or more/],
  [["--fault", "explode"], /--fault .*silent, exit/],
  [["--discovery", "localhost:5000"], /--discovery .*http:/],
  [["--discovery", "http://a%zz@localhost:5000"], /--discovery .*http:/],
  [["--discovery", "http://somebody:secret@localhost:5000"], /--discovery .*http:/],
  [["--colour", "red"], /Unknown argument: colour/],
  [["stray"], /Unknown argument/],
];
for (const [argv, message] of wrong) {
  test(`parseOptions() refuses ${argv.join(" ")}, and shows a right one`, () => {
    assert.throws(
      () => parse(...argv),
      (error: Error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        assert.match(error.message, /^Cannot start test: .*\nTry: npx tsx test.ts/);
        return true;
      },
    );
  });
}

test("parseOptions() takes an empty variable for one that is not set", (t) => {
  setVariable(t, "ACK_TEST_ACK_TIMEOUT", "");
  assert.equal(parse().ackTimeout, 5000);
});

test("parseOptions() refuses an unknown variable under its prefix, and names it", (t) => {
  setVariable(t, "ACK_TEST_COLOUR", "red");
  assert.throws(
    () => parse(),
    (error: Error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /^Cannot start test: .*\bACK_TEST_COLOUR\b.*\nTry: npx tsx test.ts/);
      return true;
    },
  );
});

test("parseOptions() says which variable has a wrong value", (t) => {
  setVariable(t, "ACK_TEST_PORT", "abc");
  assert.throws(() => parse(), /--port \(or ACK_TEST_PORT\) is "abc"; it takes a port/);
});

for (const [value, expected] of [
  ...["1", "true", "yes", "on", "TRUE"].map((value) => [value, true] as const),
  ...["0", "false", "no", "off", "False", ""].map((value) => [value, false] as const),
]) {
  test(`parseOptions() takes the variable of a flag that is "${value}" for ${expected}`, (t) => {
    setVariable(t, "ACK_TEST_JSON", value);
    assert.equal(parse().json, expected);
  });
}

for (const value of ["maybe", "2", "yess", "truefalse"]) {
  test(`parseOptions() refuses the variable of a flag that is "${value}"`, (t) => {
    setVariable(t, "ACK_TEST_JSON", value);
    assert.throws(
      () => parse(),
      (error: Error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, /--json \(or ACK_TEST_JSON\) is ".*"; it takes 1 or 0/);
        return true;
      },
    );
  });
}

test("parseOptions() prefers a flag to its variable when it is on or off, too", (t) => {
  setVariable(t, "ACK_TEST_JSON", "yes");
  assert.equal(parse("--no-json").json, false);
  setVariable(t, "ACK_TEST_JSON", "no");
  assert.equal(parse("--json").json, true);
});

for (const [text, value] of [
  ["3", 3],
  ["majority", "majority"],
  ["all", "all"],
] as const) {
  test(`parseOptions() reads --need ${text}, a number or a word`, () =>
    assert.equal(parse("--need", text).need, value));
}

for (const [text, ms] of [
  ["0s", 0],
  ["250ms", 250],
  ["1.5s", 1500],
  ["2m", 120_000],
  ["1h", 3_600_000],
] as const) {
  test(`parseDuration() reads ${text}`, () => assert.equal(kind.parseDuration(text), ms));
}
for (const text of ["", "5", "s", "5 apples", "1y", "-1s", "1e3s", "30d", "600h"]) {
  test(`parseDuration() does not read "${text}"`, () => assert.equal(kind.parseDuration(text), undefined));
}
