// A change that its source does not take over becomes a question: let both sides differ, offer it once more, or write the record's own value
// over it, where the mapping says which elements these are and they are ours.

import { sql } from 'kysely';
import { CasebridgeError, reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject, objectsIn, pointerStep } from '../../json.ts';
import { isRecordType } from '../../records/records.ts';
import { type ChangedElement, type Database, json, type Store, type Transaction } from '../../store/store.ts';
import { type Change, keepRefused, type LaneOfSource, offerChanges } from '../changes.ts';
import { proposeAgain, refuseHeard, refuseProposal } from '../inbound/refuse.ts';
import { withFact } from '../merge.ts';
import { reviewStuck } from '../operating/stuck-deliveries.ts';
import { type Answered, type Choice, openDecision } from './decisions.ts';

export interface Refusal {
  readonly source: string;
  readonly cursor: number;
  /** The source's words, for whoever decides. */
  readonly reason: string;
}

/**
 * Opens the question, once for each change, and ends the delivery of the change.
 * @returns the decision's id
 * @throws CasebridgeError `change-unknown`
 */
export async function refuseChange(store: Store, { source, cursor, reason: words }: Refusal): Promise<number> {
  return store.tx(async (trx) => {
    const change = await trx
      .selectFrom('change')
      .selectAll()
      .where('source', '=', source)
      .where('cursor', '=', cursor)
      .forUpdate()
      .executeTakeFirst();
    if (change === undefined) throw new CasebridgeError('change-unknown');
    const delivery = await trx
      .deleteFrom('delivery')
      .where('source', '=', source)
      .where('cursor', '=', cursor)
      .returning('stuck')
      .executeTakeFirst();
    if (delivery?.stuck === true) await reviewStuck(trx, source);
    const { connection, subject, op, type, id, body } = change;
    const declining = op === 'propose' ? await refuseProposal(trx, { source, connection, type, id }, words) : undefined;
    if (op === 'patch' && body !== null) {
      await keepRefused(trx, { connection, subject, source }, { type, id, body }, true);
      await refuseHeard(trx, { connection, source, type, id }, body, true);
    }
    const elements = change.elements ?? [];
    const topic = `change:${cursor}`;
    const asked = () =>
      trx
        .selectFrom('decision')
        .select('id')
        .where('connection', '=', connection)
        .where('subject', '=', subject)
        .where('topic', '=', topic)
        .executeTakeFirst();
    const before = await asked();
    if (before !== undefined) return before.id;
    await openDecision(
      trx,
      { connection, subject, source },
      {
        kind: 'refused-change',
        topic,
        ...(isRecordType(type) && { key: { type, id, slot: '' } }),
        reason: reason('change-refused', { connection, target: `${type}/${id}` }),
        detail: { cursor, op, change: body, said: words, elements: elements.map((one) => ({ ...one })) },
        choices: declining === undefined ? choicesOf(elements) : [decline],
      },
    );
    const decision = (await asked())?.id ?? 0;
    // The source has settled it by its word: nobody else is asked.
    if (declining !== undefined) await settleBySource(trx, decision, source, words);
    return decision;
  });
}

const decline: Choice = { choose: 'decline', effect: 'The referral is declined on the other side, with these words.' };

async function settleBySource(trx: Transaction<Database>, id: number, source: string, words: string): Promise<void> {
  await trx
    .updateTable('decision')
    .set({ state: 'decided', choice: decline.choose, note: words, decided_by: source, decided_at: sql<Date>`now()` })
    .where('id', '=', id)
    .execute();
}

function choicesOf(elements: readonly ChangedElement[]): Choice[] {
  const names = [...new Set(elements.map(({ element }) => element))].join(', ');
  const ours = { choose: 'ours', effect: `Write the record's own value of ${names} over what the server says.` };
  return [
    { choose: 'keep', effect: 'Change nothing on either side: record and server go on saying different things.' },
    { choose: 'again', effect: 'Offer the change to the source once more, as a new item of the feed.' },
    ...(elements.length > 0 ? [ours] : []),
  ];
}

/**
 * `keep` needs nothing; `again` offers of a patch what the other side has not replaced or taken back since.
 * @throws CasebridgeError `change-outdated`
 */
export async function settleRefusedChange(trx: Transaction<Database>, decision: Answered): Promise<void> {
  const { detail, connection, subject, source, type, record_id: id } = decision;
  if (type === null || id === null) return;
  const body = isObject(detail.change) ? detail.change : {};
  const elements = elementsIn(detail.elements);
  if (decision.choice === 'again') {
    const op = detail.op === 'propose' || detail.op === 'withdraw' ? detail.op : 'patch';
    if (op === 'propose') await proposeAgain(trx, { source, connection, type, id });
    if (op === 'patch') return offerPatchAgain(trx, { connection, subject, source }, { op, type, id, body, elements });
    await offerChanges(trx, { connection, subject, source }, [{ op, type, id, body, elements }]);
  } else if (decision.choice === 'ours') {
    for (const one of elements) await countAsOurs(trx, decision, one);
    await forgetRemoteValues(trx, decision, body);
  }
}

async function offerPatchAgain(trx: Transaction<Database>, lane: LaneOfSource, change: Change): Promise<void> {
  const { type, id, body: all, elements } = change;
  const body = await keepRefused(trx, lane, change, false);
  const [left, before] = [Object.keys(body).length, Object.keys(all).length];
  if (left === 0) throw new CasebridgeError('change-outdated', { connection: lane.connection });
  await refuseHeard(trx, { ...lane, type, id }, body, false);
  // Which elements a part of it was read from is not known: none can be written over.
  await offerChanges(trx, lane, [{ op: 'patch', type, id, body, ...(left === before && elements && { elements }) }]);
}

/** Only our side counts as changed from here on: the next run writes the record's value. */
async function countAsOurs(
  trx: Transaction<Database>,
  { connection, source, type, record_id: id }: Answered,
  { slot, element }: ChangedElement,
): Promise<void> {
  const ofLink = { connection, source, type: type ?? '', id: id ?? '', slot };
  const link = await trx
    .selectFrom('link')
    .select(['generation', 'sent', 'seen'])
    .where((is) => is.and(ofLink))
    .where('retired_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (link === undefined) return;
  const sent = withFact(link.sent ?? {}, element, link.seen?.[element]);
  await trx
    .updateTable('link')
    .set({ sent: json<JsonObject>({ ...sent }) })
    .where((is) => is.and({ ...ofLink, generation: link.generation }))
    .execute();
}

/** What is written over is not what the other side says any more; a later value of theirs stays. */
async function forgetRemoteValues(
  trx: Transaction<Database>,
  { connection, source, type, record_id: id }: Answered,
  patch: JsonObject,
): Promise<void> {
  for (const [field, value] of Object.entries(patch)) {
    await trx
      .deleteFrom('remote_value')
      .where((is) => is.and({ connection, source, type: type ?? '', id: id ?? '', pointer: pointerStep(field) }))
      .where(sql<boolean>`value = ${json<Json>(value)}`)
      .execute();
  }
}

function elementsIn(value: Json | undefined): ChangedElement[] {
  return objectsIn(value).flatMap(({ slot, element }) =>
    typeof slot === 'string' && typeof element === 'string' ? [{ slot, element }] : [],
  );
}
