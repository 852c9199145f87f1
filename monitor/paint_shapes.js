/**
 * Paints the shapes of the diagram on a canvas: hundreds of arrows a second would be too many elements
 * for the page. What is painted can be read as text in the list of messages. paint_frame.js calls it.
 *
 * @typedef {import("./pen.js").Pen} Pen
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {import("./layout.js").Arrow} Arrow
 * @typedef {import("./layout.js").Lane} Lane
 * @typedef {import("./layout.js").Link} Link
 * @typedef {import("./layout.js").Seam} Seam
 * @typedef {import("./labels.js").Labels} Labels
 */
import { createLabels, paintLabels, placeLabel, widthOf } from "./labels.js";
import { paintArrow } from "./paint_arrows.js";
import { paintBar } from "./paint_bars.js";
import { paintDeed } from "./paint_deeds.js";
import { paintDense } from "./paint_dense.js";
import { labelMark, paintMark } from "./paint_marks.js";
import { COLORS, line, paintCross } from "./pen.js";

const DENSE_ABOVE = 1500; // shapes in view
const ALWAYS_WHOLE = new Set(["beat", "seam", "deed"]);
const [ZIGZAG_PX, ZIGZAG_HIGH] = [12, 5];

/**
 * @param {Pen} pen
 * @param {Shape[]} shapes
 * @param {{ left: number, height: number, width: number, selected: string | undefined }} view `left`: how far it is scrolled
 */
export function paintShapes(pen, shapes, { left, width, height, selected }) {
  pen.save();
  pen.translate(-left, 0);
  pen.textBaseline = "middle";
  const isSeen = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.max(a, b) > left - 40 && Math.min(a, b) < left + width + 40;
  const isDense = shapes.length > DENSE_ABOVE;
  if (isDense) paintDense(pen, shapes, isSeen);
  const room = { left, right: left + width };
  const labels = createLabels(room);
  // Of a large group, one message at a time is shown in full: the one that was picked.
  const isPicked = (/** @type {Shape} */ shape) =>
    "message" in shape && selected !== undefined && shape.message === selected;
  const alphaOf = (/** @type {Shape} */ shape) =>
    selected && "message" in shape && shape.message !== "" && !isPicked(shape) ? 0.25 : 1;
  const painted = shapes.filter((shape) => {
    if (isDense && !isPicked(shape) && !ALWAYS_WHOLE.has(shape.kind)) return false;
    if ("x" in shape) return isSeen(shape.x, shape.x);
    return shape.kind !== "arrow" || (isSeen(shape.from.x, shape.to.x) && isBetween(shape, height));
  });
  // What a send to the group came to stands at its time: the other labels find their places around it.
  for (const shape of painted) if (isMajority(shape)) labelMark(shape, alphaOf(shape), labels);
  for (const shape of painted) {
    pen.globalAlpha = alphaOf(shape);
    if (shape.kind === "seam") paintSeam(pen, shape, labels, room);
    else paintShape(pen, shape, labels);
  }
  paintLabels(pen, labels);
  pen.restore();
}

/** @param {Shape} shape @returns {shape is import("./layout.js").Mark} */
function isMajority(shape) {
  return shape.kind === "mark" && shape.mark === "majority";
}

/** @param {Arrow} arrow @param {number} height */
function isBetween({ from, to }, height) {
  return Math.max(to.y, from.y) > -20 && from.y < height + 20;
}

/** @param {Pen} pen @param {Exclude<Shape, Seam>} shape @param {Labels} labels */
function paintShape(pen, shape, labels) {
  switch (shape.kind) {
    case "lane":
      return paintLane(pen, shape);
    case "beat":
      return line(pen, shape.from, shape.to, { color: COLORS.beat, width: 1 });
    case "bar":
      return paintBar(pen, shape);
    case "link":
      return paintLink(pen, shape, labels);
    case "mark":
      paintMark(pen, shape);
      return isMajority(shape) ? undefined : labelMark(shape, pen.globalAlpha, labels);
    case "deed":
      return paintDeed(pen, shape, labels);
    case "unsent":
      return paintCross(pen, shape, { color: COLORS.message, size: 7 });
    case "arrow":
      return paintArrow(pen, shape, labels);
  }
}

/** @param {Pen} pen @param {Lane} lane */
function paintLane(pen, { x, from, to, broken }) {
  const look = broken ? { color: COLORS.lane, width: 3, dash: [3, 7] } : { color: COLORS.laneLine, width: 3 };
  line(pen, { x, y: from }, { x, y: to }, look);
}

/** From an attempt to the next, which may go to another receiver. @param {Pen} pen @param {Link} link @param {Labels} labels */
function paintLink(pen, { from, to, label }, labels) {
  line(pen, from, to, { color: COLORS.message, width: 2, dash: [2, 4] });
  if (label === "") return;
  const words = wordsOf(label, COLORS.message, pen.globalAlpha);
  const x = to.x + 12 + widthOf(words) / 2;
  placeLabel(
    labels,
    words,
    [-16, -34, 40].map((down) => ({ x, y: to.y + down })),
  );
}

/** Two zigzags across all lanes, cut out between, with the words. @param {Pen} pen @param {Seam} seam @param {Labels} labels @param {{ left: number, right: number }} room */
function paintSeam(pen, { from, to, label }, labels, { left, right }) {
  const middle = from + (to - from) * 0.69; // above it is where arrows may end later than they should
  pen.fillStyle = "#fff";
  pen.fillRect(left, middle - 8, right - left, 16);
  pen.strokeStyle = COLORS.beat;
  pen.lineWidth = 1.5;
  for (const y of [middle - 8, middle + 8]) {
    pen.beginPath();
    const start = Math.floor(left / ZIGZAG_PX) * ZIGZAG_PX;
    pen.moveTo(start, y);
    for (let x = start; x < right; x += ZIGZAG_PX) {
      pen.lineTo(x + ZIGZAG_PX / 2, y - ZIGZAG_HIGH);
      pen.lineTo(x + ZIGZAG_PX, y);
    }
    pen.stroke();
  }
  placeLabel(labels, wordsOf(label, COLORS.muted, 1), [{ x: (left + right) / 2, y: middle - 2 }]);
}

/** @param {string} text @param {string} color @param {number} alpha @returns {import("./labels.js").Label} */
function wordsOf(text, color, alpha) {
  return { text, color, alpha, badge: false, look: "words" };
}
