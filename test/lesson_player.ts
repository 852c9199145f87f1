/** Plays a lesson: starts its programs, types, and compares what is printed. */
import assert from "node:assert/strict";
import { startProgram, until } from "./helpers.ts";
import { CUT, createNormalizer, isQuestion, type Step } from "./lesson_page.ts";

const STEP_WITHIN_MS = 30_000;

type Program = ReturnType<typeof startProgram>;

type Normalizers = Record<"page" | "run", ReturnType<typeof createNormalizer>>;

interface Terminal {
  program: Program;
  seen: number; // so much of what it printed belongs to earlier steps
  answered: number; // so much of it was there when something was typed
  isAny: boolean; // who gets what was typed is left to chance
}

/** Plays steps from the first to the last, which ends the lesson. @returns what it printed @throws when it prints something else */
export async function play(steps: readonly Step[]): Promise<string> {
  const terminals = new Map<number, Terminal>();
  const compare: Normalizers = { page: createNormalizer(), run: createNormalizer() };
  try {
    for (const step of steps) {
      if (step.does && "start" in step.does) {
        const program = startCommand(step.does.start, terminals.get(1)?.program.said.stdout ?? "");
        terminals.set(step.terminal, { program, seen: 0, answered: 0, isAny: false });
        continue;
      }
      const terminal = terminals.get(step.terminal);
      assert.ok(terminal, "a page starts a program before it is used");
      await untilSeen(terminal, step, compare);
      if (step.does) await act(terminal, step.does);
    }
    const { program } = terminals.get(1) as Terminal;
    await program.ended;
    assert.equal(program.child.exitCode, 0, program.said.stdout);
    return program.said.stdout;
  } finally {
    await Promise.all([...terminals.values()].map(endProgram));
  }
}

/** Starts what a page says, at other ports: those that `printed`, what the lesson said, names. */
function startCommand(command: string, printed: string): Program {
  const [, monitor = ""] = printed.match(/open https?:\/\/127\.0\.0\.1:(\d+)/) ?? [];
  const [, discovery = ""] =
    printed.match(/discovery: http:\/\/127\.0\.0\.1:(\d+)|--port (\d+)/)?.filter(Boolean) ?? [];
  const [, , file = "", ...args] = command.startsWith("npm run lesson")
    ? command.replace("npm run lesson --", "npx tsx lesson.ts").concat(" --port 0").split(" ")
    : command
        .replace(/\b5000\b/, discovery)
        .replace(/\b5001\b/, monitor)
        .split(" ");
  const node = [process.execPath, "--import", "tsx", file, ...args];
  return startProgram("sh", ["-c", 'exec "$0" "$@" 2>&1', ...node], { LANG: "C", LC_ALL: "C" }); // one stream, in order
}

/** Waits until a terminal shows what the page says; unless the page has `…`, and nothing else. */
async function untilSeen(
  terminal: Terminal,
  { sees, does }: Step,
  { page, run }: Normalizers,
): Promise<void> {
  const { program, seen, answered, isAny } = terminal;
  const asks = does !== undefined && "type" in does;
  const isCut = sees.includes(CUT);
  const how = { isCut, isAny };
  const expected = page(sees, how).filter((line) => line !== CUT);
  const linesFrom = (start: number) => program.said.stdout.slice(start).split("\n").slice(0, -1);
  const shown = () =>
    run(
      linesFrom(seen).filter((line) => !isQuestion(line)),
      how,
    );
  const isThere = () =>
    (!asks || linesFrom(answered).some(isQuestion)) && missing(expected, shown()).length === 0;
  const problem = () => `the page says\n${expected.join("\n")}\nand the program\n${shown().join("\n")}`;
  await until(problem, isThere, STEP_WITHIN_MS);
  if (asks && !isCut) assert.deepEqual(shown().toSorted(), expected.toSorted());
  terminal.seen = program.said.stdout.length;
}

/** Those of the `wanted` lines that aren't there, each as often as it is wanted. */
function missing(wanted: readonly string[], lines: readonly string[]): string[] {
  const rest = [...lines];
  return wanted.filter((line) => {
    const index = rest.indexOf(line);
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
}

async function act(terminal: Terminal, does: NonNullable<Step["does"]>): Promise<void> {
  const { child, said, ended } = terminal.program;
  if ("type" in does) {
    terminal.answered = said.stdout.length;
    terminal.isAny = does.type.startsWith("any");
    child.stdin.write(`${does.type}\n`);
  } else {
    child.kill("SIGINT");
    await ended;
  }
}

async function endProgram({ program: { child, ended } }: Terminal): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM"); // a lesson ends what it started
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(timer);
}
