/**
 * Which kinds of marks are in view in the diagram: the legend explains those. paint_diagram.js asks for each frame.
 *
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {"message" | "ack" | "bar" | "lost" | "omission" | "crash" | "left" | "expired" | "replaced" | "unreachable" | "duplicate" | "lateAck" | "unknown" | "unsent" | "failed" | "retry" | "moved" | "majority" | "notNeeded" | "seam" | "heartbeat" | "newId" | import("./deeds.js").DeedName} MarkName
 */

/**
 * @param {Shape[]} shapes
 * @param {{ left: number, width: number, height: number }} view `left`: how far it is scrolled
 * @returns {Set<MarkName>}
 */
export function marksIn(shapes, { left, width, height }) {
  /** @type {Set<MarkName>} */
  const marks = new Set();
  for (const shape of shapes) {
    const { x1, y1, x2, y2 } = boundsOf(shape);
    if (x2 < left || x1 > left + width || y2 < 0 || y1 > height) continue;
    for (const mark of marksOf(shape)) marks.add(mark);
  }
  return marks;
}

/** @param {Shape} shape @returns {MarkName[]} */
function marksOf(shape) {
  switch (shape.kind) {
    case "arrow":
      return arrowMarks(shape);
    case "bar":
      return shape.notNeeded ? ["bar", "notNeeded"] : ["bar"];
    case "link":
      return shape.label === "" ? [] : ["moved"];
    case "lane":
      return shape.broken ? ["unreachable"] : [];
    case "mark":
      return [shape.mark];
    case "deed":
      return [shape.deed];
    case "beat":
      return ["heartbeat"];
    default:
      return [shape.kind];
  }
}

/** @param {import("./layout.js").Arrow} arrow @returns {MarkName[]} */
function arrowMarks({ what, head, late, retry }) {
  /** @type {MarkName[]} */
  const marks = [what];
  if (head === "cross") marks.push("lost");
  if (head === "hollow") marks.push("duplicate");
  if (head === "question") marks.push("unknown");
  if (late) marks.push("lateAck");
  if (retry && what === "message") marks.push("retry");
  return marks;
}

/** @param {Shape} shape */
function boundsOf(shape) {
  if (shape.kind === "seam") return { x1: 0, x2: Number.POSITIVE_INFINITY, y1: shape.from, y2: shape.to };
  if (shape.kind === "bar" || shape.kind === "lane")
    return { x1: shape.x, x2: shape.x, y1: shape.from, y2: shape.to };
  if ("y" in shape) return { x1: shape.x, x2: shape.x, y1: shape.y, y2: shape.y };
  const { from, to } = shape;
  const [x1, x2] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  return { x1, x2, y1: Math.min(from.y, to.y), y2: Math.max(from.y, to.y) };
}
