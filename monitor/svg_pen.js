/**
 * A pen that writes SVG: what the diagram uses of a canvas, so that the same code paints both. Texts are escaped.
 * export_diagram.js calls it.
 *
 * @typedef {import("./pen.js").Pen} Pen
 *
 * @typedef {object} Svg
 * @property {typeof START} state what the next stroke looks like; the pen's own properties
 * @property {(typeof START)[]} saved
 * @property {string} path
 * @property {string[]} elements
 */

const START = {
  ...{ fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, globalAlpha: 1, transform: "", dash: "" },
  ...{ font: "13px sans-serif", textAlign: "start", textBaseline: "alphabetic" },
};
const ANCHORS = /** @type {Record<string, string>} */ ({ center: "middle", right: "end" });

/** @returns {{ pen: Pen, write(size: { width: number, height: number }): string }} `write` gives the whole file */
export function createSvgPen() {
  /** @type {Svg} */
  const svg = { state: { ...START }, saved: [], path: "", elements: [] };
  const methods = { ...turning(svg), ...tracing(svg), ...painting(svg), ...writing(svg) };
  // It is a canvas to those who paint with it, though it has only what they use.
  const pen = /** @type {Pen} */ (/** @type {unknown} */ (Object.assign(svg.state, methods)));
  const write = (/** @type {{ width: number, height: number }} */ { width, height }) => {
    const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n${svg.elements.join("\n")}\n</svg>\n`;
  };
  return { pen, write };
}

/** @param {Svg} svg */
function turning({ state, saved }) {
  return {
    save: () => void saved.push({ ...state }),
    restore: () => void Object.assign(state, saved.pop()),
    translate: (/** @type {number} */ x, /** @type {number} */ y) => {
      state.transform += `translate(${rounded(x)} ${rounded(y)})`;
    },
    rotate: (/** @type {number} */ angle) => {
      state.transform += `rotate(${rounded((angle * 180) / Math.PI)})`;
    },
    setLineDash: (/** @type {number[]} */ dash) => {
      state.dash = dash.join(" ");
    },
  };
}

/** @param {Svg} svg */
function tracing(svg) {
  const go = (/** @type {string} */ letter, /** @type {number[]} */ ...numbers) => {
    svg.path += letter + numbers.map(rounded).join(" ");
  };
  return {
    beginPath: () => {
      svg.path = "";
    },
    moveTo: (/** @type {number} */ x, /** @type {number} */ y) => go("M", x, y),
    lineTo: (/** @type {number} */ x, /** @type {number} */ y) => go("L", x, y),
    closePath: () => go("Z"),
    /** Whole circles only: there are no other arcs in the diagram. @param {number} x @param {number} y @param {number} r */
    arc: (x, y, r) => {
      go("M", x + r, y);
      go("A", r, r, 0, 1, 1, x - r, y);
      go("A", r, r, 0, 1, 1, x + r, y);
    },
    /** @param {number} x @param {number} y @param {number} width @param {number} height @param {number} r */
    roundRect: (x, y, width, height, r) => {
      go("M", x + r, y);
      for (const [right, down] of [
        [1, 0],
        [0, 1],
        [-1, 0],
        [0, -1],
      ]) {
        go("l", (right ?? 0) * (width - 2 * r), (down ?? 0) * (height - 2 * r));
        go("a", r, r, 0, 0, 1, ((right ?? 0) - (down ?? 0)) * r, ((right ?? 0) + (down ?? 0)) * r);
      }
    },
  };
}

/** @param {Svg} svg */
function painting(svg) {
  const rect = (/** @type {number[]} */ box, /** @type {object} */ look) => {
    const [x, y, width, height] = box.map((each) => each.toFixed(2));
    add(svg, "rect", { x, y, width, height, ...look });
  };
  return {
    clearRect: (/** @type {number[]} */ ...box) => rect(box, { fill: "#fff" }),
    fillRect: (/** @type {number[]} */ ...box) => rect(box, { fill: svg.state.fillStyle }),
    strokeRect: (/** @type {number[]} */ ...box) => rect(box, strokeOf(svg)),
    stroke: () => add(svg, "path", { d: svg.path, ...strokeOf(svg) }),
    fill: () => add(svg, "path", { d: svg.path, fill: svg.state.fillStyle }),
  };
}

/** @param {Svg} svg */
function writing(svg) {
  const write = (
    /** @type {string} */ words,
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {object} */ look,
  ) => {
    const { textAlign, textBaseline, font } = svg.state;
    const anchor = ANCHORS[textAlign];
    const place = { x: rounded(x), y: rounded(y), ...(anchor && { "text-anchor": anchor }) };
    const baseline = textBaseline === "middle" && { "dominant-baseline": "central" };
    add(svg, "text", { ...place, ...baseline, style: `font:${font};white-space:pre`, ...look }, words);
  };
  return {
    fillText: (/** @type {string} */ words, /** @type {number} */ x, /** @type {number} */ y) =>
      write(words, x, y, { fill: svg.state.fillStyle }),
    strokeText: (/** @type {string} */ words, /** @type {number} */ x, /** @type {number} */ y) =>
      write(words, x, y, { ...strokeOf(svg), "stroke-linejoin": "round" }),
  };
}

/** @param {Svg} svg */
function strokeOf({ state: { strokeStyle, lineWidth, dash } }) {
  return {
    ...{ fill: "none", stroke: strokeStyle, "stroke-width": lineWidth },
    ...(dash && { "stroke-dasharray": dash }),
  };
}

/** @param {Svg} svg @param {string} tag @param {object} attributes @param {string} [words] */
function add({ elements, state: { transform, globalAlpha } }, tag, attributes, words = "") {
  const common = { ...(transform && { transform }), ...(globalAlpha < 1 && { opacity: globalAlpha }) };
  const all = Object.entries({ ...attributes, ...common });
  const told = all.map(([name, value]) => ` ${name}="${escaped(String(value))}"`).join("");
  elements.push(`<${tag}${told}>${escaped(words)}</${tag}>`);
}

/** @param {number} value */
function rounded(value) {
  return String(Math.round(value * 100) / 100);
}

/** @param {string} words */
function escaped(words) {
  return words.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
