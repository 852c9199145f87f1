/** Each lesson, played as its page says it, in both languages. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { LANGUAGES, type Language, LESSONS } from "../classroom/lessons.ts";
import { FAULT_NAMES } from "../receiver.ts";
import { TraceEventSchema } from "../trace/events.ts";
import { startRole } from "./helpers.ts";
import { CUT, readSteps, type Step } from "./lesson_page.ts";
import { play } from "./lesson_player.ts";

const ROOT = `${import.meta.dirname}/..`;
const FOLDERS = { en: "docs/lessons", pt: "docs/lessons/pt-BR" };
const SECTIONS = {
  en: ["Question", "Predict", "Run", "Look", "Explain", "Change it", "Exam"],
  pt: ["Pergunta", "Preveja", "Rode", "Olhe", "Entenda", "Mude", "Prova"],
};
const MAX_LINES = 110; // two printed pages

const pageOf = (language: Language, page: string) => `${ROOT}/${FOLDERS[language]}/${page}.md`;
const PAGES = LANGUAGES.flatMap((language) =>
  LESSONS.map(({ page }) => ({ language, page, file: pageOf(language, page) })),
);

describe("a lesson does what its page says", { concurrency: 4 }, () => {
  for (const { language, page, file } of PAGES)
    test(`${page} (${language})`, async () => void (await play(readSteps(file))));
});

/** The experiments of the pages: the lesson and its options, what is typed, and what the answers say of the last message. */
const EXPERIMENTS: [command: string, typed: string[], answer: RegExp][] = [
  ["1 --attempts 2", ["0 first", "0 second"], /^unknown: .* after 2 attempts: no ack within 2s$/m],
  ["1 --plan ok,disconnect", ["0 first", "0 second"], /^acked .* after 2 attempts, in 1\.\ds$/m],
  ["2 --attempts 1", ["0 hello", "1 hello"], /^unknown: .* after 1 attempt: no ack.*^unknown: .* no ack/ms],
  ["2 --plan silent", ["0 hello"], /^acked .* after 2 attempts, in 2\.\ds$/m],
  ["3 --attempts 1", ["0 pay 10", "0 pay 10"], /^unknown: .*^acked .* after 1 attempt,/ms],
  ["3 --plan late-ack", ["0 pay 10"], /^acked .* after 2 attempts, in 2\.\ds \(a duplicate/m],
  ["4 --ack-timeout 4s", ["0 hello"], /^acked .* after 1 attempt, in 3\.\ds$/m],
  ["4 --ack-timeout 700ms", ["0 hello"], /^acked .* after 5 attempts, in 3\.\ds$/m],
  [
    "5 --attempts 3",
    ["0 hello"],
    /^unknown: .* after 3 attempts.*\nAvailable.*\n.* receiver-0\n.* receiver-1$/m,
  ],
  ["5 --plan silent", ["0 hello"], /^acked .* after 2 attempts, in 2\.\ds$/m],
  ["7 --need all", ["all first"], /^group acked: 3 acked, 3 needed; in 6\.\ds$/m],
  ["7 --plan exit", ["all first"], /^group acked: 2 acked, 2 needed; no ack from 1: .* in 6\.\ds$/m],
];

describe("an experiment ends as the answers say", { concurrency: 4 }, () => {
  for (const [command, typed, answer] of EXPERIMENTS)
    test(command, async () => {
      const [number = "", ...options] = command.split(" ");
      for (const { language, page, file } of PAGES) {
        const written = `npm run lesson -- ${number}${language === "pt" ? " --lang pt" : ""} ${options.join(" ")}`;
        if (page.startsWith(number))
          assert.ok(readFileSync(file, "utf8").includes(written), `${file}: ${written}`);
      }
      const types = [...typed, "q"].map((type): Step => ({ terminal: 1, sees: [CUT], does: { type } }));
      const start = { terminal: 1, sees: [], does: { start: `npm run lesson -- ${command}` } };
      assert.match(await play([start, ...types]), answer);
    });
});

test("each page fits on two pages, and has its sections in their order", () => {
  for (const { language, file } of PAGES) {
    const text = readFileSync(file, "utf8");
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings, SECTIONS[language], file);
    const lines = text.split("\n").length - 1;
    assert.ok(lines <= MAX_LINES, `${file} has ${lines} lines`);
  }
});

