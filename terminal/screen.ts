/**
 * The client's side of a conversation: lines that stay, live lines below them that change, and a prompt. On a
 * terminal a line that comes in between is put above what was typed so far; in a pipe there are plain lines alone.
 */
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from "node:readline";
import { PassThrough } from "node:stream";
import { printable } from "../plumbing/printable.ts";
import { suspend } from "./suspend.ts";

export interface Screen {
  /** A person types; else it is a pipe. */
  isTerminal: boolean;
  /** Prints a line, to `stream` if it isn't for the screen itself. */
  print(line: string, stream?: NodeJS.WritableStream): void;
  /** Shows what `render` returns, again and again, as much of it as there is room for; undefined ends it. */
  showLive(render: (() => string) | undefined): void;
  /**
   * Asks for a line. Lines that were typed ahead count.
   * @param withinMs how long to wait for it, as long as nothing was typed
   * @returns undefined at the end of the input, null when nothing came in time
   */
  ask(prompt: string, withinMs?: number): Promise<string | undefined | null>;
  /** How many rows there are to draw on. */
  rows(): number;
  /** Calls this at Ctrl-C, which is a key like others while a terminal is asked. */
  onInterrupt(listener: () => void): void;
  /** Calls this when the input has ended and no line of it is left: at Ctrl-D, or the end of a pipe. */
  onEnd(listener: () => void): void;
  close(): void;
}

export interface OpenScreenOptions {
  /** Where the answers come from. @default none: it only shows */
  input?: NodeJS.ReadStream;
  /** @default {process.stdout} */
  output?: NodeJS.WriteStream;
  /** How often the live line is drawn, in milliseconds. @default {200} */
  everyMs?: number;
}

interface Terminal {
  input: NodeJS.ReadStream | undefined;
  output: NodeJS.WriteStream;
  everyMs: number;
  readline: Interface; // draws for us: the live line is its prompt
  isLive: boolean;
  isClosed: boolean;
  lines: string[]; // that nobody asked for yet
  take?: ((line: string | undefined | null) => void) | undefined;
  asked?: string | undefined; // the prompt that nobody answered in time: a pipe sees it once
  drawing?: NodeJS.Timeout;
  interrupt: () => void;
  end: () => void;
}

export function openScreen({
  input,
  output = process.stdout,
  everyMs = 200,
}: OpenScreenOptions = {}): Screen {
  const isLive = output.isTTY === true && input?.isTTY !== false && process.env.TERM !== "dumb";
  const drawn = isLive ? { output, terminal: true } : { terminal: false };
  const readline = createInterface({ input: input ?? new PassThrough(), prompt: "", ...drawn });
  const idle = { isClosed: false, lines: [], interrupt: () => {}, end: () => {} };
  const terminal: Terminal = { input, output, everyMs, readline, isLive, ...idle };
  listenTo(terminal);
  return {
    isTerminal: isLive,
    print: (line, stream = output) => print(terminal, printable(line), stream),
    showLive: (render) => showLive(terminal, render),
    ask: (prompt, withinMs) => ask(terminal, prompt, withinMs),
    rows: () => output.rows ?? 24,
    onInterrupt: (listener) => void Object.assign(terminal, { interrupt: listener }),
    onEnd(listener) {
      terminal.end = listener;
      if (terminal.isClosed) tellEnd(terminal);
    },
    close() {
      terminal.lines.length = 0;
      if (isLive && !terminal.isClosed && !terminal.take) showLive(terminal, undefined);
      readline.close();
    },
  };
}

function listenTo(terminal: Terminal): void {
  const { readline, isLive, lines, output, input } = terminal;
  readline.on("line", (line) => {
    if (terminal.take) answer(terminal, line);
    else lines.push(line);
    if (!isLive && lines.length > 0) readline.pause(); // a long file is read as it is needed
  });
  readline.on("SIGINT", () => terminal.interrupt());
  readline.on("SIGTSTP", () => suspend(input, () => readline.prompt(true)));
  readline.on("close", () => {
    clearInterval(terminal.drawing);
    if (isLive && terminal.take) output.write("\n");
    else if (isLive) erase(terminal); // a prompt stays where it is
    terminal.isClosed = true;
    answer(terminal, undefined);
    setImmediate(tellEnd, terminal); // the last line, one without a newline, has to begin first
  });
}

/** Tells once that the input has ended, when no line of it is left. */
function tellEnd(terminal: Terminal): undefined {
  const { input, lines, end } = terminal;
  if (input === undefined || lines.length > 0) return;
  terminal.end = () => {};
  end();
}

function answer(terminal: Terminal, line: string | undefined): void {
  const { take, readline, isClosed } = terminal;
  terminal.take = undefined;
  if (!isClosed) readline.setPrompt("");
  take?.(line);
}

function ask(terminal: Terminal, prompt: string, withinMs?: number) {
  const { lines, readline, isLive, isClosed, output } = terminal;
  if (!isLive && terminal.asked !== prompt) output.write(`${prompt}\n`);
  terminal.asked = undefined;
  if (lines.length > 0) return Promise.resolve(lines.shift());
  if (isClosed) return Promise.resolve(tellEnd(terminal));
  return new Promise<string | undefined | null>((resolve) => {
    const giveUp = () => {
      if (readline.line !== "") return void timer?.refresh(); // somebody is typing
      terminal.take = undefined;
      terminal.asked = prompt;
      resolve(null);
    };
    const timer = withinMs === undefined ? undefined : setTimeout(giveUp, withinMs);
    terminal.take = (line) => {
      clearTimeout(timer);
      resolve(line);
    };
    readline.setPrompt(prompt);
    if (isLive) readline.prompt(true);
    else readline.resume();
  });
}

function print(terminal: Terminal, line: string, stream: NodeJS.WritableStream): void {
  const { readline, output, isLive, isClosed } = terminal;
  if (!isLive || isClosed) return void stream.write(`${line}\n`);
  erase(terminal);
  stream.write(`${line}\n`);
  output.write(readline.getPrompt() + readline.line);
  moveCursor(output, readline.cursor - readline.line.length, 0);
}

/** Goes back to where the prompt or the live line begins. */
function erase({ output, readline }: Terminal): void {
  moveCursor(output, 0, -readline.getCursorPos().rows);
  cursorTo(output, 0);
  clearScreenDown(output);
}

function showLive(terminal: Terminal, render: (() => string) | undefined): void {
  const { readline, isLive, isClosed, everyMs } = terminal;
  clearInterval(terminal.drawing);
  if (!isLive || isClosed) return;
  const draw = () => {
    readline.setPrompt(render ? fit(render(), terminal.output) : "");
    readline.prompt(true);
  };
  draw();
  if (render) terminal.drawing = setInterval(draw, everyMs);
}

/** What has no room would tear: a line too wide is cut, and of too many lines the last are kept. */
function fit(text: string, { columns = 80, rows = 24 }: NodeJS.WriteStream): string {
  const cut = (line: string) => (line.length < columns ? line : `${line.slice(0, columns - 2)}…`);
  return text
    .split("\n")
    .slice(1 - rows)
    .map((line) => cut(printable(line)))
    .join("\n");
}
