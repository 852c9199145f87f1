import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { openScreen } from "../terminal/screen.ts";
import { until } from "./helpers.ts";

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
