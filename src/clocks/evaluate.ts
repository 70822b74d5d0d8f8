// From the records of a case to its clocks: reads the rules and says of each clock where it stands at a moment. The same records and the same moment
// give the same clocks, whatever was said before. Times are epoch milliseconds. Pure.

import type { ClockRule } from '../config.ts';
import { type Reason, reason } from '../errors.ts';
import { type JsonObject, objectsAt, textAt } from '../json.ts';
import type { RecordType } from '../records/records.ts';
import { type BusinessHours, dayOf, dueAfter, endOfDayAfter, startOfDate } from './calendar.ts';
import { earliest, known, timeAt } from './fields.ts';
import { always, type Happening, type Rule, rules, type Seen, type Told } from './rules.ts';

export const clockStates = ['running', 'due-soon', 'breached', 'met', 'void'] as const;
export type ClockState = (typeof clockStates)[number];

/** A record as a clock sees it. */
export interface ClockRecord extends Told {
  readonly type: RecordType;
  /** Of a withdrawn record: as it was before. */
  readonly record: JsonObject;
  readonly isWithdrawn: boolean;
  /** It has its own clocks in another case, and counts here for those of other records. */
  readonly isBeside?: true;
}

export interface CaseFacts {
  /** Of the case, the case itself among them. */
  readonly records: readonly ClockRecord[];
  readonly client?: JsonObject;
  /** IANA name: of the case's organization, else of the source. */
  readonly zone: string;
}

export interface ClockOptions {
  /** For these rules only time within business hours counts. */
  readonly businessHours?: BusinessHours & { readonly rules: readonly ClockRule[] };
}

export interface Clock {
  readonly rule: ClockRule;
  readonly type: RecordType;
  readonly id: string;
  /** Of a clock that starts again and again: what started this one. Else ''. */
  readonly part: string;
  readonly state: ClockState;
  readonly startedAt: number;
  /** Null while it is paused without an end that is known. */
  readonly dueAt: number | null;
  readonly dueSoonAt: number | null;
  /** When it was stopped; of a breached clock: after its limit, so that nothing waits for it any more. */
  readonly stoppedAt: number | null;
  readonly pausedSince: number | null;
  /** Of a first contact: a two-way contact, something that lets one think so, or a try. */
  readonly contact: 'reached' | 'implied' | 'attempted' | null;
  readonly worker: string | null;
  /** As the case names one. */
  readonly supervisor: string | null;
  readonly reason: Reason;
}

/** The clocks of a case at `now`, in the order of its records. */
export function clocksOf(facts: CaseFacts, now: number, options: ClockOptions = {}): Clock[] {
  const scene = sceneOf(facts, now, options);
  return facts.records
    .filter(({ isBeside }) => isBeside !== true)
    .flatMap((one) =>
      rules.filter(({ type }) => type === one.type).flatMap((rule) => clocksOfRecord(rule, one, scene)),
    );
}

/** When the state changes next by the passing of time alone; null: never. */
export function nextChangeAt({ state, dueAt, dueSoonAt }: Clock): number | null {
  if (state === 'running') return dueSoonAt;
  return state === 'due-soon' ? dueAt : null;
}

/** What the reason of this clock is once its limit has passed. */
export function breachedReason({ title, awaits }: Rule): Reason {
  return reason('clock-breached', { clock: title, awaits });
}

interface Scene {
  readonly facts: CaseFacts;
  readonly now: number;
  readonly options: ClockOptions;
  readonly byType: ReadonlyMap<RecordType, readonly Told[]>;
  readonly caseClosedAt: number | undefined;
  readonly isCaseWithdrawn: boolean;
  readonly primary: string | null;
  readonly supervisor: string | null;
}

function sceneOf(facts: CaseFacts, now: number, options: ClockOptions): Scene {
  const kept = facts.records.filter(({ isWithdrawn }) => !isWithdrawn);
  const own = facts.records.find(({ type }) => type === 'case');
  return {
    facts,
    now,
    options,
    byType: Map.groupBy(kept, ({ type }) => type),
    caseClosedAt: own && closedAt(own, facts.zone),
    isCaseWithdrawn: own?.isWithdrawn === true,
    primary: assigned(own?.record, 'primary'),
    supervisor: assigned(own?.record, 'supervisor'),
  };
}

