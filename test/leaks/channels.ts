// What is searched: everything that Casebridge says or keeps, by the way in which it got out. What holds content on purpose is listed here,
// and nothing else may.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Store, sql } from '../../src/store/store.ts';
import type { Canaries, Hit } from './canaries.ts';

/** The columns of the store that hold content, or ids that servers gave. All others are searched. */
export const columnsWithContent: ReadonlySet<string> = new Set([
  // What sources sent, and what servers hold.
  'record.content',
  'unmapped.code',
  'record_version.content',
  'stale_record.content',
  'link.sent',
  'link.seen',
  'operation.sent',
  'edition.facts',
  'seen.body',
  'remote_value.base',
  'remote_value.value',
  'change.body',
  'change.lineage',
  // When a promise began and ends, by the times of the record.
  'clock.started_at',
  'clock.due_at',
  'clock.due_soon_at',
  'clock.next_at',
  'clock.stopped_at',
  'clock.paused_since',
  // What a person decides on, and said; shown in the API to those who may decide.
  'decision.detail',
  'decision.choices',
  'decision.choice',
  'decision.note',
  // With the note of the operator who did it, shown in the API to those who may see the lane.
  'lane.stopped',
  'link.set_aside',
  // Numbers and names by which twins are kept from being matched at the same time.
  'match_lease.key',
  // Ids that a server gave.
  'link.remote_id',
  'link.version_tag',
  'link.seen_tag',
  'operation.remote_id',
  'operation.request_id',
  'seen.remote_id',
  'seen.version_tag',
  'seen.patient',
  'poll.about',
  'poll_unreadable.about',
  'poll_unreadable.key',
  'roster.patient',
  'edition.remote_id',
  'edition.patient',
  'edition.encounter',
]);

export interface Searched {
  readonly bytes: number;
  /** As `where: place of the canary`. */
  readonly hits: readonly string[];
}

/** Texts of one channel, searched. */
export function searched(canaries: Canaries, texts: Iterable<readonly [where: string, text: string]>): Searched {
  let bytes = 0;
  const hits: string[] = [];
  for (const [where, text] of texts) {
    bytes += Buffer.byteLength(text);
    hits.push(...canaries.search(text).map((hit) => `${where}: ${shown(hit)}`));
  }
  return { bytes, hits };
}

function shown({ value, place, form }: Hit): string {
  return `${value} of ${place}, ${form}`;
}

/** Every column of the store, or of one table, but those with content, as text. */
export async function storeTexts({ db }: Pick<Store, 'db'>, only?: string): Promise<[string, string][]> {
  const { rows: columns } = await sql<{
    table: string;
    column: string;
  }>`select table_name as "table", column_name as "column"
    from information_schema.columns where table_schema = 'casebridge'
    order by table_name, column_name`.execute(db);
  const texts: [string, string][] = [];
  for (const { table, column } of columns) {
    const name = `${table}.${column}`;
    if (columnsWithContent.has(name) || table !== (only ?? table)) continue;
    const { rows } = await sql<{
      text: string;
    }>`select coalesce(string_agg(${sql.ref(column)}::text, e'\n'), '') as text
      from ${sql.table(table)}`.execute(db);
    texts.push([name, rows[0]?.text ?? '']);
  }
  return texts;
}

/** From now on keeps each row that the queue writes into the store's database, also those that it deletes again. */
export async function watchQueue({ db }: Store): Promise<() => Promise<[string, string][]>> {
  await sql`create table public.queue_rows (name text, row_text text)`.execute(db);
  await sql`create function public.keep_queue_row() returns trigger language plpgsql as
    $$ begin insert into public.queue_rows values (tg_table_name, to_jsonb(new)::text); return new; end $$`.execute(db);
  const { rows: tables } = await sql<{ name: string }>`select table_name as name from information_schema.tables
    where table_schema = 'bullmq' and table_type = 'BASE TABLE'`.execute(db);
  for (const { name } of tables) {
    await sql`create trigger keep_row after insert or update on ${sql.table(`bullmq.${name}`)}
      for each row execute function public.keep_queue_row()`.execute(db);
  }
  return async () => {
    const { rows } = await sql<{ name: string; text: string }>`select name, string_agg(row_text, e'\n') as text
      from public.queue_rows group by name order by name`.execute(db);
    return rows.map(({ name, text }) => [name, text]);
  };
}

/** All files of a folder and what lies below it. */
export async function fileTexts(folder: string): Promise<[string, string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file): Promise<[string, string]> => [file, `${file}\n${await readFile(file, 'latin1')}`]),
  );
}
