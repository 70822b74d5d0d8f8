// read, vread and history of one resource (https://hl7.org/fhir/R4/http.html).

import type { JsonObject } from '../../json.ts';
import { type Answer, type Engine, type FhirCall, shown } from './engine.ts';
import { refusal } from './outcome.ts';
import type { Version } from './store.ts';
import { existing, notFound } from './write.ts';

/** @throws Refusal 404 or 410 */
export function read(engine: Engine, resourceType: string, id: string): Answer {
  return { status: 200, version: existing(engine, resourceType, id) };
}

/** @throws Refusal 404 or 410 (the version that deleted it) */
export function readVersion(engine: Engine, resourceType: string, id: string, versionId: string): Answer {
  const version = engine.settings.versions
    ? engine.store.versions(resourceType, id).find(({ number }) => String(number) === versionId)
    : undefined;
  if (version === undefined)
    throw refusal(404, 'not-found', `There is no version ${versionId} of ${resourceType}/${id}.`);
  if (version.resource === undefined)
    throw refusal(410, 'deleted', `${resourceType}/${id} was deleted in this version.`);
  return { status: 200, version };
}

/** All versions, newest first; a deleted resource keeps its history. @throws Refusal 404 */
export function history(engine: Engine, call: FhirCall, resourceType: string, id: string): Answer {
  const versions = engine.settings.versions ? engine.store.versions(resourceType, id) : [];
  if (versions.length === 0) throw notFound(resourceType, id);
  return {
    status: 200,
    body: {
      resourceType: 'Bundle',
      type: 'history',
      total: versions.length,
      link: [{ relation: 'self', url: `${call.base}/${resourceType}/${id}/_history` }],
      entry: versions.toReversed().map((version) => historyEntry(engine, call, version)),
    },
  };
}

function historyEntry(engine: Engine, call: FhirCall, version: Version): JsonObject {
  const { resourceType, id, number, at, method, created, resource } = version;
  const url = `${resourceType}/${id}`;
  const status = resource === undefined ? '204 No Content' : created ? '201 Created' : '200 OK';
  return {
    fullUrl: `${call.base}/${url}`,
    ...(resource !== undefined && { resource: shown(engine, version) }),
    request: { method, url: method === 'POST' ? resourceType : url },
    response: { status, etag: `W/"${number}"`, lastModified: new Date(at).toISOString() },
  };
}
