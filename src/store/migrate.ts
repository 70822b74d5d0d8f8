// Brings a database to the schema of this program: numbered steps, forward only, each in one transaction of its own.
// A start that dies in the middle leaves whole steps behind, and the next start goes on from there.

import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import { CasebridgeError } from '../errors.ts';
import { sql as spine } from './migrations/0001-spine.ts';
import { sql as documents } from './migrations/0002-documents.ts';
import { sql as probesAndRoutes } from './migrations/0003-probes-and-routes.ts';
import { sql as operating } from './migrations/0004-operating.ts';
import { sql as requestBudget } from './migrations/0005-request-budget.ts';
import { sql as unmapped } from './migrations/0006-unmapped.ts';
import { sql as changeLineage } from './migrations/0007-change-lineage.ts';
import { sql as webhooks } from './migrations/0008-webhooks.ts';
import { sql as clocks } from './migrations/0009-clocks.ts';
import { sql as polls } from './migrations/0010-polls.ts';
import { sql as inbound } from './migrations/0011-inbound.ts';
import { sql as home } from './migrations/0012-home.ts';
import { sql as partnerPage } from './migrations/0013-partner-page.ts';
import { sql as console } from './migrations/0014-console.ts';
import { sql as ownSubscriptions } from './migrations/0015-own-subscriptions.ts';
import { sql as rosterSought } from './migrations/0016-roster-sought.ts';
import { sql as retention } from './migrations/0017-retention.ts';
import { sql as partnerContacts } from './migrations/0018-partner-contacts.ts';
import { sql as callerRates } from './migrations/0019-caller-rates.ts';
import { sql as refusedValues } from './migrations/0020-refused-values.ts';
import { sql as configurations } from './migrations/0021-configurations.ts';
import { sql as clientIdentifiers } from './migrations/0022-client-identifiers.ts';
import { sql as offeredFrom } from './migrations/0023-offered-from.ts';
import { sql as formOfBases } from './migrations/0024-form-of-bases.ts';
import { sql as atSize } from './migrations/0025-at-size.ts';
import { sql as taskFocus } from './migrations/0026-task-focus.ts';
import { sql as mergedClients } from './migrations/0027-merged-clients.ts';
import type { Database } from './tables.ts';

export interface Migration {
  readonly id: number;
  readonly name: string;
  /** Statements that may run inside a transaction. */
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  { id: 1, name: 'spine', sql: spine },
  { id: 2, name: 'documents', sql: documents },
  { id: 3, name: 'probes-and-routes', sql: probesAndRoutes },
  { id: 4, name: 'operating', sql: operating },
  { id: 5, name: 'request-budget', sql: requestBudget },
  { id: 6, name: 'unmapped', sql: unmapped },
  { id: 7, name: 'change-lineage', sql: changeLineage },
  { id: 8, name: 'webhooks', sql: webhooks },
  { id: 9, name: 'clocks', sql: clocks },
  { id: 10, name: 'polls', sql: polls },
  { id: 11, name: 'inbound', sql: inbound },
  { id: 12, name: 'home', sql: home },
  { id: 13, name: 'partner-page', sql: partnerPage },
  { id: 14, name: 'console', sql: console },
  { id: 15, name: 'own-subscriptions', sql: ownSubscriptions },
  { id: 16, name: 'roster-sought', sql: rosterSought },
  { id: 17, name: 'retention', sql: retention },
  { id: 18, name: 'partner-contacts', sql: partnerContacts },
  { id: 19, name: 'caller-rates', sql: callerRates },
  { id: 20, name: 'refused-values', sql: refusedValues },
  { id: 21, name: 'configurations', sql: configurations },
  { id: 22, name: 'client-identifiers', sql: clientIdentifiers },
  { id: 23, name: 'offered-from', sql: offeredFrom },
  { id: 24, name: 'form-of-bases', sql: formOfBases },
  { id: 25, name: 'at-size', sql: atSize },
  { id: 26, name: 'task-focus', sql: taskFocus },
  { id: 27, name: 'merged-clients', sql: mergedClients },
];

/** The schema that holds every table of Casebridge, so that it can share a database. */
export const schema = 'casebridge';

// Any number will do, as long as every version of Casebridge takes the same one.
const advisoryLock = 20_260_101;

/**
 * Applies what is missing of `known`. Running it again, or twice at the same time, changes nothing more.
 * @throws CasebridgeError `store-newer` when the database has a step that `known` lacks.
 */
export async function migrate(db: Kysely<Database>, known: readonly Migration[] = migrations): Promise<void> {
  let more = true;
  while (more) more = await db.transaction().execute((trx) => applyNext(trx, known));
}

async function applyNext(trx: Transaction<Database>, known: readonly Migration[]): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(trx);
  await sql`create schema if not exists ${sql.ref(schema)}`.execute(trx);
  await sql`create table if not exists migration (
    id integer primary key, name text not null, applied_at timestamptz not null default now()
  )`.execute(trx);
  const applied = await sql<{ last: number | null }>`select max(id) as last from migration`.execute(trx);
  const last = applied.rows[0]?.last ?? 0;
  const newest = known.at(-1)?.id ?? 0;
  if (last > newest) throw new CasebridgeError('store-newer', { found: last, known: newest });
  const next = known.find((migration) => migration.id > last);
  if (!next) return false;
  await sql.raw(next.sql).execute(trx);
  await sql`insert into migration (id, name) values (${next.id}, ${next.name})`.execute(trx);
  return true;
}
