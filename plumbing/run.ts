/** Starts a role when its file is what the user runs, and ends it as a command-line program should. */
import { once, setMaxListeners } from "node:events";
import { realpathSync } from "node:fs";
import { isAbort } from "./child_controller.ts";
import { UsageError } from "./options.ts";
import { printable } from "./printable.ts";

const END_WITHIN_MS = 3000; // after `main`, or after an error that nobody expected

/**
 * Runs `main` if the file of `meta` is the program; does nothing if it is only imported.
 *
 * `main` gets the arguments and a signal that SIGINT and SIGTERM abort; what it returns is the exit
 * code. An error ends the program with one line: code 2 for a `UsageError`, 1 for any other. One that
 * is thrown outside of `main`, in a callback, aborts the signal, so that the role ends in order.
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
  const end = () => stop.abort(new DOMException("given up", "AbortError"));
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  // The reader of our output has gone (`client.ts | head -1`): nothing is left to say.
  process.stdout.on("error", endQuietlyOnBrokenPipe);
  process.stderr.on("error", endQuietlyOnBrokenPipe);
  const reported = new Set<unknown>();
  process.on("uncaughtException", (error) => {
    if (stop.signal.aborted && isAbort(error)) return;
    report(error, reported);
    end();
    setTimeout(() => process.exit(1), END_WITHIN_MS).unref();
  });

  let code = 0;
  try {
    code = await main(process.argv.slice(2), stop.signal);
  } catch (error) {
    if (!(stop.signal.aborted && isAbort(error))) report(error as Error, reported);
    code = error instanceof UsageError ? 2 : 0;
  }
  process.exitCode = reported.size > 0 ? Math.max(code, 1) : code;
  endSoon();
}

/** What is left, a name that is still looked up for example, is no reason to stay; unless somebody reads slowly. */
function endSoon(): void {
  const isRead = () => process.stdout.writableLength + process.stderr.writableLength === 0;
  setInterval(() => isRead() && process.exit(), END_WITHIN_MS).unref();
}

/** Waits until a signal is aborted; at once if it is already. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

function report(error: Error, reported: Set<unknown>) {
  if (!reported.has(error)) process.stderr.write(`${error.message.split("\n").map(printable).join("\n")}\n`);
  reported.add(error);
}

function endQuietlyOnBrokenPipe(error: NodeJS.ErrnoException) {
  if (error.code !== "EPIPE") throw error;
  process.exit(process.exitCode ?? 0);
}
