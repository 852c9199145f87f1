/** Times in words. Whatever says when something was, or how long it took, calls it. */
import { languageCode } from "./text.js";

/** @param {number} at */
export function clockTime(at) {
  const date = new Date(at);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Such as 0,3 s. @param {number} ms */
export function duration(ms) {
  const [count, unit] = ms < 100 ? [ms, "ms"] : ms < 60_000 ? [ms / 1000, "s"] : [ms / 60_000, "min"];
  return `${count.toLocaleString(languageCode(), { maximumSignificantDigits: 3 })} ${unit}`;
}
