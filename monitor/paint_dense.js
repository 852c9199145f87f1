/**
 * Paints the messages of a large group: thousands in view at the same time, where nobody could read a
 * label. Thin lines, many of them in one stroke, and small squares as heads cost a tenth of the whole thing.
 * paint_shapes.js calls it.
 *
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {import("./layout.js").Arrow} Arrow
 * @typedef {(x1: number, x2: number) => boolean} IsSeen
 */
import { COLORS, line } from "./pen.js";

const LINES_A_STROKE = 200;

/** @param {import("./pen.js").Pen} pen @param {Shape[]} shapes @param {IsSeen} isSeen */
export function paintDense(pen, shapes, isSeen) {
  for (const { x, from, to, broken } of shapes.filter((shape) => shape.kind === "lane"))
    if (!broken && isSeen(x, x))
      line(pen, { x, y: from }, { x, y: to }, { color: COLORS.laneLine, width: 2 });

  pen.fillStyle = COLORS.bar;
  for (const { x, from, filledTo, to } of shapes.filter((shape) => shape.kind === "bar"))
    if (isSeen(x, x)) pen.fillRect(x - 3, from, 6, Math.max(1, Math.min(filledTo, to) - from));

  const arrows = shapes.filter((shape) => shape.kind === "arrow" && isSeen(shape.from.x, shape.to.x));
  paintArrows(pen, /** @type {Arrow[]} */ (arrows), isSeen);
  paintCrosses(pen, shapes, isSeen);
}

/** @param {import("./pen.js").Pen} pen @param {Arrow[]} arrows @param {IsSeen} isSeen */
function paintArrows(pen, arrows, isSeen) {
  pen.lineWidth = 1;
  pen.globalAlpha = 0.3; // there are several on each pixel: the more, the darker
  for (const what of /** @type {const} */ (["ack", "message"])) {
    const alike = arrows.filter((arrow) => arrow.what === what);
    pen.strokeStyle = COLORS[what];
    strokeAll(
      pen,
      alike.filter(({ dashed }) => !dashed),
    );
    pen.setLineDash([7, 5]);
    strokeAll(
      pen,
      alike.filter(({ dashed }) => dashed),
    );
    pen.setLineDash([]);
    pen.fillStyle = COLORS[what];
    for (const { to, head } of alike)
      if (head !== "none" && head !== "cross" && isSeen(to.x, to.x))
        pen.fillRect(to.x - 2.5, to.y - 2.5, 5, 5);
  }
  pen.globalAlpha = 1;
}

/** @param {import("./pen.js").Pen} pen @param {Arrow[]} arrows */
function strokeAll(pen, arrows) {
  for (let start = 0; start < arrows.length; start += LINES_A_STROKE) {
    pen.beginPath();
    for (const { from, to } of arrows.slice(start, start + LINES_A_STROKE)) {
      pen.moveTo(from.x, from.y);
      pen.lineTo(to.x, to.y);
    }
    pen.stroke();
  }
}

/** @param {import("./pen.js").Pen} pen @param {Shape[]} shapes @param {IsSeen} isSeen */
function paintCrosses(pen, shapes, isSeen) {
  const places = shapes.flatMap((shape) => {
    if (shape.kind === "unsent" || (shape.kind === "mark" && shape.mark !== "majority")) return [shape];
    return shape.kind === "arrow" && shape.head === "cross" ? [shape.to] : [];
  });
  pen.strokeStyle = COLORS.crash;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const { x, y } of places) {
    if (!isSeen(x, x)) continue;
    pen.moveTo(x - 4, y - 4);
    pen.lineTo(x + 4, y + 4);
    pen.moveTo(x - 4, y + 4);
    pen.lineTo(x + 4, y - 4);
  }
  pen.stroke();
}
