// Decisions: what waits for a person, and the person's choice.

import { type FieldRules, note, readFields, signatureOf, textOf } from '../answer-fields.ts';
import { readJson } from '../body.ts';
import { keepCallersLooks } from '../looks.ts';
import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { decisionView, listDecisions } from '../queries/decisions.ts';
import type { Call, Route } from '../route.ts';

const answer = {
  choose: {
    fits: (value) => typeof value === 'string' && value !== '',
    form: "one of the decision's choices",
    required: true,
  },
  note,
} satisfies FieldRules;

export const decisionRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/decisions',
    summary: 'Open decisions, oldest first, each with its choices.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source'],
    handle: list,
  },
  {
    method: 'POST',
    path: '/api/decisions/{decision}',
    summary: 'Decide: {choose, note}.',
    access: { source: false, operator: 'decide' },
    act: { action: 'decide', on: 'decision' },
    takes: ['application/json'],
    fields: answer,
    handle: decide,
  },
];

async function list(call: Call): Promise<object> {
  const { gateway, query } = call;
  const filter = { source: visibleSource(call), limit: limitOf(query), after: query.after };
  const shown = await listDecisions(gateway.store, filter);
  await keepCallersLooks(
    call,
    shown.items.map(({ id }) => ['decision', String(id)]),
  );
  return shown;
}

async function decide(call: Call): Promise<object> {
  const { gateway, path, principal } = call;
  const id = Number(path.decision);
  const fields = readFields(await readJson(call), answer);
  await gateway.decide(id, { choose: textOf(fields.choose) ?? '', ...signatureOf(call, fields) });
  const { detail, ...decided } = await decisionView(gateway.store, id);
  // It shows what records and servers say.
  const mayRead = principal?.kind === 'operator' && principal.operator.may.includes('read');
  return mayRead ? { ...decided, detail } : decided;
}
