import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chance,
  duration,
  interval,
  parseDuration,
  parseOptions,
  port,
  UsageError,
  url,
  whole,
  words,
} from "../plumbing/options.ts";

const TABLE = {
  "ack-timeout": duration("5s", "how long"),
  every: interval("1s", "how often"),
  port: port("0", "the port"),
  rate: chance("0.5", "the chance"),
  count: whole("1", 1, "how many"),
  fault: words("silent", ["silent", "exit"] as const, "which"),
  discovery: url("http://localhost:5000", "where"),
};
const parse = (...argv: string[]) =>
  parseOptions("test", TABLE, argv, { about: "A test.", example: "tsx test.ts" });

test("parseOptions() gives the defaults, as values", () => {
  const options = parse();
  assert.equal(options.ackTimeout, 5000);
  assert.equal(options.port, 0);
  assert.equal(options.rate, 0.5);
  assert.deepEqual(options.fault, ["silent"]);
});

test("parseOptions() prefers a flag to the environment, and that to the default", (t) => {
  process.env.ACK_TEST_ACK_TIMEOUT = "7s";
  t.after(() => delete process.env.ACK_TEST_ACK_TIMEOUT);
  assert.equal(parse().ackTimeout, 7000);
  assert.equal(parse("--ack-timeout", "250ms").ackTimeout, 250);
});

test("parseOptions() reads several words", () => {
  assert.deepEqual(parse("--fault", "exit, silent").fault, ["exit", "silent"]);
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
  [["--fault", "explode"], /--fault .*silent, exit/],
  [["--discovery", "localhost:5000"], /--discovery .*http:/],
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
        assert.match(error.message, /^Cannot start test: .*\nTry: tsx test.ts/);
        return true;
      },
    );
  });
}

test("parseOptions() takes an empty variable for one that is not set", (t) => {
  process.env.ACK_TEST_ACK_TIMEOUT = "";
  t.after(() => delete process.env.ACK_TEST_ACK_TIMEOUT);
  assert.equal(parse().ackTimeout, 5000);
});

test("parseOptions() refuses an unknown variable under its prefix", (t) => {
  process.env.ACK_TEST_COLOUR = "red";
  t.after(() => delete process.env.ACK_TEST_COLOUR);
  assert.throws(() => parse(), UsageError);
});

for (const [text, ms] of [
  ["0s", 0],
  ["250ms", 250],
  ["1.5s", 1500],
  ["2m", 120_000],
  ["1h", 3_600_000],
] as const) {
  test(`parseDuration() reads ${text}`, () => assert.equal(parseDuration(text), ms));
}
for (const text of ["", "5", "s", "5 apples", "1y", "-1s", "1e3s", "30d", "600h"]) {
  test(`parseDuration() does not read "${text}"`, () => assert.equal(parseDuration(text), undefined));
}
