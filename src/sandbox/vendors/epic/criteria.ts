// Which of the parameters of a search count here, and what a search must name. A parameter that is unknown for the type is ignored (E12), even
// where it was meant to narrow the result; one that is required and missing is an error whose first issue is harmless (E13).

import { isObject, type JsonObject } from '../../../json.ts';
import type { SearchFilter } from '../../engine/definitions.ts';
import { type Engine, offeredParameters } from '../../engine/engine.ts';
import { searchFilter } from '../../engine/search.ts';
import type { Version } from '../../engine/store.ts';
import type { Offer } from './offer.ts';
import { type EpicIssue, EpicRefusal, refused } from './outcome.ts';
import { hasQuirk } from './settings.ts';
import { localId, type Site } from './site.ts';

export type Query = readonly (readonly [name: string, value: string])[];

export interface Criteria {
  used: Query;
  /** One information for each parameter that is ignored. */
  ignored: readonly EpicIssue[];
}

const shaping = new Set(['_count', '_format', '_include', '_revinclude', '_summary', '_pretty', '_total']);
/** Parameters of this server that R4 has under another name. */
const aliases: Readonly<Record<string, string>> = {
  'Patient.legal-sex': 'gender',
  'DocumentReference._lastupdated': '_lastUpdated',
  'Consent.subject': 'patient',
};

/** @throws EpicRefusal 400 for an unknown parameter where E12 is off */
export function readCriteria({ settings }: Site, offer: Offer, query: Query): Criteria {
  const asked = query.filter(([name]) => !shaping.has(name));
  const byId = asked.filter(([name]) => name === '_id');
  const known = (name: string) => {
    const [code = ''] = name.split(/[:.]/);
    return code in offer.search || code === '_id' || (code === '_lastUpdated' && !hasQuirk(settings, 'E17'));
  };
  const ignored = asked
    .filter(([name]) => !known(name))
    .map(([name]): EpicIssue => ({ number: '59100', diagnostics: `Parameter ${name} is unknown and was ignored.` }));
  if (ignored[0] !== undefined && !hasQuirk(settings, 'E12'))
    throw new EpicRefusal(400, [{ ...ignored[0], number: '59102' }]);
  return { used: byId.length > 0 ? byId : asked.filter(([name]) => known(name)), ignored };
}

/** @throws EpicRefusal 400 with an information first and what is missing second */
export function checkRequired(site: Site, type: string, offer: Offer, { used, ignored }: Criteria): void {
  const has = (name: string) => used.some(([given, value]) => given.split(':')[0] === name && value !== '');
  if (!hasQuirk(site.settings, 'E13') || has('_id')) return;
  const first = ignored[0] ?? { number: '59100', diagnostics: `${used.length} parameters were read.` };
  if (type === 'Patient') {
    if (namesSomebody(has)) return;
    const diagnostics = 'A search needs demographics or _id.';
    throw new EpicRefusal(400, [first, { number: '59159', diagnostics, expression: 'demographics/_id' }]);
  }
  const groups = type === 'Task' && !site.settings.taskSearchNeedsPatient ? [] : offer.required;
  for (const group of groups) {
    if (group.some(has)) continue;
    const names = group.join('/');
    throw new EpicRefusal(400, [
      first,
      { number: '59108', diagnostics: `A search of ${type} needs ${group.join(' or ')}.`, expression: names },
    ]);
  }
}

/** An identifier, or a name with one more fact. */
function namesSomebody(has: (name: string) => boolean): boolean {
  if (has('identifier')) return true;
  const facts = ['birthdate', 'telecom', 'address', 'address-postalcode'];
  return ['family', 'name'].some(has) && facts.some(has);
}

/**
 * Id of the patient whose chart is searched.
 * @throws EpicRefusal 400 for two patients, and for one that is unknown
 */
export function searchedPatient({ engine, base, settings }: Site, { used }: Criteria): string | undefined {
  const ids = new Set(
    used
      .filter(([name]) => ['patient', 'subject', 'beneficiary'].includes(name.split(':')[0] ?? ''))
      .map(([, value]) => localId(value, 'Patient', base) ?? value),
  );
  const [id] = ids;
  if (ids.size > 1) throw refused(400, '4112', 'patient and subject name different patients.', 'patient');
  if (id === undefined || settings.merged[id] !== undefined || engine.store.has('Patient', id)) return id;
  throw refused(400, '59102', 'There is no such patient.', 'patient');
}

/** @throws Refusal 400 for a value that the parameter does not take */
export function filtersOf({ engine, settings, base }: Site, type: string, { used }: Criteria): SearchFilter[] {
  return used.flatMap(([name, value]) => {
    const own = ownFilter(engine, type, name, value, hasQuirk(settings, 'E18'));
    if (own !== undefined) return [own];
    const [code = '', ...modifiers] = name.split(':');
    const alias = aliases[`${type}.${code}`] ?? code;
    return [searchFilter(engine, type, [alias, ...modifiers].join(':'), value, base)];
  });
}

/** Parameters that compare in the vendor's way. */
function ownFilter(
  engine: Engine,
  type: string,
  name: string,
  value: string,
  trims: boolean,
): SearchFilter | undefined {
  if (type === 'Patient' && name === 'identifier' && trims) return byContent(engine, type, hasIdentifier(value));
  if (type === 'Patient' && name === 'telecom') return byContent(engine, type, hasTelecom(value));
  if (type === 'DocumentReference' && name === 'docstatus') {
    return byContent(engine, type, ({ docStatus }) => value.split(',').some((wanted) => wanted === docStatus));
  }
  return undefined;
}

/** A filter over whole resources; it looks at every one of the type. */
function byContent(engine: Engine, type: string, passes: (resource: JsonObject) => boolean): SearchFilter {
  const parameter = offeredParameters(engine, type).get('_id');
  if (parameter === undefined) throw new Error('Every type has _id.');
  const test: SearchFilter['test'] = (values) => {
    const [id] = values;
    const version: Version | undefined = id?.kind === 'token' ? engine.view.get(type, id.value) : undefined;
    return version?.resource !== undefined && passes(version.resource);
  };
  return { parameter, test };
}

/** `SYSTEM|value` or a value alone, blanks around it left out on both sides; the system may be the name of the identifier's type. */
function hasIdentifier(asked: string): (patient: JsonObject) => boolean {
  const wanted = asked.split(',').map((each) => {
    const [first = '', second] = each.split('|');
    return { system: second === undefined ? undefined : first, value: (second ?? first).trim() };
  });
  return ({ identifier }) =>
    [identifier].flat().some((held) => {
      if (!isObject(held)) return false;
      const value = String(held.value ?? '').trim();
      const typeName = isObject(held.type) ? held.type.text : undefined;
      return wanted.some(
        (each) => each.value === value && (each.system === undefined || [held.system, typeName].includes(each.system)),
      );
    });
}

function hasTelecom(asked: string): (patient: JsonObject) => boolean {
  const wanted = comparable(asked);
  return ({ telecom }) =>
    [telecom].flat().some((point) => isObject(point) && comparable(String(point.value ?? '')) === wanted);
}

/** Of a phone number the last ten digits, of anything else lower case. */
export function comparable(contact: string): string {
  const digits = contact.replace(/\D/g, '');
  return /[A-Za-z@]/.test(contact) ? contact.trim().toLowerCase() : digits.slice(-10);
}
