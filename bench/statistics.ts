/** The little arithmetic that the benchmark needs, and how its numbers are written. */

/** What several rounds gave. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @throws {Error} for no values */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error("Cannot summarize: no values");
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] as number;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

export function median(values: readonly number[]): number {
  return spread(values).median;
}

/** The median of the ratios of values that belong together, being of the same round. */
export function medianRatio(ours: ReadonlyMap<number, number>, theirs: ReadonlyMap<number, number>) {
  const ratios = [...ours].flatMap(([round, value]) => {
    const other = theirs.get(round);
    return other === undefined ? [] : [value / other];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

/** How much y grows for one more of x: the line through the points with the least squares. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map((point) => point.x));
  const y = mean(points.map((point) => point.y));
  const sum = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((all, point) => all + of(point), 0);
  return sum((point) => (point.x - x) * (point.y - y)) / sum((point) => (point.x - x) ** 2);
}

/** A number for people: three digits, and more only when it is large: 0.0123, 4.56, 1,234. */
export function show(value: number): string {
  return value.toLocaleString(
    "en",
    value < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 },
  );
}

/** A median and where it lay: `12 (11–14)`; of a single round the median alone. */
export function showSpread(values: readonly number[]): string {
  const { median, min, max } = spread(values);
  return values.length === 1 ? show(median) : `${show(median)} (${show(min)}–${show(max)})`;
}

/** A table in GitHub's markdown, its columns padded for who reads it on a terminal. Numbers go right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) =>
    Math.max(3, name.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  const line = (cells: readonly string[]) =>
    `| ${header.map((_name, column) => pad(cells[column] ?? "", column)).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}
