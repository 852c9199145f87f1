/**
 * The space-time diagram on the page: its canvas, and which time is in view. page.js makes it and has it
 * painted; the controls follow, zoom and jump with what is exported here.
 *
 * @typedef {object} Diagram
 * @property {HTMLElement} scroll scrolls to the side only; which time is in view is the diagram's own matter
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} spacer as wide as what could be scrolled to
 * @property {CanvasRenderingContext2D} ctx
 * @property {(message: string) => void} onPick
 * @property {() => void} onChange following, zoom or marks have changed
 * @property {boolean} follows now is kept in view
 * @property {number} pxPerMs
 * @property {{ at: number, y: number }} anchor unless it follows: this time is so far below the names
 * @property {number} start nothing before that time is shown
 * @property {number} now
 * @property {{ seen: string, intervals: import("./time_axis.js").Interval[] }} activity of the model, as far as `seen`
 * @property {import("./time_axis.js").Axis} axis
 * @property {number} top what of the axis is at the top of what is in view, in pixels
 * @property {boolean} isStale to be painted again, whatever has changed
 * @property {string} painted what it was painted from
 * @property {number} paints how often it was painted
 * @property {number} notBefore it isn't painted again before that
 * @property {{ width: number, height: number }} size
 * @property {number} namesHeight
 * @property {number} more how many there is no lane for
 * @property {import("./layout.js").Shape[]} shapes what is in view, for clicks and for tests
 * @property {Set<import("./marks.js").MarkName>} marks the kinds of marks that are in view
 * @property {import("./paint_frame.js").Frame | undefined} frame what else was painted last
 */
import { listenToDiagram } from "./diagram_input.js";
import { createAxis } from "./time_axis.js";
import { PX_PER_MS } from "./zoom.js";

export { exportPng, exportSvg } from "./export_diagram.js";
export { paintDiagram } from "./paint_diagram.js";
export {
  fitAll,
  fitMessage,
  follow,
  jumpTo,
  leastShownMs,
  resetZoom,
  showMessage,
  startAt,
  zoomBy,
} from "./zoom.js";

const NAMES_HEIGHT = 58;

/**
 * @param {Pick<Diagram, "scroll" | "canvas" | "spacer">} elements
 * @param {Pick<Diagram, "onPick" | "onChange">} handlers
 * @returns {Diagram}
 */
export function createDiagram(elements, handlers) {
  const ctx = elements.canvas.getContext("2d", { willReadFrequently: true });
  /** @type {Diagram} */
  const diagram = {
    ...elements,
    ...handlers,
    ctx: /** @type {CanvasRenderingContext2D} */ (ctx),
    follows: true,
    pxPerMs: PX_PER_MS,
    anchor: { at: 0, y: 0 },
    start: 0,
    now: 0,
    activity: { seen: "", intervals: [] },
    axis: createAxis([], { now: 0, pxPerMs: PX_PER_MS }),
    top: 0,
    isStale: true,
    painted: "",
    paints: 0,
    notBefore: 0,
    size: { width: 0, height: 0 },
    namesHeight: NAMES_HEIGHT,
    more: 0,
    shapes: [],
    marks: new Set(),
    frame: undefined,
  };
  new ResizeObserver(() => resize(diagram)).observe(elements.scroll);
  listenToDiagram(diagram);
  return diagram;
}

/** @param {Diagram} diagram */
function resize(diagram) {
  const { scroll, canvas, spacer } = diagram;
  const { clientWidth: width, clientHeight: height } = scroll;
  diagram.size = { width, height };
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  spacer.style.height = "0";
  diagram.isStale = true;
}
