// Patient/$match (https://hl7.org/fhir/R4/patient-operation-match.html), graded as E19 has it: certain by an identifier that agrees with name and
// birth date, or by name, birth date, sex and a phone or address; probable by name and birth date; possible by less. Two that are certain
// are only probable. The social security number is not looked at.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import type { Version } from '../../engine/store.ts';
import { searchEntry, searchset } from './bundle.ts';
import { comparable } from './criteria.ts';
import { type EpicIssue, refused } from './outcome.ts';
import type { Site } from './site.ts';
import { isSocialSecurity } from './stored-form.ts';

type Grade = 'certain' | 'probable' | 'possible';

interface Candidate {
  version: Version;
  grade: Grade;
  score: number;
}

const gradeUrl = 'http://hl7.org/fhir/StructureDefinition/match-grade';

/** @throws EpicRefusal 400 for a body that is no Parameters, or asks for too little */
export function match(site: Site, body: Json | undefined): JsonObject {
  const { person, onlyCertain, count } = readParameters(body);
  const graded = gradedCandidates(site, person);
  const certain = graded.filter(({ grade }) => grade === 'certain');
  const found: Candidate[] = certain.length > 1 ? graded.map(notCertain) : graded;
  const wanted = onlyCertain ? found.filter(({ grade }) => grade === 'certain') : found;
  const entries = wanted
    .toSorted((one, other) => other.score - one.score)
    .slice(0, count)
    .map(({ version, grade, score }) =>
      searchEntry(site, version, { extension: [{ url: gradeUrl, valueCode: grade }], mode: 'match', score }),
    );
  const issues: EpicIssue[] = entries.length === 0 ? [{ number: '4101', diagnostics: 'Nobody matches.' }] : [];
  return searchset(site, `${site.base}/Patient/$match`, entries, issues);
}

function readParameters(body: Json | undefined): { person: JsonObject; onlyCertain: boolean; count: number } {
  const parameters = isObject(body) && body.resourceType === 'Parameters' ? [body.parameter].flat() : [];
  const named = (name: string) => parameters.filter((each) => isObject(each)).find((each) => each.name === name);
  const person = named('resource')?.resource;
  if (!isObject(person) || person.resourceType !== 'Patient') {
    throw refused(400, '59108', 'Parameters with a Patient as resource are wanted.', 'resource');
  }
  const { family } = nameOf(person);
  if (numbersOf(person).length === 0 && (family === '' || typeof person.birthDate !== 'string')) {
    throw refused(400, '59108', 'An identifier, or name and birth date, are wanted.', 'resource');
  }
  const count = named('count')?.valueInteger;
  return {
    person,
    onlyCertain: named('onlyCertainMatches')?.valueBoolean === true,
    count: typeof count === 'number' && count > 0 ? count : 10,
  };
}

function gradedCandidates(site: Site, person: JsonObject): Candidate[] {
  const { restricted, merged } = site.settings;
  const candidates: Candidate[] = [];
  for (const version of site.engine.store.all('Patient')) {
    if (restricted.includes(version.id) || merged[version.id] !== undefined) continue;
    const agreement = compare(person, version.resource ?? {});
    const grade = gradeOf(agreement);
    if (grade !== undefined) candidates.push({ version, grade, score: scoreOf(grade, agreement) });
  }
  return candidates;
}

interface Agreement {
  number: boolean;
  family: boolean;
  given: boolean;
  birthDate: boolean;
  sex: boolean;
  phone: boolean;
  address: boolean;
}

function gradeOf({ number, family, given, birthDate, sex, phone, address }: Agreement): Grade | undefined {
  if (number && family && birthDate) return 'certain';
  if (family && given && birthDate) return sex && (phone || address) ? 'certain' : 'probable';
  if (number) return 'possible';
  if (birthDate && (family || given)) return 'possible';
  return family && given && (phone || address) ? 'possible' : undefined;
}

const floors = { certain: 0.9, probable: 0.6, possible: 0.3 } as const;

/** Between 0 and 1; a better grade always scores higher. */
function scoreOf(grade: Grade, agreement: Agreement): number {
  const agreeing = Object.values(agreement).filter(Boolean).length;
  return Math.round((floors[grade] + agreeing / 100) * 100) / 100;
}

function notCertain(candidate: Candidate): Candidate {
  return candidate.grade === 'certain' ? { ...candidate, grade: 'probable', score: floors.probable + 0.2 } : candidate;
}

function compare(asked: JsonObject, held: JsonObject): Agreement {
  const numbers = new Set(numbersOf(held));
  const phones = new Set(contacts(held));
  const addresses = new Set(addressesOf(held));
  const [askedName, ...names] = [nameOf(asked), ...namesOf(held)];
  return {
    number: numbersOf(asked).some((number) => numbers.has(number)),
    family: askedName.family !== '' && names.some(({ family }) => family === askedName.family),
    given: askedName.given !== '' && names.some(({ given }) => given === askedName.given),
    birthDate: typeof asked.birthDate === 'string' && asked.birthDate === held.birthDate,
    sex: typeof asked.gender === 'string' && asked.gender === held.gender,
    phone: contacts(asked).some((contact) => phones.has(contact)),
    address: addressesOf(asked).some((address) => addresses.has(address)),
  };
}

function numbersOf({ identifier }: JsonObject): string[] {
  return [identifier]
    .flat()
    .filter((each) => isObject(each))
    .filter((each) => !isSocialSecurity(each) && typeof each.value === 'string')
    .map(({ system, value }) => `${String(system)}|${String(value).trim()}`);
}

function nameOf(patient: JsonObject): { family: string; given: string } {
  return namesOf(patient)[0] ?? { family: '', given: '' };
}

function namesOf({ name }: JsonObject): { family: string; given: string }[] {
  return [name]
    .flat()
    .filter((each) => isObject(each))
    .map(({ family, given }) => ({ family: folded(family), given: folded([given].flat()[0]) }));
}

function contacts({ telecom }: JsonObject): string[] {
  return [telecom]
    .flat()
    .filter((each) => isObject(each))
    .map(({ value }) => comparable(String(value ?? '')))
    .filter((contact) => contact !== '');
}

function addressesOf({ address }: JsonObject): string[] {
  return [address]
    .flat()
    .filter((each) => isObject(each))
    .map(({ line, postalCode, city }) => `${folded([line].flat()[0])}|${folded(postalCode ?? city)}`)
    .filter((text) => !text.startsWith('|') && !text.endsWith('|'));
}

/** For comparing: no accents, no case, no blanks or marks between. */
function folded(text: Json | undefined): string {
  if (typeof text !== 'string') return '';
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
