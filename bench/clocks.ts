// `npm run bench -- clocks`: what a sweep of many running clocks takes, when nothing is due, when each one is due soon, when each one is breached and
// told, and when all are worked out anew from their records.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SweepDeps, sweepClocks } from '../src/clocks/clocks.ts';
import { acceptRecords } from '../src/records/records.ts';
import { openStore, type Store, sql } from '../src/store/store.ts';
import { aCase, aNote } from '../test/builders.ts';
import { startPostgres } from '../test/support/backends.ts';
import { type Figures, headed, rounded } from './figures.ts';
import type { StoreKind } from './stage.ts';

const clocks = 10_000;
const clocksOfCase = 20;
const casesAtOnce = 10;

export async function measureClocks({
  kinds,
  runs,
}: {
  kinds: readonly StoreKind[];
  runs: number;
}): Promise<Figures[]> {
  const all: Figures[] = [];
  for (let run = 0; run < runs; run += 1) {
    const figures: Record<string, number> = {};
    for (const kind of kinds) Object.assign(figures, headed(kind, await onStore(kind, measured)));
    all.push(figures);
  }
  return all;
}

async function onStore<T>(kind: StoreKind, work: (store: Store) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-bench-'));
  const server = kind === 'postgres' ? await startPostgres({ durable: true }) : undefined;
  const store = await openStore({ folder, ...(server && { url: await server.freshDatabase() }) });
  try {
    return await work(store);
  } finally {
    await store.close();
    await server?.stop();
    await rm(folder, { recursive: true });
  }
}

async function measured(store: Store): Promise<Figures> {
  const deps: SweepDeps = {
    store,
    options: {},
    sources: ['county'],
    zoneOf: () => 'America/New_York',
    onError: (error) => {
      throw error;
    },
  };
  await fill(store);
  const workedOut = await sweepMs(deps, '2026-02-10T20:00:00Z', 'running');
  const nothing = await sweepMs(deps, '2026-02-10T21:00:00Z', 'running');
  const soon = await sweepMs(deps, '2026-02-11T16:00:00Z', 'due-soon');
  const told = await sweepMs(deps, '2026-02-11T20:00:00Z', 'breached');
  return {
    'all worked out from their records, ms': workedOut,
    'nothing is due, ms': nothing,
    'all are due soon, ms': soon,
    'all are breached and told, ms': told,
  };
}

async function fill(store: Store): Promise<void> {
  const draft = aNote({ status: 'draft' });
  const { signedAt: _signedAt, ...unsigned } = draft;
  for (let from = 0; from < clocks / clocksOfCase; from += casesAtOnce) {
    const items = Array.from({ length: casesAtOnce }, (_, index) => from + index).flatMap((at) => [
      { type: 'case' as const, record: aCase({ id: `case-${at}` }) },
      ...Array.from({ length: clocksOfCase }, (_, note) => ({
        type: 'note' as const,
        record: { ...unsigned, id: `note-${at}-${note}`, caseId: `case-${at}` },
      })),
    ]);
    await store.tx((trx) => acceptRecords(trx, 'county', items, []));
  }
}

/** Sweeps until nothing is left, and makes sure that every clock came to that state. */
async function sweepMs(deps: SweepDeps, now: string, state: string): Promise<number> {
  const began = performance.now();
  for (;;) {
    const { subjects, moved } = await sweepClocks(deps, new Date(now));
    if (subjects === 0 && moved === 0) break;
  }
  const ms = performance.now() - began;
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from clock where state = ${state}`.execute(deps.store.db);
  if (rows[0]?.n !== clocks) throw new Error(`${rows[0]?.n} of ${clocks} clocks are ${state}.`);
  return rounded(ms);
}
