/**
 * The labels of the diagram. They go over all lines, so they are painted last. One that would cover another
 * goes to the next place that is offered; if all are taken it is left out: the list has them all.
 * paint_shapes.js calls it.
 *
 * @typedef {import("./pen.js").Pen} Pen
 * @typedef {import("./layout.js").Point} Point
 * @typedef {{ text: string, color: string, badge: boolean, alpha: number, look: keyof typeof LOOKS }} Label
 *
 * @typedef {object} Labels
 * @property {Set<string>} taken cells of the canvas
 * @property {(Label & Point & { width: number })[]} placed
 * @property {number} left no label is further left
 * @property {number} right
 */

const [CELL_WIDTH, CELL_HEIGHT] = [10, 6];
/** Numbers are large; words, of which there are more, small. A letter takes at most so many pixels, on average. */
const LOOKS = {
  number: { font: "600 16px system-ui, sans-serif", letter: 11 },
  words: { font: "600 13px system-ui, sans-serif", letter: 8 },
  deed: { font: "600 13px system-ui, sans-serif", letter: 9 },
};

/** @param {{ left: number, right: number }} room @returns {Labels} */
export function createLabels({ left, right }) {
  return { taken: new Set(), placed: [], left, right };
}

/** How much room a text needs. @param {Pick<Label, "text" | "look">} label */
export function widthOf({ text, look }) {
  return Math.max(12, text.length * LOOKS[look].letter);
}

/**
 * @param {Labels} labels @param {Label} label
 * @param {Point[]} places where its middle may be, the best first
 */
export function placeLabel({ taken, placed, left, right }, label, places) {
  const width = widthOf(label);
  for (const { x, y } of places) {
    const inside = Math.max(left + width / 2 + 2, Math.min(right - width / 2 - 2, x));
    const cells = cellsBelow({ x: inside, y }, width);
    if (cells.some((cell) => taken.has(cell))) continue;
    for (const cell of cells) taken.add(cell);
    placed.push({ ...label, x: inside, y, width });
    return;
  }
}

/** @param {Point} middle @param {number} width */
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

/** @param {Pen} pen @param {Labels} labels */
export function paintLabels(pen, { placed }) {
  pen.textAlign = "center";
  for (const { text, x, y, width, color, badge, alpha, look } of placed) {
    pen.font = LOOKS[look].font;
    pen.globalAlpha = alpha;
    if (badge) {
      pen.fillStyle = color;
      pen.beginPath();
      pen.roundRect(x - width / 2 - 3, y - 10, width + 6, 20, 6);
      pen.fill();
    } else {
      pen.strokeStyle = "#fff";
      pen.lineWidth = 4;
      pen.strokeText(text, x, y + 1);
    }
    pen.fillStyle = badge ? "#fff" : color;
    pen.fillText(text, x, y + 1);
  }
}
