// The clocks once more, by brute force: a walk through time in steps of a quarter of an hour that asks at each step what holds then. It shares no code
// with src/clocks: it knows zones by Intl, counts what counted step by step, and looks at days by walking over them.

import type { JsonObject } from '../../src/json.ts';

export const stepMs = 900_000;
const dayMs = 86_400_000;

export interface Timeline {
  readonly zone: string;
  readonly now: number;
  readonly office:
    | {
        readonly days: readonly number[];
        readonly from: number;
        readonly to: number;
        readonly holidays: readonly string[];
      }
    | undefined;
  readonly referral: JsonObject;
  readonly note: JsonObject;
  readonly plan: JsonObject;
  readonly stays: readonly JsonObject[];
  /** Each with when it came to its status, and whether it had another one before. */
  readonly turned: readonly { readonly record: JsonObject; readonly since: number; readonly hasMoved: boolean }[];
  readonly needs: readonly JsonObject[];
}

export interface Told {
  readonly state: string;
  readonly startedAt: number;
  readonly dueAt: number | null;
  readonly stoppedAt: number | null;
}

interface Wall {
  readonly date: string;
  readonly weekday: number;
  readonly minute: number;
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly known: Map<number, Wall>;
}

const zones = new Map<string, Zone>();

function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone);
  if (known) return known;
  const [digits, long] = ['2-digit', 'numeric'] as const;
  const parts = { year: long, month: digits, day: digits, hour: digits, minute: digits } as const;
  const zone = { format: new Intl.DateTimeFormat('sv-SE', { timeZone, hourCycle: 'h23', ...parts }), known: new Map() };
  zones.set(timeZone, zone);
  return zone;
}

/** What calendar and clock on the wall show. */
function wall(timeZone: string, at: number): Wall {
  const { format, known } = zoneOf(timeZone);
  const before = known.get(at);
  if (before) return before;
  // Such as 2026-03-08 03:15.
  const text = format.format(at);
  const date = text.slice(0, 10);
  const weekday = ((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7) + 1;
  const found = { date, weekday, minute: Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16)) };
  known.set(at, found);
  return found;
}

const time = (value: unknown): number | undefined => (typeof value === 'string' ? Date.parse(value) : undefined);
const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value : []);

/** The first step at which so many hours have counted; null when that is not within half a year. */
function limitByWalking(
  line: Timeline,
  start: number,
  hours: number,
  isPaused: (at: number) => boolean,
  office: Timeline['office'],
): number | null {
  let left = hours * 4;
  for (let at = start; at < start + 183 * dayMs; at += stepMs) {
    if (left === 0) return at;
    const { date, weekday, minute } = office ? wall(line.zone, at) : { date: '', weekday: 0, minute: 0 };
    const isOpen =
      !office ||
      (office.days.includes(weekday) && !office.holidays.includes(date) && minute >= office.from && minute < office.to);
    if (isOpen && !isPaused(at)) left -= 1;
  }
  return null;
}

/** The last millisecond of the day that is so many changes of the date away. */
function endOfDay(zone: string, start: number, days: number): number {
  let { date } = wall(zone, start);
  let changes = 0;
  for (let at = start - (start % stepMs); ; at += stepMs) {
    const shows = wall(zone, at).date;
    if (shows !== date) {
      changes += 1;
      date = shows;
    }
    if (changes > days) return at - 1;
  }
}

function verdict(
  line: Timeline,
  startedAt: number,
  dueAt: number | null,
  soonMs: number,
  stop: number | undefined,
  end: number | undefined,
): Told {
  const told = { startedAt, dueAt, stoppedAt: null };
  const over = stop !== undefined && !(end !== undefined && end < stop) ? stop : end;
  if (over !== undefined && (dueAt === null || over <= dueAt))
    return over === stop ? { ...told, state: 'met', stoppedAt: over } : { ...told, state: 'void' };
  if (dueAt !== null && line.now >= dueAt) return { ...told, state: 'breached', stoppedAt: over ?? null };
  return { ...told, state: dueAt !== null && line.now >= dueAt - soonMs ? 'due-soon' : 'running' };
}

const least = (times: readonly (number | undefined)[], from: number): number | undefined =>
  times.filter((at) => at !== undefined && at >= from).sort((one, other) => Number(one) - Number(other))[0];

