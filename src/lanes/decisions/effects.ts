// What a person's answer changes in the store. The next run does the rest.

import { sql, type Transaction } from 'kysely';
import { CasebridgeError, reason } from '../../errors.ts';
import { isObject, type JsonObject, textAt } from '../../json.ts';
import { type Database, json } from '../../store/store.ts';
import { offerPatch, withOffered } from '../changes.ts';
import type { LinkRow } from '../desire/known.ts';
import { ownIdentifierFact } from '../desire/still-ours.ts';
import { nameOf } from '../lane-resource.ts';
import { raiseWanted } from '../links/wanted.ts';
import { withFact } from '../merge.ts';
import { settleMassChange } from '../operating/mass-change/answer.ts';
import { settleGone, takeOut } from '../operating/mass-gone.ts';
import { partFrom } from '../patients/merged.ts';
import {
  type ClientOn,
  interruptRun,
  lockPatientLinks,
  patientSlot,
  pointAt,
  pointAtPatient,
  voidPlans,
} from '../patients/patient-link.ts';
import { settleUntold } from '../unknown/untold.ts';
import type { Answered } from './decisions.ts';
import { settleRefused } from './refused.ts';
import { settleRefusedChange } from './refused-change.ts';
import { leaveGone, setAside } from './set-aside.ts';

/** Puts an answered decision into effect. A choice that only has to be remembered changes nothing here. */
export async function applyDecision(trx: Transaction<Database>, decision: Answered): Promise<void> {
  switch (decision.kind) {
    case 'patient-match':
      await interruptRun(trx, decision);
      if (decision.choice.startsWith('link:')) await linkPatient(trx, decision, decision.choice.slice('link:'.length));
      return;
    case 'entry-match':
      await interruptRun(trx, decision);
      if (decision.choice.startsWith('link:')) await linkEntry(trx, decision, decision.choice.slice('link:'.length));
      if (decision.choice === 'leave') await leaveVersion(trx, decision);
      return;
    case 'conflict':
      if (decision.choice === 'leave') await leaveVersion(trx, decision);
      else await settleElement(trx, decision);
      return;
    case 'status':
      await settleElement(trx, decision);
      return;
    case 'remote-gone':
      await settleOneGone(trx, decision);
      return;
    case 'stored-elsewhere':
      if (decision.choice === 'leave') await leaveElsewhere(trx, decision);
      return;
    case 'outcome-untold':
      await settleUntold(trx, decision);
      return;
    case 'refused-write':
      await settleRefused(trx, decision, decision.signed);
      return;
    case 'refused-change':
      await settleRefusedChange(trx, decision);
      return;
    case 'mass-change':
      await settleMass(trx, decision);
      return;
    default:
      return;
  }
}

async function settleMass(trx: Transaction<Database>, decision: Answered): Promise<void> {
  const key = await settleMassChange(trx, decision);
  if (key?.cause === 'restored-server') await settleGone(trx, decision.connection, key, decision);
}

async function linkPatient(trx: Transaction<Database>, decision: Answered, remoteId: string): Promise<void> {
  const { connection, source, subject, detail } = decision;
  const client: ClientOn = { connection, source, subject, clientId: decision.record_id ?? '' };
  // Asked after a merge: whoever is not its survivor has another chart than the one that was written to.
  if (detail.mergedInto !== undefined && detail.mergedInto !== remoteId) await denyMerge(trx, client);
  const waiting = await pointAtPatient(trx, client, remoteId);
  await voidPlans(trx, client);
  await raiseWanted(trx, waiting);
}

async function linkEntry(trx: Transaction<Database>, decision: Answered, remoteId: string): Promise<void> {
  const { type, record_id: id, slot, detail } = decision;
  const resourceType = textAt(detail, 'resourceType');
  if (type === null || id === null || slot === null || resourceType === undefined) return;
  await raiseWanted(trx, await pointAt(trx, decision, { type, id, slot, resourceType }, remoteId));
}

async function denyMerge(trx: Transaction<Database>, client: ClientOn): Promise<void> {
  const merged = (await lockPatientLinks(trx, client)).findLast(({ retired_at: at }) => at !== null);
  if (merged === undefined) return;
  await trx
    .updateTable('link')
    .set({ reason: json(reason('patient-relinked')) })
    .where('connection', '=', client.connection)
    .where('source', '=', client.source)
    .where('type', '=', 'client')
    .where('id', '=', client.clientId)
    .where('slot', '=', patientSlot)
    .where('generation', '=', merged.generation)
    .execute();
}

/**
 * `ours`: only our side counts as changed from here on; `theirs`: neither does, and the source is offered their value.
 * @throws CasebridgeError `decision-outdated`: it is not there any more, has been seen otherwise since, or, for `theirs`, the record has a version that
 * the lane has not looked at: ours of now, which may be another value than was asked about, would be written over theirs
 */
