// Stale records: the list, and taking one as the newest version after all.

import { CasebridgeError } from '../../errors.ts';
import { isRecordType } from '../../records/records.ts';
import { keepCallersLooks } from '../looks.ts';
import { limitOf } from '../parameters.ts';
import { addressedSource, visibleSource } from '../principal.ts';
import { listStale } from '../queries/stale.ts';
import type { Call, Route } from '../route.ts';

export const staleRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/records/stale',
    summary: 'Records that came older than what is stored, with content that no version has.',
    access: { source: true, operator: 'read' },
    query: ['limit', 'after', 'source'],
    handle: list,
  },
  {
    method: 'POST',
    path: '/api/records/{type}/{id}/stale/{stale}/accept',
    summary: 'Make this older record the newest version. Answers {outcome, version, lanes}.',
    access: { source: false, operator: 'decide' },
    act: { action: 'accept-stale', on: 'record', id: ({ path, query }) => `${query.source}/${path.type}/${path.id}` },
    query: ['source'],
    status: 202,
    handle: acceptStale,
  },
];

async function list(call: Call): Promise<object> {
  const { gateway, query } = call;
  const filter = { source: visibleSource(call), limit: limitOf(query), after: query.after };
  const shown = await listStale(gateway.store, filter);
  await keepCallersLooks(
    call,
    shown.items.map(({ source, type, id }) => [type, `${source}/${id}`]),
  );
  return shown;
}

async function acceptStale(call: Call): Promise<object> {
  const source = addressedSource(call);
  const { type = '', id = '', stale = '' } = call.path;
  if (!isRecordType(type)) throw new CasebridgeError('record-type-unknown', { hint: '' });
  return call.gateway.acceptStale({ source, type, id, hash: stale });
}
