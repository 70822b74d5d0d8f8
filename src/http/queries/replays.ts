// Replays: how far each has come, what became of its lanes and why.

import { CasebridgeError, type Reason } from '../../errors.ts';
import type { Json } from '../../json.ts';
import type { LaneKey } from '../../records/records.ts';
import { oneText, type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

/** `{items, next}`, newest first. */
export async function listReplays({ db }: Store, filter: { limit: number; after?: string }): Promise<Page> {
  const after = cursorKey('replays', filter.after, [0] as const);
  let query = replays(db)
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (after) query = query.where('id', '<', after[0]);
  const rows = await query.execute();
  return page(rows, filter.limit, shownReplay, (row) => cursorText('replays', [row.id]));
}

/** What `GET /api/replays/{id}` answers. asked = done + skipped + refused + left. */
export interface ReplayView {
  readonly id: number;
  readonly state: string;
  readonly asked: number;
  readonly done: number;
  readonly skipped: number;
  readonly refused: number;
  readonly left: number;
  /** Writes that were made, or that a dry run would make. */
  readonly writes: number;
  readonly reasons: readonly {
    readonly outcome: string;
    readonly code: string;
    readonly text: string;
    readonly count: number;
  }[];
}

/** One replay with its reasons, the most frequent first. @throws CasebridgeError `replay-unknown` */
export async function replayView({ db }: Store, id: number): Promise<ReplayView> {
  const row = await replays(db).where('id', '=', id).executeTakeFirst();
  if (!row) throw new CasebridgeError('replay-unknown', { id });
  const { rows } = await sql<ReplayView['reasons'][number]>`
    select outcome, reason ->> 'code' as code, ${oneText(sql`reason ->> 'text'`)} as text, count(*)::integer as count
    from replay_item where replay = ${id} and outcome is not null and reason is not null
    group by 1, 2 order by 4 desc, 1, 2`.execute(db);
  return { ...shownReplay(row), reasons: rows };
}

interface ReplayItemView extends LaneKey {
  readonly outcome: string;
  readonly reason: Reason | null;
  readonly writes: number;
  /** Of a dry run. */
  readonly operations?: Json;
}

export interface ReplayItemFilter {
  readonly outcome?: string;
  readonly limit: number;
  readonly after?: string;
}

/** `{items, next}`: its lanes, each with what became of it; of a dry run with its plan. @throws CasebridgeError `replay-unknown` */
export async function listReplayLanes(
  { db }: Store,
  id: number,
  filter: ReplayItemFilter,
): Promise<Page<ReplayItemView>> {
  const known = await db.selectFrom('replay').select('id').where('id', '=', id).executeTakeFirst();
  if (!known) throw new CasebridgeError('replay-unknown', { id });
  const after = cursorKey('replay', filter.after, ['', ''] as const);
  let query = db
    .selectFrom('replay_item')
    .selectAll()
    .where('replay', '=', id)
    .orderBy('connection')
    .orderBy('subject')
    .limit(filter.limit + 1);
  if (filter.outcome === 'left') query = query.where('outcome', 'is', null);
  else if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
  if (after) query = query.where(sql<boolean>`(connection, subject) > (${after[0]}, ${after[1]})`);
  const rows = await query.execute();
  return page(
    rows,
    filter.limit,
    ({ connection, subject, outcome, reason, writes, plan }) => ({
      connection,
      subject,
      outcome: outcome ?? 'left',
      reason,
      writes,
      ...(plan !== null && { operations: plan }),
    }),
    (row) => cursorText('replay', [row.connection, row.subject]),
  );
}

function replays(db: Store['db']) {
  const counted = (outcome: string) =>
    sql<number>`(select count(*)::integer from replay_item i where i.replay = replay.id and i.outcome = ${outcome})`;
  return db
    .selectFrom('replay')
    .selectAll()
    .select([counted('done').as('done'), counted('skipped').as('skipped'), counted('refused').as('refused')])
    .select(
      sql<number>`(select coalesce(sum(writes), 0)::integer from replay_item i where i.replay = replay.id)`.as(
        'writes',
      ),
    );
}

type ReplayRow = Awaited<ReturnType<ReturnType<typeof replays>['execute']>>[number];

function shownReplay(row: ReplayRow) {
  const { id, state, asked, done, skipped, refused, writes } = row;
  return {
    id,
    state,
    dryRun: row.dry_run,
    scope: row.scope,
    asked,
    done,
    skipped,
    refused,
    left: asked - done - skipped - refused,
    writes,
    askedBy: row.asked_by,
    createdAt: row.created_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}