export function referralClocks(line: Timeline): { followUp: Told[]; contact: Told[] } {
  const { referral } = line;
  const moves = list(referral.history);
  const start = time(referral.sentAt);
  if (start === undefined || referral.status === 'draft') return { followUp: [], contact: [] };
  const when = (status: string) =>
    referral.status === status ? time(moves.findLast((move) => move.status === status)?.at) : undefined;
  const error = referral.status === 'entered-in-error' ? Number.NEGATIVE_INFINITY : undefined;

  const answers = ['accepted', 'waitlisted', 'declined', 'in-progress', 'on-hold', 'completed', 'failed'];
  const answered = moves.filter(({ status }) => answers.includes(String(status))).map(({ at }) => time(at));
  const done = list(referral.followUps).map(({ doneAt }) => time(doneAt));
  const followUp = verdict(
    line,
    start,
    limitByWalking(line, start, 48, () => false, line.office),
    12 * 3_600_000,
    least([...answered, ...done, time(referral.decidedAt)], start),
    error ?? when('cancelled'),
  );

  const byTime = [...moves].sort((one, other) => Number(time(one.at)) - Number(time(other.at)));
  const isUndelivered = (at: number) =>
    byTime.findLast((move) => Number(time(move.at)) <= at)?.status === 'undeliverable';
  const first: JsonObject = Object(referral.firstContact);
  const reached = first.outcome === 'reached' ? time(first.at) : undefined;
  const refused = first.outcome === 'client-declined' ? time(first.at) : undefined;
  const ends = [error, when('cancelled'), when('declined'), refused].filter((at) => at !== undefined);
  const contact = verdict(
    line,
    start,
    limitByWalking(line, start, 72, isUndelivered, line.office),
    24 * 3_600_000,
    least([reached], start),
    ends.length > 0 ? Math.min(...ends) : undefined,
  );
  return { followUp: [followUp], contact: [contact] };
}

export function noteClock(line: Timeline): Told[] {
  const start = Number(time(line.note.occurredAt));
  const error = line.note.status === 'entered-in-error' ? Number.NEGATIVE_INFINITY : undefined;
  return [
    verdict(
      line,
      start,
      limitByWalking(line, start, 24, () => false, line.office),
      4 * 3_600_000,
      least([time(line.note.signedAt)], start),
      error,
    ),
  ];
}

/** The first step of this date. */
function dawn(zone: string, date: string): number {
  for (let at = Date.parse(`${date}T00:00:00Z`) - dayMs; ; at += stepMs) if (wall(zone, at).date >= date) return at;
}

/** Goals given up and coverages that changed: what is true of each is asked of its record, not of a rule. */
function turns({ plan, turned, zone }: Timeline): number[] {
  return turned.flatMap(({ record, since, hasMoved }) => {
    const { status, achievement, statement } = record;
    if (statement !== undefined) {
      if (status === 'cancelled') return [since];
      if (achievement !== 'not-attainable' || status === 'entered-in-error') return [];
      const steps = list(record.progress);
      let first = since;
      for (const step of steps.toReversed()) {
        if (step.achievement !== 'not-attainable') break;
        first = Number(time(step.at));
      }
      return [first];
    }
    const date = status === 'active' ? record.startsOn : status === 'ended' ? record.endsOn : undefined;
    const day = typeof date === 'string' ? dawn(zone, date) : undefined;
    if (status === 'pending') return [];
    if (day !== undefined && day <= Number(time(plan.activatedAt)) && !hasMoved) return [];
    return [day !== undefined && day > since ? day : since];
  });
}

export function planClocks(line: Timeline): Told[] {
  const { plan, stays, needs, zone } = line;
  const activated = Number(time(plan.activatedAt));
  const reviews = [...new Set(list(plan.reviews).map(({ at }) => Number(time(at))))]
    .filter((at) => at >= activated)
    .sort((one, other) => one - other);
  const events = [
    ...list(plan.majorEvents).map(({ knownAt }) => Number(time(knownAt))),
    ...stays.flatMap((stay) => {
      const knownAt = Number(time(stay.knownAt));
      const out = time(stay.dischargedAt);
      return out === undefined ? [knownAt] : [knownAt, Math.max(out, knownAt)];
    }),
    ...turns(line),
    ...needs
      .filter(({ domain, status }) => domain === 'homelessness' && status !== 'entered-in-error')
      .map(({ identifiedOn }) => dawn(zone, String(identifiedOn))),
  ];
  return [activated, ...reviews].map((start, index) => {
    const stop = reviews[index];
    let due: number | null = endOfDay(zone, start, 30);
    for (const at of events)
      if (at > start && (stop === undefined || at < stop)) due = Math.min(due, endOfDay(zone, at, 7));
    for (let moved = true; moved && due !== null; ) {
      moved = false;
      const date: string = wall(zone, due).date;
      const there = stays.filter((stay) => {
        const end = time(stay.dischargedAt);
        const begins = wall(zone, Number(time(stay.admittedAt))).date;
        return begins <= date && (end === undefined || wall(zone, end).date >= date);
      });
      if (there.some(({ dischargedAt }) => dischargedAt === undefined)) due = null;
      else if (there.length > 0) {
        due = endOfDay(zone, Math.max(...there.map(({ dischargedAt }) => Number(time(dischargedAt)))), 7);
        moved = true;
      }
    }
    return verdict(line, start, due, 7 * dayMs, stop, undefined);
  });
}
