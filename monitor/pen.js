/**
 * The strokes that the diagram is made of, and its colors. Whatever paints on the canvas calls it.
 *
 * @typedef {import("./layout.js").Point} Point
 *
 * What they use of a canvas; svg_pen.js has the same.
 * @typedef {Pick<CanvasRenderingContext2D, "save" | "restore" | "translate" | "rotate" | "setLineDash" | "beginPath" | "moveTo" | "lineTo" | "closePath" | "arc" | "roundRect" | "clearRect" | "fillRect" | "strokeRect" | "stroke" | "fill" | "fillText" | "strokeText" | "fillStyle" | "strokeStyle" | "lineWidth" | "globalAlpha" | "font" | "textAlign" | "textBaseline">} Pen
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
  muted: "#6b7078",
  majority: "#1e6b2f",
  desk: "#00665e",
};

/**
 * @param {Pen} pen @param {Point} from @param {Point} to
 * @param {{ color: string, width: number, dash?: number[] }} stroke
 */
export function line(pen, from, to, { color, width, dash = [] }) {
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.lineTo(to.x, to.y);
  pen.stroke();
  pen.setLineDash([]);
}

/** The head of an arrow. @param {Pen} pen @param {Point} at @param {number} angle @param {{ color: string, hollow: boolean }} look */
export function paintHead(pen, { x, y }, angle, { color, hollow }) {
  pen.beginPath();
  pen.moveTo(x, y);
  for (const turn of [-0.45, 0.45])
    pen.lineTo(x - Math.cos(angle + turn) * 13, y - Math.sin(angle + turn) * 13);
  pen.closePath();
  pen.fillStyle = hollow ? "#fff" : color;
  pen.fill();
  if (!hollow) return;
  pen.strokeStyle = color;
  pen.lineWidth = 2;
  pen.stroke();
}

/** @param {Pen} pen @param {Point} at @param {{ color: string, size: number }} look */
export function paintCross(pen, { x, y }, { color, size }) {
  // White below, so that it can be told from the lines that it is on.
  for (const stroke of [
    { color: "#fff", width: 7 },
    { color, width: 3.5 },
  ]) {
    line(pen, { x: x - size, y: y - size }, { x: x + size, y: y + size }, stroke);
    line(pen, { x: x - size, y: y + size }, { x: x + size, y: y - size }, stroke);
  }
}
