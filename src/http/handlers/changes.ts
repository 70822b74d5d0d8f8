// The change feed: what the other side did, offered back to its source.

import { type FieldRules, readFields, textOf, words } from '../answer-fields.ts';
import { readJson } from '../body.ts';
import { keepCallersLooks } from '../looks.ts';
import { limitOf } from '../parameters.ts';
import { addressedSource } from '../principal.ts';
import { changeCursor, listChanges } from '../queries/changes.ts';
import { decisionView } from '../queries/decisions.ts';
import type { Call, Route } from '../route.ts';

/** Why the change is not taken over, for whoever decides. */
const refusing = { reason: words } satisfies FieldRules;

export const changeRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/changes',
    summary:
      'Changes from the other side, oldest first. `next` is always set: ask on from it. With lineage=true each says which elements of which resources it comes from.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source', 'lineage'],
    handle: list,
  },
  {
    method: 'POST',
    path: '/api/changes/{cursor}/refuse',
    summary: 'The source does not take this change over: {reason}. Answers the decision that a person is asked for.',
    access: { source: true },
    takes: ['application/json'],
    fields: refusing,
    status: 202,
    handle: refuse,
  },
];

async function list(call: Call): Promise<object> {
  const { gateway, query } = call;
  const source = addressedSource(call);
  const shown = await listChanges(gateway.store, source, {
    limit: limitOf(query),
    // Before the first page there is no cursor.
    after: query.after || undefined,
    lineage: query.lineage === 'true',
  });
  await keepCallersLooks(
    call,
    shown.items.map(({ type, id }) => [String(type), `${source}/${id}`]),
  );
  return shown;
}

async function refuse(call: Call): Promise<object> {
  const { gateway, path } = call;
  const cursor = changeCursor(path.cursor);
  const reason = textOf(readFields(await readJson(call), refusing).reason) ?? '';
  const decision = await gateway.refuseChange({ source: addressedSource(call), cursor, reason });
  return decisionView(gateway.store, decision);
}
