import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { drawAll, FILES, placeDiagrams } from "../docs/diagrams.ts";

test("the diagrams of the READMEs are what the program does (if not: npm run diagrams)", async () => {
  const diagrams = await drawAll();
  for (const file of FILES) {
    const written = readFileSync(file, "utf8");
    assert.equal(placeDiagrams(written, diagrams), written);
  }
});
