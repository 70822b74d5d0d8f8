// create, update, patch and delete (https://hl7.org/fhir/R4/http.html), each inside the transaction of its request. An update that
// says what is already there makes no new version, as on HAPI.

import { applyPatch, type Operation } from '@medplum/core';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Answer, Engine, FhirCall } from './engine.ts';
import { Refusal, refusal } from './outcome.ts';
import { onlyMatch } from './search.ts';
import { sameContent, type Version, type VersionMethod } from './store.ts';
import { localTarget, referenceIssues, referencesIn, structureIssues } from './validate.ts';

/** @throws Refusal 400, 412 (If-None-Exist matches several) or 422 */
export function create(engine: Engine, call: FhirCall, resourceType: string): Answer {
  const content = resourceIn(call.body, resourceType);
  const condition = call.headers['if-none-exist'];
  if (condition !== undefined && engine.settings.conditionalCreate) {
    const existing = onlyMatch(engine, resourceType, [...new URLSearchParams(condition)], call.base);
    if (existing !== undefined) return { status: 200, version: existing, located: true };
  }
  const id = call.plan?.assignedId ?? engine.store.unusedId(resourceType);
  return store(engine, call, resourceType, id, content, 'POST');
}

/** @throws Refusal 400, 412 (If-Match is stale) or 422 */
export function update(engine: Engine, call: FhirCall, resourceType: string, id: string): Answer {
  const content = resourceIn(call.body, resourceType);
  if (content.id !== id)
    throw refusal(400, 'invalid', `The id in the body must be the id of the URL, ${id}.`, `${resourceType}.id`);
  return put(engine, call, resourceType, id, content);
}

/** `PUT Type?criteria`: updates the only match, creates where there is none. @throws Refusal 400, 412 or 422 */
export function conditionalUpdate(engine: Engine, call: FhirCall, resourceType: string): Answer {
  const content = resourceIn(call.body, resourceType);
  const match = onlyMatch(engine, resourceType, call.query, call.base);
  const own = typeof content.id === 'string' ? content.id : undefined;
  if (match !== undefined && own !== undefined && own !== match.id) {
    throw refusal(
      400,
      'invalid',
      'The id in the body is not the id of the resource that matches.',
      `${resourceType}.id`,
    );
  }
  const id = match?.id ?? own ?? engine.store.unusedId(resourceType);
  return put(engine, call, resourceType, id, content);
}

/**
 * JSON Patch (RFC 6902).
 * @param seen the resource as the client sees it, where that is not as it is stored
 * @throws Refusal 400, 404, 410, 412 or 422
 */
export function patch(
  engine: Engine,
  call: FhirCall,
  resourceType: string,
  id: string,
  seen: (stored: JsonObject) => JsonObject = (stored) => stored,
): Answer {
  const before = existing(engine, resourceType, id);
  checkIfMatch(engine, call, before);
  const operations: unknown = call.body;
  if (!isPatch(operations))
    throw refusal(400, 'structure', 'A JSON Patch is a list of operations with op and path (RFC 6902).');
  const content = structuredClone(seen(before.resource ?? {}));
  for (const [index, operation] of operations.entries()) {
    const failure = failureOf(content, operation);
    if (failure !== undefined)
      throw refusal(422, 'processing', `Operation ${index + 1} of the patch does not fit: ${failure}.`);
  }
  if (content.resourceType !== resourceType || content.id !== id) {
    throw refusal(422, 'business-rule', 'A patch cannot change the type or the id of a resource.');
  }
  return store(engine, call, resourceType, id, content, 'PATCH');
}

/** Deleting twice is no error. @throws Refusal 404, 409 (still referenced) or 412 */
export function remove(engine: Engine, call: FhirCall, resourceType: string, id: string): Answer {
  const before = engine.store.newest(resourceType, id);
  if (before === undefined) throw notFound(resourceType, id);
  if (before.resource === undefined) return { status: 204, version: before };
  checkIfMatch(engine, call, before);
  const referrer = firstReferrer(engine, call.base, resourceType, id);
  if (referrer !== undefined) {
    throw refusal(409, 'conflict', `${referrer.resourceType}/${referrer.id} still refers to ${resourceType}/${id}.`);
  }
  return { status: 204, version: engine.store.write(resourceType, id, undefined, 'DELETE', engine.clock.now()) };
}

