// One text that stands for a group of rows.

import { type RawBuilder, sql } from 'kysely';

/** The text that all rows of a group share; where they differ, one of them as an example, so that nobody takes it for all. */
export function oneText(text: RawBuilder<unknown>): RawBuilder<string | null> {
  return sql`case when min(${text}) <> max(${text}) then 'For example: ' || min(${text}) else min(${text}) end`;
}
