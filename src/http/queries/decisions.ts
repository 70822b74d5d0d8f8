// The open decisions, and single ones.

import { CasebridgeError, type Reason } from '../../errors.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Store } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

export interface DecisionFilter {
  readonly source?: string;
  readonly subject?: string;
  /** Of several subjects. */
  readonly subjects?: readonly string[];
  readonly limit: number;
  readonly after?: string;
}

export interface DecisionView {
  readonly id: number;
  readonly connection: string;
  readonly subject: string;
  readonly kind: string;
  readonly type: string | null;
  readonly recordId: string | null;
  readonly slot: string | null;
  readonly reason: Reason;
  readonly detail: JsonObject;
  /** `{choose, effect}` each. */
  readonly choices: Json;
  readonly state: string;
  readonly choice: string | null;
  readonly note: string | null;
  readonly decidedBy: string | null;
  readonly openedAt: string;
  readonly decidedAt: string | null;
}

/** `{items, next}` of open decisions, oldest first. */
export async function listDecisions({ db }: Store, filter: DecisionFilter): Promise<Page<DecisionView>> {
  const after = cursorKey('decisions', filter.after, [0] as const);
  let query = decisions(db)
    .where('state', '=', 'open')
    .orderBy('id')
    .limit(filter.limit + 1);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
  if (filter.subjects !== undefined) query = query.where('subject', 'in', filter.subjects);
  if (after) query = query.where('id', '>', after[0]);
  const rows = await query.execute();
  return page(rows, filter.limit, shownDecision, (row) => cursorText('decisions', [row.id]));
}

/** One decision, also a closed one. @throws CasebridgeError `decision-unknown` */
export async function decisionView({ db }: Store, id: number): Promise<DecisionView> {
  const row = await decisions(db).where('id', '=', id).executeTakeFirst();
  if (!row) throw new CasebridgeError('decision-unknown', { id });
  return shownDecision(row);
}

function decisions(db: Store['db']) {
  return db.selectFrom('decision').selectAll();
}

type DecisionRow = Awaited<ReturnType<ReturnType<typeof decisions>['execute']>>[number];

function shownDecision(row: DecisionRow): DecisionView {
  return {
    id: row.id,
    connection: row.connection,
    subject: row.subject,
    kind: row.kind,
    type: row.type,
    recordId: row.record_id,
    slot: row.slot,
    reason: row.reason,
    detail: row.detail,
    choices: row.choices,
    state: row.state,
    choice: row.choice,
    note: row.note,
    decidedBy: row.decided_by,
    openedAt: row.opened_at.toISOString(),
    decidedAt: row.decided_at?.toISOString() ?? null,
  };
}
