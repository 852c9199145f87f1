/**
 * Paints the shapes of the diagram on a canvas: hundreds of arrows a second would be too many elements
 * for the page. What is painted can be read as text in the list of messages.
 *
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {import("./layout.js").Arrow} Arrow
 * @typedef {import("./layout.js").Bar} Bar
 */
import { paintDense } from "./paint_dense.js";
import { PX_PER_MS } from "./scale.js";

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
/** Lanes that are closer than that have slanted names. */
export const SLANTED_BELOW = 76;
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
  const labels = createLabels();
  const isSeen = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.max(a, b) > left - 40 && Math.min(a, b) < left + width + 40;
  const isDense = shapes.length > DENSE_ABOVE;
  if (isDense) {
    for (const { x, from, to, broken } of shapes.filter((shape) => shape.kind === "lane"))
      if (!broken && isSeen(x, x)) line(ctx, x, from, x, to, COLORS.laneLine, 2, []);
    paintDense(ctx, shapes, isSeen);
  }
  for (const shape of shapes) {
    // Of a large group, one message at a time is shown in full: the one that was picked.
    const isPicked = "message" in shape && selected !== undefined && shape.message === selected;
    if (isDense && !isPicked && shape.kind !== "beat") continue;
    ctx.setLineDash([]);
    ctx.globalAlpha = selected && "message" in shape && shape.message !== selected ? 0.25 : 1;
    switch (shape.kind) {
      case "lane":
        line(
          ctx,
          shape.x,
          shape.from,
          shape.x,
          shape.to,
          shape.broken ? "#fff" : COLORS.laneLine,
          shape.broken ? 7 : 3,
          [],
        );
        if (shape.broken) line(ctx, shape.x, shape.from, shape.x, shape.to, COLORS.lane, 5, [3, 7]);
        break;
      case "beat":
        line(ctx, shape.from.x, shape.from.y, shape.to.x, shape.to.y, COLORS.beat, 1, []);
        break;
      case "bar":
        if (isSeen(shape.x, shape.x)) paintBar(ctx, shape);
        break;
      case "link":
        line(ctx, shape.from.x, shape.from.y, shape.to.x, shape.to.y, COLORS.message, 2, [2, 4]);
        break;
      case "cross":
        paintCross(ctx, shape.x, shape.y, COLORS.crash, 8);
        break;
      case "arrow":
        if (
          isSeen(shape.from.x, shape.to.x) &&
          Math.max(shape.to.y, shape.from.y) > -20 &&
          shape.from.y < height + 20
        )
          paintArrow(ctx, shape, labels.place);
    }
  }
  labels.paint(ctx);
  ctx.restore();
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
  if (!timedOut) return;
  // A clock: round, with two hands.
  ctx.beginPath();
  ctx.arc(x, to, 7, 0, 2 * Math.PI);
  ctx.fillStyle = "#fff";
  ctx.fill();
  ctx.lineWidth = 2;
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x, to - 5);
  ctx.lineTo(x, to);
  ctx.lineTo(x + 3, to + 2);
  ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {Arrow} arrow @param {ReturnType<typeof createLabels>["place"]} place */
function paintArrow(ctx, { what, from, to, head, dashed, label, mark, retry }, place) {
  const color = COLORS[what];
  const angle = Math.atan2(to.y - from.y, to.x - from.x);
  const short = head === "filled" || head === "hollow" ? 10 : 0;
  const [x, y] = [to.x - Math.cos(angle) * short, to.y - Math.sin(angle) * short];
  line(ctx, from.x, from.y, x, y, color, what === "message" ? 2.5 : 2, dashed ? [7, 5] : []);
  ctx.setLineDash([]);
  if (short > 0) paintHead(ctx, to.x, to.y, angle, color, head === "hollow");
  if (head === "cross") paintCross(ctx, to.x, to.y, color, 6);
  if (head === "question") place(ctx, "?", to.x + Math.sign(to.x - from.x) * 10, to.y, color, false);
  const back = Math.sign(from.x - to.x);
  if (Math.abs(to.x - from.x) < 30) return;
  // Near the head: there the arrows of one send to the group are apart.
  const words = [label, mark].filter(Boolean).join(" ");
  if (words)
    place(
      ctx,
      words,
      to.x + back * (words.length * 5 + 22),
      to.y + (what === "ack" ? 13 : -14),
      color,
      retry && label !== "",
    );
}

