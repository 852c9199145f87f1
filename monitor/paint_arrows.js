/**
 * Paints the arrows of the diagram, and offers their labels places. paint_shapes.js calls it.
 *
 * @typedef {import("./pen.js").Pen} Pen
 * @typedef {import("./layout.js").Arrow} Arrow
 * @typedef {import("./labels.js").Labels} Labels
 */
import { placeLabel, widthOf } from "./labels.js";
import { COLORS, line, paintCross, paintHead } from "./pen.js";

/** @param {Pen} pen @param {Arrow} arrow @param {Labels} labels */
export function paintArrow(pen, arrow, labels) {
  const { what, from, to, head, dashed } = arrow;
  const color = COLORS[what];
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const hasHead = head === "filled" || head === "hollow";
  const short = hasHead ? 10 : 0;
  const end = { x: to.x - Math.cos(angle) * short, y: to.y - Math.sin(angle) * short };
  line(pen, from, end, { color, width: what === "message" ? 2.5 : 2, dash: dashed ? [7, 5] : [] });
  if (hasHead) paintHead(pen, to, angle, { color, hollow: head === "hollow" });
  if (head === "cross") paintCross(pen, to, { color, size: 6 });
  labelArrow(pen, arrow, labels);
}

/** @param {Pen} pen @param {Arrow} arrow @param {Labels} labels */
function labelArrow(pen, { what, from, to, head, label, mark, words, retry }, labels) {
  const ahead = Math.sign(to.x - from.x);
  const look = { color: COLORS[what], badge: false, alpha: pen.globalAlpha };
  const [number, small] = /** @type {const} */ (["number", "words"]);
  if (head === "question")
    placeLabel(labels, { ...look, text: "?", look: number }, [{ x: to.x + ahead * 10, y: to.y }]);
  const text = [label, what === "message" ? mark : ""].filter(Boolean).join(" ");
  if (text && Math.abs(to.x - from.x) >= 30) {
    // Near the head: there the arrows of one send to the group are apart.
    const x = to.x - ahead * (text.length * 5 + 22);
    placeLabel(labels, { ...look, text, badge: retry && label !== "", look: number }, [{ x, y: to.y - 14 }]);
  }
  const told = { ...look, text: tellEnd(what, mark, words), look: small };
  if (told.text === "") return;
  // At its own end, on the side that it came from, or beyond the lane: further off it would seem to be another's.
  const back = to.x - ahead * (widthOf(told) / 2 + 14);
  const beyond = to.x + ahead * (widthOf(told) / 2 + 24);
  const below = what === "ack" ? 15 : 17;
  placeLabel(labels, told, [
    ...[below, -17].map((down) => ({ x: back, y: to.y + down })),
    ...[0, below, -17].map((down) => ({ x: beyond, y: to.y + down })),
  ]);
}

/** An ack has no number: all that is said of it stands together. @param {Arrow["what"]} what @param {string} mark @param {string} words */
function tellEnd(what, mark, words) {
  return what === "ack" ? [words, mark].filter(Boolean).join(", ") : words;
}
