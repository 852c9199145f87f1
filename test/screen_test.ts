import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { openScreen } from "../terminal/screen.ts";
import { inTime, until } from "./helpers.ts";

/** A stream that claims to be a terminal, or not, and keeps what is written to it. */
function fakeTerminal(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  const kept = { text: "" };
  stream.setEncoding("utf8").on("data", (text) => {
    kept.text += text;
  });
  return { stream: stream as unknown as NodeJS.WriteStream & NodeJS.ReadStream, kept };
}

/** What a person sees in the last row: what was written after the last "erase below", without escapes. */
function lastDrawn(text: string): string {
  const drawn = text.slice(text.lastIndexOf("\x1b[0J") + 4);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for escape sequences
  return drawn.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "");
}

/** A screen in a pipe. */
function openPipe() {
  const { stream: output, kept } = fakeTerminal(false);
  const input = new PassThrough();
  const screen = openScreen({ input: input as unknown as NodeJS.ReadStream, output });
  return { screen, input, kept };
}

/** A screen on a terminal. */
function openTerminal(size: { columns?: number; rows?: number } = {}) {
  const { stream: output, kept } = fakeTerminal(true);
  const { stream: input } = fakeTerminal(true);
  const screen = openScreen({ input, output: Object.assign(output, size), everyMs: 1 });
  return { screen, input, kept };
}

test("in a pipe, ask() takes the lines in order, then undefined", async () => {
  const { stream: output, kept } = fakeTerminal(false);
  const input = new PassThrough();
  const screen = openScreen({ input: input as unknown as NodeJS.ReadStream, output });
  input.end("one\ntwo\nthree");
  assert.equal(await screen.ask("? "), "one");
  screen.print("said");
  assert.equal(await screen.ask("? "), "two");
  assert.equal(await screen.ask("? "), "three");
  assert.equal(await screen.ask("? "), undefined);
  assert.match(kept.text, /^\? \nsaid\n(\? \n){3}$/);
  screen.close();
});

test("in a pipe, the live line is not shown", () => {
  const { stream: output, kept } = fakeTerminal(false);
  const screen = openScreen({ output });
  screen.showLive(() => "3s left");
  screen.print("said");
  screen.close();
  assert.doesNotMatch(kept.text, /left/);
});

test("on a terminal, a printed line leaves the prompt and what was typed so far below it", async () => {
  const { stream: output, kept } = fakeTerminal(true);
  const { stream: input } = fakeTerminal(true);
  const screen = openScreen({ input, output });
  const answer = screen.ask("which? ");
  input.write("0 ol");
  await until("the typed text is shown", () => kept.text.endsWith("0 ol") || undefined);
  screen.print("receiver-1 | hello");
  await until("it is drawn", () => lastDrawn(kept.text).includes("hello") || undefined);
  assert.equal(lastDrawn(kept.text), "receiver-1 | hello\nwhich? 0 ol");
  input.write("á\r");
  assert.equal(await answer, "0 olá");
  screen.close();
});

test("on a terminal, the live line is drawn again and again, and goes away", async () => {
  const { stream: output, kept } = fakeTerminal(true);
  const { stream: input } = fakeTerminal(true);
  const screen = openScreen({ input, output, everyMs: 1 });
  let left = 3;
  screen.showLive(() => `${left--}s left`);
  await until("it counts down", () => kept.text.includes("1s left") || undefined);
  screen.print("said");
  await until("the line stays above", () => /said\n\S+s left/.test(lastDrawn(kept.text)) || undefined);
  screen.showLive(undefined);
  await until("it is gone", () => lastDrawn(kept.text).trim() === "" || undefined);
  screen.close();
});

test("on a terminal, Ctrl-D takes the live line away, and what is printed afterwards is whole", async () => {
  const { stream: output, kept } = fakeTerminal(true);
  const { stream: input } = fakeTerminal(true);
  const screen = openScreen({ input, output });
  screen.showLive(() => "3s left");
  input.write("\x04");
  await until("the live line is gone", () => lastDrawn(kept.text) === "" || undefined);
  screen.print("said");
  assert.equal(lastDrawn(kept.text), "said\n");
});

test("on a terminal, Ctrl-C is told and Ctrl-D is the end of the input", async () => {
  const { stream: output } = fakeTerminal(true);
  const { stream: input } = fakeTerminal(true);
  const screen = openScreen({ input, output });
  let interrupted = 0;
  screen.onInterrupt(() => {
    interrupted += 1;
  });
  const answer = screen.ask("which? ");
  input.write("\x03");
  await until("Ctrl-C is told", () => interrupted === 1 || undefined);
  input.write("\x04");
  assert.equal(await answer, undefined);
});

