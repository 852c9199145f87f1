/**
 * Which shape of the diagram is under the mouse. diagram.js calls it for each click.
 *
 * @typedef {import("./layout.js").Shape} Shape
 * @typedef {import("./layout.js").Point} Point
 */

const REACH = 12;

/** The shape of a message that is nearest to a point, if one is near. @param {Shape[]} shapes @param {Point} point */
export function shapeAt(shapes, point) {
  let best;
  let bestDistance = REACH;
  for (const shape of shapes) {
    if (!("message" in shape) || shape.message === "") continue;
    const distance = distanceTo(shape, point);
    if (distance <= bestDistance) [best, bestDistance] = [shape, distance];
  }
  return best;
}

/** @param {Shape} shape @param {Point} point */
function distanceTo(shape, { x, y }) {
  if (shape.kind === "mark" || shape.kind === "unsent") return Math.hypot(shape.x - x, shape.y - y);
  if (shape.kind === "bar")
    return y < shape.from || y > shape.to ? Number.POSITIVE_INFINITY : Math.abs(shape.x - x) * 2;
  if (shape.kind === "lane" || shape.kind === "seam" || shape.kind === "deed")
    return Number.POSITIVE_INFINITY;
  const { from, to } = shape;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const along = Math.max(0, Math.min(1, ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(from.x + along * dx - x, from.y + along * dy - y);
}
