// Decisions: what only a person may settle. One shape for all; what each choice would do is told before it is chosen.

import { type Selectable, sql, type Transaction } from 'kysely';
import { CasebridgeError, type Reason } from '../../errors.ts';
import { isObject, type JsonObject } from '../../json.ts';
import { type Database, json, type Signed, type Store } from '../../store/store.ts';
import { nameOf, type ResourceKey } from '../lane-resource.ts';
import type { LaneKey, Lease } from '../lease.ts';
import { raiseWanted } from '../links/wanted.ts';

export type DecisionRow = Selectable<Database['decision']>;

export interface Choice {
  /** What `POST /api/decisions/{id}` names. */
  readonly choose: string;
  /** What it would do, in one sentence. */
  readonly effect: string;
}

export interface NewDecision {
  readonly kind:
    | 'client-duplicate'
    | 'entry-match'
    | 'patient-match'
    | 'patient-merged'
    | 'patient-relinked'
    | 'misfiled'
    | 'conflict'
    | 'inbound'
    | 'status'
    | 'remote-gone'
    | 'doubled'
    | 'recalled'
    | 'encounter-missing'
    | 'stored-elsewhere'
    | 'outcome-untold'
    | 'refused-write'
    | 'refused-change'
    | 'mass-change';
  /** One open decision per lane and topic. */
  readonly topic: string;
  readonly key?: ResourceKey;
  readonly reason: Reason;
  /** Both sides, for those who may see them: shown in the API only. */
  readonly detail: JsonObject;
  readonly choices: readonly Choice[];
}

type Topic =
  | 'contested'
  | 'doubled'
  | 'elsewhere'
  | 'gone'
  | 'misfiled'
  | 'not-carried'
  | 'several'
  | 'taken-back'
  | 'untold';

/** The topic under which a person is asked about a resource as a whole; its elements have topics of their own (`elementTopic`). */
export function resourceTopic(about: Topic, key: ResourceKey): string {
  return `${about}:${nameOf(key)}`;
}

/** Our identifier is on several resources of the server. @param ids theirs, as far as they are known. */
export function doubled(key: ResourceKey, resourceType: string, ids: readonly string[], why: Reason): NewDecision {
  return {
    kind: 'doubled',
    topic: resourceTopic('doubled', key),
    key,
    reason: why,
    detail: { resourceType, ids: [...ids] },
    choices: [
      { choose: 'done', effect: 'The others have been removed or merged on the server; Casebridge looks again.' },
    ],
  };
}

/** Whose decision it is. */
type LaneOf = Pick<Lease, 'connection' | 'subject' | 'source'>;

/** Opens a decision, or brings the open one on the same topic up to date. */
export async function openDecision(trx: Transaction<Database>, lease: LaneOf, decision: NewDecision): Promise<void> {
  const content = {
    reason: json(decision.reason),
    detail: json(decision.detail),
    choices: json(decision.choices.map((choice) => ({ ...choice }))),
  };
  await trx
    .insertInto('decision')
    .values({
      connection: lease.connection,
      subject: lease.subject,
      source: lease.source,
      kind: decision.kind,
      type: decision.key?.type ?? null,
      record_id: decision.key?.id ?? null,
      slot: decision.key?.slot ?? null,
      topic: decision.topic,
      ...content,
    })
    .onConflict((conflict) =>
      // Written out: as a parameter it would leave a plan for all values without the index that it names.
      conflict.columns(['connection', 'subject', 'topic']).where('state', '=', sql.lit('open')).doUpdateSet(content),
    )
    .execute();
}

/** Open questions that answered themselves: what they asked about is no longer so. */
export async function closeObsolete(
  trx: Transaction<Database>,
  lease: Omit<LaneOf, 'source'>,
  topics: readonly string[],
): Promise<void> {
  if (topics.length === 0) return;
  await trx
    .updateTable('decision')
    .set({ state: 'obsolete', decided_at: sql<Date>`now()` })
    .where('connection', '=', lease.connection)
    .where('subject', '=', lease.subject)
    .where('topic', 'in', topics)
    .where('state', '=', 'open')
    .execute();
}

/** What an answer changes in the store, by the decision's kind; see `effects.ts`. */
export type DecisionEffect = (trx: Transaction<Database>, decision: Answered) => Promise<void>;

export interface Answered {
  readonly id: number;
  readonly connection: string;
  readonly subject: string;
  readonly source: string;
  readonly kind: string;
  readonly type: string | null;
  readonly record_id: string | null;
  readonly slot: string | null;
  readonly topic: string;
  readonly detail: JsonObject;
  readonly choice: string;
  /** Who answered, when, and their note. */
  readonly signed: Signed;
}

/**
 * Takes a person's choice, puts it into effect and wants the lane.
 *
 * @throws CasebridgeError `decision-unknown`, `decision-closed`, `choice-unknown`; what the effect throws, and then nothing is decided.
 */
export async function decide(
  store: Store,
  id: number,
  answer: { choose: string; note?: string; by: string },
  effect: DecisionEffect,
): Promise<LaneKey> {
  return store.tx(async (trx) => {
    const row = await trx.selectFrom('decision').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
    if (row === undefined) throw new CasebridgeError('decision-unknown', { id });
    if (row.state !== 'open') throw new CasebridgeError('decision-closed', { id });
    const offered = (Array.isArray(row.choices) ? row.choices : []).flatMap((choice) =>
      isObject(choice) && typeof choice.choose === 'string' ? [choice.choose] : [],
    );
    if (!offered.includes(answer.choose)) throw new CasebridgeError('choice-unknown', { choices: offered.join(', ') });
    const { decided_at: at } = await trx
      .updateTable('decision')
      .set({
        state: 'decided',
        choice: answer.choose,
        note: answer.note ?? null,
        decided_by: answer.by,
        decided_at: sql<Date>`now()`,
      })
      .where('id', '=', id)
      .returning('decided_at')
      .executeTakeFirstOrThrow();
    const { by, note } = answer;
    const signed = { by, ...(note !== undefined && { note }), at: at?.toISOString() ?? '' };
    await effect(trx, { ...row, choice: answer.choose, signed });
    const lane = { connection: row.connection, subject: row.subject };
    // A question about the connection as a whole belongs to no lane; its effect wants those that it concerns.
    if (row.subject !== '') await raiseWanted(trx, [lane], { unpark: true, priority: 10 });
    return lane;
  });
}
