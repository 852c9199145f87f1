/** Each lesson, played as its page says it, in both languages. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { LANGUAGES, type Language, LESSONS } from "../classroom/lessons.ts";
import { FAULT_NAMES } from "../receiver.ts";
import { TraceEventSchema } from "../trace/events.ts";
import { startRole } from "./helpers.ts";
import { readSteps } from "./lesson_page.ts";
import { playPage } from "./lesson_player.ts";

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
  for (const { language, page, file } of PAGES) test(`${page} (${language})`, () => playPage(file));
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
  const listed = (await list([], { LANG: "pt_BR.UTF-8" })).slice(0, LESSONS.length);
  assert.deepEqual(
    listed,
    LESSONS.map(({ title }, index) => `Lição ${index + 1}: ${title.pt}`),
  );
  assert.match((await list(["--lang", "en"], { LANG: "pt_BR.UTF-8" }))[6] ?? "", /^Lesson 7: the group/);
});

for (const [args, problem] of [
  [["8"], /^Cannot start lesson 8: there are 1 to 7\nTry: npm run lesson/],
  [["1", "--lang", "fr"], /--lang .*one of en, pt/],
  [["1", "--plan", "explode"], /--plan .*ok, silent, lost/],
  [["x"], /^Cannot start lesson: Unknown argument/],
] as const) {
  test(`lesson.ts ${args.join(" ")} ends at once with code 2 and a line that shows a right one`, async () => {
    const lesson = startRole("lesson.ts", [...args]);
    assert.equal(await lesson.exitCode(), 2);
    assert.match(lesson.stderr(), problem);
    assert.doesNotMatch(lesson.stderr(), /^\s+at /m);
  });
}

test("the glossaries have every event, fault and outcome, and the same words", () => {
  const wordsOf = (file: string) =>
    [...readFileSync(`${ROOT}/docs/${file}`, "utf8").matchAll(/^\| `(.+?)` \|/gm)].map(([, word]) => word);
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
