// The judge: from the evidence to what is wrong, one line each. Every check can fail: `chaos.test.ts` plants a fault for each.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { loadDefinitions } from '../../src/sandbox/engine/definitions.ts';
import { structureIssues } from '../../src/sandbox/engine/validate.ts';
import { isDeclared } from '../support/declared.ts';
import { provenanceFaults } from '../support/provenance.ts';
import { misfiledOn, untaggedPaths, wrongReferencesOn } from './charts.ts';
import type { Evidence, ServerEvidence, StoredRecord } from './evidence.ts';
import { lostEdits, lostMoves, toldTwice, untoldAnswers } from './remote-edits.ts';
import { documentText, objects, oursOf, ownValue, type Write, writtenBy } from './simulated.ts';
import { isWorkloadMark, isWorkloadType, marksIn, slotsOf } from './workload.ts';

export type Findings = Readonly<Record<CheckName, readonly string[]>>;

export const checks = {
  lost: (evidence: Evidence) => [
    ...lostRecords(evidence),
    ...evidence.servers.flatMap((server) => lostOn(server, evidence)),
  ],
  misfiled: (evidence: Evidence) => evidence.servers.flatMap((server) => misfiledOn(server, evidence)),
  'wrong references': (evidence: Evidence) => evidence.servers.flatMap((server) => wrongReferencesOn(server, evidence)),
  doubled: ({ servers }: Evidence) => servers.flatMap(doubledOn),
  reordered: ({ servers }: Evidence) => servers.flatMap(reorderedOn),
  invalid: ({ servers }: Evidence) => servers.flatMap(invalidOn),
  undeclared: ({ servers }: Evidence) => servers.flatMap(undeclaredOn),
  'wrongly told': ({ servers }: Evidence) => servers.flatMap(wronglyToldOn),
  'remote edits lost': (evidence: Evidence) =>
    evidence.servers.flatMap((server) => [...lostEdits(server, evidence), ...lostMoves(server, evidence)]),
  'answers not told': (evidence: Evidence) => evidence.servers.flatMap((server) => untoldAnswers(server, evidence)),
  'told twice': toldTwice,
  'writes after quiet': ({ servers }: Evidence) => servers.flatMap(loudOn),
  'not read again': (evidence: Evidence) => evidence.servers.flatMap((server) => unreadOn(server, evidence)),
  'not at rest': ({ lanes }: Evidence) =>
    lanes
      .filter(({ state }) => state !== 'idle')
      .map(
        ({ connection, subject, state, reason }) => `${connection} ${subject} is ${state}: ${JSON.stringify(reason)}`,
      ),
  'ended by itself': ({ ownEnds }: Evidence) => ownEnds,
} satisfies Record<string, (evidence: Evidence) => readonly string[]>;

export type CheckName = keyof typeof checks;

export function judge(evidence: Evidence): Findings {
  const found = (name: CheckName) => [...new Set(checks[name](evidence))];
  return {
    lost: found('lost'),
    misfiled: found('misfiled'),
    'wrong references': found('wrong references'),
    doubled: found('doubled'),
    reordered: found('reordered'),
    invalid: found('invalid'),
    undeclared: found('undeclared'),
    'wrongly told': found('wrongly told'),
    'remote edits lost': found('remote edits lost'),
    'answers not told': found('answers not told'),
    'told twice': found('told twice'),
    'writes after quiet': found('writes after quiet'),
    'not read again': found('not read again'),
    'not at rest': found('not at rest'),
    'ended by itself': found('ended by itself'),
  };
}

/** Accepted versions that the gateway's store does not have, nor a later one of the same record. */
function lostRecords({ answers, records }: Evidence): string[] {
  const stored = new Map(records.map(({ type, id, record }) => [`${type}/${id}`, versionIn(id, record)]));
  return answers.flatMap(({ type, id, version, outcome }) => {
    const held = stored.get(`${type}/${id}`);
    if (outcome === 'refused') return [`${type}/${id} v${version} was refused`];
    if (outcome === 'unknown' || (held !== undefined && held >= version)) return [];
    return [
      `${type}/${id} v${version} was answered ${outcome}; the store has ${held === undefined ? 'none' : `v${held}`}`,
    ];
  });
}