test("on a terminal, the live part is cut to the window: lines too wide, and more lines than rows", async (t) => {
  const { screen, kept } = openTerminal({ columns: 20, rows: 5 });
  t.after(() => screen.close());
  screen.showLive(() =>
    ["a", "b", "c", "123456789012345678901234567890", "1234567890123456789", "e"].join("\n"),
  );
  await until("it is drawn", () => lastDrawn(kept.text).endsWith("e"));
  const lines = lastDrawn(kept.text).split("\n");
  assert.deepEqual(
    lines.map((line) => line.trim()),
    ["c", "123456789012345678…", "1234567890123456789", "e"],
    "the last ones, a row less than there are",
  );
  for (const line of lines) assert.ok(line.length < 20, `no line wraps: ${line}`);
});

test("on a terminal, a live part that has room is shown whole", async (t) => {
  const { screen, kept } = openTerminal({ columns: 20, rows: 5 });
  t.after(() => screen.close());
  const text = "a\nb\nc\n1234567890123456789";
  screen.showLive(() => text);
  await until("it is drawn", () => lastDrawn(kept.text).replaceAll("\r", "") === text);
});

test("on a terminal, the live part follows the size of the window", async (t) => {
  const { stream: output, kept } = fakeTerminal(true);
  const screen = openScreen({ input: fakeTerminal(true).stream, output, everyMs: 1 });
  t.after(() => screen.close());
  screen.showLive(() => "1234567890");
  await until("it is whole", () => lastDrawn(kept.text) === "1234567890");
  output.columns = 5;
  await until("it is cut", () => lastDrawn(kept.text) === "123…");
  assert.equal(screen.rows(), 24);
  output.rows = 7;
  assert.equal(screen.rows(), 7);
});

test("ask() with a time gives null when nothing was typed in it, and then takes the next line", async (t) => {
  const { screen, input } = openTerminal();
  t.after(() => screen.close());
  assert.equal(await screen.ask("which? ", 20), null);
  assert.equal(await screen.ask("which? ", 20), null);
  const answer = screen.ask("which? ", 10_000);
  input.write("0\r");
  assert.equal(await answer, "0");
});

test("ask() with a time keeps waiting while something is half typed", async (t) => {
  const { screen, input, kept } = openTerminal();
  t.after(() => screen.close());
  input.write("0 o");
  let answer: string | null | undefined = "none yet";
  const asking = screen.ask("which? ", 20).then((line) => {
    answer = line;
  });
  await until("it is shown", () => lastDrawn(kept.text) === "which? 0 o");
  const startedAt = performance.now();
  await until("several times have passed", () => performance.now() - startedAt > 200);
  assert.equal(answer, "none yet");
  input.write("i\r");
  await asking;
  assert.equal(answer, "0 oi");
});

test("ask() with a time gives null once what was half typed is deleted", async (t) => {
  const { screen, input, kept } = openTerminal();
  t.after(() => screen.close());
  const asking = screen.ask("which? ", 50);
  input.write("0");
  await until("it is shown", () => kept.text.endsWith("0"));
  input.write("\x7f");
  assert.equal(await asking, null);
});

test("ask() that was answered in time leaves nothing behind that could answer the next", async (t) => {
  const { screen, input } = openTerminal();
  t.after(() => screen.close());
  const first = screen.ask("which? ", 30);
  input.write("0\r");
  assert.equal(await first, "0");
  let answer: string | null | undefined = "none yet";
  const second = screen.ask("which? ").then((line) => {
    answer = line;
  });
  const startedAt = performance.now();
  await until("the time of the first has passed", () => performance.now() - startedAt > 100);
  assert.equal(answer, "none yet");
  input.write("1\r");
  await second;
  assert.equal(answer, "1");
});

test("in a pipe, the prompt is printed once over several asks that nobody answered in time", async (t) => {
  const { screen, input, kept } = openPipe();
  t.after(() => screen.close());
  for (let time = 0; time < 3; time++) assert.equal(await screen.ask("which? ", 5), null);
  assert.equal(kept.text, "which? \n");
  const answer = screen.ask("which? ", 10_000);
  input.write("0\n");
  assert.equal(await answer, "0");
  assert.equal(kept.text, "which? \n");
  const next = screen.ask("which? ");
  input.write("1\n");
  assert.equal(await next, "1");
  assert.equal(kept.text, "which? \nwhich? \n", "after an answer it is asked anew");
});

