/** Starts a role when its file is what the user runs, and ends it as a command-line program should. */
import { once, setMaxListeners } from "node:events";
import { realpathSync } from "node:fs";
import { UsageError } from "./options.ts";

/**
 * Runs `main` if the file of `meta` is the program; does nothing if it is only imported.
 *
 * `main` gets the arguments and a signal that SIGINT and SIGTERM abort; what it returns is the exit
 * code. An error ends the program with one line: code 2 for a `UsageError`, 1 for any other.
 *
 * (`import.meta.main` would say the same, but is undefined before Node 24.2.)
 */
export async function runIfMain(
  meta: ImportMeta,
  main: (argv: string[], signal: AbortSignal) => Promise<number>,
): Promise<void> {
  if (process.argv[1] === undefined || realpathSync(process.argv[1]) !== meta.filename) return;

  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // many waits share this one signal
  process.on("SIGINT", () => stop.abort());
  process.on("SIGTERM", () => stop.abort());
  // The reader of our output has gone (`client.ts | head -1`): nothing is left to say.
  process.stdout.on("error", endQuietlyOnBrokenPipe);
  process.stderr.on("error", endQuietlyOnBrokenPipe);
  process.on("uncaughtException", (error) => {
    report(error);
    process.exit(1);
  });

  try {
    process.exitCode = await main(process.argv.slice(2), stop.signal);
  } catch (error) {
    if (stop.signal.aborted && (error as Error).name === "AbortError") return;
    report(error as Error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** Waits until a signal is aborted; at once if it is already. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

function report(error: Error) {
  process.stderr.write(`${error.message}\n`);
}

function endQuietlyOnBrokenPipe(error: NodeJS.ErrnoException) {
  if (error.code !== "EPIPE") throw error;
  process.exit(process.exitCode ?? 0);
}