test("a page doesn't show what happens before it is unfolded: one predicts first", () => {
  for (const { file } of PAGES) {
    const atFirst = readFileSync(file, "utf8").replace(/^<details>.*?^<\/details>$/gms, "");
    assert.doesNotMatch(atFirst, /^```/m, file);
  }
});

test("a page has the same steps in both languages", () => {
  const whatIsDone = (language: Language, page: string) =>
    readSteps(pageOf(language, page)).map(({ terminal, does = {} }) => `${terminal} ${Object.keys(does)}`);
  for (const { page } of LESSONS) {
    assert.deepEqual(whatIsDone("pt", page), whatIsDone("en", page), page);
    assert.ok(whatIsDone("en", page).length > 2, page);
  }
});

test("without a number the lessons are listed, in this machine's language or the one that is asked for", async () => {
  const list = async (args: string[], env: Record<string, string>) => {
    const lesson = startRole("lesson.ts", args, { LC_ALL: "", LC_MESSAGES: "", ...env });
    assert.equal(await lesson.exitCode(), 0, lesson.stderr());
    return lesson.stdout().trim().split("\n");
  };
  const titles = LESSONS.map(({ title }, index) => `Lição ${index + 1}: ${title.pt}`);
  const start = "Comece uma com: npm run lesson -- 1";
  assert.deepEqual(await list([], { LANG: "pt_BR.UTF-8" }), [...titles, start]);
  assert.deepEqual(await list(["--lang", "pt"], { LANG: "C" }), [...titles, `${start} --lang pt`]);
  assert.match((await list(["--lang", "en"], { LANG: "pt_BR.UTF-8" }))[6] ?? "", /^Lesson 7: the group/);
});

for (const [args, problem] of [
  [["8"], /^Cannot start lesson 8: there are 1 to 7\nTry: npm run lesson/],
  [["1", "--lang", "fr"], /--lang .*one of en, pt/],
  [["1", "--plan", "explode"], /--plan .*ok, silent, lost/],
  [["--lang", "pt", "9"], /^Cannot start lesson 9: there are 1 to 7/],
  [["1", "--link-delay", "1h"], /^Cannot start lesson: --link-delay .*at most 10s/],
  [["1", "--need", "banana"], /^Cannot start lesson: --need .*majority or all/],
  [["x"], /^Cannot start lesson: Unknown argument/],
] as const) {
  test(`lesson.ts ${args.join(" ")} ends at once with code 2 and a line that shows a right one`, async () => {
    const lesson = startRole("lesson.ts", [...args]);
    assert.equal(await lesson.exitCode(), 2);
    assert.match(lesson.stderr(), problem);
    assert.doesNotMatch(lesson.stderr(), /^\s+at /m);
  });
}

function wordsOf(file: string): string[] {
  const page = readFileSync(`${ROOT}/docs/${file}`, "utf8");
  return [...page.matchAll(/^\| `(.+?)` \|/gm)].map(([, word = ""]) => word);
}

test("the glossaries have every event, fault and outcome, and the same words", () => {
  const words = wordsOf("GLOSSARY.md");
  assert.deepEqual(wordsOf("GLOSSARY.pt-BR.md"), words);
  assert.equal(new Set(words).size, words.length, "each word once");
  const { event, outcome } = TraceEventSchema.entries;
  const printed = [...event.options, ...outcome.wrapped.options, ...FAULT_NAMES, "ok"];
  assert.deepEqual(
    printed.filter((word) => !words.includes(word)),
    [],
  );
});

/** What is no word of the programs: addresses, commands, what was typed, names, ids, numbers and their units. */
const NO_WORDS =
  /https?:[^\s)]+|npx .*|".*?"|\S+:\d+|\b(client|receiver)-\w+|\b\d-[0-9a-f]{6}\b|\b[0-9a-f]{8}\b|\b\d[\d.]*m?s?\b|[^\p{L}\d-]/gu;
const PLAIN = "a after and as at browser by from in is it of open page port s the to".split(" ");

test("the glossary has the words of what the lessons and the readme show", () => {
  const logs = readFileSync(`${ROOT}/README.md`, "utf8").match(/^(\d\d:\d\d:\d\d| {2}attempt) .*$/gm) ?? [];
  const printed = PAGES.flatMap(({ file }) => readSteps(file).flatMap(({ sees }) => sees));
  const lines = [...printed.filter((line) => !/^(Lesson|Lição| {2}\d\.) /.test(line)), ...logs];
  const toWords = (text: string) => text.replace(NO_WORDS, " ").replace(/ +/g, " ").trim();
  const entries = wordsOf("GLOSSARY.md").map(toWords).filter(Boolean);
  const longestFirst = entries.toSorted((a, b) => b.length - a.length);
  const known = new RegExp(`\\b(${longestFirst.join("|")})s?\\b`, "gi");
  const unexplained = lines.flatMap((line) => toWords(line).replace(known, "").match(/\S+/g) ?? []);
  const missing = new Set(unexplained.filter((word) => !PLAIN.includes(word)));
  assert.deepEqual([...missing], []);
  assert.ok(logs.length > 5);
});
