/**
 * Command lines. A role lists its options in one table, each with its kind (see kinds.ts). A flag beats
 * the environment (`ACK_<ROLE>_<OPTION>`) beats the default.
 */
import yargs, { type Options } from "yargs";
import { type Kind, wordOf } from "./kinds.ts";
import { TSX } from "./printable.ts";

/** The command line is wrong. It ends the program with exit code 2. */
export class UsageError extends Error {}

/** An option with a default, which is given as a user would type it. */
export function option<T>(kind: Kind<T>, fallback: string, describe: string) {
  return { ...optional(kind, describe), default: fallback };
}

/** An option without a default: undefined when it isn't given. */
export function optional<T>(kind: Kind<T>, describe: string) {
  return {
    type: "string" as const,
    requiresArg: true,
    describe,
    coerce(text: unknown): T {
      const value = typeof text === "string" ? kind.parse(text.trim()) : undefined;
      if (value !== undefined) return value;
      const given = Array.isArray(text) ? "is given more than once" : `is ${JSON.stringify(text)}`;
      throw new UsageError(`${given}; it takes ${kind.right}`);
    },
  };
}

/** An option that takes several texts, file names for example; in the environment with commas between them. */
export function several(describe: string) {
  return { type: "array" as const, string: true as const, requiresArg: true, describe, coerce: checkTexts };
}

function checkTexts(texts: unknown): string[] {
  const list = Array.isArray(texts) ? texts.map(String) : [];
  if (list.length > 0 && list.every((text) => text !== "")) return list;
  throw new UsageError("takes one or several texts that are not empty, with spaces between them");
}

/** An option that is on or off. */
export function flag(describe: string) {
  return { type: "boolean" as const, default: false, describe };
}

/** What every role takes. */
export const LOG_OPTIONS = {
  "log-level": option(
    wordOf(["error", "warn", "info", "debug"]),
    "info",
    "how much: error, warn, info or debug",
  ),
  "log-format": option(wordOf(["text", "json"]), "text", "how it is logged: text or json"),
};

export interface ParseOptions {
  /** What the role does, in a sentence. */
  about: string;
  /** A command line that is right, as in `client.ts --to 0`. */
  example: string;
}

/**
 * Reads the command line and the environment of a role. `--help` prints the table and ends the program.
 *
 * @throws {UsageError} with a line for the user, for whatever is unknown or can't be read
 *
 * @example
 * ```ts
 * const table = { "ack-timeout": option(duration, "5s", "how long it waits") };
 * parseOptions("client", table, argv, { about, example }).ackTimeout; // 5000
 * ```
 */
export function parseOptions<T extends Record<string, Options>>(
  role: string,
  table: T,
  argv: readonly string[],
  { about, ...options }: ParseOptions,
) {
  const prefix = `ACK_${role.toUpperCase()}_`;
  const example = options.example.startsWith("npm ") ? options.example : `${TSX} ${options.example}`;
  const fail = (why: string) => new UsageError(`Cannot start ${role}: ${why}\nTry: ${example}, or --help`);
  return yargs(argv)
    .scriptName(`${TSX} ${role}.ts`)
    .usage(`$0 [options]\n\n${about}`)
    .example(example, "")
    .epilogue(`Each option can also be set in the environment: ${prefix}<OPTION>, - written as _.`)
    .locale("en")
    .config(readEnvironment(prefix, table, fail))
    .options(withNames(table, prefix))
    .demandCommand(0, 0, "", "Unknown argument: options begin with --")
    .strict()
    .version(false)
    .parserConfiguration({ "duplicate-arguments-array": true })
    .fail((message, error) => {
      throw error instanceof UsageError && !message ? error : fail(message || error.message);
    })
    .parseSync();
}

/** The variables of a role, by option; an empty one counts as not set: Compose writes `SEED: ${SEED:-}`. */
function readEnvironment(prefix: string, table: Record<string, Options>, fail: (why: string) => UsageError) {
  const values: Record<string, unknown> = {};
  for (const [variable, value] of Object.entries(process.env)) {
    if (!variable.startsWith(prefix) || !value) continue;
    const name = variable.slice(prefix.length).toLowerCase().replaceAll("_", "-");
    const entry = table[name];
    if (entry === undefined) throw fail(`there is no option for the variable ${variable}`);
    if (entry.type === "array") values[name] = value.split(",").map((text) => text.trim());
    else if (entry.type !== "boolean") values[name] = value;
    else if (/^(1|true|yes|on)$/i.test(value)) values[name] = true;
    else if (!/^(0|false|no|off)$/i.test(value)) {
      throw fail(`--${name} (or ${variable}) is "${value}"; it takes 1 or 0`);
    }
  }
  return values;
}

/** What is wrong with an option begins with its name, which only the table knows. */
function withNames<T extends Record<string, Options>>(table: T, prefix: string): T {
  const named = Object.entries(table).map(([name, entry]) => {
    const variable = prefix + name.replaceAll("-", "_").toUpperCase();
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
