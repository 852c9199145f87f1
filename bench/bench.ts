/**
 * The benchmark: this project beside a bare socket, NATS, ZeroMQ, gRPC and a connection for each message,
 * all on this machine, in this run, in turns; then several clients and receivers, steadiness, discovery, sends to the
 * group, how a client starts, and what a receiver costs.
 * Ours is measured by the command lines that a user types, with no special path.
 *
 *     npm run bench                                           all of it
 *     npm run bench -- --quick                                a short form: that everything works
 *     npm run bench -- --json bench.json --plots docs         the raw numbers, and pictures
 *     npm run bench -- --only discovery                       one part alone
 *     npm run bench -- --only round-trips --system ZeroMQ     of that, one system beside the floor
 *
 * What can't be measured on a machine is named in the table. What breaks ends it with code 1, in the end;
 * no number does.
 */
import { existsSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname } from "node:path";
import * as kind from "../plumbing/kinds.ts";
import { flag, option, optional, parseOptions } from "../plumbing/options.ts";
import { runIfMain } from "../plumbing/run.ts";
import { measureCopies, showCopies } from "./copies.ts";
import { measureDiscovery, showDiscovery } from "./discovery.ts";
import { measureGroup, showGroup, withShortBody } from "./group.ts";
import { drawRoundTrips } from "./plot.ts";
import { drawGrowth } from "./plot_growth.ts";
import { stopAll } from "./processes.ts";
import { measureRoundTrips, showRoundTrips } from "./round_trips.ts";
import { measureSeveral, showSeveral } from "./several.ts";
import { measureStart, showStart } from "./start.ts";
import { measureSteadiness, showSteadiness } from "./steady.ts";
import { SYSTEMS } from "./systems.ts";

const PARTS = ["round-trips", "several", "steady", "discovery", "group", "start", "copies"] as const;

/** Else ten minutes are measured, and then there is no place for it. */
const fileToWrite: kind.Kind<string> = {
  right: "a path whose folder is there, such as bench.json",
  parse: (path) => (existsSync(dirname(path)) ? path : undefined),
};
const folderToFill: kind.Kind<string> = {
  right: "a folder that is there, such as docs",
  parse: (path) => (existsSync(path) ? path : undefined),
};
const partOfSystem: kind.Kind<string> = {
  right: `what is in the name of a system: ${SYSTEMS.map(({ name }) => name).join("; ")}`,
  parse: (text) => (SYSTEMS.some(({ name }) => name.includes(text)) ? text : undefined),
};

const OPTIONS = {
  quick: flag("few messages, one round, small groups"),
  rounds: optional(kind.whole(1), "how often each is measured [default: 3; with --quick 1]"),
  only: option(kind.wordsOf(["all", ...PARTS]), "all", `which parts, comma separated: ${PARTS.join(", ")}`),
  system: optional(partOfSystem, "of the round trips, only the floor and systems with this in their name"),
  json: optional(fileToWrite, "a file that gets all numbers [default: none]"),
  plots: optional(folderToFill, "a folder that gets pictures, as SVG [default: none]"),
};

/** A run of the benchmark: what is asked for, and who is told how it goes. */
interface Run {
  only: readonly ("all" | (typeof PARTS)[number])[];
  system: string | undefined;
  rounds: number;
  isQuick: boolean;
  say: (line: string) => void;
  onBroken: (what: string, error: Error) => void;
}

const say = (line: string) => void process.stderr.write(`${line}\n`);
const print = (text: string) => void process.stdout.write(`${text}\n\n`);

function describeMachine() {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** One part after the other. What wasn't asked for, or broke, is undefined. */
async function measureAll(run: Run) {
  return {
    "round-trips": await measure(run, "round-trips", measureRoundTrips, showRoundTrips),
    several: await measure(run, "several", measureSeveral, showSeveral),
    steady: await measure(run, "steady", measureSteadiness, showSteadiness),
    discovery: await measure(run, "discovery", measureDiscovery, showDiscovery),
    group: await measure(run, "group", measureGroup, showGroup),
    start: await measure(run, "start", measureStart, showStart),
    copies: await measure(run, "copies", measureCopies, showCopies),
  };
}

async function measure<T>(
  run: Run,
  part: (typeof PARTS)[number],
  measurePart: (run: Run) => Promise<T>,
  show: (result: T) => string,
): Promise<T | undefined> {
  if (!run.only.includes(part) && !run.only.includes("all")) return undefined;
  say(`${part} …`);
  try {
    const result = await measurePart(run);
    print(show(result));
    return result;
  } catch (error) {
    run.onBroken(part, error as Error);
    stopAll();
    return undefined;
  }
}

function writePlots(folder: string, measured: Awaited<ReturnType<typeof measureAll>>, subtitle: string) {
  const { "round-trips": roundTrips = [], copies, group, discovery } = measured;
  const registered = copies?.copies.map((at) => ({ receivers: at.copies, ms: [at.ms] })) ?? [];
  const growths = [
    { name: "registered", points: registered },
    { name: "all have acked", points: withShortBody(group?.sizes ?? []) },
    { name: "listed", points: discovery?.[0]?.listings ?? [] },
  ];
  const plots = {
    "round_trips.svg": drawRoundTrips(roundTrips, subtitle),
    "growth.svg": drawGrowth(growths, subtitle),
  };
  for (const [file, plot] of Object.entries(plots)) {
    if (plot) writeFileSync(`${folder}/${file}`, plot);
  }
}

async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = parseOptions("bench", OPTIONS, argv, {
    about: "Measures this project beside others, on this machine.",
    example: "npm run bench -- --quick",
  });
  // A user who has enough waits for no measurement; what was started ends with this process.
  signal.addEventListener("abort", () => process.exit(1));
  process.on("exit", stopAll);

  const machine = describeMachine();
  const { processor, cores, memoryGib, node, date } = machine;
  const { only, system, quick: isQuick, rounds = isQuick ? 1 : 3 } = options;
  const where = `${processor}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ${date}`;
  const how = rounds === 1 ? "one round" : `${rounds} rounds`;
  print(`${where}; ${how}`);

  const broken: string[] = [];
  const onBroken = (what: string, { message }: Error) => {
    broken.push(`${what}: ${message}`);
    say(`✖ ${what}: ${message}`);
  };
  const measured = await measureAll({ only, system, rounds, isQuick, say, onBroken });
  const subtitle = `${where}; ${rounds === 1 ? how : `median of ${how}`}`;
  if (options.plots) writePlots(options.plots, measured, subtitle);
  if (options.json) {
    const notMeasured = SYSTEMS.flatMap(({ name, missing }) => (missing ? [{ system: name, missing }] : []));
    const results = { machine, isQuick, rounds, notMeasured, broken, ...measured };
    writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
  }
  if (broken.length > 0) print(`Broken:\n\n${broken.map((line) => `- ${line}`).join("\n")}`);
  return broken.length > 0 ? 1 : 0;
}

await runIfMain(import.meta, main);
