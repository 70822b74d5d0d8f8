// What the partner did is offered to the source once.

import type { Evidence } from './evidence.ts';

/** (o) A change of a record says something of the partner's that no earlier one has said; what else it says of them it may say again (docs/changes.md). */
export async function toldTwice({ store, site }: Evidence): Promise<string[]> {
  const changes = await store.db
    .selectFrom('change')
    .select(['cursor', 'op', 'type', 'id', 'body'])
    .where('connection', '=', site.id)
    .orderBy('cursor')
    .execute();
  const heard = new Map<string, ReadonlySet<string>>();
  return changes.flatMap(({ cursor, op, type, id, body }) => {
    const before = heard.get(`${type}/${id}`) ?? new Set();
    const said = JSON.stringify(body).match(/partner-\d+-said/g) ?? [];
    heard.set(`${type}/${id}`, new Set([...before, ...said]));
    return said.every((token) => before.has(token))
      ? [`(o) Change ${cursor} (${op}) of ${type}/${id} says nothing that was not said before: ${JSON.stringify(body)}`]
      : [];
  });
}