test("in a pipe, another prompt is printed even if nobody answered the one before in time", async (t) => {
  const { screen, kept } = openPipe();
  t.after(() => screen.close());
  assert.equal(await screen.ask("which? ", 5), null);
  assert.equal(await screen.ask("what? ", 5), null);
  assert.equal(kept.text, "which? \nwhat? \n");
});

test("in a pipe, onEnd() is called at the end, once no line is left", async () => {
  const { screen, input } = openPipe();
  let ended = 0;
  screen.onEnd(() => {
    ended += 1;
  });
  const first = screen.ask("? ");
  input.write("one\ntwo\n");
  assert.equal(await first, "one");
  input.end();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ended, 0, "a line is left");
  assert.equal(await screen.ask("? "), "two");
  assert.equal(await screen.ask("? "), undefined);
  assert.equal(ended, 1);
});

test("in a pipe, onEnd() is called while nobody asks", async () => {
  const { screen, input } = openPipe();
  const ended = new Promise<void>((resolve) => screen.onEnd(resolve));
  input.end();
  await inTime("the end is told", ended, 5000);
  assert.equal(await screen.ask("? "), undefined);
});

test("in a pipe, onEnd() is called at once when the input has ended before", async () => {
  const { screen, input } = openPipe();
  input.end();
  assert.equal(await screen.ask("? "), undefined);
  let ended = 0;
  screen.onEnd(() => {
    ended += 1;
  });
  assert.equal(ended, 1);
});

test("in a pipe, a line without a newline is answered before onEnd() is called", async () => {
  const { screen, input } = openPipe();
  const order: string[] = [];
  screen.onEnd(() => order.push("end"));
  const answer = screen.ask("? ").then((line) => order.push(`${line}`));
  input.end("one");
  await answer;
  await until("the end is told", () => order.includes("end"));
  assert.deepEqual(order, ["one", "end"]);
});

test("on a terminal, onEnd() is called at Ctrl-D, also while nobody asks", async () => {
  for (const asks of [true, false]) {
    const { screen, input, kept } = openTerminal();
    const ended = new Promise<void>((resolve) => screen.onEnd(resolve));
    const answer = asks ? screen.ask("which? ") : undefined;
    if (!asks) screen.showLive(() => "3s left");
    await until("it is drawn", () => /which\?|left/.test(kept.text));
    input.write("\x04");
    await inTime("the end is told", ended, 5000);
    assert.equal(await answer, undefined);
  }
});

test("close() forgets the lines that were typed ahead", async () => {
  const { screen, input } = openPipe();
  const first = screen.ask("? ");
  input.write("one\ntwo\nthree\n");
  assert.equal(await first, "one");
  screen.close();
  assert.equal(await screen.ask("? "), undefined);

  const terminal = openTerminal();
  terminal.screen.showLive(() => "3s left");
  terminal.input.write("0\r1\r");
  await until("they are read", () => terminal.kept.text.includes("\r\n"));
  terminal.screen.close();
  assert.equal(await terminal.screen.ask("which? "), undefined);
});

test("close() answers who is asked that there is nothing more", async () => {
  for (const { screen } of [openPipe(), openTerminal()]) {
    const answer = screen.ask("which? ");
    screen.close();
    assert.equal(await answer, undefined);
  }
});

test("print() to another stream goes there, with the prompt drawn again below it", async (t) => {
  const { screen, kept } = openTerminal();
  t.after(() => screen.close());
  void screen.ask("which? ");
  const { stream: other, kept: elsewhere } = fakeTerminal(false);
  screen.print("a log line", other);
  await until("it is drawn", () => lastDrawn(kept.text) === "which? ");
  assert.equal(elsewhere.text, "a log line\n");
  assert.doesNotMatch(kept.text, /a log line/);
});

test("openScreen() is a pipe where the terminal is a dumb one, or only the output is one", (t) => {
  assert.equal(openTerminal().screen.isTerminal, true);
  assert.equal(openPipe().screen.isTerminal, false);
  const { stream: output } = fakeTerminal(true);
  assert.equal(openScreen({ input: fakeTerminal(false).stream, output }).isTerminal, false);
  const { TERM } = process.env;
  process.env.TERM = "dumb";
  t.after(() => (TERM === undefined ? delete process.env.TERM : Object.assign(process.env, { TERM })));
  assert.equal(openTerminal().screen.isTerminal, false);
});
