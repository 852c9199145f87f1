/**
 * Servers that stand for one another, as several discoveries on one store do. A call goes to the one that answered last;
 * when it doesn't answer, or with a 5xx, to the next, and to each at most once. Discovery's callers ask through here.
 */
import * as v from "valibot";
import { explainFailure, type Failure } from "./explain_failure.ts";
import {
  type Answer,
  type Call,
  createTarget,
  LimitError,
  makeCall,
  type Target,
  type TargetOptions,
} from "./http_call.ts";
import type { Log } from "./log.ts";
import { printable } from "./printable.ts";
import { cut, readJson } from "./read_json.ts";
import { createSightings, noteAnswer, type Sightings } from "./registry_sightings.ts";

export interface Servers {
  all: readonly Target[];
  /** The place of the one that answered last. */
  current: number;
  log: Log | undefined;
  sightings: Sightings;
}

/** A call came to nothing; the message says at which address, and why. */
export class CallError extends Error {
  /** `unreachable`: none of them answered; `unable`: one did, with a 5xx, or is of another group; `bad_answer`: one did, at too great a length. */
  code: "unreachable" | "unable" | "bad_answer";
  constructor(code: CallError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** @param urls one, or several in the order in which they are tried; `log` is told when one takes another's place */
export function createServers(
  urls: string | readonly string[],
  { log, ...options }: TargetOptions & { log?: Log | undefined },
): Servers {
  const all = [urls].flat().map((url) => createTarget(url, options));
  return { all, current: 0, log, sightings: createSightings(log) };
}

/** An answer, and who gave it. */
export interface Asked {
  answer: Answer;
  url: string;
}

/** Makes one call. @throws {CallError} */
export async function ask(servers: Servers, call: Call): Promise<Asked> {
  const { all, current, sightings } = servers;
  const problems: string[] = [];
  let code: CallError["code"] = "unreachable";
  for (const server of [...all.slice(current), ...all.slice(0, current)]) {
    const askedAt = performance.now();
    const answer = await askOne(server, call);
    if ("statusCode" in answer && answer.statusCode < 500) {
      goOnWith(servers, server, problems);
      noteAnswer(sightings, { servers: all, server, answer, askedAt });
      return { answer, url: server.url };
    }
    if ("statusCode" in answer || answer.isStranger) code = "unable";
    problems.push(`at ${server.url}: ${"statusCode" in answer ? whatItSaid(answer) : answer.reason}`);
  }
  throw new CallError(code, problems.join("; "));
}

/** @returns its answer, or why there is none */
async function askOne(server: Target, call: Call): Promise<Answer | Failure> {
  try {
    return await makeCall(server, call);
  } catch (error) {
    call.signal?.throwIfAborted();
    const { code, message } = error as NodeJS.ErrnoException;
    const isLimit = error instanceof LimitError;
    if (isLimit && error.limit === "bytes") throw new CallError("bad_answer", `at ${server.url}: ${message}`);
    if (!isLimit && code === undefined) throw error;
    if (code?.startsWith("HPE_"))
      throw new CallError("bad_answer", `at ${server.url}: it doesn't speak HTTP (${code})`);
    // All that a server says to who has no group file, or one that it doesn't believe.
    if (code === "ECONNRESET")
      return { reason: "ECONNRESET; does only one of the two have the group file?", isStranger: true };
    return explainFailure(error as NodeJS.ErrnoException);
  }
}

/** Of many calls that went to another server at the same time, the first says so. */
function goOnWith(servers: Servers, server: Target, problems: readonly string[]): void {
  const place = servers.all.indexOf(server);
  if (problems.length > 0 && servers.current !== place)
    servers.log?.warn(`${server.url} is asked from now on (${problems.join("; ")})`);
  servers.current = place;
}

/** Every error of discovery. */
export const RefusalSchema = v.object({ error: v.pipe(v.string(), v.transform(cut)) });

/** The status of an answer that is an error, and the text that came with it, in words. */
export function whatItSaid({ statusCode, body }: Answer): string {
  const said = readJson(RefusalSchema, body.toString());
  return `it answered ${statusCode}${"value" in said ? `, ${printable(said.value.error)}` : ""}`;
}
