// A store whose clocks a test sweeps at the times that it names.

import type { SweepDeps, Swept } from '../../src/clocks/clocks.ts';
import { sweepClocks } from '../../src/clocks/clocks.ts';
import type { JsonObject } from '../../src/json.ts';
import { acceptRecords, parseRecord, type RecordType } from '../../src/records/records.ts';
import type { Store } from '../../src/store/store.ts';
import { newYork } from './facts.ts';

export type Item = readonly [RecordType, JsonObject];

export interface AlertView {
  readonly topic: string;
  readonly code: string;
  readonly count: number;
  readonly recipients: readonly string[];
  readonly openedAt: string;
  readonly resolvedAt: string | null;
  readonly resolution: string | null;
}

export function depsOn(store: Store, changed: Partial<SweepDeps> = {}): SweepDeps {
  const onError = (error: unknown) => {
    throw error;
  };
  return { store, options: {}, sources: ['county'], zoneOf: () => newYork, onError, ...changed };
}

export async function accept(store: Store, ...items: readonly Item[]): Promise<void> {
  const checked = items.map(([type, value]) => {
    const parsed = parseRecord(type, value, { now: new Date('2027-06-01T00:00:00Z'), timeZone: newYork });
    if (!parsed.ok) throw new Error(`${type}: ${JSON.stringify(parsed.errors)}`);
    return { type, record: parsed.record };
  });
  await store.tx((trx) => acceptRecords(trx, 'county', checked, []));
}

export function sweepAt(store: Store, now: string, changed: Partial<SweepDeps> = {}): Promise<Swept> {
  return sweepClocks(depsOn(store, changed), new Date(now));
}

/** State by `rule`, with the part where there is one. */
export async function states({ db }: Store): Promise<Record<string, string>> {
  const rows = await db.selectFrom('clock').selectAll().orderBy('rule').orderBy('id').execute();
  return Object.fromEntries(rows.map(({ id, rule, part, state }) => [`${id} ${rule}${part && ` ${part}`}`, state]));
}

export async function alerts({ db }: Store): Promise<AlertView[]> {
  const rows = await db.selectFrom('alert').selectAll().orderBy('topic').orderBy('id').execute();
  return rows.map((row) => ({
    topic: row.topic,
    code: row.reason.code,
    count: row.count,
    recipients: (row.recipients ?? []).map(({ role, id }) => `${role} ${id}`).sort(),
    openedAt: row.opened_at.toISOString(),
    resolvedAt: row.resolved_at?.toISOString() ?? null,
    resolution: row.resolution?.code ?? null,
  }));
}