/** Labels go over all lines. Those that would cover one another are left out: the list has them all. */
function createLabels() {
  /** @type {Set<string>} */
  const taken = new Set();
  /** @type {{ text: string, x: number, y: number, width: number, color: string, badge: boolean, alpha: number }[]} */
  const placed = [];
  return {
    /**
     * @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} x @param {number} y
     * @param {string} color @param {boolean} badge
     */
    place(ctx, text, x, y, color, badge) {
      const width = Math.max(12, text.length * 10);
      const cells = [];
      for (let column = Math.floor((x - width / 2) / 10); column <= (x + width / 2) / 10; column++)
        for (let row = Math.floor((y - 9) / 6); row <= (y + 9) / 6; row++) cells.push(`${column} ${row}`);
      if (cells.some((cell) => taken.has(cell))) return;
      for (const cell of cells) taken.add(cell);
      placed.push({ text, x, y, width, color, badge, alpha: ctx.globalAlpha });
    },

    /** @param {CanvasRenderingContext2D} ctx */
    paint(ctx) {
      ctx.textAlign = "center";
      ctx.setLineDash([]);
      for (const { text, x, y, width, color, badge, alpha } of placed) {
        ctx.globalAlpha = alpha;
        if (badge) {
          ctx.fillStyle = color;
          ctx.beginPath();
          ctx.roundRect(x - width / 2 - 3, y - 10, width + 6, 20, 6);
          ctx.fill();
        } else {
          ctx.strokeStyle = "#fff";
          ctx.lineWidth = 4;
          ctx.strokeText(text, x, y + 1);
        }
        ctx.fillStyle = badge ? "#fff" : color;
        ctx.fillText(text, x, y + 1);
      }
    },
  };
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2
 * @param {string} color @param {number} width @param {number[]} dash
 */
function line(ctx, x1, y1, x2, y2, color, width, dash) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  if (dash.length > 0) ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} angle
 * @param {string} color @param {boolean} hollow
 */
function paintHead(ctx, x, y, angle, color, hollow) {
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

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {string} color @param {number} size */
function paintCross(ctx, x, y, color, size) {
  for (const [paint, width] of /** @type {const} */ ([
    ["#fff", 7],
    [color, 3.5],
  ])) {
    line(ctx, x - size, y - size, x + size, y + size, paint, width, []);
    line(ctx, x - size, y + size, x + size, y - size, paint, width, []);
  }
}

/**
 * The seconds at the left, and a line for each.
 * @param {CanvasRenderingContext2D} ctx @param {{ from: number, width: number, height: number }} view
 */
export function paintTime(ctx, { from, width, height }) {
  ctx.font = "13px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (let at = Math.ceil(from / 1000) * 1000; (at - from) * PX_PER_MS < height; at += 1000) {
    const y = Math.round((at - from) * PX_PER_MS) + 0.5;
    line(ctx, 0, y, width, y, "#eef0f3", 1, []);
    const time = new Date(at).toTimeString().slice(0, 8);
    ctx.fillStyle = "#555b66";
    ctx.fillText(at % 5000 === 0 ? time : time.slice(5), 2, y);
  }
}

/**
 * The names above the lanes; slanted where the lanes are close.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{ title: string, detail: string, x: number, color: string, gone: boolean }[]} names
 * @param {{ left: number, gap: number, width: number, height: number }} view
 */
export function paintNames(ctx, names, { left, gap, width, height }) {
  ctx.fillStyle = "#fff";
  ctx.fillRect(0, 0, width, height);
  line(ctx, 0, height - 0.5, width, height - 0.5, "#c3c8d0", 1, []);
  ctx.textBaseline = "alphabetic";
  for (const { title, detail, x, color, gone } of names) {
    if (x < left - 80 || x > left + width + 80) continue;
    ctx.save();
    ctx.translate(x - left, height - 8);
    ctx.fillStyle = color;
    ctx.strokeStyle = "#555b66";
    ctx.fillRect(-7, -4, 14, 8);
    ctx.fillStyle = gone ? "#6b7078" : COLORS.text;
    ctx.font = gap < 130 ? "600 14px ui-monospace, monospace" : "600 16px ui-monospace, monospace";
    if (gap < SLANTED_BELOW) {
      ctx.rotate(-Math.PI / 3.2);
      ctx.textAlign = "left";
      ctx.fillText(gap < 40 ? title.slice(0, 6) : title, 10, 4);
    } else {
      ctx.textAlign = "center";
      const isWide = gap >= 130;
      ctx.fillText(title, 0, isWide ? -30 : -14);
      ctx.font = "13px system-ui, sans-serif";
      if (isWide) ctx.fillText(detail, 0, -12);
    }
    ctx.restore();
  }
}
