// One table of what the server offers below a resource type: method, path, the scope action that it needs, and who does it.

import { type HttpMethod, Router } from '@medplum/fhir-router';
import type { Action, Answer, Engine, FhirCall } from './engine.ts';
import { Refusal, refusal } from './outcome.ts';
import { history, read, readVersion } from './read.ts';
import { search } from './search.ts';
import { conditionalUpdate, create, patch, remove, update } from './write.ts';

interface Target {
  type: string;
  id: string;
  version: string;
}

type Handler = (engine: Engine, call: FhirCall, target: Target) => Answer;

const router = new Router<Handler, { action: Action }>();
const routes: readonly (readonly [method: HttpMethod, path: string, action: Action, handler: Handler])[] = [
  ['GET', ':type', 's', (engine, call, { type }) => search(engine, call, type)],
  ['POST', ':type/_search', 's', (engine, call, { type }) => search(engine, call, type)],
  ['POST', ':type', 'c', (engine, call, { type }) => create(engine, call, type)],
  ['PUT', ':type', 'u', (engine, call, { type }) => conditionalUpdate(engine, call, type)],
  ['GET', ':type/:id', 'r', (engine, _call, { type, id }) => read(engine, type, id)],
  ['PUT', ':type/:id', 'u', (engine, call, { type, id }) => update(engine, call, type, id)],
  ['PATCH', ':type/:id', 'u', (engine, call, { type, id }) => patch(engine, call, type, id)],
  ['DELETE', ':type/:id', 'd', (engine, call, { type, id }) => remove(engine, call, type, id)],
  ['GET', ':type/:id/_history', 'r', (engine, call, { type, id }) => history(engine, call, type, id)],
  [
    'GET',
    ':type/:id/_history/:version',
    'r',
    (engine, _call, { type, id, version }) => readVersion(engine, type, id, version),
  ],
];
for (const [method, path, action, handler] of routes) router.add(method, path, handler, { action });

/**
 * Handles one interaction on a resource or a type; transactions and /metadata are not among them.
 * @throws Refusal with the status that the specification names
 */
export function dispatch(engine: Engine, call: FhirCall): Answer {
  const [type = '', second = ''] = call.path.split('/');
  if (type.startsWith('$') || second.startsWith('$'))
    throw refusal(404, 'not-supported', 'This server offers no operations.');
  if (!engine.definitions.types.has(type)) {
    throw refusal(404, 'not-supported', 'This server has no such resource type or path.');
  }
  const route = router.find(call.method, call.path);
  if (route === undefined) throw wrongMethod(call.path);
  if (call.method === 'PUT' && engine.settings.patchOnlyTypes.includes(type)) {
    throw new Refusal(405, [{ code: 'not-supported', text: `${type} is changed by PATCH here.` }], { allow: 'PATCH' });
  }
  const { id = '', version = '' } = route.params;
  const action = route.data?.action ?? 'r';
  if (!call.may(type, action))
    throw refusal(403, 'forbidden', `The granted scopes do not cover ${actionNames[action]} on ${type}.`);
  return route.handler(engine, call, { type, id, version });
}

const actionNames: Readonly<Record<Action, string>> = { c: 'create', r: 'read', u: 'update', d: 'delete', s: 'search' };
const methods: readonly HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

function wrongMethod(path: string): Refusal {
  const allowed = methods.filter((method) => router.find(method, path) !== undefined);
  if (allowed.length === 0) return refusal(404, 'not-found', 'There is nothing at this path.');
  return new Refusal(405, [{ code: 'not-supported', text: `Here this server takes ${allowed.join(', ')}.` }], {
    allow: allowed.join(', '),
  });
}
