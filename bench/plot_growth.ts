/** Draws how things grow with the group, as an SVG: milliseconds by receivers, both on logarithmic scales. */
import { COLORS, svg, text } from "./plot.ts";
import { median, show } from "./statistics.ts";

const WIDTH = 860;
const HEIGHT = 430;
const PLOT = { left: 90, top: 76, right: WIDTH - 250, bottom: HEIGHT - 50 };
const LINES = ["#0969da", "#bc4c00", "#1a7f37"];

/** What was measured at one size of the group: of several rounds the median counts. */
export interface Growth {
  name: string;
  points: { receivers: number; ms: number[] }[];
}

/** From a power of ten to where it is in the picture. */
type Scale = (power: number) => number;

/** @returns undefined when nothing was measured */
export function drawGrowth(growths: readonly Growth[], subtitle: string): string | undefined {
  const lines = growths.map(({ name, points }) => ({
    name,
    points: points.map(({ receivers, ms }) => ({ x: Math.log10(receivers), ms: median(ms) })),
  }));
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) return undefined;
  const widest = Math.ceil(Math.max(1, ...points.map(({ x }) => x)));
  const powers = points.map(({ ms }) => Math.log10(ms));
  const [lowest, highest] = [Math.floor(Math.min(...powers)), Math.ceil(Math.max(...powers))];
  const x: Scale = (power) => PLOT.left + (power / widest) * (PLOT.right - PLOT.left);
  const y: Scale = (power) =>
    PLOT.bottom - ((power - lowest) / Math.max(1, highest - lowest)) * (PLOT.bottom - PLOT.top);

  const parts = [...drawColumns(widest, x), ...drawRows(lowest, highest, y)];
  for (const [index, { name, points }] of lines.entries()) {
    const color = LINES[index % LINES.length] as string;
    const at = points.map((point) => ({ x: x(point.x), y: y(Math.log10(point.ms)), ms: point.ms }));
    const path = at.map((point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`).join("L");
    parts.push(`<path d="M${path}" fill="none" stroke="${color}" stroke-width="2.5"/>`);
    for (const point of at) parts.push(`<circle cx="${point.x}" cy="${point.y}" r="4" fill="${color}"/>`);
    const last = at.at(-1);
    if (last) {
      const words = `${name}: ${show(last.ms)} ms`;
      parts.push(text(last.x + 10, last.y + 4, words, `fill="${color}" font-weight="600"`));
    }
  }
  const title = "How it grows with the group, logarithmic scales";
  return svg({ width: WIDTH, height: HEIGHT, title, subtitle }, parts);
}

function drawColumns(widest: number, x: Scale): string[] {
  const middle = (PLOT.left + PLOT.right) / 2;
  const parts = [text(middle, HEIGHT - 8, "receivers in the group", 'text-anchor="middle"')];
  for (let power = 0; power <= widest; power++) {
    parts.push(`<path d="M${x(power)} ${PLOT.top}V${PLOT.bottom}" stroke="${COLORS.line}"/>`);
    parts.push(text(x(power), PLOT.bottom + 20, show(10 ** power), 'text-anchor="middle"'));
  }
  return parts;
}

function drawRows(lowest: number, highest: number, y: Scale): string[] {
  const parts: string[] = [];
  for (let power = lowest; power <= highest; power++) {
    parts.push(`<path d="M${PLOT.left} ${y(power)}H${PLOT.right}" stroke="${COLORS.line}"/>`);
    parts.push(text(PLOT.left - 8, y(power) + 4, `${show(10 ** power)} ms`, 'text-anchor="end"'));
  }
  return parts;
}
