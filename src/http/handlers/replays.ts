// Replays: lanes that are to bring their servers to what the records say once more.

import { isObject, type Json } from '../../json.ts';
import type { ReplayAsked } from '../../lanes/lanes.ts';
import { type FieldRule, type FieldRules, readFields, textOf } from '../answer-fields.ts';
import { readJson } from '../body.ts';
import { keepCallersLooks } from '../looks.ts';
import { limitOf, replayOutcomes } from '../parameters.ts';
import { listReplayLanes, listReplays, replayView } from '../queries/replays.ts';
import type { Call, Route } from '../route.ts';

const name: FieldRule = {
  fits: (value) => typeof value === 'string' && /^[a-z][a-z0-9-]{0,31}$/.test(value),
  form: 'the name of a connection',
};
const instant: FieldRule = {
  fits: (value) => typeof value === 'string' && isInstant(value),
  form: 'an instant with its offset, such as 2026-03-01T00:00:00Z',
};
const rules = {
  connection: name,
  case: { fits: (value) => caseOf(value) !== undefined, form: 'an object with the "source" and the "id" of a case' },
  since: instant,
  until: instant,
  mapping: {
    fits: (value) => typeof value === 'string' && /^[0-9a-f]{1,64}$/.test(value),
    form: 'the version of a mapping: a hash',
  },
  dryRun: { fits: (value) => typeof value === 'boolean', form: 'true or false' },
} satisfies FieldRules;

export const replayRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/replays',
    summary:
      'Replay lanes: {connection?, case?: {source, id}, since?, until?, mapping?, dryRun?}. With dryRun only plans them. Answers the job.',
    access: { source: false, operator: 'run' },
    act: { action: 'replay', on: 'replay' },
    takes: ['application/json'],
    fields: rules,
    status: 202,
    handle: startReplay,
  },
  {
    method: 'GET',
    path: '/api/replays',
    summary: 'Replays, newest first.',
    access: { source: false, operator: 'read' },
    query: ['limit', 'after'],
    handle: ({ gateway, query }) => listReplays(gateway.store, { limit: limitOf(query), after: query.after }),
  },
  {
    method: 'GET',
    path: '/api/replays/{replay}',
    summary: 'How far a replay has come: asked = done + skipped + refused + left, and the reasons.',
    access: { source: false, operator: 'read' },
    handle: ({ gateway, path }) => replayView(gateway.store, Number(path.replay)),
  },
  {
    method: 'GET',
    path: '/api/replays/{replay}/lanes',
    summary: 'The lanes of a replay, each with its outcome and reason; of a dry run with its plan.',
    access: { source: false, operator: 'read' },
    query: ['limit', 'after', 'outcome'],
    handle: listLanes,
  },
];

async function startReplay(call: Call): Promise<object> {
  const { gateway, principal } = call;
  const id = await gateway.startReplay({ ...readReplayScope(await readJson(call)), by: principal?.name ?? '' });
  return replayView(gateway.store, id);
}

async function listLanes(call: Call): Promise<object> {
  const { gateway, path, query } = call;
  const shown = await listReplayLanes(gateway.store, Number(path.replay), {
    limit: limitOf(query),
    after: query.after,
    ...(replayOutcomes.some((one) => one === query.outcome) && { outcome: query.outcome }),
  });
  // A plan shows what records and servers say.
  const planned = shown.items.filter(({ operations }) => operations !== undefined);
  await keepCallersLooks(
    call,
    planned.map(({ connection, subject }) => ['lane', `${connection}/${subject}`]),
  );
  return shown;
}

/** What a replay is to be of. @throws FieldsRefused `request-refused` */
export function readReplayScope(body: Json): Omit<ReplayAsked, 'by'> {
  const fields = readFields(body, rules);
  const scope = Object.fromEntries(
    (['connection', 'since', 'until', 'mapping'] as const).flatMap((field) => {
      const text = textOf(fields[field]);
      return text === undefined ? [] : [[field, text]];
    }),
  );
  const one = fields.case === undefined ? undefined : caseOf(fields.case);
  return { ...scope, ...(one && { case: one }), dryRun: fields.dryRun === true };
}

function caseOf(value: Json): { source: string; id: string } | undefined {
  if (!isObject(value)) return undefined;
  const { source, id, ...others } = value;
  const isNamed = typeof source === 'string' && typeof id === 'string' && Object.keys(others).length === 0;
  return isNamed ? { source, id } : undefined;
}

/** RFC 3339 with an offset, of a day that exists. */
function isInstant(text: string): boolean {
  const date = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.exec(
    text,
  )?.[1];
  return (
    date !== undefined &&
    !Number.isNaN(Date.parse(text)) &&
    new Date(`${date}T00:00:00Z`).toISOString().startsWith(date)
  );
}
