/**
 * Servers that stand for one another, as several discoveries on one store do. A call goes to the one that answered last;
 * when it doesn't answer, or with a 5xx, to the next, and to each at most once. Discovery's callers ask through here.
 */
import { CancelError, type Got, type OptionsInit, RequestError, type Response } from "got";
import * as v from "valibot";
import { explainFailure, type Failure } from "./explain_failure.ts";
import { createHttpClient, type HttpClientOptions } from "./http_client.ts";
import type { Log } from "./log.ts";
import { printable } from "./printable.ts";
import { cut, readJson } from "./read_json.ts";
import { createSightings, noteAnswer, type Sightings } from "./registry_sightings.ts";

export type Answer = Response<Buffer>;

export interface Server {
  url: string;
  http: Got;
  groupFile: HttpClientOptions["groupFile"];
}

export interface Servers {
  all: readonly Server[];
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
  { log, ...options }: HttpClientOptions & { log?: Log | undefined },
): Servers {
  const all = [urls]
    .flat()
    .map((url) => ({ url, http: createHttpClient(url, options), groupFile: options.groupFile }));
  return { all, current: 0, log, sightings: createSightings(log) };
}

/** An answer, and who gave it. */
export interface Asked {
  answer: Answer;
  url: string;
}

/** Makes one call. @throws {CallError} */
export async function ask(servers: Servers, path: string, options: OptionsInit): Promise<Asked> {
  const { all, current, sightings } = servers;
  const problems: string[] = [];
  let code: CallError["code"] = "unreachable";
  for (const server of [...all.slice(current), ...all.slice(0, current)]) {
    const askedAt = performance.now();
    const answer = await askOne(server, path, options);
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
async function askOne({ url, http }: Server, path: string, options: OptionsInit): Promise<Answer | Failure> {
  try {
    return (await http(path, options)) as unknown as Answer;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof CancelError) throw new CallError("bad_answer", `at ${url}: its answer is too long`);
    if (!(error instanceof RequestError)) throw error;
    // All that a server says to who has no group file, or one that it doesn't believe.
    if (error.code === "ECONNRESET")
      return { reason: "ECONNRESET; does only one of the two have the group file?", isStranger: true };
    return explainFailure(error);
  }
}

/** Of many calls that went to another server at the same time, the first says so. */
function goOnWith(servers: Servers, server: Server, problems: readonly string[]): void {
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
