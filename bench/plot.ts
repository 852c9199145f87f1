/** Draws the round trips as an SVG: a group of bars for each number in flight, on a logarithmic scale. */
import { CELLS, ofCell, type RoundTrip } from "./round_trips.ts";
import { median, show } from "./statistics.ts";
import { OURS, SYSTEMS } from "./systems.ts";

const WIDTH = 860;
const LABELS = 230; // the width of the systems' names
const NUMBERS = 90; // and of the number after a bar
const BAR = 18;
const STEP = 23; // from one bar to the next
const TOP = 66;
const GROUP_TITLE = 30;
const GROUP_GAP = 18;
export const COLORS = {
  ours: "#0969da",
  peer: "#8c959f",
  line: "#d8dee4",
  text: "#1f2328",
  quiet: "#59636e",
};
const FONT = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\"";

/** @returns undefined when nothing was measured */
export function drawRoundTrips(results: readonly RoundTrip[], subtitle: string): string | undefined {
  const groups = groupBars(results);
  const rates = groups.flatMap(({ bars }) => bars.map(({ rate }) => rate));
  if (rates.length === 0) return undefined;
  const lowest = Math.floor(Math.log10(Math.min(...rates)));
  const highest = Math.log10(Math.max(...rates));
  const perDecade = (WIDTH - LABELS - NUMBERS) / (highest - lowest);
  const x = (rate: number) => LABELS + (Math.log10(rate) - lowest) * perDecade;

  const parts: string[] = [];
  let y = TOP;
  for (const { inFlight, bars } of groups) {
    parts.push(text(20, y + 18, `${show(inFlight)} in flight`, 'font-weight="600"'));
    y += GROUP_TITLE;
    for (const { name, rate } of bars) {
      const color = name === OURS ? COLORS.ours : COLORS.peer;
      const weight = name === OURS ? ' font-weight="600"' : "";
      parts.push(text(LABELS - 10, y + 14, name, `text-anchor="end"${weight}`));
      const width = Math.max(1, x(rate) - LABELS).toFixed(1);
      parts.push(`<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" rx="2" fill="${color}"/>`);
      parts.push(text(x(rate) + 6, y + 14, show(rate), weight));
      y += STEP;
    }
    y += GROUP_GAP;
  }
  const height = y + 20;
  const grid: string[] = [];
  for (let power = lowest; power <= highest; power++) {
    const at = x(10 ** power).toFixed(1);
    grid.push(`<path d="M${at} ${TOP}V${y - 6}" stroke="${COLORS.line}"/>`);
    grid.push(text(Number(at), y + 8, show(10 ** power), `text-anchor="middle" fill="${COLORS.quiet}"`));
  }
  const title = "Round trips acked a second, bodies of 16 bytes, logarithmic scale";
  return svg({ width: WIDTH, height, title, subtitle }, [...grid, ...parts]);
}

/** A group of bars for each number in flight: of each system that was measured its median. */
function groupBars(results: readonly RoundTrip[]) {
  return CELLS.filter(({ bytes }) => bytes === CELLS[0].bytes).map((cell) => ({
    ...cell,
    bars: SYSTEMS.flatMap(({ name }) => {
      const rates = ofCell(results, name, cell).map(({ perSecond }) => perSecond);
      return rates.length === 0 ? [] : [{ name, rate: median(rates) }];
    }),
  }));
}

/** A whole picture: its title, and what is in it. White behind, so that it reads on a dark page too. */
export function svg(
  { width, height, title, subtitle }: { width: number; height: number; title: string; subtitle: string },
  parts: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `role="img" aria-label="${title}" ${FONT} font-size="13" fill="${COLORS.text}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(20, 30, title, 'font-size="17" font-weight="600"'),
    text(20, 50, subtitle, `font-size="12" fill="${COLORS.quiet}"`),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

export function text(x: number, y: number, words: string, attributes: string): string {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes.trim()}>${escaped}</text>`;
}
