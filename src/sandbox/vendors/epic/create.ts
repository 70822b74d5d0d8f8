// create. What the statement declares is not what is taken: a type may be created in one part only, or only by other products of the vendor.
// The answer is 201 without a body, with a relative Location (E22); an If-None-Exist is not looked at (E23).

import { isObject, type JsonObject } from '../../../json.ts';
import type { Answer, FhirCall } from '../../engine/engine.ts';
import { create } from '../../engine/write.ts';
import { codings, issue, missing } from './elements.ts';
import { noteIssues } from './notes.ts';
import { type EpicIssue, EpicRefusal, refused } from './outcome.ts';
import { checkNotMerged } from './patients.ts';
import { hasQuirk } from './settings.ts';
import { checkAccess, patientIdOf, type Site } from './site.ts';
import { storedForm } from './stored-form.ts';

type Rule = (site: Site, resource: JsonObject) => EpicIssue[];

const rules: Readonly<Record<string, Rule>> = {
  Communication: (_site, { subject, basedOn, partOf }) => [
    ...missing('subject', subject),
    ...(basedOn === undefined && partOf === undefined
      ? [issue('59159', 'A message belongs to a referral or its Task: basedOn or partOf.', 'basedOn')]
      : []),
  ],
  Condition: (_site, { subject, code, category }) => [
    ...missing('subject', subject),
    ...missing('category', category),
    ...(codings(code).length === 0 ? [issue('59108', 'code needs a coding.', 'code')] : []),
  ],
  DocumentReference: noteIssues,
  Observation: (_site, { category, code, encounter }) => [
    ...missing('encounter', encounter),
    ...(codings(category).some((coding) => coding.code === 'vital-signs') &&
    codings(code).some((coding) => vitalSigns.has(String(coding.code)))
      ? []
      : [issue('59188', 'Only vital signs can be filed.', 'code')]),
  ],
  Patient: (_site, { name, gender, birthDate, address }) => [
    ...missing('name', name),
    ...missing('gender', gender),
    ...missing('birthDate', birthDate),
    ...missing('address', address),
  ],
};
/** Pulse, breathing, temperature, blood pressure, weight, height, oxygen. */
const vitalSigns = new Set(['8867-4', '9279-1', '8310-5', '85354-9', '29463-7', '8302-2', '59408-5', '2708-6']);

/** @throws EpicRefusal 400, 403; Refusal for what base R4 does not allow */
export function createHere(site: Site, call: FhirCall, type: string): Answer {
  const body = call.body;
  if (!isObject(body) || body.resourceType !== type) {
    throw refused(400, '59105', `The body is no ${type}.`, 'resourceType');
  }
  const patientId = type === 'Patient' ? undefined : patientIdOf(body, site.base);
  checkAccess(site, patientId);
  checkNotMerged(site, patientId);
  const rule = rules[type];
  if (rule === undefined) throw refused(400, '59159', `No ${type} can be created from outside.`, type);
  const isFree = type === 'DocumentReference' && !hasQuirk(site.settings, 'E26');
  const issues = isFree ? [] : rule(site, body);
  if (issues.length > 0) throw new EpicRefusal(400, issues);
  if (type === 'Condition' && hasQuirk(site.settings, 'E23')) checkDuplicate(site, body);
  const id = hasQuirk(site.settings, 'E28')
    ? { plan: { assignedId: site.newId(type), planned: new Set<string>() } }
    : {};
  return create(site.engine, { ...call, body: storedForm(site, body), ...id }, type);
}

/** @throws EpicRefusal 400 for a problem that is on the patient's list */
function checkDuplicate(site: Site, body: JsonObject): void {
  const patientId = patientIdOf(body, site.base);
  const wanted = new Set(codings(body.code).map(key));
  for (const { resource = {} } of site.engine.store.all('Condition')) {
    if (patientIdOf(resource, site.base) !== patientId) continue;
    if (codings(resource.code).some((coding) => wanted.has(key(coding)))) {
      throw refused(400, '59141', 'The problem is on the list already.', 'code');
    }
  }
}

function key({ system, code }: JsonObject): string {
  return `${String(system)}|${String(code)}`;
}