function closedAt({ record, statusSince }: ClockRecord, zone: string): number | undefined {
  if (record.status !== 'closed' && record.status !== 'declined') return undefined;
  const dates = known(textAt(record, 'closedOn')).map((date) => startOfDate(date, zone));
  return earliest([...dates, statusSince]);
}

/** Whoever has the role now; of several the one who has had it for the shortest time. */
function assigned(record: JsonObject | undefined, role: string): string | null {
  const open = objectsAt(record, 'assignments').filter((one) => one.role === role && one.to === undefined);
  const latest = open.reduce<JsonObject | undefined>(
    (last, one) => (last === undefined || (timeAt(one, 'from') ?? 0) >= (timeAt(last, 'from') ?? 0) ? one : last),
    undefined,
  );
  return textAt(latest, 'workerId') ?? null;
}

interface Found {
  readonly at: number;
  readonly says: string;
}

function clocksOfRecord(rule: Rule, one: ClockRecord, scene: Scene): Clock[] {
  const seen = seenOf(one, scene);
  const start = rule.applies(one.record) ? rule.starts.flatMap(({ at }) => at(seen))[0] : undefined;
  if (start === undefined) return [];
  const stops = found(rule.stops, seen);
  const again = (rule.again?.parts(one.record) ?? [])
    .filter(({ at }) => at >= start)
    .sort((earlier, later) => earlier.at - later.at)
    .filter(({ at }, index, all) => at !== all[index - 1]?.at);
  return [{ part: '', at: start }, ...again].map(({ part, at }, index) => {
    // A stop that starts it anew is not the stop of what it starts.
    const after = stops.filter((stop) => (index === 0 ? stop.at >= at : stop.at > at));
    const isCrossed = index === 0 && after.length === 0 && stops.length > 0;
    return clockOf(rule, one, seen, scene, { part, start: at, stop: first(after), isCrossed });
  });
}

function seenOf({ record, statusSince }: ClockRecord, { facts, byType, caseClosedAt }: Scene): Seen {
  const { client, zone } = facts;
  const told = (type: RecordType) => byType.get(type) ?? [];
  const others = (type: RecordType) => told(type).map((one) => one.record);
  return { record, statusSince, client, zone, caseClosedAt, told, others };
}

function found(happenings: readonly Happening[], seen: Seen): Found[] {
  return happenings.flatMap(({ at, says }) => at(seen).map((time) => ({ at: time, says })));
}

function first(all: readonly Found[]): Found | undefined {
  return all.reduce<Found | undefined>(
    (least, one) => (least === undefined || one.at < least.at ? one : least),
    undefined,
  );
}

interface Run {
  readonly part: string;
  readonly start: number;
  readonly stop: Found | undefined;
  /** Something that would stop it lies before its start. */
  readonly isCrossed: boolean;
}

function clockOf(rule: Rule, one: ClockRecord, seen: Seen, scene: Scene, run: Run): Clock {
  const { due, pause } = dueOf(rule, seen, scene, run);
  const verdict = judge(rule, one, seen, scene, run, due, pause?.says);
  const isOpen = verdict.state === 'running' || verdict.state === 'due-soon' || verdict.isAwaited;
  return {
    rule: rule.name,
    type: rule.type,
    id: textAt(one.record, 'id') ?? '',
    part: run.part,
    state: verdict.state,
    startedAt: run.start,
    dueAt: due,
    dueSoonAt: due === null ? null : soonOf(rule, run.start, due),
    stoppedAt: verdict.stoppedAt,
    pausedSince: isOpen && pause ? pause.since : null,
    contact: contactOf(rule, seen, run),
    worker: rule.worker?.(one.record) ?? scene.primary,
    supervisor: scene.supervisor,
    reason: verdict.reason,
  };
}

function soonOf({ dueSoonHours }: Rule, start: number, due: number): number {
  return Math.max(start, due - dueSoonHours * hourMs);
}

function contactOf(rule: Rule, seen: Seen, { stop }: Run): Clock['contact'] {
  if (rule.contact === undefined) return null;
  return stop === undefined ? (rule.contact(seen) ?? null) : 'reached';
}

interface Verdict {
  readonly state: ClockState;
  readonly stoppedAt: number | null;
  readonly reason: Reason;
  /** Breached, and still waited for. */
  readonly isAwaited?: boolean;
}

