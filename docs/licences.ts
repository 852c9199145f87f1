/**
 * docs/LICENCES.md, made from the lock file: under which licence each package is that gets into an image.
 *
 *     npx tsx docs/licences.ts          writes the page; fails on a licence that isn't allowed
 */
import { readFileSync, writeFileSync } from "node:fs";
import { runIfMain } from "../plumbing/run.ts";

export const PAGE = `${import.meta.dirname}/LICENCES.md`;
const LOCK = `${import.meta.dirname}/../package-lock.json`;

/** All of them allow nearly everything; each text has to stay with its package, which it does. */
const ALLOWED = ["MIT", "ISC", "BSD-2-Clause"];
/** What the client's image has, as there people type `tsx client.ts`, and the others don't. */
const ONLY_CLIENT = /^(tsx|esbuild|@esbuild\/.*)$/;
/** npm takes it for an optional part of what ships; the Dockerfiles leave it out. */
const LEFT_OUT = /^@?typescript(\/|$)/;

interface Package {
  version?: string;
  license?: string;
  dev?: boolean;
  os?: string[];
}
type Lock = { packages: Record<string, Package> };

/** The packages that ship: all but those for work on the project, or for other systems than the images'. */
function listShipped({ packages }: Lock): { name: string; version: string; licence: string }[] {
  return Object.entries(packages).flatMap(([path, { version = "?", license = "none", dev, os }]) => {
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const isElsewhere = dev || LEFT_OUT.test(name) || os?.includes("linux") === false;
    return path === "" || isElsewhere ? [] : [{ name, version, licence: license }];
  });
}

/** Of `(MIT OR CC0-1.0)` one may choose. */
function isAllowed(licence: string): boolean {
  return licence
    .replace(/^\((.*)\)$/, "$1")
    .split(" OR ")
    .some((choice) => ALLOWED.includes(choice));
}

/**
 * The whole page.
 *
 * @throws {Error} "Cannot ship …" when a licence isn't allowed
 */
export function drawLicences(lock: Lock = JSON.parse(readFileSync(LOCK, "utf8"))): string {
  const shipped = listShipped(lock);
  const refused = shipped.find(({ licence }) => !isAllowed(licence));
  if (refused) {
    const { name, version, licence } = refused;
    throw new Error(
      `Cannot ship ${name} ${version}: its licence is ${licence}, not one of ${ALLOWED.join(", ")}; choose another package, or allow it in docs/licences.ts`,
    );
  }
  const rows = shipped.map(({ name, version, licence }) => {
    return `| \`${name}\` | ${version} | ${licence} | ${ONLY_CLIENT.test(name) ? "client" : "all"} |\n`;
  });
  return `# Licences

What the images hold besides the project itself (MIT, [LICENSE](../LICENSE)) and their base, with all that these
packages need. \`npm run licences\` makes this page from the lock file, and fails on a licence other than
${ALLOWED.join(", ")}. \`npm run -s sbom\` prints the same list for programs, as CycloneDX.

| package | version | licence | in the image of |
|---|---|---|---|
${[...new Set(rows)].sort().join("")}`;
}

async function main(): Promise<number> {
  writeFileSync(PAGE, drawLicences());
  return 0;
}

await runIfMain(import.meta, main);
