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

/** @param {CanvasRenderingContext2D} ctx @param {Shape[]} shapes @param {IsSeen} isSeen */
export function paintDense(ctx, shapes, isSeen) {
  for (const { x, from, to, broken } of shapes.filter((shape) => shape.kind === "lane"))
    if (!broken && isSeen(x, x))
      line(ctx, { x, y: from }, { x, y: to }, { color: COLORS.laneLine, width: 2 });

  ctx.fillStyle = COLORS.bar;
  for (const { x, from, filledTo, to } of shapes.filter((shape) => shape.kind === "bar"))
    if (isSeen(x, x)) ctx.fillRect(x - 3, from, 6, Math.max(1, Math.min(filledTo, to) - from));

  const arrows = shapes.filter((shape) => shape.kind === "arrow" && isSeen(shape.from.x, shape.to.x));
  paintArrows(ctx, /** @type {Arrow[]} */ (arrows), isSeen);
  paintCrosses(ctx, shapes, isSeen);
}

/** @param {CanvasRenderingContext2D} ctx @param {Arrow[]} arrows @param {IsSeen} isSeen */
function paintArrows(ctx, arrows, isSeen) {
  ctx.lineWidth = 1;
  ctx.globalAlpha = 0.3; // there are several on each pixel: the more, the darker
  for (const what of /** @type {const} */ (["ack", "message"])) {
    const alike = arrows.filter((arrow) => arrow.what === what);
    ctx.strokeStyle = COLORS[what];
    strokeAll(
      ctx,
      alike.filter(({ dashed }) => !dashed),
    );
    ctx.setLineDash([7, 5]);
    strokeAll(
      ctx,
      alike.filter(({ dashed }) => dashed),
    );
    ctx.setLineDash([]);
    ctx.fillStyle = COLORS[what];
    for (const { to, head } of alike)
      if (head !== "none" && head !== "cross" && isSeen(to.x, to.x))
        ctx.fillRect(to.x - 2.5, to.y - 2.5, 5, 5);
  }
  ctx.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} ctx @param {Arrow[]} arrows */
function strokeAll(ctx, arrows) {
  for (let start = 0; start < arrows.length; start += LINES_A_STROKE) {
    ctx.beginPath();
    for (const { from, to } of arrows.slice(start, start + LINES_A_STROKE)) {
      ctx.moveTo(from.x, from.y);
      ctx.lineTo(to.x, to.y);
    }
    ctx.stroke();
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Shape[]} shapes @param {IsSeen} isSeen */
function paintCrosses(ctx, shapes, isSeen) {
  const places = shapes.flatMap((shape) => {
    if (shape.kind === "cross" || shape.kind === "unsent") return [shape];
    return shape.kind === "arrow" && shape.head === "cross" ? [shape.to] : [];
  });
  ctx.strokeStyle = COLORS.crash;
  ctx.lineWidth = 2;
  ctx.beginPath();
  for (const { x, y } of places) {
    if (!isSeen(x, x)) continue;
    ctx.moveTo(x - 4, y - 4);
    ctx.lineTo(x + 4, y + 4);
    ctx.moveTo(x - 4, y + 4);
    ctx.lineTo(x + 4, y - 4);
  }
  ctx.stroke();
}
