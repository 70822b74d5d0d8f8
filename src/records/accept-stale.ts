// A record that came with an older time and other content than any version is kept beside the one that holds. An operator who finds it to be
// right after all makes it the newest version (lanes.md 24).

import type { Transaction } from 'kysely';
import { CasebridgeError } from '../errors.ts';
import type { Database } from '../store/store.ts';
import { judge } from './accept/judge.ts';
import { markAcceptedClocks } from './accept/mark-clocks.ts';
import { moveRecords } from './accept/move.ts';
import { insertVersions, keyOf, lockRecords, updateRecords } from './accept/rows.ts';
import { type Recipient, raiseConsentEpochs, wantLanes } from './accept/want-lanes.ts';
import { type Acceptance, receive } from './accept.ts';
import { parseRecord } from './parse-record.ts';
import type { RecordSchemas } from './record-schemas.ts';
import type { RecordType } from './record-type.ts';

export interface StaleKey {
  readonly source: string;
  readonly type: RecordType;
  readonly id: string;
  /** Of its content. */
  readonly hash: string;
}

/**
 * The stale content becomes the newest version. The record keeps the later of both source times, so that what is older than either is still
 * stale; a source that repeats the version before makes that the newest again.
 *
 * @throws CasebridgeError `stale-unknown`; `record-refused` where it would change signed text, or breaks a rule that came after it
 */
export async function acceptStale(
  trx: Transaction<Database>,
  { source, type, id, hash }: StaleKey,
  connections: readonly Recipient[],
  schemas?: RecordSchemas,
): Promise<Acceptance> {
  const row = await trx
    .deleteFrom('stale_record')
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .where('hash', '=', hash)
    .returning(['content', 'received_at'])
    .executeTakeFirst();
  if (row === undefined) throw new CasebridgeError('stale-unknown');
  const parsed = parseRecord(type, row.content, { now: row.received_at, schemas });
  if (!parsed.ok) throw new CasebridgeError('record-refused', { count: parsed.errors.length });
  const received = receive(type, parsed.record);
  const stored = (await lockRecords(trx, source, [received])).get(keyOf(received));
  const latest = { ...received, micros: Math.max(received.micros, stored?.micros ?? 0) };
  const [judged] = judge(source, [latest], stored, new Set());
  if (judged?.outcome === 'refused') throw new CasebridgeError('record-refused', { count: judged.errors?.length ?? 0 });
  if (judged?.outcome !== 'accepted') throw new CasebridgeError('stale-unknown');
  await updateRecords(trx, source, [judged]);
  await insertVersions(trx, source, [{ ...judged, received }]);
  await raiseConsentEpochs(trx, source, [judged]);
  const lanes = await wantLanes(trx, source, [judged], connections);
  await moveRecords(trx, source, [judged]);
  await markAcceptedClocks(trx, source, [judged]);
  return { outcome: 'accepted', version: judged.version, lanes };
}
