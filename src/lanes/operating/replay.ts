// A replay: lanes that are to bring their server to what the records say once more, as a job in the store. It is rows only, so it survives any
// process; `replay-work.ts` moves it on. Each lane that was asked for ends as done, skipped or refused, with its reason, so that
// asked = done + skipped + refused (reliability G14).

import { type RawBuilder, sql } from 'kysely';
import { CasebridgeError } from '../../errors.ts';
import { type Database, json, type ReplayScope, type Store, type Transaction } from '../../store/store.ts';
import { activeVersion } from '../configuration/activate.ts';

export interface ReplayAsked extends ReplayScope {
  /** Only say what would be done. */
  readonly dryRun: boolean;
  readonly by: string;
}

/**
 * Stores the job: the lanes of these connections that the scope names. None of them is wanted yet.
 *
 * @param connections those configured, switched off or not; the others' lanes are nobody's any more
 * @returns its id
 * @throws CasebridgeError `connection-unknown`, `record-unknown` (the case), `mapping-not-active`
 */
export async function startReplay(
  store: Store,
  connections: readonly string[],
  { dryRun, by, ...scope }: ReplayAsked,
): Promise<number> {
  const named = scope.connection === undefined ? connections : [scope.connection];
  const [unknown] = named.filter((id) => !connections.includes(id));
  if (unknown !== undefined) throw new CasebridgeError('connection-unknown', { connection: unknown });
  return store.tx(async (trx) => {
    if (scope.mapping !== undefined) await requireActive(trx, scope.mapping);
    const subjects = scope.case === undefined ? undefined : await subjectsOf(trx, scope.case);
    const { id } = await trx
      .insertInto('replay')
      .values({ scope: json<ReplayScope>(scope), dry_run: dryRun, asked_by: by })
      .returning('id')
      .executeTakeFirstOrThrow();
    const { rows } = await sql`
      insert into replay_item (replay, connection, subject)
      select ${id}::bigint, l.connection, l.subject from lane l
      where l.connection in (select c.id from jsonb_to_recordset(${idRows(named)}) as c(id text))
        and ${subjects === undefined ? sql`true` : sql`l.subject in (select s.id from jsonb_to_recordset(${idRows(subjects)}) as s(id text))`}
        and ${acceptedWithin(scope)}
        and ${scope.mapping === undefined ? sql`true` : sql`l.basis ->> 'mapping' is distinct from ${scope.mapping}`}
      returning 1`.execute(trx);
    await trx.updateTable('replay').set({ asked: rows.length }).where('id', '=', id).execute();
    return id;
  });
}

function idRows(ids: readonly string[]) {
  return json(ids.map((id) => ({ id })));
}

/** Lanes of which some record had a version accepted in that time. */
function acceptedWithin({ since, until }: ReplayScope): RawBuilder<unknown> {
  if (since === undefined && until === undefined) return sql`true`;
  return sql`exists (
    select 1 from record r join record_version v on v.source = r.source and v.type = r.type and v.id = r.id
    where r.subject = l.subject and v.accepted_at >= ${since ?? '-infinity'}::timestamptz
      and v.accepted_at < ${until ?? 'infinity'}::timestamptz)`;
}

/** Activating is another act than sending (lanes.md 22): a replay sends under the mapping that is active. */
async function requireActive(trx: Transaction<Database>, version: string): Promise<void> {
  const active = await activeVersion(trx);
  if (active !== version) throw new CasebridgeError('mapping-not-active', { version, active: active ?? 'none' });
}

/** The case and its client: nothing of a case can be brought in order whose patient is not. */
async function subjectsOf(trx: Transaction<Database>, one: { source: string; id: string }): Promise<string[]> {
  const row = await trx
    .selectFrom('record')
    .select(['subject', 'client_id'])
    .where('source', '=', one.source)
    .where('type', '=', 'case')
    .where('id', '=', one.id)
    .executeTakeFirst();
  if (row === undefined) throw new CasebridgeError('record-unknown', { type: 'case' });
  return row.client_id === null ? [row.subject] : [row.subject, `${one.source}.client.${row.client_id}`];
}
