/**
 * docs/OPTIONS.md, made from the tables by which the roles read their command lines.
 *
 *     npx tsx docs/options.ts          writes the tables into the page
 *
 * Where the table of a role goes, the page has `<!-- options: FILE -->` before it and `<!-- /options -->`
 * after it; what stands around stays.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Options } from "yargs";
import { OPTIONS as client } from "../client.ts";
import { OPTIONS as discovery } from "../discovery.ts";
import { OPTIONS as monitor } from "../monitor.ts";
import { runIfMain } from "../plumbing/run.ts";
import { OPTIONS as receiver } from "../receiver.ts";

export const PAGE = `${import.meta.dirname}/OPTIONS.md`;

type Table = Readonly<Record<string, Options>>;
const TABLES: Readonly<Record<string, Table>> = { discovery, receiver, client, monitor };

/** What no table can say: it differs from machine to machine. */
const DEFAULTS: Readonly<Record<string, string>> = { "advertise-host": "the host name" };

/** The table of a role, a row for each option. */
function drawTable(role: string, table: Table): string {
  const rows = Object.entries(table).map(([name, entry]) => {
    const variable = `ACK_${role.toUpperCase()}_${name.replaceAll("-", "_").toUpperCase()}`;
    return `| \`--${name}\` | \`${variable}\` | ${defaultOf(name, entry)} | ${describe(entry)} |\n`;
  });
  return `| option | in the environment | default | |\n|---|---|---|---|\n${rows.join("")}`;
}

/** An option without a default says in words what happens then: `how many [default: no end]`. */
function splitDescription(entry: Options): { what: string; otherwise: string } {
  const [, what = "", otherwise = "none"] = entry.describe?.match(/^(.*?)(?: \[default: (.*)\])?$/s) ?? [];
  return { what, otherwise };
}

function defaultOf(name: string, entry: Options): string {
  if (DEFAULTS[name] !== undefined) return DEFAULTS[name];
  if (entry.type === "boolean") return "off";
  return entry.default === undefined ? splitDescription(entry).otherwise : `\`${entry.default}\``;
}

function describe(entry: Options): string {
  const choices = entry.choices?.map((choice) => `\`${choice}\``).join(", ");
  const { what } = splitDescription(entry);
  return (choices === undefined ? what : `${what}: ${choices}`).replaceAll("|", "\\|");
}

/**
 * Puts the table of each role where it goes.
 *
 * @throws {Error} "Cannot place …" when the page has no place for one
 */
export function placeOptions(page: string): string {
  let placed = page;
  for (const [role, table] of Object.entries(TABLES)) {
    const [before, after] = [`<!-- options: ${role}.ts -->\n`, "<!-- /options -->"];
    const start = placed.indexOf(before) + before.length;
    const end = placed.indexOf(after, start);
    if (start < before.length || end < 0) throw new Error(`Cannot place the options of ${role}: no marker`);
    placed = `${placed.slice(0, start)}${drawTable(role, table)}${placed.slice(end)}`;
  }
  return placed;
}

async function main(): Promise<number> {
  writeFileSync(PAGE, placeOptions(readFileSync(PAGE, "utf8")));
  return 0;
}

await runIfMain(import.meta, main);
