/**
 * The client's side of a conversation: lines that stay, one live line (or several) below them that
 * changes, and a prompt. On a terminal a line that comes in between, from the log say, is put above the
 * prompt and what was typed so far; in a pipe everything is a plain line, and the live line isn't shown.
 */
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import { PassThrough } from "node:stream";

export interface Screen {
  /** Prints a line, to `stream` if it isn't for the screen itself. */
  print(line: string, stream?: NodeJS.WritableStream): void;
  /** Shows what `render` returns, again and again; undefined ends it. */
  showLive(render: (() => string) | undefined): void;
  /** Asks for a line. Lines that were typed ahead count. @returns undefined at the end of the input */
  ask(prompt: string): Promise<string | undefined>;
  /** How many rows there are to draw on. */
  rows(): number;
  /** Calls this at Ctrl-C, which is a key like others while a terminal is asked. */
  onInterrupt(listener: () => void): void;
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

export function openScreen({
  input,
  output = process.stdout,
  everyMs = 200,
}: OpenScreenOptions = {}): Screen {
  const isLive = output.isTTY === true && input?.isTTY !== false && process.env.TERM !== "dumb";
  const lines: string[] = []; // that nobody asked for yet
  let take: ((line: string | undefined) => void) | undefined;
  let drawing: NodeJS.Timeout | undefined;
  let closed = false;

  // readline draws for us: the live line is its prompt.
  const readline = createInterface({
    input: input ?? new PassThrough(),
    ...(isLive ? { output } : {}),
    terminal: isLive,
    prompt: "",
  });
  readline.on("line", (line) => {
    if (take) answer(line);
    else lines.push(line);
    if (!isLive && lines.length > 0) readline.pause(); // a long file is read as it is needed
  });
  readline.on("close", () => {
    clearInterval(drawing);
    // Ctrl-D: a prompt stays where it is, a live line goes away.
    if (isLive && take) output.write("\n");
    else if (isLive) erase();
    closed = true;
    answer(undefined);
  });

  /** Goes back to where the prompt or the live line begins. */
  function erase() {
    moveCursor(output, 0, -readline.getCursorPos().rows);
    cursorTo(output, 0);
    clearScreenDown(output);
  }

  function answer(line: string | undefined) {
    const taken = take;
    take = undefined;
    if (!closed) readline.setPrompt("");
    taken?.(line);
  }

  return {
    print(line, stream = output) {
      if (!isLive || closed) {
        stream.write(`${line}\n`);
        return;
      }
      erase();
      stream.write(`${line}\n`);
      output.write(readline.getPrompt() + readline.line);
      moveCursor(output, readline.cursor - readline.line.length, 0);
    },
    showLive(render) {
      clearInterval(drawing);
      if (!isLive || closed) return;
      const draw = () => {
        readline.setPrompt(render ? render() : "");
        readline.prompt(true);
      };
      draw();
      if (render) drawing = setInterval(draw, everyMs);
    },
    ask(prompt) {
      if (!isLive) output.write(`${prompt}\n`);
      if (lines.length > 0) return Promise.resolve(lines.shift());
      if (closed) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        take = resolve;
        readline.setPrompt(prompt);
        if (isLive) readline.prompt(true);
        else readline.resume();
      });
    },
    rows: () => output.rows ?? 24,
    onInterrupt(listener) {
      readline.on("SIGINT", listener);
    },
    close() {
      if (isLive && !closed) this.showLive(undefined);
      readline.close();
    },
  };
}
