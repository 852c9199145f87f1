import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { test } from "node:test";
import { drawLicences, PAGE as LICENCES } from "../docs/licences.ts";
import { PAGE, placeOptions } from "../docs/options.ts";

const ROOT = resolve(import.meta.dirname, "..");
const READMES = ["README.md", "README.pt-BR.md"];
const MANUALS = readdirSync(`${ROOT}/docs`, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".md"),
);
const PAGES = [...READMES, ...MANUALS.map((name) => `docs/${name}`)];
const MAX_README_LINES = 250;

function read(file: string): string {
  return readFileSync(resolve(ROOT, file), "utf8");
}

/** A page without its code blocks, where `[a](b)` and `# a` are no Markdown. */
function readProse(page: string): string {
  return read(page).replace(/^```.*?^```$/gms, "");
}

/** The names by which the headings of a page can be linked to, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of readProse(page).matchAll(/^#+ +(.*)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    let name = anchor;
    for (let count = 1; anchors.has(name); count++) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  return anchors;
}

/** The lines, from 1, on which a file declares a function or a type of that name. */
function declarationsOf(name: string, file: string): number[] {
  const declares = new RegExp(
    `^ *(export )?(default )?(async )?(function\\*?|const|class|interface|type) ${name}\\b`,
  );
  return read(file)
    .split("\n")
    .flatMap((line, index) => (declares.test(line) ? [index + 1] : []));
}

/** What is wrong with a link, if anything. */
function problemWith(page: string, text: string, target: string): string | undefined {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : relative(ROOT, resolve(ROOT, dirname(page), path));
  if (!existsSync(resolve(ROOT, file))) return `there is no ${file}`;
  if (anchor === undefined) return undefined;
  if (file.endsWith(".md"))
    return anchorsOf(file).has(anchor) ? undefined : `${file} has no section #${anchor}`;
  const line = Number(anchor.match(/^L(\d+)$/)?.[1]);
  if (statSync(resolve(ROOT, file)).isDirectory() || !(line <= read(file).split("\n").length))
    return `${file} has no line #${anchor}`;
  const [, name] = text.match(/^`(\w+)(?:\(\))?`$/) ?? [];
  if (name === undefined) return undefined;
  const lines = declarationsOf(name, file);
  if (lines.includes(line)) return undefined;
  return lines.length === 0
    ? `${file} declares no ${name}`
    : `${name} is on line ${lines.join(" or ")} of ${file}`;
}

for (const page of PAGES) {
  test(`the links of ${page} lead to files, sections and functions that are there`, () => {
    const links = [...readProse(page).matchAll(/\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g)];
    const wrong = links.flatMap(([link, text = "", target = ""]) => {
      const problem = /^[a-z]+:/.test(target) ? undefined : problemWith(page, text, target);
      return problem === undefined ? [] : [`${link}: ${problem}`];
    });
    assert.deepEqual(wrong, []);
  });
}

test("docs/OPTIONS.md has the options that the roles take (if not: npx tsx docs/options.ts)", () => {
  const written = readFileSync(PAGE, "utf8");
  assert.equal(placeOptions(written), written);
});

test("docs/LICENCES.md has the packages that ship (if not: npm run licences)", () => {
  assert.equal(drawLicences(), readFileSync(LICENCES, "utf8"));
});

test("a package that ships must have a licence that is allowed", () => {
  const lockWith = (entry: object) => ({
    packages: { "node_modules/a/node_modules/b": { version: "1.0.0", ...entry } },
  });
  const refused =
    /Cannot ship b 1\.0\.0: its licence is (GPL-3\.0-only|none|\(GPL-2\.0 OR LGPL-2\.1\)), not one of MIT/;
  for (const license of ["GPL-3.0-only", undefined, "(GPL-2.0 OR LGPL-2.1)"])
    assert.throws(() => drawLicences(lockWith({ license })), refused);
  assert.match(
    drawLicences(lockWith({ license: "(MIT OR GPL-3.0)" })),
    /^\| `b` \| 1\.0\.0 \| \(MIT OR GPL-3\.0\) \| all \|$/m,
  );
  for (const absent of [{ dev: true }, { os: ["darwin"] }])
    assert.doesNotMatch(drawLicences(lockWith({ license: "GPL-3.0-only", ...absent })), /`b`/);
});

for (const readme of READMES) {
  test(`${readme} has at most ${MAX_README_LINES} lines`, () => {
    assert.ok(read(readme).trimEnd().split("\n").length <= MAX_README_LINES);
  });
}

test("each test that docs/LIMITS.md names is there", () => {
  const page = read("docs/LIMITS.md");
  let found = 0;
  for (const [, file, names = ""] of page.matchAll(/`(\w+_(?:test|suite))`: ((?:"[^"]+"(?:, )?)+)/g)) {
    const source = read(`test/${file}.ts`);
    for (const [, name = ""] of names.matchAll(/"([^"]+)"/g)) {
      assert.ok(source.includes(name), `test/${file}.ts has no test "${name}…"`);
      found += 1;
    }
  }
  assert.ok(found > 50, `${found} tests are named`);
});
