// One runner per lane: a lease with a fencing token (lanes.md 5). Times are database times; every store write of a run is made under the
// fence, so a runner that was frozen past its lease changes nothing when it wakes.

import { type Kysely, sql, type Transaction } from 'kysely';
import type { Reason } from '../errors.ts';
import type { LaneKey } from '../records/records.ts';
import { type Database, type JsonText, json, type LaneBasis, type Store } from '../store/store.ts';
import { isConfiguredOtherwise } from './configuration/configuration.ts';
import { retryHorizonMs } from './retry.ts';

export type { LaneKey };

/** Each lane once, of those of one connection. */
export function distinctLanes(lanes: readonly LaneKey[]): LaneKey[] {
  return [...new Map(lanes.map((lane) => [lane.subject, lane])).values()];
}

export interface Lease extends LaneKey {
  readonly source: string;
  readonly fence: number;
  /** The value of the counter that this run works off; a later cause raises it further and brings another run. */
  readonly wanted: number;
  readonly attempts: number;
  /** An operator or a check asked to read every linked resource again. */
  readonly reread: boolean;
  readonly parked: Reason | null;
  /** It has had work for longer than `retryHorizonMs`. */
  readonly isOverdue: boolean;
  /** Starts in a row, this one included, without a release or a stored outcome between them. */
  readonly starts: number;
  /** The mapping version that was active then. */
  readonly mapping: string | null;
  /** What its last finished run was made from; null: not known. */
  readonly basis: LaneBasis | null;
}

/** Thrown inside a run whose lease somebody else holds by now: the run ends and changes nothing more. */
export class LeaseLost extends Error {}

/** Of a lane's row that has work. */
const isOverdue = sql<boolean>`due_at < now() - ${retryHorizonMs} * interval '1 millisecond'`;

/** Of a lane's row: has been tried for as long, and is tried on. */
export const isTriedForDays = sql<boolean>`done < wanted and stopped is null and attempts > 0 and ${isOverdue}`;

/** Has work, is due and is free, and no person has stopped it. */
const isRunnable = sql<boolean>`done < wanted and (lease_until is null or lease_until < now()) and (next_try_at is null or next_try_at <= now()) and stopped is null`;

/** Who takes a lane, and how. */
export interface Taker {
  readonly holder: string;
  readonly leaseMs: number;
  /** As it works; a lane of a connection for which another is in force is not to be had. */
  readonly configuration: string;
  /** `released`: not one whose last start was never released: it may have brought its process down */
  readonly which: 'released' | 'any';
}

/** Takes the lane when it has work, is due and is free; undefined otherwise (a late or doubled wake-up ends here). */
export async function takeLease({ db }: Store, key: LaneKey, taker: Taker): Promise<Lease | undefined> {
  const row = await leaseQuery(db, key, taker).executeTakeFirst();
  return row === undefined ? undefined : { ...key, ...row };
}

/** The statement of `takeLease`, which may be part of a larger one. */
export function leaseQuery(db: Store['db'], key: LaneKey, { holder, leaseMs, configuration, which }: Taker) {
  return db
    .updateTable('lane')
    .set({
      fence: sql<number>`fence + 1`,
      starts: sql<number>`starts + 1`,
      lease_holder: holder,
      lease_until: fromNow(leaseMs),
      queued_until: null,
    })
    .where('connection', '=', key.connection)
    .where('subject', '=', key.subject)
    .where(isRunnable)
    .where((where) => where.not(isConfiguredOtherwise(key.connection, configuration)))
    .where(which === 'any' ? sql<boolean>`true` : sql<boolean>`starts = 0`)
    .returning([
      'source',
      'fence',
      'wanted',
      'attempts',
      'reread',
      'parked',
      'starts',
      'basis',
      isOverdue.as('isOverdue'),
      sql<string | null>`(select version from mapping where active)`.as('mapping'),
    ]);
}

/**
 * A wake-up has come to a process that is not to have the lane: it can be fed to others at once.
 * @param configuration the connection's in this process; undefined: it has none
 */
export async function passOn({ db }: Store, { connection, subject }: LaneKey, configuration?: string): Promise<void> {
  await db
    .updateTable('lane')
    .set({ queued_until: null })
    .where('connection', '=', connection)
    .where('subject', '=', subject)
    .where('queued_until', 'is not', null)
    .where(configuration === undefined ? sql<boolean>`true` : isConfiguredOtherwise(connection, configuration))
    .execute();
}

/** True for a lane that could be taken, but whose last start was never released. */
export async function isUnreleased({ db }: Store, { connection, subject }: LaneKey): Promise<boolean> {
  const row = await db
    .selectFrom('lane')
    .select('starts')
    .where('connection', '=', connection)
    .where('subject', '=', subject)
    .where('starts', '>', 0)
    .where(isRunnable)
    .executeTakeFirst();
  return row !== undefined;
}

/** The alert that a lane has brought processes down. */
export function crashTopic({ connection, subject }: LaneKey): string {
  return `lane-crashed:${connection}:${subject}`;
}

