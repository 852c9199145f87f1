/**
 * Paints the shapes of the diagram on a canvas: hundreds of arrows a second would be too many elements
 * for the page. What is painted can be read as text in the list of messages. paint_diagram.js calls it.
 *
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {import("./layout.js").Arrow} Arrow
 * @typedef {import("./layout.js").Bar} Bar
 * @typedef {import("./layout.js").Lane} Lane
 * @typedef {import("./labels.js").Labels} Labels
 */
import { createLabels, paintLabels, placeLabel } from "./labels.js";
import { paintDense } from "./paint_dense.js";
import { COLORS, line, paintCross, paintHead } from "./pen.js";

const DENSE_ABOVE = 1500; // shapes in view
const FONT = "600 16px system-ui, sans-serif";

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Shape[]} shapes
 * @param {{ left: number, height: number, width: number, selected: string | undefined }} view `left`: how far it is scrolled
 */
export function paintShapes(ctx, shapes, { left, width, height, selected }) {
  ctx.save();
  ctx.translate(-left, 0);
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  const isSeen = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.max(a, b) > left - 40 && Math.min(a, b) < left + width + 40;
  const isDense = shapes.length > DENSE_ABOVE;
  if (isDense) paintDense(ctx, shapes, isSeen);
  const labels = createLabels();
  for (const shape of shapes) {
    // Of a large group, one message at a time is shown in full: the one that was picked.
    const isPicked = "message" in shape && selected !== undefined && shape.message === selected;
    if (isDense && !isPicked && shape.kind !== "beat") continue;
    if (shape.kind === "bar" && !isSeen(shape.x, shape.x)) continue;
    if (shape.kind === "arrow" && !(isSeen(shape.from.x, shape.to.x) && isBetween(shape, height))) continue;
    ctx.globalAlpha = selected && "message" in shape && !isPicked ? 0.25 : 1;
    paintShape(ctx, shape, labels);
  }
  paintLabels(ctx, labels);
  ctx.restore();
}

/** @param {Arrow} arrow @param {number} height */
function isBetween({ from, to }, height) {
  return Math.max(to.y, from.y) > -20 && from.y < height + 20;
}

/** @param {CanvasRenderingContext2D} ctx @param {Shape} shape @param {Labels} labels */
function paintShape(ctx, shape, labels) {
  switch (shape.kind) {
    case "lane":
      return paintLane(ctx, shape);
    case "beat":
      return line(ctx, shape.from, shape.to, { color: COLORS.beat, width: 1 });
    case "bar":
      return paintBar(ctx, shape);
    case "link":
      return line(ctx, shape.from, shape.to, { color: COLORS.message, width: 2, dash: [2, 4] });
    case "cross":
      return paintCross(ctx, shape, { color: COLORS.crash, size: 8 });
    case "unsent":
      return paintCross(ctx, shape, { color: COLORS.message, size: 7 });
    case "arrow":
      return paintArrow(ctx, shape, labels);
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Lane} lane */
function paintLane(ctx, { x, from, to, broken }) {
  const [top, bottom] = [
    { x, y: from },
    { x, y: to },
  ];
  line(ctx, top, bottom, broken ? { color: "#fff", width: 7 } : { color: COLORS.laneLine, width: 3 });
  if (broken) line(ctx, top, bottom, { color: COLORS.lane, width: 5, dash: [3, 7] });
}

/** @param {CanvasRenderingContext2D} ctx @param {Bar} bar */
function paintBar(ctx, { x, from, to, filledTo, timedOut }) {
  ctx.fillStyle = "#fdf0d4";
  ctx.fillRect(x - 3, from, 6, to - from);
  ctx.fillStyle = COLORS.bar;
  ctx.fillRect(x - 3, from, 6, Math.max(0, Math.min(filledTo, to) - from));
  if (to - from < 8) return;
  ctx.strokeStyle = COLORS.barEdge;
  ctx.lineWidth = 1;
  ctx.strokeRect(x - 3, from, 6, to - from);
  if (timedOut) paintClock(ctx, x, to);
}

/** Round, with two hands. @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y */
function paintClock(ctx, x, y) {
  ctx.beginPath();
  ctx.arc(x, y, 7, 0, 2 * Math.PI);
  ctx.fillStyle = "#fff";
  ctx.fill();
  ctx.lineWidth = 2;
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x, y - 5);
  ctx.lineTo(x, y);
  ctx.lineTo(x + 3, y + 2);
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {Arrow} arrow @param {Labels} labels */
function paintArrow(ctx, { what, from, to, head, dashed, label, mark, retry }, labels) {
  const color = COLORS[what];
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const hasHead = head === "filled" || head === "hollow";
  const short = hasHead ? 10 : 0;
  const end = { x: to.x - Math.cos(angle) * short, y: to.y - Math.sin(angle) * short };
  line(ctx, from, end, { color, width: what === "message" ? 2.5 : 2, dash: dashed ? [7, 5] : [] });
  if (hasHead) paintHead(ctx, to, angle, { color, hollow: head === "hollow" });
  if (head === "cross") paintCross(ctx, to, { color, size: 6 });
  const ahead = Math.sign(to.x - from.x);
  if (head === "question")
    placeLabel(ctx, labels, { text: "?", x: to.x + ahead * 10, y: to.y, color, badge: false });
  const text = [label, mark].filter(Boolean).join(" ");
  if (!text || Math.abs(to.x - from.x) < 30) return;
  // Near the head: there the arrows of one send to the group are apart.
  const x = to.x - ahead * (text.length * 5 + 22);
  const y = to.y + (what === "ack" ? 13 : -14);
  placeLabel(ctx, labels, { text, x, y, color, badge: retry && label !== "" });
}
