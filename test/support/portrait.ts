// What a server holds, told so that two servers can be compared, and what its journal says was written.

import { isObject, type JsonObject } from '../../src/json.ts';
import { caseTypes } from './caseload.ts';
import { ownValue, type TestServer } from './rig.ts';

const types = ['Organization', 'Practitioner', 'PractitionerRole', 'HealthcareService', 'Patient', ...caseTypes];

/** All resources, by our identifier: each content without what the server adds, and references by what they point at, in lists in alphabetical order. */
export async function portrait(server: TestServer): Promise<Record<string, JsonObject[]>> {
  const all = (await Promise.all(types.map((type) => server.all(type)))).flat();
  const nameOf = (resource: JsonObject) => ownValue(resource) ?? 'a stranger';
  const names = new Map(all.map((resource) => [`${resource.resourceType}/${resource.id}`, nameOf(resource)]));
  const result: Record<string, JsonObject[]> = {};
  for (const resource of all) {
    const { id: _id, meta, ...content } = resource;
    const { versionId: _version, lastUpdated: _time, ...labels } = isObject(meta) ? meta : {};
    const name = nameOf(resource);
    result[name] = [...(result[name] ?? []), renamed({ ...content, meta: labels }, names)];
  }
  return result;
}

function renamed(resource: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  return JSON.parse(JSON.stringify(resource), (key, value) => {
    if (key === 'reference') return names.get(value) ?? value;
    // One that had nothing to point at yet was added at the end.
    return Array.isArray(value) && value.every(isReference) ? value.sort(byReference) : value;
  });
}

function isReference(value: unknown): value is { reference: string } {
  return typeof value === 'object' && value !== null && 'reference' in value;
}

function byReference(a: { reference: string }, b: { reference: string }): number {
  return a.reference < b.reference ? -1 : 1;
}

/** What these entries of a journal changed, as `create Task`, in alphabetical order. */
export function writesIn(entries: readonly JsonObject[]): string[] {
  const writes = entries.flatMap((entry) => (Array.isArray(entry.writes) ? entry.writes.filter(isObject) : []));
  return writes.map(({ kind, resourceType }) => `${kind} ${resourceType}`).sort();
}
