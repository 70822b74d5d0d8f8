// What an operator does to one lane: run it, park it, try it again, set aside what is stuck in it.

import { sql } from 'kysely';
import { CasebridgeError } from '../../errors.ts';
import { isRecordType } from '../../records/records.ts';
import {
  type Database,
  json,
  type SetAside,
  type Signed,
  type Store,
  type Transaction,
  timeOf,
} from '../../store/store.ts';
import { askAgain, setAside, stuckIn } from '../decisions/set-aside.ts';
import { nameOf } from '../lane-resource.ts';
import type { LaneKey } from '../lease.ts';
import { raiseWanted } from '../links/wanted.ts';
import { askAboutElsewhere } from '../unknown/stored-elsewhere.ts';

export interface Signature {
  readonly by: string;
  readonly note?: string;
}

/** Wants the lane at once, reading everything that is linked again; also one that was parked. What was left gone, or elsewhere, is asked about again. */
export async function runByHand(store: Store, lane: LaneKey): Promise<void> {
  await store.tx(async (trx) => {
    await lift(trx, lane);
    for (const { type, id, slot, ...link } of await askAgain(trx, lane))
      if (isRecordType(type)) await askAboutElsewhere(trx, link, { type, id, slot }, link.resource_type);
    await raiseWanted(trx, [lane], { reread: true, unpark: true, priority: 10 });
  });
}

/**
 * Nobody runs the lane until an operator says so, whatever is wanted of it. A run under way loses its lease: it sends no request that it has
 * not begun.
 * @throws CasebridgeError `lane-unknown`
 */
export async function parkLane(store: Store, lane: LaneKey, signature: Signature): Promise<void> {
  await store.tx(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('lane')
      .set({
        stopped: json<Signed>(signed(signature, await timeOf(trx))),
        fence: sql<number>`fence + 1`,
        lease_holder: null,
        lease_until: null,
        queued_until: null,
        starts: 0,
      })
      .where('connection', '=', lane.connection)
      .where('subject', '=', lane.subject)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new CasebridgeError('lane-unknown');
  });
}

/**
 * Tries at once what is parked or waits for its next try.
 * @throws CasebridgeError `lane-unknown`, `lane-nothing-to-retry`
 */
export async function retryLane(store: Store, lane: LaneKey): Promise<void> {
  await store.tx(async (trx) => {
    const row = await lockLane(trx, lane);
    const isStuck = row.stopped !== null || row.parked !== null || (row.done < row.wanted && row.next_try_at !== null);
    if (!isStuck) throw new CasebridgeError('lane-nothing-to-retry', { state: stateOf(row) });
    await lift(trx, lane);
    await raiseWanted(trx, [lane], { unpark: true, priority: 10 });
  });
}

/**
 * Sets aside the versions that are stuck, until their records have new ones; the rest of the lane goes on.
 * @param resource one of them, as `referral/r1#request`; undefined: all
 * @throws CasebridgeError `lane-unknown`, `lane-nothing-to-skip`
 */
export async function skipStuck(
  store: Store,
  lane: LaneKey,
  signature: Signature,
  resource?: string,
): Promise<readonly string[]> {
  return store.tx(async (trx) => {
    await lockLane(trx, lane);
    const wanted = resource === undefined ? undefined : [resource];
    const names = await setAside(trx, lane, wanted, signed(signature, await timeOf(trx)));
    if (names.length === 0) {
      const stuck = (await stuckIn(trx, lane)).slice(0, mostNamed).map(nameOf);
      throw new CasebridgeError('lane-nothing-to-skip', { stuck: stuck.join(', ') || 'nothing' });
    }
    await raiseWanted(trx, [lane], { unpark: true, priority: 10 });
    return names;
  });
}

/** A refusal names no more. */
const mostNamed = 10;

function signed({ by, note }: Signature, at: Date): Omit<SetAside, 'version' | 'reason'> {
  return { by, at: at.toISOString(), ...(note !== undefined && { note }) };
}

async function lift(trx: Transaction<Database>, { connection, subject }: LaneKey): Promise<void> {
  await trx
    .updateTable('lane')
    .set({ stopped: null })
    .where('connection', '=', connection)
    .where('subject', '=', subject)
    .where('stopped', 'is not', null)
    .execute();
}

async function lockLane(trx: Transaction<Database>, { connection, subject }: LaneKey) {
  const row = await trx
    .selectFrom('lane')
    .select(['stopped', 'parked', 'done', 'wanted', 'next_try_at', 'waiting', 'lease_until'])
    .where('connection', '=', connection)
    .where('subject', '=', subject)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new CasebridgeError('lane-unknown');
  return row;
}

function stateOf({ done, wanted, waiting, lease_until: until }: Awaited<ReturnType<typeof lockLane>>): string {
  if (until !== null) return 'running';
  if (done < wanted) return 'due';
  return waiting ? 'waiting' : 'idle';
}