/** The version that a record's own mark says; entries of the directory have none and count as 1. */
function versionIn(id: string, record: JsonObject): number {
  return marksIn(JSON.stringify(record)).get(id) ?? 1;
}

/** Records whose newest version is not on the server, as resources where it takes them, else in the patient's newest document. */
function lostOn(server: ServerEvidence, { records }: Evidence): string[] {
  return server.name === 'standard' ? lostResources(server, records) : lostFromDocuments(server, records);
}

/** Slots whose resource carries its record's mark. */
const marked: readonly string[] = ['organization', 'patient', 'episode', 'condition', 'goal', 'request', 'plan'];

function lostResources({ store, name, journal }: ServerEvidence, records: readonly StoredRecord[]): string[] {
  const overwritten = untaggedPaths(journal);
  const held = Map.groupBy(Object.values(store).flat(), ownValue);
  return records.flatMap(({ type, id, record }) => {
    const slots = isWorkloadType(type) ? slotsOf[type] : [];
    return slots.flatMap((slot) => {
      const value = `county/${type}/${id}#${slot}`;
      const [resource] = held.get(value) ?? [];
      if (record.deleted === true)
        return resource === undefined || isRetired(resource) ? [] : [`${name}: ${value} is deleted and still in force`];
      if (resource === undefined) return [`${name}: there is no ${value}`];
      const version = marksIn(JSON.stringify({ ...resource, text: undefined })).get(id);
      const wanted = versionIn(id, record);
      if (!marked.includes(slot) || !isWorkloadMark(id) || version === wanted) return [];
      // A partner that sends no version tag may put back what it read before.
      if (overwritten.has(`${resource.resourceType}/${resource.id}`)) return [];
      return [`${name}: ${value} says v${version}, the record v${wanted}`];
    });
  });
}

function lostFromDocuments({ name, store }: ServerEvidence, records: readonly StoredRecord[]): string[] {
  const newest = newestDocuments(store.DocumentReference ?? []).map((document) => marksIn(documentText(document)));
  const told = ['goal', 'need', 'carePlan'];
  return records.flatMap(({ type, id, record }) => {
    if (!told.includes(type)) return [];
    const wanted = versionIn(id, record);
    const versions = newest.flatMap((marks) => marks.get(id) ?? []);
    if (record.deleted === true)
      return versions.length === 0 ? [] : [`${name}: ${id} is deleted and still in a document`];
    if (versions.length === 0) return [`${name}: ${id} is in no newest document`];
    return versions.every((version) => version === wanted)
      ? []
      : [`${name}: newest documents say ${id} v${versions.join(', v')}, the record v${wanted}`];
  });
}

/** Those that no other one replaces. */
function newestDocuments(documents: readonly JsonObject[]): JsonObject[] {
  const replaced = new Set(
    documents.flatMap(({ relatesTo }) => objects(relatesTo).map(({ target }) => referenceId(target))),
  );
  return documents.filter(({ id }) => !replaced.has(String(id)));
}

function referenceId(target: Json | undefined): string {
  return isObject(target) ? (String(target.reference).split('/').at(-1) ?? '') : '';
}

const edition = /Ref (CB-\w+ v\d+)/;

/** More than one resource under one of our identifiers; more than one document of the same edition, or one that does not say which it is. */
function doubledOn({ name, store }: ServerEvidence): string[] {
  const unnamed = (store.DocumentReference ?? []).filter((document) => !edition.test(documentText(document)));
  const values = Object.entries(store).flatMap(([type, resources]) =>
    resources.flatMap((resource) =>
      type === 'DocumentReference' ? (edition.exec(documentText(resource))?.[1] ?? []) : (ownValue(resource) ?? []),
    ),
  );
  const counts = Map.groupBy(values, (value) => value);
  return [
    ...unnamed.map(({ id }) => `${name}: DocumentReference/${id} says no edition`),
    ...[...counts]
      .filter(([, all]) => all.length > 1)
      .map(([value, all]) => `${name}: ${value} is there ${all.length} times`),
  ];
}

