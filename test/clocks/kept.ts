// A store whose clocks a test sweeps at the times that it names.

import type { SweepDeps, Swept } from '../../src/clocks/clocks.ts';
import { sweepClocks } from '../../src/clocks/clocks.ts';
import type { JsonObject } from '../../src/json.ts';
import { markClocks } from '../../src/lanes/mark-clocks.ts';
import { acceptRecords, type StoredRecord } from '../../src/records/records.ts';
import { json, type Store } from '../../src/store/store.ts';
import { checked, type Item } from '../support/caseload.ts';
import { newYork } from './facts.ts';

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
  const records = checked(items, new Date('2027-06-01T00:00:00Z'));
  await store.tx((trx) => acceptRecords(trx, 'county', records, []));
}

/** Stays that a hospital has told of and their source has not taken over, as `lanes/inbound/` keeps them; `state` is what has become of that. */
export async function offerStays(
  store: Store,
  stays: readonly StoredRecord[],
  state: 'proposed' | 'adopted' | 'withdrawn' = 'proposed',
): Promise<void> {
  await store.tx(async (trx) => {
    for (const { updatedAt: _, ...stay } of stays) {
      const subject = `county.client.${String(stay.clientId)}`;
      const key = { connection: 'hospital', source: 'county', resource_type: 'Encounter', remote_id: stay.id };
      await trx
        .insertInto('inbound')
        .values({ ...key, type: 'hospitalStay', id: stay.id, subject, state, offered: json<JsonObject>(stay) })
        .onConflict((conflict) => conflict.columns(['source', 'type', 'id']).doUpdateSet({ state }))
        .execute();
      await markClocks(trx, subject);
    }
  });
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
