/**
 * Paints the messages of a large group: thousands in view at the same time, where nobody could read a
 * label. Thin lines, many of them in one stroke, and small squares as heads cost a tenth of the whole thing.
 *
 * @typedef {import("./layout.js").Shape} Shape
 */
import { COLORS } from "./paint.js";

const LINES_A_STROKE = 200;

/** @param {CanvasRenderingContext2D} ctx @param {Shape[]} shapes @param {(a: number, b: number) => boolean} isSeen */
export function paintDense(ctx, shapes, isSeen) {
  const bars = shapes.filter((shape) => shape.kind === "bar");
  ctx.fillStyle = COLORS.bar;
  for (const { x, from, filledTo, to } of bars)
    if (isSeen(x, x)) ctx.fillRect(x - 3, from, 6, Math.max(1, Math.min(filledTo, to) - from));

  const arrows = shapes.filter((shape) => shape.kind === "arrow");
  ctx.lineWidth = 1;
  ctx.globalAlpha = 0.3; // there are several on each pixel: the more, the darker
  for (const what of /** @type {const} */ (["ack", "message"])) {
    const seen = arrows.filter((arrow) => arrow.what === what && isSeen(arrow.from.x, arrow.to.x));
    ctx.strokeStyle = COLORS[what];
    for (const dashed of [false, true]) {
      ctx.setLineDash(dashed ? [7, 5] : []);
      const alike = seen.filter((arrow) => arrow.dashed === dashed);
      for (let start = 0; start < alike.length; start += LINES_A_STROKE) {
        ctx.beginPath();
        for (const { from, to } of alike.slice(start, start + LINES_A_STROKE)) {
          ctx.moveTo(from.x, from.y);
          ctx.lineTo(to.x, to.y);
        }
        ctx.stroke();
      }
    }
    ctx.fillStyle = COLORS[what];
    for (const { to, head } of seen)
      if (head !== "none" && head !== "cross" && isSeen(to.x, to.x))
        ctx.fillRect(to.x - 2.5, to.y - 2.5, 5, 5);
  }

  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
  ctx.strokeStyle = COLORS.crash;
  ctx.lineWidth = 2;
  ctx.beginPath();
  for (const shape of shapes) {
    const at =
      shape.kind === "cross"
        ? shape
        : shape.kind === "arrow" && shape.head === "cross"
          ? shape.to
          : undefined;
    if (!at || !isSeen(at.x, at.x)) continue;
    ctx.moveTo(at.x - 4, at.y - 4);
    ctx.lineTo(at.x + 4, at.y + 4);
    ctx.moveTo(at.x - 4, at.y + 4);
    ctx.lineTo(at.x + 4, at.y - 4);
  }
  ctx.stroke();
}
