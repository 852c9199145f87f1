/** What came of an attack, as lines, and what of it breaks a promise. */
import { createInterface } from "node:readline";
import { type Field, isTrace, standing } from "./attack_field.ts";
import type { Honest } from "./attack_honest.ts";
import type { LieResult } from "./attack_lies.ts";
import { HANGS_AFTER_MS, isBack, type Watched } from "./attack_watch.ts";

const MIB = 1024 * 1024;

export interface Outcome {
  counts: Record<string, Record<string, number>>; // by attack
  isClosed: boolean; // to those who attacked: nobody may have answered them
  watched: Watched[];
  crashes: string[];
  outOfMemory: string[];
  honest: Honest;
  lies: LieResult[];
  logs: { name: string; bytes: number; traces: string[] }[];
  ownLagMs: number; // how long this program itself was busy at a time, at most: it is seen as a late answer
}

const mib = (bytes: number) => `${(bytes / MIB).toFixed()} MiB`;

/** Reads all logs, line by line. */
export async function readLogs(field: Field): Promise<Outcome["logs"]> {
  const logs: Outcome["logs"] = [];
  for (const target of standing(field)) {
    const log = { name: target.name, bytes: 0, traces: [] as string[] };
    for await (const line of createInterface({ input: field.logOf(target) })) {
      log.bytes += line.length + 1;
      if (isTrace(line) && log.traces.length < 3) log.traces.push(line.trim());
    }
    logs.push(log);
  }
  return logs;
}

/** @returns a line for each promise that was broken */
export function findProblems(outcome: Outcome): string[] {
  const { counts, watched, crashes, outOfMemory, honest, lies, logs } = outcome;
  const { sent, acked } = honest;
  return [
    ...tally(crashes).map((who) => `crashed: ${who}`),
    ...tally(outOfMemory).map((who) => `out of memory: ${who}`),
    ...watched.flatMap(problemsOf),
    ...honest.problems.map((why) => `an honest message was lost: ${why}`),
    ...(sent > 0 && acked === sent ? [] : [`${sent - acked} of ${sent} honest messages were not acked`]),
    ...lies.flatMap(({ lie, problems }) => problems.map((why) => `${lie}: ${why}`)),
    ...logs.flatMap(({ name, traces }) => traces.map((line) => `a stack in the log of ${name}: ${line}`)),
    ...Object.entries(counts).flatMap(([attack, { "HTTP 500": errors }]) =>
      errors ? [`${attack}: ${errors} times an answer 500, an error inside`] : [],
    ),
    ...(outcome.isClosed ? findAnswers(counts) : []),
  ];
}

/** What strangers were told; that they were refused is no answer. */
function findAnswers(counts: Outcome["counts"]): string[] {
  return Object.entries(counts).flatMap(([attack, of]) => {
    const answers = Object.keys(of).filter((what) => /^HTTP 2|^(ack|bad_frame|too_large|busy)$/.test(what));
    return answers.map((what) => `${attack}: a stranger was answered ${what}, ${of[what]} times`);
  });
}

function problemsOf(each: Watched): string[] {
  const { target, beforeBytes, peakBytes, afterBytes, hung, worstMs } = each;
  const { name, limitBytes } = target;
  const problems: string[] = [];
  if (peakBytes > limitBytes)
    problems.push(`${name} took ${mib(peakBytes)}, its limit is ${mib(limitBytes)}`);
  if (afterBytes === 0) problems.push(`${name} does not run, or does not answer`);
  else if (!isBack(each)) problems.push(`${name} kept ${mib(afterBytes)}, it had ${mib(beforeBytes)} before`);
  if (hung > 0)
    problems.push(
      `${name} hung ${hung} times for over ${HANGS_AFTER_MS / 1000} s, ${worstMs.toFixed()} ms at worst`,
    );
  return problems;
}

/** The same line once, with how often. */
function tally(lines: string[]): string[] {
  return [...new Set(lines)].map((line) => `${line}, ${lines.filter((each) => each === line).length} times`);
}

/** The figures, as lines for people. */
export function describe({ counts, watched, honest, lies, logs, ownLagMs, ...ends }: Outcome): string[] {
  const round = (count: number) => (count < 10 ? Math.ceil(count) : Math.round(count));
  const whole = (of: Record<string, number>) =>
    Object.entries(of).map(([what, count]) => `${what} ${round(count)}`);
  const quiet = lies.filter(({ problems }) => problems.length === 0).length;
  const worst = Math.max(0, ...lies.map(({ peakBytes }) => peakBytes));
  return [
    ...Object.entries(counts).map(([attack, of]) => `  ${attack}: ${whole(of).join(", ")}`),
    `  among liars: ${lies.length} clients and receivers, ${quiet} well, at most ${mib(worst)}`,
    "",
    ...watched.map((each) =>
      describeWatched(each, logs.find(({ name }) => name === each.target.name)?.bytes ?? 0),
    ),
    `  crashes ${ends.crashes.length}, out of memory ${ends.outOfMemory.length}`,
    `  honest messages: ${honest.sent} sent, ${honest.acked} acked; at most ${mib(honest.peakBytes)}, slowest run ${honest.slowestMs.toFixed()} ms`,
    `  this program was busy for ${ownLagMs.toFixed()} ms at most`,
  ];
}

function describeWatched(each: Watched, logBytes: number): string {
  const { target, beforeBytes, peakBytes, afterBytes, asked, busy, closed, hung, worstMs } = each;
  const health = `asked ${asked}, busy ${busy}, closed ${closed}, hung ${hung}, worst ${worstMs.toFixed()} ms`;
  return `  ${target.name}: live before ${mib(beforeBytes)} and after ${mib(afterBytes)}, peak ${mib(peakBytes)} of ${mib(target.limitBytes)}; ${health}; log ${mib(logBytes)}`;
}