async function settleElement(trx: Transaction<Database>, decision: Answered): Promise<void> {
  const { detail, connection, source, type, record_id: id } = decision;
  if (typeof detail.element !== 'string' || type === null || id === null) return;
  const link = await trx
    .selectFrom('link')
    .selectAll()
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .where('slot', '=', decision.slot ?? '')
    .where('retired_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  const isOurs = decision.choice === 'ours';
  const record = await recordOf(trx, source, { type, id });
  const isBehind = !isOurs && (record?.version ?? 0) !== link?.record_version;
  if (link === undefined || isBehind || (decision.kind === 'conflict' && (await isUnsettled(trx, link))))
    throw new CasebridgeError('decision-outdated', { id: decision.id });
  // `null` in a decision's detail stands for an absent element.
  const sent = withFact(link.sent ?? {}, detail.element, (isOurs ? detail.theirs : detail.ours) ?? undefined);
  const seen = withFact(link.seen ?? {}, detail.element, detail.theirs ?? undefined);
  await trx
    .updateTable('link')
    .set({ sent: json<JsonObject>({ ...sent }), seen: json<JsonObject>({ ...seen }) })
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .where('slot', '=', link.slot)
    .where('generation', '=', link.generation)
    .execute();
  const patch = isObject(detail.patch) ? detail.patch : {};
  if (isOurs || record === undefined || Object.keys(patch).length === 0) return;
  const lane = { connection, subject: decision.subject, source };
  const body = await withOffered(trx, lane, { type, id, record: record.content, patch });
  await offerPatch(trx, lane, { type, id, body }, record.content);
}

async function recordOf(
  trx: Transaction<Database>,
  source: string,
  { type, id }: { type: string; id: string },
): Promise<{ version: number; content: JsonObject } | undefined> {
  return trx
    .selectFrom('record')
    .select(['version', 'content'])
    .where((is) => is.and({ source, type, id }))
    .executeTakeFirst();
}

/** Seen otherwise than the lane has taken in yet: what the question shows may be no longer so. */
async function isUnsettled(
  trx: Transaction<Database>,
  { connection, resource_type: resourceType, remote_id: remoteId, seen_hash: hash }: LinkRow,
): Promise<boolean> {
  const seen = await trx
    .selectFrom('seen')
    .select('hash')
    .where('connection', '=', connection)
    .where('resource_type', '=', resourceType)
    .where('remote_id', '=', remoteId ?? '')
    .executeTakeFirst();
  return seen !== undefined && seen.hash !== hash;
}

/** @throws CasebridgeError `decision-outdated`: it is not at rest, or no longer */
async function leaveVersion(trx: Transaction<Database>, decision: Answered): Promise<void> {
  const { id, type, record_id: recordId, slot, signed } = decision;
  const name = nameOf({ type: type ?? '', id: recordId ?? '', slot: slot ?? '' });
  const left = await setAside(trx, decision, [name], signed);
  if (left.length === 0) throw new CasebridgeError('decision-outdated', { id });
}

/** @throws CasebridgeError `decision-outdated`: its lane has not come to rest since it was asked */
async function leaveElsewhere(trx: Transaction<Database>, decision: Answered): Promise<void> {
  const { id, connection, source, type, record_id: recordId, slot, signed } = decision;
  const key = { type: type ?? '', id: recordId ?? '', slot: slot ?? '' };
  const why = reason('stored-elsewhere', { target: nameOf(key) });
  const left = await leaveGone(trx, connection, [{ source, ...key }], signed, why);
  if (left === 0) throw new CasebridgeError('decision-outdated', { id });
}

/**
 * `again`: a found patient is gone, and the client is looked for once more. `recreate`: the link keeps its number as retired, and what the next run
 * makes is the next generation (lanes.md 17). `ours`: what stands there is taken for what the link is to, and gets our identifier again.
 */
async function settleOneGone(trx: Transaction<Database>, decision: Answered): Promise<void> {
  const { connection, source, type, record_id: id, slot, choice, signed } = decision;
  if (type === null || id === null || slot === null) return;
  if (choice === 'leave') {
    await takeOut(trx, decision, [{ type, id, slot }]);
    await leaveGone(trx, connection, [{ source, type, id, slot }], signed);
    return;
  }
  if (choice === 'again') {
    await interruptRun(trx, decision);
    await partFrom(trx, decision, { ...decision, clientId: id }, reason('patient-gone'));
    return;
  }
  const change =
    choice === 'recreate'
      ? sql`retired_at = now()`
      : sql`sent = sent - ${ownIdentifierFact}::text, seen = coalesce(seen, sent) - ${ownIdentifierFact}::text, seen_hash = null`;
  await sql`
    update link set ${change} where connection = ${connection} and source = ${source} and type = ${type} and id = ${id}
      and slot = ${slot} and retired_at is null`.execute(trx);
}
