/** A person and a client, which goes on from list to question to message until the person has had enough. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { afterEach, test } from "node:test";
import { main } from "../client.ts";
import { createIntake } from "../plumbing/intake.ts";
import { cleanup, type Fault, registerReceiver } from "../receiver.ts";
import { openScreen } from "../terminal/screen.ts";
import type { TraceEvent } from "../trace/events.ts";
import { createTrace } from "../trace/trace.ts";
import { makeFakeScreen } from "./fake_screen.ts";
import { inTime, keptLog, until } from "./helpers.ts";
import { createDiscoveryApi, startDiscovery, startReceiver } from "./wires.ts";

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** A discovery, and receivers that keep what happens to them; the coins fall as told, then without faults. */
async function startGroup(count: number, coins: Fault[] = []) {
  const stop = new AbortController();
  const { log } = keptLog();
  const server = await startDiscovery(
    { host: "127.0.0.1", port: 0, receiverTtlMs: 30_000, sweepEveryMs: 5000 },
    log,
  );
  toClose.push(() => server.close());
  const url = `http://127.0.0.1:${server.port}`;
  const events: TraceEvent[] = [];
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const name = `receiver-${n}`;
    const node = await startReceiver({
      name,
      advertiseHost: "127.0.0.1",
      port: 0,
      heartbeatEveryMs: 10_000,
      workMs: 0,
      lateByMs: 0,
      discovery: createDiscoveryApi(url),
      log,
      trace: createTrace(name, { log, outlets: [(event) => events.push(event)] }),
      intake: createIntake(1000),
      tossCoin: () => coins.shift(),
      signal: stop.signal,
    });
    await registerReceiver(node);
    toClose.push(() => cleanup(node));
    ids.push(node.id ?? "");
  }
  const processed = () =>
    events.filter(({ event }) => event === "processed").map(({ process, note }) => [process, note]);
  return { args: ["--discovery", url, "--log-level", "warn"], events, ids, processed };
}

const listed = (printed: string[]) => printed.filter((line) => line === "Available receivers:").length;

test("a client sends what was chosen, with its text or without, and lists again after each", async () => {
  const { args, ids, processed } = await startGroup(3);
  const third = ids[2]?.slice(0, 8);
  const { screen, printed, onStderr } = makeFakeScreen([
    "0",
    " 1  some text ",
    "all",
    "any x",
    `${third} olá`,
    "",
  ]);
  assert.equal(await inTime("the end", main(args, new AbortController().signal, screen)), 0);
  const sent = processed();
  assert.deepEqual(sent.slice(0, 2), [
    ["receiver-0", '"Hello Receiver!"'],
    ["receiver-1", '"some text"'],
  ]);
  assert.deepEqual(
    sent.slice(2, 5).toSorted(),
    ["receiver-0", "receiver-1", "receiver-2"].map((name) => [name, '"Hello Receiver!"']),
  );
  assert.equal(sent[5]?.[1], '"x"');
  assert.deepEqual(sent.slice(6), [["receiver-2", '"olá"']]);
  assert.equal(listed(printed), 7, "at first, after each of five, and after Enter");
  assert.equal(printed.filter((line) => line.startsWith("acked by")).length, 4 + 3);
  assert.equal(printed.filter((line) => line.startsWith("group acked")).length, 1);
  assert.deepEqual(onStderr, []);
});

test("a client says what is wrong, and asks again without listing; what comes after q isn't read", async () => {
  const { args, events } = await startGroup(3);
  const { screen, printed } = makeFakeScreen(["7", "-1 hello", "q", "0"]);
  assert.equal(await inTime("the end", main(args, new AbortController().signal, screen)), 0);
  assert.equal(listed(printed), 1);
  assert.match(printed[4] ?? "", /^There is no receiver "7": give a number from 0 to 2/);
  assert.match(printed[5] ?? "", /^There is no receiver "-1"/);
  assert.equal(printed.length, 6);
  assert.ok(events.every(({ event }) => event === "joined"));
});

test("a client at Ctrl-C gives up what is under way, then asks again; at the prompt it quits", async () => {
  const { args, events, processed } = await startGroup(1, ["silent"]);
  const { screen, printed, interrupt, isClosed, withinMs } = makeFakeScreen(["0 lost", "0 oi"], {
    isOpen: true,
  });
  const talking = main(args, new AbortController().signal, screen);
  await until("it is under way", () => events.some(({ event }) => event === "fault"));
  interrupt();
  await until("it asks for the third time", () => withinMs.length === 3);
  assert.equal(isClosed(), false);
  assert.deepEqual(processed(), [["receiver-0", '"oi"']]);
  assert.match(printed.join("\n"), /unknown: .* may or may not have processed it, .*given up\nAvailable/);
  assert.equal(listed(printed), 3);
  interrupt();
  assert.equal(await inTime("the end", talking), 0);
  assert.equal(isClosed(), true);
});

test("a client ends when it is told to, gives up what is under way, and sends nothing more", async () => {
  const { args, events, processed } = await startGroup(1, ["silent"]);
  const stop = new AbortController();
  const { screen, printed, isClosed } = makeFakeScreen(["0", "0"]);
  const talking = main(args, stop.signal, screen);
  await until("it is under way", () => events.some(({ event }) => event === "fault"));
  stop.abort(new DOMException("given up", "AbortError"));
  assert.equal(await inTime("the end", talking), 0);
  assert.equal(isClosed(), true);
  assert.equal(listed(printed), 1);
  assert.match(printed.at(-1) ?? "", /^unknown: .*given up/);
  assert.deepEqual(processed(), []);
});

test("a client that is told to end while it lists doesn't send a line that was typed ahead", async () => {
  const { args, events } = await startGroup(1);
  const stop = new AbortController();
  const { screen } = makeFakeScreen(["0"]);
  const talking = main(args, stop.signal, screen);
  stop.abort(new DOMException("given up", "AbortError"));
  assert.equal(await inTime("the end", talking), 0);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["joined"],
  );
});

test("a client lists an empty group again by itself, and shows it when somebody is there", async () => {
  const { args } = await startGroup(0);
  const { screen, printed } = makeFakeScreen([null, null, "q"]);
  assert.equal(await inTime("the end", main(args, new AbortController().signal, screen)), 0);
  assert.equal(printed.filter((line) => line.startsWith("No receiver")).length, 1, "only once");
});

for (const [what, typed, texts] of [
  ["lines", "0 one\n0 two\n", ["one", "two"]],
  ["lines, the last without a newline", "0 one\n0 two", ["one", "two"]],
  ["one line without a newline", "0 one", ["one"]],
] as const) {
  test(`a client that is asking sends all that a pipe brings before it ends: ${what}`, async () => {
    const { args, processed } = await startGroup(1);
    const [input, output] = [new PassThrough(), new PassThrough()];
    const screen = openScreen({
      input: input as unknown as NodeJS.ReadStream,
      output: output as unknown as NodeJS.WriteStream,
    });
    const talking = main(args, new AbortController().signal, screen);
    let said = "";
    output.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    await until("it asks", () => said.includes("Choose"));
    input.end(typed);
    assert.equal(await inTime("the end", talking), 0);
    assert.deepEqual(
      processed().map(([, note]) => note),
      texts.map((text) => `"${text}"`),
    );
  });
}
