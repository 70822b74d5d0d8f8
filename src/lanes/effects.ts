// What a person's answer changes in the store. The next run does the rest.

import { sql, type Transaction } from 'kysely';
import { reason } from '../errors.ts';
import { isObject, type JsonObject } from '../json.ts';
import { type Database, json } from '../store/store.ts';
import { offerPatch } from './changes.ts';
import type { Answered } from './decisions.ts';
import { raiseWanted } from './links.ts';
import { withFact } from './merge.ts';
import { settleMassChange } from './operating/mass-change.ts';
import { recreateGone } from './operating/mass-gone.ts';
import { type ClientOn, lockPatientLinks, patientSlot, pointAtPatient, voidPlans } from './patients/patient-link.ts';
import { settleRefused } from './refused.ts';
import { settleRefusedChange } from './refused-change.ts';
import { settleUntold } from './unknown/untold.ts';

/** Puts an answered decision into effect. A choice that only has to be remembered changes nothing here. */
export async function applyDecision(trx: Transaction<Database>, decision: Answered): Promise<void> {
  switch (decision.kind) {
    case 'patient-match':
      if (decision.choice.startsWith('link:')) await linkPatient(trx, decision, decision.choice.slice('link:'.length));
      return;
    case 'conflict':
    case 'status':
      await settleElement(trx, decision);
      return;
    case 'remote-gone':
      if (decision.choice === 'recreate') await forgetLink(trx, decision);
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
  if (key?.cause === 'restored-server' && decision.choice === 'go-on')
    await recreateGone(trx, { connection: decision.connection, ...key });
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

/** `ours`: only our side counts as changed from here on; `theirs`: neither does, and the source is offered their value. */
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
  if (link === undefined) return;
  const isOurs = decision.choice === 'ours';
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
  if (isOurs || Object.keys(patch).length === 0) return;
  const lane = { connection, subject: decision.subject, source };
  await offerPatch(trx, lane, { type, id, body: patch });
}

/** The link keeps its number as retired; what the next run makes is the next generation (lanes.md 17). */
async function forgetLink(trx: Transaction<Database>, decision: Answered): Promise<void> {
  await trx
    .updateTable('link')
    .set({ retired_at: sql<Date>`now()` })
    .where('connection', '=', decision.connection)
    .where('source', '=', decision.source)
    .where('type', '=', decision.type ?? '')
    .where('id', '=', decision.record_id ?? '')
    .where('slot', '=', decision.slot ?? '')
    .where('retired_at', 'is', null)
    .execute();
}
