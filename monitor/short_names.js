/** Names, ids and other texts from outside, harmless, and short enough for a picture. Whatever shows one calls it. */

// Control characters, what changes the direction of the text around it, ends of lines, and halves of a character.
const HARMFUL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** What can't be seen, or would disturb what stands around it, is shown as \x1b or \u202e. @param {string} text */
export function printable(text) {
  return text.replace(HARMFUL, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** The beginning of a text, no character cut in half. @param {string} text @param {number} length */
export function beginningOf(text, length) {
  return [...printable(text.slice(0, 2 * length))].slice(0, length).join("");
}

/** Ids are long; eight characters are enough to tell them apart. @param {string} id */
export function short(id) {
  return beginningOf(id, 8);
}

/** Of a name such as client-4f2a, what tells it from the others. @param {string} name */
export function shortName(name) {
  return short(name.replace(/^client-/, ""));
}
