// The editions of a case's document in the store.

import { type Selectable, sql, type Transaction } from 'kysely';
import { reason } from '../../errors.ts';
import { type Database, json } from '../../store/store.ts';
import { type NewDecision, openDecision } from '../decisions/decisions.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { LaneKey, Lease } from '../lease.ts';
import { type LinkTarget, saveLinks } from '../links/links.ts';
import { documentSlot, type Edition, type EditionPlan } from './document.ts';

export type EditionRow = Selectable<Database['edition']>;

/** An edition as the document's rules see it. */
export function editionOf(row: EditionRow): Edition {
  return {
    of: nameOf(row),
    number: row.edition,
    remoteId: row.remote_id,
    facts: row.facts,
    records: row.records,
    patientId: row.patient,
    encounter: row.encounter ?? undefined,
    asOf: row.as_of.toISOString(),
    sentAt: row.sent_at,
    retracts: row.retracts,
  };
}

async function saveEdition(
  trx: Transaction<Database>,
  lease: Lease,
  key: Target['key'],
  remoteId: string,
  edition: EditionPlan,
): Promise<void> {
  await trx
    .insertInto('edition')
    .values({
      connection: lease.connection,
      source: lease.source,
      type: key.type,
      id: key.id,
      slot: key.slot,
      edition: edition.number,
      remote_id: remoteId,
      facts: json(edition.facts),
      records: json([...edition.records]),
      retracts: edition.retracts,
      patient: edition.patientId,
      encounter: edition.encounter ?? null,
      as_of: new Date(edition.asOf),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

type Target = LinkTarget & Pick<LaneResource, 'document'>;

/**
 * Takes note of an edition that the server holds: the link follows it. One that takes the document back ends the link, and a person learns
 * what the hospital's records office is to be told. @returns the lanes to wake after the commit
 */
export async function keepFiled(
  trx: Transaction<Database>,
  lease: Lease,
  target: Target,
  remoteId: string,
  edition: EditionPlan,
): Promise<LaneKey[]> {
  await saveEdition(trx, lease, target.key, remoteId, edition);
  if (edition.retracts) {
    await endLink(trx, lease, target);
    await openDecision(trx, lease, recalled(target, edition));
    return [];
  }
  const link = { remoteId, origin: 'created', versionTag: undefined, sent: undefined, seen: undefined } as const;
  return saveLinks(trx, lease, [[target, { ...link, seenHash: undefined }]]);
}

async function endLink(trx: Transaction<Database>, lease: Lease, { key, nextGeneration }: Target): Promise<void> {
  await trx
    .updateTable('link')
    .set({ retired_at: sql<Date>`now()`, state: 'leaving' })
    .where('connection', '=', lease.connection)
    .where('source', '=', lease.source)
    .where('type', '=', key.type)
    .where('id', '=', key.id)
    .where('slot', '=', key.slot)
    .where('generation', '=', nextGeneration)
    .execute();
}

function recalled({ key, document, resourceType }: Target, { marker, number }: EditionPlan): NewDecision {
  const isMessage = document?.form.message !== undefined;
  const editions = document?.editions.filter(({ retracts }) => !retracts) ?? [];
  return {
    kind: 'recalled',
    topic: `recalled:${key.type === 'case' ? documentSlot : nameOf(key)}`,
    key,
    reason: reason(isMessage ? 'message-recalled' : 'document-recalled', { edition: number }),
    detail: {
      editions: editions.map(({ number: edition, remoteId, asOf }) => ({
        edition,
        sentAs: `${resourceType}/${remoteId}`,
        asOf,
      })),
      text: `Please withdraw from the chart, and from whatever was released from it, the ${isMessage ? 'messages' : 'documents'} with the reference ${marker}${
        editions.length === 0 ? '' : `, versions ${editions.map(({ number: edition }) => edition).join(', ')}`
      }. The community agency that sent them has taken them back.`,
    },
    choices: [
      { choose: 'done', effect: "The hospital's records office has been told. Nothing more is sent or changed." },
    ],
  };
}

/** The server takes no more documents today: those of the whole connection wait until its next day. */
export async function holdDocuments(trx: Transaction<Database>, connection: string): Promise<void> {
  await trx
    .updateTable('connection')
    .set({
      documents_held_until: sql<Date>`date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' + interval '1 day 5 minutes'`,
    })
    .where('id', '=', connection)
    .execute();
}
