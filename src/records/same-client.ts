// Which clients of a source are one person, as far as it says so (`mergedInto`), whichever of them is left and over however many steps; a ring of
// them too. What the person has refused under one of the ids is refused under each.

import { type RawBuilder, sql } from 'kysely';

/**
 * A part of a `with recursive`: the table `same_client(client, id)` with each of `clients` and all who are the same person, itself among them.
 *
 * @param clients a select of one column of ids
 */
export function sameClient(source: string, clients: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`same_client(client, id) as (
    select c.id, c.id from (${clients}) as c(id)
    union
    select s.client, o.id from same_client s, lateral (
      select (select v.content ->> 'mergedInto' from record_version v
        where v.source = ${source} and v.type = 'client' and v.id = s.id and ${isSaid('v')}
        order by v.version desc limit 1) as id
      union all
      select v.id from record_version v
      where v.source = ${source} and v.type = 'client' and v.content ->> 'mergedInto' = s.id
        and v.version = (select max(w.version) from record_version w
          where w.source = v.source and w.type = v.type and w.id = v.id and ${isSaid('w')})
      offset 0) o
    where o.id is not null)`;
}

/** Whether a version says whose duplicate the client is, or that it is none: a deletion mark may leave everything out, and then takes nothing back. */
export function isSaid(version: string): RawBuilder<unknown> {
  const content = sql.ref(`${version}.content`);
  return sql`((${content} -> 'deleted') is distinct from 'true'::jsonb or jsonb_exists(${content}, 'mergedInto'))`;
}