/** Writes of ours after which a resource says an older version of a record than before. */
function reorderedOn({ name, journal }: ServerEvidence): string[] {
  const newest = new Map<string, number>();
  return oursOf(journal).flatMap((entry) =>
    writtenBy(entry).flatMap(({ write, resource }) => {
      const { n } = entry;
      const key = nameOf(resource, write);
      return [...marksIn(textsOf(resource))].flatMap(([id, version]) => {
        const place = `${key} ${id}`;
        const before = newest.get(place) ?? 0;
        newest.set(place, Math.max(before, version));
        return version < before
          ? [`${name}: request ${n} says ${id} v${version} in ${key}, which said v${before}`]
          : [];
      });
    }),
  );
}

/** What stays the same of a resource over its versions: our identifier; of a document the series that its editions belong to. */
function nameOf(resource: JsonObject, { resourceType, id }: Write): string {
  const [, series] = resourceType === 'DocumentReference' ? (/Ref (CB-\w+) v/.exec(documentText(resource)) ?? []) : [];
  return ownValue(resource) ?? series ?? `${resourceType}/${id}`;
}

/** The text of a resource; of a document, what is inside. The narrative repeats what other records said when it was made. */
function textsOf(body: JsonObject): string {
  if (body.resourceType === 'DocumentReference') return documentText(body);
  return JSON.stringify({ ...body, text: undefined });
}

/** Request bodies that base R4 does not allow, and writes that a server refused for what they say. */
function invalidOn({ name, journal }: ServerEvidence): string[] {
  const definitions = loadDefinitions();
  return oursOf(journal).flatMap(({ n, method, path, status, body }) => {
    if (method === 'GET' || path.includes('$')) return [];
    const refused = [400, 422].includes(status)
      ? [`${name}: ${method} ${path} (request ${n}) was refused with ${status}`]
      : [];
    const resources =
      isObject(body) && body.resourceType === 'Bundle' ? objects(body.entry).map(({ resource }) => resource) : [body];
    const issues = resources.flatMap((resource) =>
      isObject(resource) ? structureIssues(definitions, resource) : [{ text: 'no resource' }],
    );
    return [...refused, ...issues.map(({ text }) => `${name}: ${method} ${path} (request ${n}): ${text}`)];
  });
}

/** Requests that the server does not declare that it takes, a transaction with one such entry among them. */
function undeclaredOn({ name, journal, declared }: ServerEvidence): string[] {
  return oursOf(journal)
    .filter((entry) => !isDeclared(entry, declared))
    .map(({ method, path, n }) => `${name}: ${method} ${path} (request ${n})`);
}

/** Writes of transactions without their one Provenance, and Provenance of what did not happen; none where the server cannot find it by its tag. */
function wronglyToldOn({ name, journal, store, takesProvenance }: ServerEvidence): string[] {
  return provenanceFaults(oursOf(journal), store.Provenance ?? [], takesProvenance).map((fault) => `${name}: ${fault}`);
}

/** Requests of the second pass that are no reads. */
function loudOn({ name, journal, quietAfter }: ServerEvidence): string[] {
  return oursOf(journal)
    .filter(({ n, method, path }) => n > quietAfter && method !== 'GET' && !path.endsWith('$match'))
    .map(({ n, method, path }) => `${name}: ${method} ${path} (request ${n})`);
}

/** Linked resources that the second pass did not read: without reading it could not have found anything to write. */
function unreadOn({ name, journal, quietAfter }: ServerEvidence, { records }: Evidence): string[] {
  const read = new Set(
    oursOf(journal).flatMap(({ n, method, path }) => (n > quietAfter && method === 'GET' ? [path] : [])),
  );
  const links = records
    .flatMap(({ record, links: all }) => (record.deleted === true ? [] : all))
    .filter(({ connection, id }) => connection === name && typeof id === 'string');
  return [...new Set(links.map(({ resourceType, id }) => `${resourceType}/${id}`))]
    .filter((path) => !read.has(path))
    .map((path) => `${name}: ${path}`);
}

function isRetired(resource: JsonObject): boolean {
  return JSON.stringify(resource).includes('entered-in-error');
}
