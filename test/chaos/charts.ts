// Whose words are in whose chart, and what refers to what: of one client nothing is told in the chart of another, neither in what a server holds nor in
// what it was sent on the way there.

import { isObject, type JsonObject } from '../../src/json.ts';
import type { Evidence, ServerEvidence, StoredRecord } from './evidence.ts';
import { documentText, type Entry, objects, oursOf, ownValue, writtenBy } from './simulated.ts';
import { allMarksIn, caseOf, mrnSystem } from './workload.ts';

/** Resources of ours in the chart of another client than whose they are, or with words of another client. */
export function misfiledOn(server: ServerEvidence, { records }: Evidence): string[] {
  const clients = clientsIn(records);
  const charts = chartsOn(server, clients);
  const held = Object.entries(server.store).flatMap(([type, all]) =>
    all.map((resource) => ({ where: `${type}/${resource.id}`, chart: chartOf(resource, charts), resource })),
  );
  const sent = oursOf(server.journal).flatMap((entry) =>
    writtenBy(entry).map(({ write, resource }) => ({
      where: `${write.resourceType}/${write.id} (request ${entry.n})`,
      // In a transaction a patient may have no id yet.
      chart: chartOf({ ...resource, id: write.id }, charts) ?? casesIn(resource, clients)[0],
      resource,
    })),
  );
  return [...held, ...sent].flatMap(({ where, chart, resource }) =>
    casesIn(resource, clients)
      .filter((told) => told !== chart)
      .map(
        (told) =>
          `${server.name}: ${where} tells of client-${told} in ${chart === undefined ? 'no chart' : `the chart of client-${chart}`}`,
      ),
  );
}

/** Resources of ours that refer to what is not there, or is another client's, or not to what their record names. */
export function wrongReferencesOn({ name, store, journal }: ServerEvidence, { records }: Evidence): string[] {
  const held = new Map(Object.values(store).flatMap((all) => all.map((one) => [pathOf(one), one] as const)));
  const values = new Set([...held.values()].map(ownValue));
  const deleted = new Set(records.filter(({ record }) => record.deleted === true).map(({ id }) => id));
  const recordOf = new Map(records.map((one) => [`county/${one.type}/${one.id}`, one]));
  const overwritten = untaggedPaths(journal);
  return [...held].flatMap(([path, resource]) => {
    const own = ownValue(resource);
    if (own === undefined) return [];
    // Whose chart it is in is judged apart.
    const references = referencesIn({ ...resource, subject: undefined, patient: undefined, for: undefined });
    const named = references.map((reference) => ownValue(held.get(reference) ?? {}));
    const [recordPart = '', slot = ''] = own.split('#');
    const record = recordOf.get(recordPart);
    const ownCase = caseOf(recordPart.split('/').at(-1) ?? '');
    const wanted = record === undefined || deleted.has(record.id) ? [] : namedBy(record, slot);
    return [
      ...references
        .filter((reference) => !held.has(reference))
        .map((reference) => `${name}: ${own} refers to ${reference}, which is not there`),
      ...named.flatMap((value) => {
        const other = caseOf(value?.split('#')[0]?.split('/').at(-1) ?? '');
        return other === undefined || other === ownCase ? [] : [`${name}: ${own} refers to ${value}`];
      }),
      ...wanted
        .filter(({ id, value }) => !deleted.has(id) && values.has(value) && !named.includes(value))
        .filter(() => !overwritten.has(path))
        .map(({ value }) => `${name}: ${own} does not refer to ${value}`),
    ];
  });
}

/** Resources that the partner wrote last, without a version tag: it may put back what it read before. */
export function untaggedPaths(journal: readonly Entry[]): Set<string> {
  const paths = new Set<string>();
  for (const { writes, isPartner, hasVersionTag } of journal) {
    for (const { resourceType, id } of writes) {
      if (isPartner && !hasVersionTag) paths.add(`${resourceType}/${id}`);
      else paths.delete(`${resourceType}/${id}`);
    }
  }
  return paths;
}

/** By medical record number the case of the client who has it. */
function clientsIn(records: readonly StoredRecord[]): ReadonlyMap<string, string> {
  return new Map(
    records.flatMap(({ type, id, record }) =>
      type === 'client' ? objects(record.identifiers).map(({ value }) => [String(value), caseOf(id) ?? id]) : [],
    ),
  );
}

/** By the path of each Patient the case whose client has that medical record number. */
function chartsOn({ store }: ServerEvidence, clients: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(
    (store.Patient ?? []).flatMap((patient) => {
      const mrn = objects(patient.identifier).find(({ system }) => system === mrnSystem)?.value;
      const client = clients.get(String(mrn));
      return client === undefined ? [] : [[pathOf(patient), client]];
    }),
  );
}

function chartOf(resource: JsonObject, charts: ReadonlyMap<string, string>): string | undefined {
  const patient = resource.subject ?? resource.patient ?? resource.for;
  const path = resource.resourceType === 'Patient' ? pathOf(resource) : isObject(patient) && patient.reference;
  return charts.get(String(path));
}

/** The cases of which a resource tells: by its own identifier, by the marks in it, and a document by the medical record number that it says. */
function casesIn(resource: JsonObject, clients: ReadonlyMap<string, string>): string[] {
  // Its targets are in whichever charts they are.
  if (resource.resourceType === 'Provenance') return [];
  const inside = resource.resourceType === 'DocumentReference' ? documentText(resource) : '';
  const [record = ''] = (ownValue(resource) ?? '').split('#');
  const marks = allMarksIn(JSON.stringify(resource) + inside).map((mark) => mark.split('.')[0] ?? '');
  const said = [...inside.matchAll(/\bMRN: *(\S+)/g)].flatMap(([, mrn = '']) => clients.get(mrn) ?? []);
  return [...new Set([...[record.split('/').at(-1) ?? '', ...marks].flatMap((id) => caseOf(id) ?? []), ...said])];
}

/** What the resource of this slot refers to beside its patient: our identifiers, and the records that they are of. */
function namedBy({ record }: StoredRecord, slot: string): { readonly id: string; readonly value: string }[] {
  const of = (ids: unknown, type: string, other: string) =>
    (Array.isArray(ids) ? ids : []).map((id) => ({ id: String(id), value: `county/${type}/${id}#${other}` }));
  const needs = of(record.needIds, 'need', 'condition');
  const goals = of(record.goalIds, 'goal', 'goal');
  const named: Readonly<Record<string, typeof needs>> = {
    goal: needs,
    request: [...needs, ...goals],
    plan: [...needs, ...goals],
    fulfilment: of([record.id], 'referral', 'request'),
  };
  return named[slot] ?? [];
}

/** Relative ones, such as `Goal/7`. */
function referencesIn(resource: Readonly<Record<string, unknown>>): string[] {
  const found = JSON.stringify(resource).matchAll(/"reference":"([A-Z]\w+\/[\w.-]+)"/g);
  return [...new Set([...found].map(([, reference = '']) => reference))];
}

function pathOf({ resourceType, id }: JsonObject): string {
  return `${resourceType}/${id}`;
}
