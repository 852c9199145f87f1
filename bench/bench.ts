/**
 * The benchmark: this project beside a bare socket, NATS, ZeroMQ, gRPC and a connection for each message,
 * all on this machine, in this run, in turns; then steadiness, discovery, sends to the group and what a receiver costs.
 * Ours is measured by the command lines that a user types, with no special path.
 *
 *     npm run bench                                           all of it
 *     npm run bench -- --quick                                a short form: that everything works
 *     npm run bench -- --json bench.json --plots docs         the raw numbers, and pictures
 *     npm run bench -- --only discovery                       one part alone
 *
 * What can't be measured on a machine is named in the table. What breaks ends it with code 1, in the end;
 * no number does.
 */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { optionalText, optionalWhole, parseOptions, words } from "../plumbing/options.ts";
import { runIfMain } from "../plumbing/run.ts";
import { measureCopies, showCopies } from "./copies.ts";
import { measureDiscovery, showDiscovery } from "./discovery.ts";
import { measureGroup, showGroup } from "./group.ts";
import { drawRoundTrips } from "./plot.ts";
import { drawGrowth } from "./plot_growth.ts";
import { stopAll } from "./processes.ts";
import { measureRoundTrips, showRoundTrips } from "./round_trips.ts";
import { measureSteadiness, showSteadiness } from "./steady.ts";
import { SYSTEMS } from "./systems.ts";

const OPTIONS = {
  quick: { type: "boolean" as const, default: false, describe: "few messages, one round, small groups" },
  rounds: optionalWhole(1, "how often each is measured [default: 3; with --quick 1]"),
  only: words("all", ["all", "round-trips", "steady", "discovery", "group", "copies"], "which parts"),
  json: optionalText("a file that gets all numbers [default: none]"),
  plots: optionalText("a folder that gets pictures, as SVG [default: none]"),
};

function describeMachine() {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
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
  const settings = { isQuick: options.quick, rounds: options.rounds ?? (options.quick ? 1 : 3) };
  const broken: string[] = [];
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const print = (text: string) => process.stdout.write(`${text}\n\n`);
  function onBroken(what: string, error: Error) {
    broken.push(`${what}: ${error.message}`);
    say(`✖ ${what}: ${error.message}`);
  }
  const notMeasured = SYSTEMS.flatMap(({ name, missing }) => (missing ? [{ system: name, missing }] : []));
  const results: Record<string, unknown> = { machine, ...settings, notMeasured, broken };

  const { processor, cores, memoryGib, node, date } = machine;
  const where = `${processor}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ${date}`;
  const how = settings.rounds === 1 ? "one round" : `${settings.rounds} rounds`;
  print(`${where}; ${how}`);

  async function run<T>(
    part: Exclude<(typeof options.only)[number], "all">,
    measure: () => Promise<T>,
    show: (of: T) => string,
  ): Promise<T | undefined> {
    if (!options.only.includes(part) && !options.only.includes("all")) return undefined;
    say(`${part} …`);
    try {
      const result = await measure();
      results[part] = result;
      print(show(result));
      return result;
    } catch (error) {
      onBroken(part, error as Error);
      stopAll();
      return undefined;
    }
  }
  const roundTrips = await run(
    "round-trips",
    () => measureRoundTrips({ ...settings, say, onBroken }),
    showRoundTrips,
  );
  await run("steady", () => measureSteadiness(settings), showSteadiness);
  const discovery = await run("discovery", () => measureDiscovery(settings), showDiscovery);
  const group = await run("group", () => measureGroup(settings), showGroup);
  const copies = await run("copies", () => measureCopies(settings), showCopies);

  if (options.plots) {
    const subtitle = `${where}; ${settings.rounds === 1 ? how : `median of ${how}`}`;
    const growths = [
      {
        name: "registered",
        points: copies?.copies.map((at) => ({ receivers: at.copies, ms: [at.ms] })) ?? [],
      },
      { name: "all have acked", points: group?.sizes ?? [] },
      { name: "listed", points: discovery?.listings ?? [] },
    ];
    const plots = {
      "round_trips.svg": drawRoundTrips(roundTrips ?? [], subtitle),
      "growth.svg": drawGrowth(growths, subtitle),
    };
    for (const [file, plot] of Object.entries(plots)) {
      if (plot) writeFileSync(`${options.plots}/${file}`, plot);
    }
  }
  if (options.json) writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
  if (broken.length > 0) print(`Broken:\n\n${broken.map((line) => `- ${line}`).join("\n")}`);
  return broken.length > 0 ? 1 : 0;
}

await runIfMain(import.meta, main);
