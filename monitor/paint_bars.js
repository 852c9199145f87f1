/**
 * Paints the bars beside a client's lane: how long it waits, filled as far as it has waited; one that is no
 * longer needed is gray. paint_shapes.js calls it.
 *
 * @typedef {import("./pen.js").Pen} Pen
 */
import { COLORS } from "./pen.js";

/** @param {Pen} pen @param {import("./layout.js").Bar} bar */
export function paintBar(pen, { x, from, to, filledTo, timedOut, notNeeded }) {
  pen.fillStyle = "#fdf0d4";
  pen.fillRect(x - 3, from, 6, to - from);
  pen.fillStyle = notNeeded ? COLORS.beat : COLORS.bar;
  pen.fillRect(x - 3, from, 6, Math.max(0, Math.min(filledTo, to) - from));
  if (to - from < 8) return;
  pen.strokeStyle = notNeeded ? COLORS.lane : COLORS.barEdge;
  pen.lineWidth = 1;
  pen.strokeRect(x - 3, from, 6, to - from);
  if (timedOut) paintClock(pen, x, to);
}

/** Round, with two hands. @param {Pen} pen @param {number} x @param {number} y */
function paintClock(pen, x, y) {
  pen.beginPath();
  pen.arc(x, y, 7, 0, 2 * Math.PI);
  pen.fillStyle = "#fff";
  pen.fill();
  pen.lineWidth = 2;
  pen.stroke();
  pen.beginPath();
  pen.moveTo(x, y - 5);
  pen.lineTo(x, y);
  pen.lineTo(x + 3, y + 2);
  pen.stroke();
}
