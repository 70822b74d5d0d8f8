// Patients who are asked about though no client is linked to them, and those of an operator's list of whom only a number is known.

import type { Reason } from '../../errors.ts';
import { type Store, sql } from '../../store/store.ts';
import { cursorKey, cursorText, type Page, page } from '../cursor.ts';

interface Row {
  readonly patient: string;
  readonly origin: string;
  readonly since: Date | null;
  readonly system: string;
  readonly value: string;
  readonly reason: Reason | null;
}

/** `{items, next}` by patient, those without first. `origin`: group, uploaded or referred. */
export async function listRoster(
  { db }: Pick<Store, 'db'>,
  connection: string,
  asked: { readonly limit: number; readonly after?: string | undefined },
): Promise<Page> {
  const after = cursorKey('roster', asked.after, ['', '', '', ''] as const);
  const [patient, origin, system, value] = after ?? ['', '', '', ''];
  const { rows } = await sql<Row>`
    select * from (
      select r.patient, r.origin, r.since, '' as system, '' as value, null::jsonb as reason from roster r
      where r.connection = ${connection}
      union all
      select '', 'uploaded', null::timestamptz, n.system, n.value, n.reason from roster_sought n
      where n.connection = ${connection} and n.patient is null) as everybody
    where (patient, origin, system, value) > (${patient}, ${origin}, ${system}, ${value})
    order by patient, origin, system, value limit ${asked.limit + 1}`.execute(db);
  return page(
    rows,
    asked.limit,
    (row) =>
      row.patient === ''
        ? { patient: null, origin: row.origin, number: `${row.system}|${row.value}`, reason: row.reason }
        : { patient: row.patient, origin: row.origin, since: row.since?.toISOString() ?? null },
    (row) => cursorText('roster', [row.patient, row.origin, row.system, row.value]),
  );
}
