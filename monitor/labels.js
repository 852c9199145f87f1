/**
 * The labels of the arrows. They go over all lines, so they are painted last; those that would cover one
 * another are left out: the list has them all. paint_shapes.js calls it.
 *
 * @typedef {{ text: string, x: number, y: number, color: string, badge: boolean }} Label
 *
 * @typedef {object} Labels
 * @property {Set<string>} taken cells of the canvas
 * @property {(Label & { width: number, alpha: number })[]} placed
 */

const [CELL_WIDTH, CELL_HEIGHT] = [10, 6];

/** @returns {Labels} */
export function createLabels() {
  return { taken: new Set(), placed: [] };
}

/** @param {CanvasRenderingContext2D} ctx @param {Labels} labels @param {Label} label */
export function placeLabel(ctx, { taken, placed }, label) {
  const width = Math.max(12, label.text.length * 10);
  const cells = cellsBelow(label, width);
  if (cells.some((cell) => taken.has(cell))) return;
  for (const cell of cells) taken.add(cell);
  placed.push({ ...label, width, alpha: ctx.globalAlpha });
}

/** @param {Label} label @param {number} width */
function cellsBelow({ x, y }, width) {
  const cells = [];
  for (
    let column = Math.floor((x - width / 2) / CELL_WIDTH);
    column <= (x + width / 2) / CELL_WIDTH;
    column++
  )
    for (let row = Math.floor((y - 9) / CELL_HEIGHT); row <= (y + 9) / CELL_HEIGHT; row++)
      cells.push(`${column} ${row}`);
  return cells;
}

/** @param {CanvasRenderingContext2D} ctx @param {Labels} labels */
export function paintLabels(ctx, { placed }) {
  ctx.textAlign = "center";
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
}