/**
 * Renews the lease, and locks the lane's row for the rest of the transaction where there is one.
 *
 * @param change `starts: 0` where an outcome is stored, or the run has looked around for long: it has got somewhere (lanes.md 5)
 * @throws LeaseLost when the lease has passed to another runner or ran out.
 */
export async function holdLease(
  trx: Kysely<Database> | Transaction<Database>,
  lease: Lease,
  leaseMs: number,
  change: { readonly starts?: 0 } = {},
): Promise<void> {
  const held = await trx
    .updateTable('lane')
    .set({ lease_until: fromNow(leaseMs), ...change })
    .where('connection', '=', lease.connection)
    .where('subject', '=', lease.subject)
    .where('fence', '=', lease.fence)
    .where(sql<boolean>`lease_until > now()`)
    .executeTakeFirst();
  if (held.numUpdatedRows === 0n) throw new LeaseLost();
}

/** A run, or what of it can store under its lease. */
export interface Leased {
  readonly deps: { readonly store: Store; readonly leaseMs: number };
  readonly lease: Lease;
}

/**
 * A transaction of a run, which holds the lane from its first statement on: a runner whom another has followed stores nothing (lanes.md 2).
 *
 * @throws LeaseLost when the lease has passed to another runner or ran out.
 */
export function underLease<T>({ deps, lease }: Leased, work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
  return deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    return work(trx);
  });
}

/** Stores what a run has found out, in the transaction that gives the lane back. @returns lanes to wake after it */
export type RunKeeper = (trx: Transaction<Database>) => Promise<readonly LaneKey[]>;

/** What a run that has done all it can leaves behind. */
export interface RunRest {
  /** Absent: the store knows it all. */
  readonly keep?: RunKeeper | undefined;
  readonly waiting: boolean;
  readonly parked: Reason | null;
}

/** How a run ends; every outcome has its reason, none is a flag. */
export type RunOutcome =
  | (RunRest & {
      readonly kind: 'done';
      readonly reason: Reason | null;
      readonly nextLookAt: Date | null;
      /** What the run was made from, where everything that it wants was done. */
      readonly basis?: LaneBasis;
    })
  | {
      readonly kind: 'again';
      readonly afterMs: number;
      readonly reason: Reason;
      /** Tries in a row, this one included, in which nothing was written. */
      readonly attempts: number;
      /** Why something that it sent is not to be sent again. Absent: what was parked stays so. */
      readonly parked?: Reason;
      /** Of a run that has done all but what it comes back for. */
      readonly rest?: RunRest;
    };

/** Gives the lane back. What was wanted meanwhile stays wanted. @returns lanes to wake */
export async function release(store: Store, lease: Lease, outcome: RunOutcome): Promise<readonly LaneKey[]> {
  const { keep } = (outcome.kind === 'done' ? outcome : outcome.rest) ?? {};
  if (keep === undefined) {
    await store.once((db) => giveBack(db, lease, outcome));
    return [];
  }
  return store.tx(async (trx) => {
    if (!(await giveBack(trx, lease, outcome))) throw new LeaseLost();
    return keep(trx);
  });
}

/** False when the lease is somebody else's by now. */
async function giveBack(db: Store['db'] | Transaction<Database>, lease: Lease, outcome: RunOutcome): Promise<boolean> {
  const free = { lease_holder: null, lease_until: null, starts: 0 };
  const ended =
    outcome.kind === 'done'
      ? {
          ...free,
          done: lease.wanted,
          // A cause that came meanwhile may want everything read again.
          reread: sql<boolean>`reread and wanted > ${lease.wanted}`,
          attempts: 0,
          next_try_at: null,
          waiting: outcome.waiting,
          parked: reasonColumn(outcome.parked),
          reason: reasonColumn(outcome.reason),
          next_look_at: outcome.nextLookAt,
          ...(outcome.basis && { basis: json(outcome.basis) }),
        }
      : {
          ...free,
          attempts: outcome.attempts,
          next_try_at: fromNow(outcome.afterMs),
          reason: reasonColumn(outcome.reason),
          // A cause that came meanwhile may mend it.
          ...(outcome.parked && {
            parked: sql<JsonText<Reason> | null>`case when wanted = ${lease.wanted} then ${json(outcome.parked)} else parked end`,
          }),
          ...(outcome.rest && { waiting: outcome.rest.waiting, parked: reasonColumn(outcome.rest.parked) }),
        };
  const given = await db
    .updateTable('lane')
    .set(ended)
    .where('connection', '=', lease.connection)
    .where('subject', '=', lease.subject)
    .where('fence', '=', lease.fence)
    .executeTakeFirst();
  return given.numUpdatedRows > 0n;
}

function reasonColumn(reason: Reason | null) {
  return reason === null ? null : json(reason);
}

function fromNow(ms: number) {
  return sql<Date>`now() + ${ms} * interval '1 millisecond'`;
}
