// Cases: the list, one with all that happened in it, and its desired FHIR as a Bundle.

import { CasebridgeError } from '../../errors.ts';
import { isRecordType, subjectOf } from '../../records/records.ts';
import { limitOf } from '../parameters.ts';
import { addressedSource, visibleSource } from '../principal.ts';
import { keysOfSubject, listCases, timelineOf } from '../queries/cases.ts';
import { listClocks } from '../queries/clocks.ts';
import { listDecisions } from '../queries/decisions.ts';
import { listLanes } from '../queries/lanes.ts';
import { findRecord } from '../queries/record.ts';
import type { Call, Route } from '../route.ts';

const access = { source: true, operator: 'read' } as const;

export const caseRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/cases',
    summary: 'All cases.',
    access,
    query: ['limit', 'after', 'source'],
    handle: (call) =>
      listCases(call.gateway.store, {
        source: visibleSource(call),
        limit: limitOf(call.query),
        after: call.query.after,
      }),
  },
  {
    method: 'GET',
    path: '/api/cases/{id}',
    summary: 'One case with its timeline, clocks, lanes and open decisions.',
    access,
    query: ['source'],
    handle: getCase,
  },
  {
    method: 'GET',
    path: '/api/cases/{id}/bundle',
    summary:
      'The desired FHIR resources of a case as a collection Bundle; with lineage=true {bundle, issues, lineage}, where lineage says where each element comes from.',
    access,
    query: ['source', 'lineage'],
    answers: ['application/fhir+json', 'application/json'],
    handle: getBundle,
  },
];

async function getCase(call: Call): Promise<object> {
  const { store } = call.gateway;
  const { source, id, found } = await addressedCase(call);
  const { subject } = found;
  const rows = { subject, limit: 1000 };
  return {
    source,
    id,
    record: found.record,
    version: found.version,
    timeline: await timelineOf(store, source, subject),
    clocks: (await listClocks(store, rows)).items,
    lanes: (await listLanes(store, rows)).items,
    decisions: (await listDecisions(store, rows)).items,
  };
}

async function getBundle(call: Call): Promise<object> {
  const { source, found } = await addressedCase(call);
  const keys = await keysOfSubject(call.gateway.store, source, found.subject);
  const known = keys.flatMap(({ type, id }) => (isRecordType(type) ? [{ source, type, id }] : []));
  const { entries, issues, lineage } = await call.gateway.resources(known);
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: entries };
  return call.query.lineage === 'true' ? { bundle, issues, lineage } : bundle;
}

async function addressedCase(call: Call) {
  const source = addressedSource(call);
  const id = call.path.id ?? '';
  const found = await findRecord(call.gateway.store, { source, type: 'case', id });
  if (!found) throw new CasebridgeError('record-unknown', { type: 'case' });
  return { source, id, found: { ...found, subject: subjectOf(source, 'case', { id }) } };
}
