// Whose words are in whose chart: of what the source says of one client nothing is told in the chart of another.

import { isObject, type JsonObject } from '../../src/json.ts';
import { patientOf } from '../../src/lanes/patients/patient-of.ts';
import { clientsOn, type Evidence } from './evidence.ts';
import { textOf } from './filed-documents.ts';
import type { SentRecord } from './source.ts';

/** (n) In no version that a server has held, documents as what they say. */
export function strangersWords({ server, made, edits, site }: Evidence): string[] {
  const { store } = server.engine;
  const clients = clientsOn(server);
  const owners = ownersOf([...made.values()]);
  const chartOf = (resource: JsonObject) => clients.get(patientOf(resource) ?? '');
  const held = store.resourceTypes.flatMap((type) =>
    [...store.all(type)].flatMap(({ id }) =>
      store
        .versions(type, id)
        .flatMap(({ resource, number }) => (isObject(resource) ? [{ name: `${type}/${id}`, number, resource }] : [])),
    ),
  );
  const tokens = new Map(
    edits.map(({ token, resourceType, id }) => {
      const of = held.find(
        ({ name, resource }) => name === `${resourceType}/${id}` && textIn(resource).includes(token),
      );
      return [token, of && chartOf(of.resource)] as const;
    }),
  );
  const faults = held.flatMap(({ name, number, resource }) => {
    // It tells of other resources, in whichever charts they are.
    if (resource.resourceType === 'Provenance') return [];
    const chart = chartOf(resource);
    const text = textIn(resource);
    const inChart = chart === undefined ? '' : text;
    const told = [
      ...[...text.matchAll(/\(v(\d+)\)/g)].map(([mark, version]) => ({
        mark,
        of: clientsOf(made.get(Number(version))),
      })),
      ...[...text.matchAll(/\b(?:Delgado|MRN-)(\d+)\b/g)].map(([mark, at]) => ({ mark, of: [`c${at}`] })),
      // What was recalled is in nobody's chart any more; it keeps its identifier, and what the partner has added.
      ...[...inChart.matchAll(/county\/(\w+\/[\w-]+)#/g)].map(([mark, record = '']) => ({
        mark,
        of: owners.get(record) ?? [],
      })),
      ...[...inChart.matchAll(/partner-\d+-said/g)].map(([mark]) => ({ mark, of: [tokens.get(mark) ?? ''] })),
    ];
    return told
      .filter(({ of }) => of.length > 0 && !of.includes(chart ?? ''))
      .map(({ mark, of }) => ({
        key: `${name} ${mark}`,
        text: `(n) ${site.id}: ${name} tells ${mark} of ${of.join(' or ')} in the chart of ${chart ?? 'nobody'}, in its version ${number}`,
      }));
  });
  return [...new Map(faults.map(({ key, text }) => [key, text])).values()];
}

/** By `type/id`: whose the record is, or has been. */
function ownersOf(made: readonly SentRecord[]): ReadonlyMap<string, string[]> {
  const all = Map.groupBy(made, ({ type, record }) => `${type}/${record.id}`);
  return new Map([...all].map(([name, versions]) => [name, [...new Set(versions.flatMap(clientsOf))]]));
}

/** Whom a record is about; nobody for what is no client's. */
function clientsOf(sent: SentRecord | undefined): string[] {
  if (sent === undefined) return [];
  const { type, record } = sent;
  const client = type === 'client' ? record.id : record.clientId;
  return typeof client === 'string' ? [client] : [];
}

function textIn(resource: JsonObject): string {
  return JSON.stringify(resource) + (resource.resourceType === 'DocumentReference' ? textOf(resource) : '');
}
