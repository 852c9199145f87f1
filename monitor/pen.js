/**
 * The strokes that the diagram is made of, and its colors. Whatever paints on the canvas calls it.
 *
 * @typedef {import("./layout.js").Point} Point
 * @typedef {CanvasRenderingContext2D} Canvas
 */

export const COLORS = {
  message: "#b5127f",
  ack: "#1f4fbf",
  bar: "#f0a21b",
  barEdge: "#9a5b00",
  lane: "#8a8f98",
  laneLine: "#b9bec6",
  crash: "#333",
  text: "#1c1f24",
  beat: "#c3c8d0",
};

/**
 * @param {Canvas} ctx @param {Point} from @param {Point} to
 * @param {{ color: string, width: number, dash?: number[] }} stroke
 */
export function line(ctx, from, to, { color, width, dash = [] }) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(from.x, from.y);
  ctx.lineTo(to.x, to.y);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** The head of an arrow. @param {Canvas} ctx @param {Point} at @param {number} angle @param {{ color: string, hollow: boolean }} look */
export function paintHead(ctx, { x, y }, angle, { color, hollow }) {
  ctx.beginPath();
  ctx.moveTo(x, y);
  for (const turn of [-0.45, 0.45])
    ctx.lineTo(x - Math.cos(angle + turn) * 13, y - Math.sin(angle + turn) * 13);
  ctx.closePath();
  ctx.fillStyle = hollow ? "#fff" : color;
  ctx.fill();
  if (!hollow) return;
  ctx.strokeStyle = color;
  ctx.lineWidth = 2;
  ctx.stroke();
}

/** @param {Canvas} ctx @param {Point} at @param {{ color: string, size: number }} look */
export function paintCross(ctx, { x, y }, { color, size }) {
  // White below, so that it can be told from the lines that it is on.
  for (const stroke of [
    { color: "#fff", width: 7 },
    { color, width: 3.5 },
  ]) {
    line(ctx, { x: x - size, y: y - size }, { x: x + size, y: y + size }, stroke);
    line(ctx, { x: x - size, y: y + size }, { x: x + size, y: y - size }, stroke);
  }
}
