/**
 * Paints what stands beside and above the diagram: the time, and the names of the processes.
 * paint_diagram.js calls it.
 *
 * @typedef {{ title: string, detail: string, x: number, color: string, gone: boolean }} Name
 */
import { COLORS, line } from "./pen.js";
import { PX_PER_MS, yOf } from "./scale.js";

/** Lanes that are closer than that have slanted names. */
export const SLANTED_BELOW = 76;
const WIDE_FROM = 130; // from there on a name has room for its detail

/**
 * The seconds at the left, and a line for each.
 * @param {CanvasRenderingContext2D} ctx @param {{ from: number, width: number, height: number }} view
 */
export function paintTime(ctx, { from, width, height }) {
  ctx.font = "13px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const to = from + height / PX_PER_MS;
  for (let at = Math.ceil(from / 1000) * 1000; at < to; at += 1000) {
    const y = Math.round(yOf(at, { from })) + 0.5;
    line(ctx, { x: 0, y }, { x: width, y }, { color: "#eef0f3", width: 1 });
    const time = new Date(at).toTimeString().slice(0, 8);
    ctx.fillStyle = "#555b66";
    ctx.fillText(at % 5000 === 0 ? time : time.slice(5), 2, y);
  }
}

/**
 * The names above the lanes; slanted where the lanes are close.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Name[]} names
 * @param {{ left: number, gap: number, width: number, height: number }} view
 */
export function paintNames(ctx, names, { left, gap, width, height }) {
  ctx.fillStyle = "#fff";
  ctx.fillRect(0, 0, width, height);
  line(ctx, { x: 0, y: height - 0.5 }, { x: width, y: height - 0.5 }, { color: "#c3c8d0", width: 1 });
  ctx.textBaseline = "alphabetic";
  for (const name of names) {
    if (name.x < left - 80 || name.x > left + width + 80) continue;
    ctx.save();
    ctx.translate(name.x - left, height - 8);
    paintName(ctx, name, gap);
    ctx.restore();
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {Name} name @param {number} gap */
function paintName(ctx, { title, detail, color, gone }, gap) {
  const isWide = gap >= WIDE_FROM;
  ctx.fillStyle = color;
  ctx.fillRect(-7, -4, 14, 8);
  ctx.fillStyle = gone ? "#6b7078" : COLORS.text;
  ctx.font = isWide ? "600 16px ui-monospace, monospace" : "600 14px ui-monospace, monospace";
  if (gap < SLANTED_BELOW) {
    ctx.rotate(-Math.PI / 3.2);
    ctx.textAlign = "left";
    ctx.fillText(gap < 40 ? title.slice(0, 6) : title, 10, 4);
    return;
  }
  ctx.textAlign = "center";
  ctx.fillText(title, 0, isWide ? -30 : -14);
  ctx.font = "13px system-ui, sans-serif";
  if (isWide) ctx.fillText(detail, 0, -12);
}