function judge(
  rule: Rule,
  { isWithdrawn }: ClockRecord,
  seen: Seen,
  { now, isCaseWithdrawn }: Scene,
  { start, stop, isCrossed }: Run,
  due: number | null,
  pausedBecause: string | undefined,
): Verdict {
  const { title: clock, awaits, voids } = rule;
  const withdrawn = [
    ...(isWithdrawn ? [{ at: always, says: 'the record was withdrawn' }] : []),
    ...(isCaseWithdrawn ? [{ at: always, says: 'the case was withdrawn' }] : []),
  ];
  const end = first([...withdrawn, ...found(voids, seen)]);
  const isWithin = (at: number): boolean => due === null || at <= due;
  // A date may lie ahead: what comes after the limit changes nothing before it has passed.
  const isTold = (at: number): boolean => isWithin(at) || (due !== null && now >= due);

  if (end !== undefined && (stop === undefined || end.at < stop.at)) {
    if (isWithin(end.at))
      return { state: 'void', stoppedAt: null, reason: reason('clock-void', { clock, why: end.says }) };
    if (isTold(end.at))
      return { state: 'breached', stoppedAt: end.at, reason: reason('clock-stopped-late', { clock, how: end.says }) };
  } else if (stop !== undefined && isTold(stop.at)) {
    const how = { clock, how: stop.says };
    return isWithin(stop.at)
      ? { state: 'met', stoppedAt: stop.at, reason: reason('clock-met', how) }
      : { state: 'breached', stoppedAt: stop.at, reason: reason('clock-stopped-late', how) };
  }
  const waits = isCrossed
    ? reason('clock-times-crossed', { clock, awaits })
    : reason('clock-awaits', { clock, awaits });
  if (due === null)
    return {
      state: 'running',
      stoppedAt: null,
      reason: pausedBecause === undefined ? waits : reason('clock-paused', { clock, why: pausedBecause }),
    };
  if (now >= due)
    return {
      state: 'breached',
      stoppedAt: null,
      isAwaited: true,
      reason: isCrossed ? waits : reason('clock-breached', { clock, awaits }),
    };
  const isSoon = now >= soonOf(rule, start, due);
  return { state: isSoon ? 'due-soon' : 'running', stoppedAt: null, reason: waits };
}

const hourMs = 3_600_000;

interface Due {
  readonly due: number | null;
  /** What keeps it from having a time at which it is due. */
  readonly pause?: { readonly since: number; readonly says: string };
}

function dueOf(rule: Rule, seen: Seen, { facts: { zone }, options }: Scene, run: Run): Due {
  const { limit } = rule;
  if ('hours' in limit) {
    const pauses = rule.pauses.flatMap(({ says, during }) => during(seen).map((span) => ({ says, span })));
    const { businessHours } = options;
    const due = dueAfter(run.start, limit.hours * hourMs, {
      zone,
      pauses: pauses.map(({ span }) => span),
      ...(businessHours?.rules.includes(rule.name) && { businessHours }),
    });
    const endless = pauses.find(({ span: [, to] }) => to === Number.POSITIVE_INFINITY);
    return due === null && endless
      ? { due, pause: { since: Math.max(run.start, endless.span[0]), says: endless.says } }
      : { due };
  }
  const days = typeof limit.days === 'number' ? limit.days : limit.days(seen.record);
  return later(rule, seen, run, sooner(rule, seen, run, endOfDayAfter(run.start, days, zone)));
}

function sooner({ sooner: rule }: Rule, seen: Seen, { start, stop }: Run, due: number): number {
  if (rule === undefined) return due;
  const events = found(rule.after, seen).filter(({ at }) => at > start && (stop === undefined || at < stop.at));
  return Math.min(due, ...events.map(({ at }) => endOfDayAfter(at, rule.days, seen.zone)));
}

function later({ later: rule }: Rule, seen: Seen, { start }: Run, nominal: number): Due {
  if (rule === undefined) return { due: nominal };
  const spans = [...rule.spans(seen)].sort(([one], [other]) => one - other);
  let due = nominal;
  for (;;) {
    const [from, until] = dayOf(due, seen.zone);
    // Each move leads to a later day than the end of the span, so a span moves it once.
    const within = spans.filter(([begins, ends]) => begins < until && ends >= from);
    const [endless] = within.filter(([, ends]) => ends === Number.POSITIVE_INFINITY);
    if (endless) return { due: null, pause: { since: Math.max(start, endless[0]), says: rule.says } };
    if (within.length === 0) return { due };
    due = endOfDayAfter(Math.max(...within.map(([, ends]) => ends)), rule.days, seen.zone);
  }
}
