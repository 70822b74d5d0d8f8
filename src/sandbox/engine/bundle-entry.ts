// One entry of a transaction or batch Bundle: reading it, making the call that it stands for, and writing its answer.

import { isObject, type Json, type JsonObject } from '../../json.ts';
import { type Answer, type Engine, type FhirCall, shown } from './engine.ts';
import { refusal } from './outcome.ts';
import type { Version } from './store.ts';

export interface Entry {
  index: number;
  fullUrl?: string;
  method: FhirCall['method'];
  path: string;
  criteria: string;
  headers: FhirCall['headers'];
  resource?: JsonObject;
}

/** The order in which a transaction does its entries. */
export const methodOrder: readonly FhirCall['method'][] = ['DELETE', 'POST', 'PUT', 'PATCH', 'GET'];

/** @throws Refusal 400 naming what the entry lacks */
export function readEntry(value: Json, index: number, base: string): Entry {
  const path = `Bundle.entry[${index}]`;
  const request = isObject(value) ? value.request : undefined;
  if (!isObject(value) || !isObject(request))
    throw refusal(400, 'required', 'Each entry needs a request.', `${path}.request`);
  const method = methodOrder.find((known) => known === request.method);
  if (method === undefined)
    throw refusal(400, 'value', 'The method must be GET, POST, PUT, PATCH or DELETE.', `${path}.request.method`);
  if (typeof request.url !== 'string')
    throw refusal(400, 'required', 'The request needs a url.', `${path}.request.url`);
  const local = request.url.startsWith(`${base}/`);
  const [target, criteria = ''] = splitQuery(
    local ? request.url.slice(base.length + 1) : request.url.replace(/^\//, ''),
  );
  return {
    index,
    method,
    path: target,
    criteria,
    headers: {
      ...(typeof request.ifMatch === 'string' && { 'if-match': request.ifMatch }),
      ...(typeof request.ifNoneExist === 'string' && { 'if-none-exist': request.ifNoneExist.replace(/^\?/, '') }),
    },
    ...(typeof value.fullUrl === 'string' && { fullUrl: value.fullUrl }),
    ...(isObject(value.resource) && { resource: value.resource }),
  };
}

/** @throws Refusal 400 for a patch entry without a JSON Patch */
export function entryCall(call: FhirCall, entry: Entry): FhirCall {
  const { resource } = entry;
  const body = entry.method === 'PATCH' ? patchIn(entry) : resource;
  return {
    method: entry.method,
    path: entry.path,
    query: [...new URLSearchParams(entry.criteria)],
    headers: entry.headers,
    base: call.base,
    may: call.may,
    ...(body !== undefined && { body }),
  };
}

/** A JSON Patch travels in a Bundle as a Binary. */
function patchIn({ index, resource }: Entry): Json {
  const expression = `Bundle.entry[${index}].resource`;
  if (resource?.resourceType !== 'Binary' || typeof resource.data !== 'string') {
    throw refusal(400, 'structure', 'A patch entry needs a Binary with the JSON Patch in data.', expression);
  }
  try {
    return JSON.parse(Buffer.from(resource.data, 'base64').toString('utf8'));
  } catch {
    throw refusal(400, 'structure', 'The data of the Binary is no JSON.', expression);
  }
}

export function responseEntry(engine: Engine, call: FhirCall, answer: Answer): JsonObject {
  const { version, body, status, located } = answer;
  const wanted = /\breturn=representation\b/.test(call.headers.prefer ?? '');
  const resource = body ?? (version?.resource && (wanted || located !== true) ? shown(engine, version) : undefined);
  const { versions } = engine.settings;
  return {
    ...(resource !== undefined && { resource }),
    response: {
      status: statusLine(status),
      ...(version !== undefined && {
        ...(located === true && { location: locationOf(engine, version) }),
        ...(versions && { etag: `W/"${version.number}"` }),
        lastModified: new Date(version.at).toISOString(),
      }),
    },
  };
}

/** Where a version is, relative to the base. */
export function locationOf(engine: Engine, { resourceType, id, number }: Version): string {
  return `${resourceType}/${id}${engine.settings.versions ? `/_history/${number}` : ''}`;
}

const phrases: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 204: 'No Content' };

export function statusLine(status: number): string {
  return phrases[status] === undefined ? String(status) : `${status} ${phrases[status]}`;
}

/** Path and query of a relative URL; the query may hold further question marks. */
export function splitQuery(url: string): [path: string, query: string | undefined] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, undefined] : [url.slice(0, mark), url.slice(mark + 1)];
}
