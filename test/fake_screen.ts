/** A screen without a terminal: keeps what is shown, and answers with what the test gives it. */
import type { Screen } from "../terminal/screen.ts";

export interface FakeScreen {
  screen: Screen;
  printed: string[];
  /** What was printed on stdout by name, and on stderr. */
  onStdout: string[];
  onStderr: string[];
  /** The first drawing of each live part; "" is its end. */
  lives: string[];
  /** How long each question waited for its answer. */
  withinMs: (number | undefined)[];
  /** Ctrl-C. */
  interrupt(): void;
  /** The end of the input, as it is told. */
  end(): void;
  isClosed(): boolean;
}

/**
 * @param answers what is typed, a line each; null is a question that nobody answers in time
 * @param isOpen whether the input goes on after them, so that the next question waits; else it ends
 */
export function makeFakeScreen(answers: (string | null)[] = [], { isTerminal = true, isOpen = false } = {}) {
  const kept = { printed: [] as string[], onStdout: [] as string[], onStderr: [] as string[] };
  const lives: string[] = [];
  const withinMs: (number | undefined)[] = [];
  const told = { interrupt: () => {}, end: () => {} };
  let isClosed = false;
  let stopWaiting = () => {};

  const screen: Screen = {
    isTerminal,
    rows: () => 24,
    print(line, stream) {
      if (stream === process.stdout) kept.onStdout.push(line);
      else if (stream === process.stderr) kept.onStderr.push(line);
      else kept.printed.push(line);
    },
    showLive: (render) => void lives.push(render ? render() : ""),
    async ask(_prompt, within) {
      withinMs.push(within);
      if (answers.length > 0 || isClosed || !isOpen) return answers.shift();
      await new Promise<void>((resolve) => {
        stopWaiting = resolve;
      });
      return undefined;
    },
    onInterrupt: (listener) => void Object.assign(told, { interrupt: listener }),
    onEnd: (listener) => void Object.assign(told, { end: listener }),
    close() {
      isClosed = true;
      answers.length = 0;
      stopWaiting();
    },
  };
  const keys = { interrupt: () => told.interrupt(), end: () => told.end(), isClosed: () => isClosed };
  return { screen, ...kept, lives, withinMs, ...keys } satisfies FakeScreen;
}
