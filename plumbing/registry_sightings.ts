/**
 * Whether the servers that stand for one another know the same. Each answer of discovery says in a header of which registry
 * it is: discoveries on one store share one, each in memory has its own, and another one after a restart. Two that run
 * at the same time split the group: each lists its part, and says that it is all. plumbing/servers.ts shows each answer.
 */
import dns from "node:dns/promises";
import { type Answer, makeCall, type Target } from "./http_call.ts";
import type { Log } from "./log.ts";

const HEADER = "x-registry";
const MAX_ID = 128; // characters
const MAX_SEEN = 8; // ids of registries that are remembered
const MAX_ADDRESSES = 8; // of a name, that are asked
const ANSWER_WITHIN_MS = 2000;

export interface Sightings {
  log: Log | undefined;
  /** The registry that the last answer came from. */
  last?: Sighting;
  /** The ids of all that there were. */
  seen: string[];
  /** Whether who is missing in the last one's list is gone: not if it took another's place, or is one of two. */
  isTrusted: boolean;
  isSplit: boolean;
  isComparing: boolean;
}

interface Sighting {
  id: string;
  url: string; // who answered
  since: number; // by performance.now()
  replaces?: string | undefined; // the one that had answered before at another address
}

export function createSightings(log: Log | undefined): Sightings {
  return { log, seen: [], isTrusted: true, isSplit: false, isComparing: false };
}

/** An answer, and what it is one to. */
interface Answered {
  answer: Answer;
  askedAt: number;
  server: Target;
  servers: readonly Target[]; // all of them
}

/** The answer to a question that is older than a change of the registry may come from the one before: it says nothing. */
export function noteAnswer(sightings: Sightings, { answer, askedAt, server, servers }: Answered): void {
  const { last, isSplit } = sightings;
  const id = idOf(answer);
  if (id === undefined || isSplit || (last && askedAt < last.since)) return;
  if (last?.id === id) {
    last.url = server.url;
    return;
  }
  const replaces = last && last.url !== server.url ? last.url : undefined;
  sightings.last = { id, url: server.url, since: performance.now(), replaces };
  // To one that was just started whoever is there comes back, and until then it says itself that its list isn't complete.
  sightings.isTrusted = last === undefined || answer.headers["x-complete"] === "no";
  noteChange(sightings, sightings.last, last);
  compare(sightings, servers);
}

/** A registry that comes back after another one was there all the time: after a restart it would have a new id. */
function noteChange(sightings: Sightings, { id, url, replaces }: Sighting, before?: Sighting): void {
  const { seen, log } = sightings;
  if (before && seen.includes(id)) saySplit(sightings, [before.url, url]);
  else if (replaces)
    log?.warn(`${url} knows nothing of what ${replaces} knew: the receivers have to register there`);
  sightings.seen = [...seen, id].slice(-MAX_SEEN);
}

function idOf({ headers }: Answer): string | undefined {
  const id = headers[HEADER];
  return typeof id === "string" && id.length <= MAX_ID ? id : undefined;
}

/** Compares until the registry doesn't change meanwhile. */
async function compare(sightings: Sightings, servers: readonly Target[]): Promise<void> {
  if (sightings.isComparing) return;
  sightings.isComparing = true;
  for (let compared: Sighting | undefined; compared !== sightings.last && !sightings.isSplit; ) {
    compared = sightings.last;
    const urls = await findDifferent(servers);
    if (urls.length > 0 && !sightings.isSplit) saySplit(sightings, urls);
  }
  sightings.isComparing = false;
  sightings.isTrusted ||= !sightings.isSplit && !sightings.last?.replaces;
}

/**
 * Asks at every address of every server at the same time, as a name may lead this process always to the same one of several.
 * Who differs is asked again: one whose store was emptied may have learned it by the first question.
 *
 * @returns the addresses of those that answered, if they don't all have the same registry
 */
async function findDifferent(servers: readonly Target[]): Promise<string[]> {
  const places = (await Promise.all(servers.map(findPlaces))).flat();
  if (places.length < 2) return [];
  for (let time = 1; ; time++) {
    const found = (await Promise.all(places.map(askAt))).filter(({ id }) => id !== undefined);
    if (new Set(found.map(({ id }) => id)).size < 2) return [];
    if (time === 2) return found.map(({ url }) => url);
  }
}

interface Place {
  server: Target;
  address: string;
  family: number;
}

async function findPlaces(server: Target): Promise<Place[]> {
  const name = new URL(server.url).hostname.replace(/^\[|\]$/g, "");
  const addresses = await dns.lookup(name, { all: true }).catch(() => []);
  return addresses.slice(0, MAX_ADDRESSES).map((address) => ({ server, ...address }));
}

async function askAt({ server, ...at }: Place) {
  const call = { method: "HEAD" as const, path: "receivers", at, withinMs: ANSWER_WITHIN_MS };
  const answer = await makeCall(server, call).catch(() => undefined);
  return { url: server.url, id: answer && idOf(answer) };
}

function saySplit(sightings: Sightings, urls: readonly string[]): void {
  sightings.isSplit = true;
  sightings.isTrusted = false;
  const where = [...new Set(urls)];
  const who =
    where.length > 1 ? `the discoveries at ${where.join(" and ")}` : `several discoveries at ${where}`;
  sightings.log?.warn(
    `${who} know nothing of each other, and each has a part of the group: start them with the same --store, or only one of them`,
  );
}
