// When a limit is used up. Hours are elapsed time, so 72 hours stay 72 hours when clocks are put forward or back; business hours and days are what
// the calendar of a zone says. Times are epoch milliseconds. Pure.

import { DateTime } from 'luxon';

export interface BusinessHours {
  /** ISO weekdays: 1 is Monday. */
  readonly days: readonly number[];
  /** Minutes of the local day, as a clock on the wall shows them. */
  readonly from: number;
  /** 1440 is the end of the day. */
  readonly to: number;
  /** Local dates, `YYYY-MM-DD`. */
  readonly holidays: readonly string[];
}

/** From the first millisecond up to the second, which is no longer part of it; `Infinity`: it has no end yet. */
export type Span = readonly [from: number, to: number];

export interface Counting {
  readonly zone: string;
  /** Time that does not count, in any order. */
  readonly pauses: readonly Span[];
  /** Only time within them counts. Absent: all time does. */
  readonly businessHours?: BusinessHours;
}

/** The first moment at which `ms` have counted since `start`; null when a pause without end comes first. */
export function dueAfter(start: number, ms: number, { zone, pauses, businessHours }: Counting): number | null {
  const inOrder = [...pauses].sort(([one], [other]) => one - other);
  const endless = earliestEndless(inOrder);
  let left = ms;
  for (const span of businessHours ? businessSpans(start, zone, businessHours) : [everFrom(start)]) {
    if (span[0] >= endless) return null;
    for (const [from, to] of without(span, inOrder)) {
      if (to - from >= left) return from + left;
      left -= to - from;
    }
  }
  return null;
}

/** The last millisecond of the local day that is `days` after the one of `start`. */
export function endOfDayAfter(start: number, days: number, zone: string): number {
  return DateTime.fromMillis(start, { zone }).plus({ days }).endOf('day').toMillis();
}

/** The local day of a moment. */
export function dayOf(moment: number, zone: string): Span {
  const day = DateTime.fromMillis(moment, { zone });
  return [day.startOf('day').toMillis(), day.endOf('day').toMillis() + 1];
}

/** The first moment of a date, `YYYY-MM-DD`. */
export function startOfDate(date: string, zone: string): number {
  return DateTime.fromISO(date, { zone }).startOf('day').toMillis();
}

/** The first moment after `now` at which clocks on the wall show `HH:MM`; where that time is skipped, the moment that comes instead of it. */
export function nextTimeOfDay(now: number, time: string, zone: string): number {
  const [hour, minute] = time.split(':').map(Number);
  const today = DateTime.fromMillis(now, { zone });
  for (let days = 0; ; days += 1) {
    const at = today.plus({ days }).set({ hour, minute, second: 0, millisecond: 0 }).toMillis();
    if (at > now) return at;
  }
}

/** The local date of a moment, `YYYY-MM-DD`. */
export function dateOf(moment: number, zone: string): string {
  return DateTime.fromMillis(moment, { zone }).toFormat('yyyy-MM-dd');
}

function everFrom(start: number): Span {
  return [start, Number.POSITIVE_INFINITY];
}

function earliestEndless(pauses: readonly Span[]): number {
  return Math.min(...pauses.filter(([, to]) => to === Number.POSITIVE_INFINITY).map(([from]) => from));
}

function* without(span: Span, pauses: readonly Span[]): Generator<Span> {
  let [at] = span;
  for (const [from, to] of pauses) {
    if (from >= span[1]) break;
    if (from > at) yield [at, from];
    at = Math.max(at, to);
  }
  if (at < span[1]) yield [at, span[1]];
}

/** Day after day, without end; the rule for `days` is that there is at least one. */
function* businessSpans(start: number, zone: string, hours: BusinessHours): Generator<Span> {
  for (let day = DateTime.fromMillis(start, { zone }).startOf('day'); ; day = day.plus({ days: 1 }).startOf('day')) {
    if (!hours.days.includes(day.weekday) || hours.holidays.includes(day.toFormat('yyyy-MM-dd'))) continue;
    const from = Math.max(onTheWall(day, hours.from), start);
    const to = onTheWall(day, hours.to);
    if (from < to) yield [from, to];
  }
}

/** Where that time is shown twice, the first; where it is skipped, as much later as clocks were put forward. */
function onTheWall(day: DateTime, minutes: number): number {
  if (minutes === 24 * 60) return day.plus({ days: 1 }).startOf('day').toMillis();
  return day.set({ hour: Math.floor(minutes / 60), minute: minutes % 60 }).toMillis();
}
