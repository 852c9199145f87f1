/**
 * A lesson: the group that it needs, with its faults on a plan, and a client that asks. When the client ends, all
 * end. No network is needed. What each lesson asks, predicts and explains is in docs/lessons.
 *
 *     npm run lesson                             which there are
 *     npm run lesson -- 3                        plays the third; --lang pt: in Portuguese
 *     npm run lesson -- 3 --plan lost,lost-ack   changes it
 *
 * The terminal shows what the client knows; the page, at the address that is printed, what happened.
 */
import type { ChildProcess } from "node:child_process";
import { type Flags, LANGUAGES, type Language, LESSONS, type Lesson } from "./classroom/lessons.ts";
import { end, startReceiver, untilInGroup } from "./classroom/processes.ts";
import { startServers } from "./classroom/servers.ts";
import { main as runClient } from "./client.ts";
import { GROUP_OPTIONS } from "./plumbing/group_file.ts";
import * as kind from "./plumbing/kinds.ts";
import { option, optional, parseOptions, UsageError } from "./plumbing/options.ts";
import { runIfMain } from "./plumbing/run.ts";
import { FAULT_NAMES } from "./receiver.ts";
import { openScreen } from "./terminal/screen.ts";

const EXAMPLE = "npm run lesson -- 3 --lang pt";
const ELSE = "[default: as the lesson has it]";

const OPTIONS = {
  lang: optional(kind.wordOf(LANGUAGES), "the language: en or pt [default: this machine's]"),
  port: option(kind.port, "5000", "discovery's port, if it is free; 0: one that the system picks"),
  plan: optional(kind.wordsOf(["ok", ...FAULT_NAMES]), `what the first messages to receiver 0 meet ${ELSE}`),
  "ack-timeout": optional(kind.interval, `how long the client waits for an ack ${ELSE}`),
  "link-delay": optional(kind.durationUpTo(10), `how long a frame is on its way ${ELSE}`),
  attempts: optional(kind.whole(1), `how many attempts a message gets ${ELSE}`),
  need: optional(kind.wholeOr(1, ["majority", "all"]), `how many acks make a send to all done ${ELSE}`),
  ...GROUP_OPTIONS,
};

const WORDS = {
  en: { lesson: "Lesson", page: "the sheet:", start: "Start one with:" },
  pt: { lesson: "Lição", page: "a folha:", start: "Comece uma com:" },
};

/** The language of this machine, as its environment says it. */
function languageOf({ LC_ALL, LC_MESSAGES, LANG }: NodeJS.ProcessEnv): Language {
  return (LC_ALL || LC_MESSAGES || LANG || "").startsWith("pt") ? "pt" : "en";
}

function listLessons(lang: Language | undefined): string[] {
  const language = lang ?? languageOf(process.env);
  const { lesson, start } = WORDS[language];
  const titles = LESSONS.map(({ title }, index) => `${lesson} ${index + 1}: ${title[language]}`);
  return [...titles, `${start} npm run lesson -- 1${lang ? ` --lang ${lang}` : ""}`];
}

/** What a class reads before the prompt. */
function introduce(number: number, { title, page, toDo }: Lesson, language: Language): string[] {
  const words = WORDS[language];
  const folder = language === "en" ? "docs/lessons" : "docs/lessons/pt-BR";
  const head = `${words.lesson} ${number}: ${title[language]}; ${words.page} ${folder}/${page}.md`;
  return [head, ...toDo[language].map((line, index) => `  ${index + 1}. ${line}`)];
}

/** As on a command line; a later table beats an earlier one. */
function asFlags(...tables: Flags[]): string[] {
  const chosen = new Map<string, string>();
  for (const [name, value] of tables.flatMap((table) => Object.entries(table)))
    if (value !== undefined) chosen.set(name, value);
  return [...chosen].flatMap(([name, value]) => [`--${name}`, value]);
}

const inMs = (duration: number | undefined) => (duration === undefined ? undefined : `${duration}ms`);

/** Starts the group of a lesson and its client, and ends all when the client ends. */
async function play(number: number, lesson: Lesson, options: Options, signal: AbortSignal): Promise<number> {
  const { plan, ackTimeout, linkDelay, attempts, need, port, groupFile } = options;
  const { leases, withoutDiscovery } = lesson;
  const language = options.lang ?? languageOf(process.env);
  const screen = openScreen({ input: process.stdin });
  screen.onInterrupt(() => process.kill(process.pid, "SIGINT")); // until the client asks
  let isOver = false; // then nobody has to know who ends, and how
  const print = (line: string) => void (isOver || screen.print(line, process.stderr));
  const receivers = new Map<string, ChildProcess>();
  const quiet = { "fault-rate": "0", "log-level": "error" }; // what happens there, the page shows
  const search = `/?lang=${language}`;
  const place = { receivers, flags: asFlags(quiet), port, leases, withoutDiscovery, search };
  const { api, to, close } = await startServers(print, { logLevel: "error", groupFile }, place);
  for (const [index, own] of lesson.receivers.entries()) {
    const flags = asFlags(quiet, own, index === 0 ? { plan: plan?.join() } : {});
    const name = `receiver-${index}`;
    receivers.set(name, startReceiver(name, [...to, ...flags], print));
  }
  try {
    if (!withoutDiscovery) await untilInGroup([...receivers.values()], api, signal);
    for (const line of introduce(number, lesson, language)) print(line);
    const times = { "ack-timeout": inMs(ackTimeout), "link-delay": inMs(linkDelay) };
    const changed = { ...times, attempts: attempts?.toString(), need: need?.toString() };
    return await runClient([...to, ...asFlags(lesson.client, changed)], signal, screen);
  } finally {
    isOver = true;
    await Promise.all([...receivers.values()].map(end));
    await close();
    screen.close();
  }
}

type Options = ReturnType<typeof readOptions>;

function readOptions(argv: readonly string[]) {
  const about = "A lesson: a group with its faults on a plan, and a client that asks.";
  return parseOptions("lesson", OPTIONS, argv, { about, example: EXAMPLE });
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const at = argv.findIndex((word, index) => /^\d+$/.test(word) && !argv[index - 1]?.startsWith("--"));
  const options = readOptions(argv.filter((_, index) => index !== at));
  if (at === -1) {
    for (const line of listLessons(options.lang)) console.log(line);
    return 0;
  }
  const number = Number(argv[at]);
  const lesson = LESSONS[number - 1];
  if (lesson) return play(number, lesson, options, signal);
  throw new UsageError(`Cannot start lesson ${number}: there are 1 to ${LESSONS.length}\nTry: ${EXAMPLE}`);
}

await runIfMain(import.meta, main);
