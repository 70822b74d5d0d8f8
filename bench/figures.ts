// Figures of several runs: medians, least and most, as a table or as JSON.

/** By name, in the order of the table. */
export type Figures = Readonly<Record<string, number>>;

interface Summary {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function summaries(runs: readonly Figures[]): Summary[] {
  return Object.keys(runs[0] ?? {}).map((name) => {
    const all = runs.map((one) => one[name] ?? Number.NaN).sort((one, other) => one - other);
    return { name, median: median(all), least: all[0] ?? Number.NaN, most: all.at(-1) ?? Number.NaN };
  });
}

export function table(rows: readonly Summary[]): string[] {
  return rows.map(({ name, median: middle, least, most }) => `${name.padEnd(52)} ${middle}  (${least} to ${most})`);
}

/** @param sorted least first */
function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const [one = Number.NaN, other = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return rounded((one + other) / 2, 4);
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

export function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

/** Under a heading: `embedded: accepted records/s`. */
export function headed(heading: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${heading}: ${name}`, value]));
}
