// Periods of entries in ConceptMaps: first and last day, both included, as texts (`2026-07-01`), which compare as days do.

import type { MapNode, Node, Position, Problems } from './positions.ts';

export interface Period {
  /** Absent: since ever. */
  readonly from?: string;
  /** Absent: for good. */
  readonly until?: string;
}

export const periodKeys = ['from', 'until'];

export function isDated(node: Node): node is MapNode {
  return node.kind === 'map' && periodKeys.some((key) => node.entries.has(key));
}

/** `{ from, until, ... }`; undefined with the problem told. */
export function readPeriod(node: MapNode, problems: Problems): Period | undefined {
  const [from, until] = periodKeys.map((key) => readDay(node, key, problems));
  if (from === false || until === false) {
    return undefined;
  }
  if (from !== undefined && until !== undefined && until < from) {
    return problems.error(node.entries.get('until')?.at ?? node.at, `"until" (${until}) lies before "from" (${from}).`);
  }
  return { ...(from !== undefined && { from }), ...(until !== undefined && { until }) };
}

/** False for what is no day. */
function readDay(node: MapNode, key: string, problems: Problems): string | false | undefined {
  const value = node.entries.get(key)?.value;
  if (value === undefined) {
    return undefined;
  }
  const day = value.kind === 'scalar' ? String(value.value) : '';
  if (isDay(day)) {
    return day;
  }
  problems.error(value.at, `"${key}" is a day such as 2026-07-01${day === '' ? '' : `; "${day}" is none`}.`);
  return false;
}

/** Day '' is before all days. */
export function isWithin({ from, until }: Period, day: string): boolean {
  return (from === undefined || from <= day) && (until === undefined || day <= until);
}

/** The days on which something begins or has ended, in order. */
export function turningDays(periods: readonly Period[]): string[] {
  const days = periods.flatMap(({ from, until }) => [
    ...(from === undefined ? [] : [from]),
    ...(until === undefined || until === lastDay ? [] : [dayBeside(until, 1)]),
  ]);
  return [...new Set(days)].sort();
}

/** Tells of periods of one code that overlap, or that leave days between them. */
export function checkSequence(
  code: string,
  periods: readonly (Period & { readonly at: Position })[],
  problems: Problems,
): void {
  const sorted = [...periods].sort(({ from: one = '' }, { from: other = '' }) => (one < other ? -1 : 1));
  for (const [index, { from, at }] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before === undefined) {
      continue;
    }
    const { until } = before;
    if (from === undefined || until === undefined || from <= until) {
      problems.error(
        at,
        `"${code}" has another entry (line ${before.at.line}) for some of these days; let one end before the other begins.`,
      );
    } else if (from !== dayBeside(until, 1)) {
      problems.error(
        at,
        `"${code}" has no entry from ${dayBeside(until, 1)} to ${dayBeside(from, -1)}; give a target, or none.`,
      );
    }
  }
}

/** Nothing comes after it: some write it where they mean that there is no end. */
const lastDay = '9999-12-31';

const msPerDay = 86_400_000;

function dayBeside(day: string, days: number): string {
  return new Date(Date.parse(day) + days * msPerDay).toISOString().slice(0, 10);
}

function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && dayBeside(text, 0) === text;
}
