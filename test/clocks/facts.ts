// Builders for the pure rules: one case's records as clocks see them.

import type { CaseFacts, Clock, ClockOptions, ClockRecord } from '../../src/clocks/clocks.ts';
import { clocksOf } from '../../src/clocks/clocks.ts';
import type { RecordType, StoredRecord } from '../../src/records/records.ts';
import { aCase } from '../builders.ts';

export const newYork = 'America/New_York';

export function seen(
  type: RecordType,
  record: StoredRecord,
  { isWithdrawn = false, statusSince = record.updatedAt, hasMoved = false } = {},
): ClockRecord {
  return { type, record, isWithdrawn, statusSince: Date.parse(statusSince), hasMoved };
}

/** The builders' case with these records. */
export function caseWith(...records: readonly ClockRecord[]): CaseFacts {
  return { records: [seen('case', aCase()), ...records], zone: newYork };
}

export interface Shown {
  readonly state: string;
  readonly due: string | null;
  readonly stopped: string | null;
  readonly paused: string | null;
  readonly contact: string | null;
  readonly code: string;
}

/** The clocks of one rule at a moment, with times as UTC. */
export function shown(facts: CaseFacts, rule: string, now: string, options: ClockOptions = {}): Shown[] {
  return clocksOf(facts, Date.parse(now), options)
    .filter((clock) => clock.rule === rule)
    .map((clock) => ({
      state: clock.state,
      due: instant(clock.dueAt),
      stopped: instant(clock.stoppedAt),
      paused: instant(clock.pausedSince),
      contact: clock.contact,
      code: clock.reason.code,
    }));
}

export function only(clocks: readonly Clock[], rule: string): Clock {
  const [clock, ...others] = clocks.filter((one) => one.rule === rule);
  if (clock === undefined || others.length > 0)
    throw new Error(`${others.length + Number(clock !== undefined)} clocks ${rule}`);
  return clock;
}

export function instant(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString().replace('.000Z', 'Z');
}
