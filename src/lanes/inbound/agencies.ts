// Who of a source's directory is the agency itself.

import { type Store, sql } from '../../store/store.ts';

export interface Agencies {
  /** Ids of organizations that manage cases. */
  readonly organizations: ReadonlySet<string>;
  /** Ids of their workers. */
  readonly workers: ReadonlySet<string>;
}

export async function agenciesOf({ db }: Store, source: string): Promise<Agencies> {
  const { rows } = await sql<{ type: 'organization' | 'worker'; id: string }>`
    with agency as (
      select id from record where source = ${source} and type = 'organization' and content ->> 'kind' = 'case-management')
    select 'organization' as type, id from agency
    union all
    select 'worker', w.id from record w join agency a on a.id = w.content ->> 'organizationId'
    where w.source = ${source} and w.type = 'worker'`.execute(db);
  const of = (type: string) => new Set(rows.filter((row) => row.type === type).map(({ id }) => id));
  return { organizations: of('organization'), workers: of('worker') };
}
