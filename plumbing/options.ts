/**
 * Command lines. A role lists its options in one table, each made by a function of this file that
 * knows how to read it. A flag beats the environment (`ACK_<ROLE>_<OPTION>`) beats the default.
 */
import ms from "ms";
import yargs, { type Options } from "yargs";

/** The command line is wrong. It ends the program with exit code 2. */
export class UsageError extends Error {}

/** Makes an option whose text `parse` turns into a value, or into undefined when it can't. */
function option<T>(
  fallback: string,
  describe: string,
  right: string,
  parse: (text: string) => T | undefined,
) {
  return { ...optional(describe, right, parse), default: fallback };
}

function optional<T>(describe: string, right: string, parse: (text: string) => T | undefined) {
  return {
    type: "string" as const,
    requiresArg: true,
    describe,
    coerce(text: unknown): T {
      const value = typeof text === "string" ? parse(text.trim()) : undefined;
      if (value !== undefined) return value;
      const given = Array.isArray(text) ? "is given more than once" : `is ${JSON.stringify(text)}`;
      throw new UsageError(`${given}; it takes ${right}`);
    },
  };
}

/** A duration such as `5s` or `250ms`; its value is in milliseconds. */
export function duration(fallback: string, describe: string) {
  return option(fallback, describe, "a duration such as 250ms, 5s or 2m", parseDuration);
}

/**
 * Reads a duration, a number and its unit, up to 24 days (the longest that a timer takes).
 *
 * @returns milliseconds, or undefined for what can't be read
 */
export function parseDuration(text: string): number | undefined {
  // ms also reads "5" (as milliseconds), "-5s" and "1.5 years"; a class is better served by less.
  if (!/^\d+(\.\d+)?(ms|s|m|h)$/.test(text)) return undefined;
  const value = ms(text as ms.StringValue);
  return value <= 2 ** 31 - 1 ? value : undefined;
}

/** The same, but not zero: for what is repeated. */
export function interval(fallback: string, describe: string) {
  return option(fallback, describe, "a duration of 1ms or more, such as 5s", (text) => {
    const value = parseDuration(text);
    return value !== undefined && value >= 1 ? value : undefined;
  });
}

/** A port to listen on; 0 is one that the system picks. */
export function port(fallback: string, describe: string) {
  return option(fallback, describe, "a port from 0 to 65535, such as 6000", (text) =>
    parseWhole(text, 0, 65535),
  );
}

/** A whole number of at least `min`. */
export function whole(fallback: string, min: number, describe: string) {
  return option(fallback, describe, wholeRule(min), (text) => parseWhole(text, min));
}

/** The same without a default: undefined when it isn't given. */
export function optionalWhole(min: number, describe: string) {
  return optional(describe, wholeRule(min), (text) => parseWhole(text, min));
}

function wholeRule(min: number): string {
  return `a whole number of ${min} or more, such as ${min + 3}`;
}

function parseWhole(text: string, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && value >= min && value <= max ? value : undefined;
}

/** How many acks a send to the group needs. */
export function need(fallback: string, describe: string) {
  return option(fallback, describe, "a number of 1 or more, majority or all", (text) =>
    text === "majority" || text === "all" ? text : parseWhole(text, 1),
  );
}

/** A chance, from 0 to 1. */
export function chance(fallback: string, describe: string) {
  return option(fallback, describe, "a number from 0 (never) to 1 (always), such as 0.5", (text) => {
    const value = Number(text);
    return /^(\d+\.?\d*|\.\d+)$/.test(text) && value <= 1 ? value : undefined;
  });
}

/** Several words of a list, comma separated. */
export function words<W extends string>(fallback: W, allowed: readonly W[], describe: string) {
  return option(fallback, describe, `one or several of ${allowed.join(", ")}, comma separated`, (text) => {
    const given = text.split(",").map((word) => word.trim());
    return given.every((word): word is W => allowed.some((known) => known === word)) ? given : undefined;
  });
}

/** Any text but an empty one. */
export function text(fallback: string, describe: string) {
  return option(fallback, describe, "a text that is not empty", (given) => given || undefined);
}

/** The same without a default. */
export function optionalText(describe: string) {
  return optional(describe, "a text that is not empty", (given) => given || undefined);
}

/** The address of an HTTP server. */
export function url(fallback: string, describe: string) {
  return option(fallback, describe, URL_RULE, parseUrl);
}

/** The same without a default. */
export function optionalUrl(describe: string) {
  return optional(describe, URL_RULE, parseUrl);
}

const URL_RULE = "an address such as http://localhost:5000";

function parseUrl(text: string): string | undefined {
  return /^https?:\/\//.test(text) && URL.canParse(text) ? text : undefined;
}

/** What every role takes. */
export const LOG_OPTIONS = {
  "log-level": {
    choices: ["error", "warn", "info", "debug"] as const,
    default: "info" as const,
    describe: "how much is logged",
  },
  "log-format": {
    choices: ["text", "json"] as const,
    default: "text" as const,
    describe: "how it is logged",
  },
};

export interface ParseOptions {
  /** What the role does, in a sentence, and a command line that is right. */
  about: string;
  example: string;
}

/**
 * Reads the command line and the environment of a role. `--help` prints the table and ends the program.
 *
 * @throws {UsageError} with a line for the user, for whatever is unknown or can't be read
 *
 * @example
 * ```ts
 * const options = parseOptions("client", { "ack-timeout": duration("5s", "…") }, argv, { about, example });
 * options.ackTimeout; // 5000
 * ```
 */
export function parseOptions<T extends Record<string, Options>>(
  role: string,
  table: T,
  argv: readonly string[],
  { about, example }: ParseOptions,
) {
  const prefix = `ACK_${role.toUpperCase()}`;
  // An empty variable counts as not set: a Compose file writes `SEED: ${SEED:-}`.
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith(`${prefix}_`) && value === "") delete process.env[name];
  }
  return yargs(argv)
    .scriptName(`tsx ${role}.ts`)
    .usage(`$0 [options]\n\n${about}`)
    .example(example, "")
    .epilogue(`Each option can also be set in the environment: ${prefix}_<OPTION>, - written as _.`)
    .locale("en")
    .env(prefix)
    .options(withNames(table, prefix))
    .demandCommand(0, 0, "", "Unknown argument: options begin with --")
    .strict()
    .version(false)
    .parserConfiguration({ "duplicate-arguments-array": true })
    .fail((message, error) => {
      throw new UsageError(`Cannot start ${role}: ${message || error.message}\nTry: ${example}, or --help`);
    })
    .parseSync();
}

/** What is wrong with an option begins with its name, which only the table knows. */
function withNames<T extends Record<string, Options>>(table: T, prefix: string): T {
  const named = Object.entries(table).map(([name, entry]) => {
    const variable = `${prefix}_${name.replaceAll("-", "_").toUpperCase()}`;
    const coerce = (text: unknown) => {
      try {
        return entry.coerce?.(text);
      } catch (error) {
        throw new UsageError(`--${name} (or ${variable}) ${(error as Error).message}`);
      }
    };
    return [name, entry.coerce ? { ...entry, coerce } : entry];
  });
  return Object.fromEntries(named);
}
