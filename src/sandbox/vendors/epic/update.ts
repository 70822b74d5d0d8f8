// update: the Task of a community referral by its moves (E24), documents that are no notes (E32). A version in If-Match is not looked at.

import { isObject, type JsonObject } from '../../../json.ts';
import type { Answer, FhirCall } from '../../engine/engine.ts';
import { update } from '../../engine/write.ts';
import { codings } from './elements.ts';
import { isNote } from './notes.ts';
import { refused } from './outcome.ts';
import { hasQuirk } from './settings.ts';
import { checkAccess, patientIdOf, type Site } from './site.ts';
import { storedForm } from './stored-form.ts';

/** Legal moves of a partner; one that keeps the status is always legal. */
const moves: Readonly<Record<string, readonly string[]>> = {
  requested: ['accepted', 'rejected'],
  accepted: ['in-progress'],
  'in-progress': ['completed', 'failed', 'cancelled'],
};

/** @throws EpicRefusal 400, 403, 404; Refusal for what base R4 does not allow */
export function updateHere(site: Site, call: FhirCall, type: string, id: string): Answer {
  const before = site.engine.store.newest(type, id)?.resource;
  if (before === undefined) throw refused(404, '59008', `There is no ${type} with this id.`, 'id');
  const { body } = call;
  if (!isObject(body) || body.resourceType !== type || body.id !== id) {
    throw refused(400, '59105', 'The body is not the resource of the URL.', 'id');
  }
  checkAccess(site, patientIdOf(before, site.base));
  checkChange(site, type, before, body);
  return update(site.engine, { ...call, body: type === 'Task' ? storedForm(site, body) : body }, type, id);
}

function checkChange(site: Site, type: string, before: JsonObject, after: JsonObject): void {
  if (type === 'Task') {
    if (hasQuirk(site.settings, 'E24')) checkMove(site, before, after);
  } else if (type !== 'DocumentReference') {
    throw refused(400, '59159', `No ${type} can be changed from outside.`, type);
  } else if (isNote(site, before) && hasQuirk(site.settings, 'E32')) {
    throw refused(400, '59159', 'A clinical note cannot be changed from outside.', 'DocumentReference');
  }
}

function checkMove(site: Site, before: JsonObject, after: JsonObject): void {
  if (!codings(before.code).some(({ code }) => code === 'community-resource')) {
    throw refused(400, '59159', 'Only the Task of a community referral can be changed.', 'code');
  }
  if (patientIdOf(after, site.base) !== patientIdOf(before, site.base)) {
    throw refused(400, '59159', 'The patient of a Task cannot be changed.', 'for');
  }
  const { status: from } = before;
  const { status: to } = after;
  if (from === to || (moves[String(from)] ?? []).includes(String(to))) return;
  throw refused(400, '59159', `A Task that is ${String(from)} cannot become ${String(to)}.`, 'status');
}
