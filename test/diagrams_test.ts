import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { drawAll } from "../docs/diagrams.ts";

test("the diagrams of the documentation are what the program does (if not: npm run diagrams)", async () => {
  const written = readFileSync(`${import.meta.dirname}/../docs/diagrams.md`, "utf8");
  assert.equal(await drawAll(), written);
});
