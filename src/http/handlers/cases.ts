// Cases: the list, one with all that happened in it, and its desired FHIR as a Bundle.

import type { Config } from '../../config.ts';
import { CasebridgeError } from '../../errors.ts';
import { textAt } from '../../json.ts';
import { isRecordType, subjectOf } from '../../records/records.ts';
import type { Store } from '../../store/store.ts';
import { keepCallersLook } from '../looks.ts';
import { limitOf } from '../parameters.ts';
import { addressedSource, visibleSource } from '../principal.ts';
import { keysOfSubject, listCases } from '../queries/cases.ts';
import { listClocks } from '../queries/clocks.ts';
import { listDecisions } from '../queries/decisions.ts';
import { listLanes } from '../queries/lanes.ts';
import { findRecord, type StoredRecordView } from '../queries/record.ts';
import { listTimeline, timelineFilters } from '../queries/timeline.ts';
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
    path: '/api/cases/{id}/timeline',
    summary:
      'What happened in a case, newest first, on which side and why; of one connection or kind where that is asked for. `move` are the moves of its referrals.',
    access,
    query: ['source', 'connection', 'kind', 'limit', 'after'],
    kinds: timelineFilters,
    handle: getTimeline,
  },
  {
    method: 'GET',
    path: '/api/cases/{id}/bundle',
    summary:
      'The desired FHIR resources of a case, of its client and of the directory entries that they refer to, as a collection Bundle; with lineage=true {bundle, issues, lineage}, where lineage says where each element comes from.',
    access,
    query: ['source', 'lineage'],
    answers: ['application/fhir+json', 'application/json'],
    handle: getBundle,
  },
];

// More than a person scrolls through; its `next` goes on from there.
const timelineLength = 1000;

async function getCase(call: Call): Promise<object> {
  const { store, config } = call.gateway;
  const found = await addressedCase(call);
  const { source, id, subject } = found;
  const teller = tellerOf(config, found);
  const rows = { subjects: teller.subjects, limit: 1000 };
  const timeline = await listTimeline(store, { ...teller, limit: timelineLength });
  return {
    source,
    id,
    record: found.record,
    version: found.version,
    timeline: timeline.items,
    timelineNext: timeline.next,
    clocks: (await listClocks(store, { subject, limit: 1000 })).items,
    lanes: (await listLanes(store, rows)).items,
    decisions: (await listDecisions(store, rows)).items,
  };
}

async function getTimeline(call: Call): Promise<object> {
  const { store, config } = call.gateway;
  const { connection, kind, after } = call.query;
  const teller = tellerOf(config, await addressedCase(call));
  return listTimeline(store, { ...teller, connection, kind, after, limit: limitOf(call.query) });
}

/** Of a case its timeline tells what happened to its own records and to its client's. */
export function tellerOf(config: Config, { source, subject, record }: FoundCase) {
  const client = textAt(record, 'clientId');
  return {
    source,
    subjects: [subject, ...(client === undefined ? [] : [subjectOf(source, 'client', { id: client })])],
    sideOf: (connection: string) =>
      config.connections.get(connection)?.basis === 'consent' ? ('partner' as const) : ('hospital' as const),
  };
}

async function getBundle(call: Call): Promise<object> {
  const { source, subject } = await addressedCase(call);
  const keys = await keysOfSubject(call.gateway.store, source, subject);
  const known = keys.flatMap(({ type, id }) => (isRecordType(type) ? [{ source, type, id }] : []));
  const { entries, issues, lineage } = await call.gateway.resources(known, { whole: true });
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: entries };
  return call.query.lineage === 'true' ? { bundle, issues, lineage } : bundle;
}

export interface FoundCase extends StoredRecordView {
  readonly source: string;
  readonly id: string;
}

async function addressedCase(call: Call): Promise<FoundCase> {
  const source = addressedSource(call);
  const found = await findCase(call.gateway.store, source, call.path.id ?? '');
  await keepCallersLook(call, 'case', `${source}/${found.id}`);
  return found;
}

/** @throws CasebridgeError `record-unknown` */
export async function findCase(store: Store, source: string, id: string): Promise<FoundCase> {
  const found = await findRecord(store, { source, type: 'case', id });
  if (!found) throw new CasebridgeError('record-unknown', { type: 'case' });
  return { ...found, source, id };
}
