/** Ids that are never given twice, and are short, as they are keys all along their way. client.ts names its messages by them. */
import { randomBytes } from "node:crypto";

const RANDOM_BYTES = 6; // docs/PROTOCOL.md says what chance that leaves for two that are the same

/**
 * Makes a function that gives `1-4f2a61…`, `2-4f2a61…`: which, and whose. Whose is the end of a name and chance, as a name
 * alone may come twice. Those that people are shown, eight characters, are different too.
 */
export function createIds(name: string): () => string {
  const whose = name.slice(-6) + randomBytes(RANDOM_BYTES).toString("hex");
  let given = 0;
  return () => {
    given += 1;
    return `${given}-${whose}`;
  };
}
