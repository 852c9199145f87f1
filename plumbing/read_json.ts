/** Reads what came from outside: checks it against a schema before any of it is used. */
import * as v from "valibot";

const MAX_SAID = 200; // characters

/** What came of reading a value: the value, or what is wrong with it, in words. */
export type Read<T> = { value: T } | { problem: string };

/**
 * Checks a value that came from outside.
 *
 * @example
 * ```ts
 * read(RegistrationSchema, { host: "a", port: 0 });
 * // { problem: '"port" must be a whole number from 1 to 65535' }
 * ```
 */
export function read<S extends v.GenericSchema>(schema: S, input: unknown): Read<v.InferOutput<S>> {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return { value: result.output };
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  if (field === null && issue.kind === "validation") return { problem: `it ${issue.message}` };
  if (field === null) return { problem: "it must be a JSON object with the fields of the protocol" };
  return {
    problem: issue.input === undefined ? `"${field}" is missing` : cut(`"${field}" ${issue.message}`),
  };
}

/**
 * The same for a JSON text, a frame for example.
 *
 * @param isRight tells quickly of most values that are right; the schema is asked about the others
 */
export function readJson<S extends v.GenericSchema>(
  schema: S,
  json: string,
  isRight?: (input: unknown) => input is v.InferOutput<S>,
): Read<v.InferOutput<S>> {
  let input: unknown;
  try {
    input = JSON.parse(json);
  } catch {
    return { problem: "it is not JSON" };
  }
  return isRight?.(input) ? { value: input } : read(schema, input);
}

/** The beginning of a text from outside, which may be of any length. */
export function cut(text: string): string {
  return text.length > MAX_SAID ? `${text.slice(0, MAX_SAID)}…` : text;
}
