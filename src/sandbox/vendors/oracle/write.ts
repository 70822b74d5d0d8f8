// create, update, patch and delete: the vendor's rules before (C16 to C19, C26, C31), its bare replies after (C15). What they do to the
// store is the engine's.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import type { FhirCall } from '../../engine/engine.ts';
import { refusal } from '../../engine/outcome.ts';
import type { Version } from '../../engine/store.ts';
import * as engineWrite from '../../engine/write.ts';
import { checkItemIds } from './answer-rules.ts';
import { checkedBody } from './body-rules.ts';
import { checkAmendment, withoutActiveContent } from './document-rules.ts';
import { checkPatch } from './patch-rules.ts';
import { type Oracle, tagOf, withElementIds } from './show.ts';

export interface Written {
  status: number;
  headers: Record<string, string>;
  version: Version;
}

/** @throws Refusal 400, 422, 423 or 424 */
export function create(oracle: Oracle, call: FhirCall, type: string): Written {
  checkLock(oracle, type);
  const body = bodyOf(call, type);
  const checked = oracle.settings.checkBodies ? checkedBody(type, body, true) : body;
  const content = type === 'Patient' ? withRecordNumber(oracle, checked) : asStored(type, checked);
  const answer = engineWrite.create(oracle.engine, { ...call, body: content }, type);
  const version = versionOf(answer);
  const location = `${call.base}/${type}/${version.id}`;
  return { status: answer.status, version, headers: { ...bare, ...versionHeaders(version), location } };
}

/** @throws Refusal 400, 404, 409, 412, 422, 423 or 424 */
export function update(oracle: Oracle, call: FhirCall, type: string, id: string): Written {
  const { settings, engine } = oracle;
  checkLock(oracle, `${type}/${id}`);
  // Answers are not versioned for clients.
  if (type !== 'QuestionnaireResponse') checkIfMatch(oracle, call, type, id);
  const before = engineWrite.existing(engine, type, id).resource ?? {};
  const body = bodyOf(call, type);
  const whole = settings.putReplaces ? body : { ...before, ...body };
  if (type === 'DocumentReference' && settings.checkAmendments) checkAmendment(whole);
  if (type === 'QuestionnaireResponse' && settings.checkItemIds) checkItemIds(before, whole);
  const content = settings.checkBodies ? checkedBody(type, whole, false) : whole;
  const version = versionOf(engineWrite.update(engine, { ...call, body: asStored(type, content) }, type, id));
  const headers = type === 'QuestionnaireResponse' ? {} : versionHeaders(version);
  return { status: 200, version, headers: { ...bare, ...headers } };
}

/** @throws Refusal 400, 404, 409, 412, 422, 423 or 424 */
export function patch(oracle: Oracle, call: FhirCall, type: string, id: string): Written {
  checkLock(oracle, `${type}/${id}`);
  checkIfMatch(oracle, call, type, id);
  if (oracle.settings.checkPatches) checkPatch(type, call.body);
  const version = versionOf(engineWrite.patch(oracle.engine, call, type, id, withElementIds));
  return { status: 200, version, headers: { ...bare, ...versionHeaders(version) } };
}

/** @throws Refusal 404, 409, 412, 423 or 424 */
export function remove(oracle: Oracle, call: FhirCall, type: string, id: string): Written {
  checkLock(oracle, `${type}/${id}`);
  engineWrite.existing(oracle.engine, type, id);
  checkIfMatch(oracle, call, type, id);
  return { status: 204, version: versionOf(engineWrite.remove(oracle.engine, call, type, id)), headers: {} };
}

/** Of an answer without a body. */
const bare = { 'content-type': 'text/html' };

function versionHeaders(version: Version): Record<string, string> {
  return { etag: `W/"${tagOf(version)}"`, 'last-modified': new Date(version.at).toUTCString() };
}

function versionOf({ version }: { version?: Version }): Version {
  if (version === undefined) throw refusal(500, 'exception', 'Nothing was written.');
  return version;
}

function bodyOf({ body }: FhirCall, type: string): JsonObject {
  if (!isObject(body)) throw refusal(400, 'structure', 'The body must be a resource.');
  if (body.resourceType === type) return body;
  throw refusal(422, 'invalid', `The resourceType must be ${type}.`, 'resourceType');
}

function asStored(type: string, body: JsonObject): JsonObject {
  return type === 'DocumentReference' ? withoutActiveContent(body) : body;
}

function checkLock({ settings }: Oracle, target: string): void {
  const status = settings.locks[target];
  if (status === 423) throw refusal(423, 'lock-error', 'The record is in use. Try again later.');
  if (status === 424) throw refusal(424, 'business-rule', 'Something that this depends on has failed.');
}

/** @throws Refusal 412 where it is missing, 409 where it is not the current version, 404 where there is nothing */
function checkIfMatch({ engine, settings }: Oracle, { headers }: FhirCall, type: string, id: string): void {
  const tag = headers['if-match'];
  if (tag === undefined) {
    if (settings.requireIfMatch) throw refusal(412, 'required', 'The header If-Match is required.');
    return;
  }
  const current = tagOf(engineWrite.existing(engine, type, id));
  if (tag.trim() !== `W/"${current}"` && tag.trim() !== `"${current}"`) {
    throw refusal(409, 'conflict', 'The version in If-Match is not the current one.');
  }
}

/** The organization that assigns it is all that a client says of an identifier; the number is the server's. */
function withRecordNumber({ engine, settings }: Oracle, patient: JsonObject): JsonObject {
  if (!Array.isArray(patient.identifier) || !settings.checkBodies) return patient;
  const identifier = patient.identifier.map((given): Json => {
    const assigner = isObject(given) ? given.assigner : undefined;
    const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] };
    const value = `OR${engine.store.unusedId('Patient').padStart(7, '0')}`;
    return { use: 'usual', type, system: settings.mrnSystem, value, ...(assigner !== undefined && { assigner }) };
  });
  return { ...patient, identifier };
}
