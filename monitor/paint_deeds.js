/**
 * Paints what the teacher's desk did: a head that points at the lane, as it came from outside, and a badge with its word.
 * paint_shapes.js calls it.
 *
 * @typedef {import("./pen.js").Pen} Pen
 * @typedef {import("./deeds.js").DeedName} DeedName
 */
import { placeLabel, widthOf } from "./labels.js";
import { COLORS, paintHead } from "./pen.js";

/** @type {Record<DeedName, string>} */
export const SIGNS = {
  ...{ killed: "✕", suspended: "‖", resumed: "►", toldToEnd: "■" },
  ...{ launched: "+", givenFault: "!", givenRate: "%" },
};
const HEAD = 14; // its length, in pixels

/** @param {Pen} pen @param {import("./deeds.js").DeedShape} deed @param {import("./labels.js").Labels} labels */
export function paintDeed(pen, { deed, x, y, label }, labels) {
  paintHead(pen, { x: x - 2, y }, 0, { color: COLORS.desk, hollow: false });
  const words = {
    text: `${SIGNS[deed]} ${label}`,
    color: COLORS.desk,
    badge: true,
    alpha: pen.globalAlpha,
    look: /** @type {const} */ ("deed"),
  };
  const aside = HEAD + 4 + widthOf(words) / 2;
  placeLabel(labels, words, [
    ...[0, 14, -14, 28, -28, 42].map((down) => ({ x: x - aside, y: y + down })),
    ...[14, -14, 28, -28, 42].map((down) => ({ x: x + aside, y: y + down })),
  ]);
}
