/** How long something took, in few words: 1 ms, 2.5 s, 3 min 20 s. Whatever writes one into the diagram calls it. */
import { languageCode } from "./text.js";

/** Longer than a second, to the second. @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${ms.toLocaleString(languageCode())} ms`;
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = [
    [hours, "h"],
    [minutes, "min"],
    [hours > 0 ? 0 : seconds % 60, "s"],
  ];
  const told = parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`]));
  return told.join(" ");
}