/** The newest version. @throws Refusal 404 or 410 */
export function existing(engine: Engine, resourceType: string, id: string): Version {
  const version = engine.store.newest(resourceType, id);
  if (version === undefined) throw notFound(resourceType, id);
  if (version.resource === undefined) throw refusal(410, 'deleted', `${resourceType}/${id} has been deleted.`);
  return version;
}

export function notFound(resourceType: string, id: string): Refusal {
  return refusal(404, 'not-found', `There is no ${resourceType}/${id}.`);
}

/** Version number in an If-Match header or entry, undefined for anything that is no tag of ours. */
function tagNumber(tag: string): number | undefined {
  const match = /^(?:W\/)?"(\d+)"$/.exec(tag.trim());
  return match === null ? undefined : Number(match[1]);
}

function put(engine: Engine, call: FhirCall, resourceType: string, id: string, content: JsonObject): Answer {
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(id)) throw refusal(400, 'value', 'An id has 1 to 64 letters, digits, - and dots.');
  checkIfMatch(engine, call, engine.store.newest(resourceType, id));
  return store(engine, call, resourceType, id, content, 'PUT');
}

function checkIfMatch(engine: Engine, call: FhirCall, before: Version | undefined): void {
  const tag = call.headers['if-match'];
  if (tag === undefined || !engine.settings.versions) return;
  if (before?.resource === undefined || tagNumber(tag) !== before.number) {
    throw refusal(412, 'conflict', 'The version in If-Match is not the current one.');
  }
}

function store(
  engine: Engine,
  call: FhirCall,
  resourceType: string,
  id: string,
  content: JsonObject,
  method: VersionMethod,
): Answer {
  const before = engine.store.newest(resourceType, id);
  const candidate = { ...content, id };
  if (before?.resource !== undefined && sameContent(before.resource, candidate)) {
    return { status: 200, version: before, located: true };
  }
  const exists = (type: string, target: string) =>
    engine.store.has(type, target) ||
    (type === resourceType && target === id) ||
    call.plan?.planned.has(`${type}/${target}`) === true;
  const issues = [
    ...structureIssues(engine.definitions, candidate),
    ...referenceIssues(engine.definitions, candidate, call.base, exists),
  ];
  if (issues.length > 0) throw new Refusal(422, issues);
  const version = engine.store.write(resourceType, id, candidate, method, engine.clock.now());
  return { status: version.created ? 201 : 200, version, located: true };
}

function resourceIn(body: Json | undefined, resourceType: string): JsonObject {
  if (!isObject(body)) throw refusal(400, 'structure', 'The body must be a resource.');
  if (body.resourceType === resourceType) return body;
  const text = `The URL is for ${resourceType}, the body says another resourceType or none.`;
  throw refusal(422, 'invalid', text, 'resourceType');
}

/** Applies one operation; why it does not fit, where it does not. */
function failureOf(content: JsonObject, operation: Operation): string | undefined {
  try {
    return applyPatch(content, [operation])[0]?.name;
  } catch {
    // The library throws for a member of something that has none.
    return 'MissingError';
  }
}

function isPatch(value: unknown): value is Operation[] {
  return Array.isArray(value) && value.every((operation) => isOperation(operation));
}

function isOperation(value: unknown): value is Operation {
  if (typeof value !== 'object' || value === null || !('op' in value) || !('path' in value)) return false;
  const needsFrom = value.op === 'move' || value.op === 'copy';
  const needsValue = value.op === 'add' || value.op === 'replace' || value.op === 'test';
  if (!needsFrom && !needsValue && value.op !== 'remove') return false;
  if (needsFrom && !('from' in value && isPointer(value.from))) return false;
  return isPointer(value.path) && (!needsValue || 'value' in value);
}

function isPointer(value: unknown): boolean {
  return typeof value === 'string' && /^(\/([^~/]|~[01])*)*$/.test(value);
}

/** Looks through the whole store; deleting is rare. */
function firstReferrer(engine: Engine, base: string, resourceType: string, id: string): Version | undefined {
  for (const type of engine.store.resourceTypes) {
    for (const version of engine.store.all(type)) {
      if (type === resourceType && version.id === id) continue;
      for (const { reference } of referencesIn(version.resource, '')) {
        const target = localTarget(engine.definitions, reference, base);
        if (target?.resourceType === resourceType && target.id === id) return version;
      }
    }
  }
  return undefined;
}
