// Stale records: the list, and taking one as the newest version after all.

import { CasebridgeError } from '../../errors.ts';
import { isRecordType } from '../../records/records.ts';
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
    handle: (call) =>
      listStale(call.gateway.store, {
        source: visibleSource(call),
        limit: limitOf(call.query),
        after: call.query.after,
      }),
  },
  {
    method: 'POST',
    path: '/api/records/{type}/{id}/stale/{stale}/accept',
    summary: 'Make this older record the newest version. Answers {outcome, version, lanes}.',
    access: { source: false, operator: 'decide' },
    query: ['source'],
    status: 202,
    handle: acceptStale,
  },
];

async function acceptStale(call: Call): Promise<object> {
  const source = addressedSource(call);
  const { type = '', id = '', stale = '' } = call.path;
  if (!isRecordType(type)) throw new CasebridgeError('record-type-unknown', { hint: '' });
  return call.gateway.acceptStale({ source, type, id, hash: stale });
}
