// Decisions: what waits for a person, and the person's choice.

import { isObject, type Json } from '../../json.ts';
import { didYouMean } from '../../nearest.ts';
import { type FieldError, kindOf } from '../../records/records.ts';
import { readJson } from '../body.ts';
import { limitOf } from '../parameters.ts';
import { visibleSource } from '../principal.ts';
import { FieldsRefused } from '../problem.ts';
import { decisionView, listDecisions } from '../queries/decisions.ts';
import type { Call, Route } from '../route.ts';

export const decisionRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/decisions',
    summary: 'Open decisions, oldest first, each with its choices.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source'],
    handle: (call) =>
      listDecisions(call.gateway.store, {
        source: visibleSource(call),
        limit: limitOf(call.query),
        after: call.query.after,
      }),
  },
  {
    method: 'POST',
    path: '/api/decisions/{decision}',
    summary: 'Decide: {choose, note}.',
    access: { source: false, operator: 'decide' },
    takes: ['application/json'],
    handle: decide,
  },
];

/** Of the note of an answer, in characters. */
export const noteLength = 2000;

async function decide(call: Call): Promise<object> {
  const { gateway, path, principal } = call;
  const id = Number(path.decision);
  const answer = readAnswer(await readJson(call));
  await gateway.decide(id, { ...answer, by: principal?.name ?? '' });
  return decisionView(gateway.store, id);
}

function readAnswer(value: Json): { choose: string; note?: string } {
  const { choose, note, ...others } = isObject(value) ? value : {};
  const errors: FieldError[] = Object.keys(others).map((name) => ({
    pointer: '',
    rule: 'unknown-property',
    found: 'unknown name',
    message: `The answer holds "choose" and "note" only.${didYouMean(name, ['choose', 'note'])}`,
  }));
  if (typeof choose !== 'string' || choose === '')
    errors.push(refused('choose', choose, "one of the decision's choices"));
  if (note !== undefined && (typeof note !== 'string' || note.length > noteLength)) {
    errors.push(refused('note', note, `text of at most ${noteLength} characters`));
  }
  if (errors.length > 0 || typeof choose !== 'string') throw new FieldsRefused('request-refused', errors);
  return typeof note === 'string' ? { choose, note } : { choose };
}

function refused(field: string, found: Json | undefined, form: string): FieldError {
  return { pointer: `/${field}`, rule: 'type', found: kindOf(found), message: `"${field}" must be ${form}.` };
}
