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

/** In a form in which equal things are equal. */
interface Facts {
  numbers: readonly string[];
  names: readonly { family: string; given: string }[];
  contacts: readonly string[];
  addresses: readonly string[];
  birthDate?: string;
  sex?: string;
}

const gradeUrl = 'http://hl7.org/fhir/StructureDefinition/match-grade';

export class PatientMatcher {
  /** What is compared of a patient, by version: a version never changes, and a search looks at all patients. */
  readonly #facts = new WeakMap<Version, Facts>();

  /** @throws EpicRefusal 400 for a body that is no Parameters, or asks for too little */
  match(site: Site, body: Json | undefined): JsonObject {
    const { person, onlyCertain, count } = readParameters(body);
    const graded = this.#graded(site, factsOf(person));
    const certain = graded.filter(({ grade }) => grade === 'certain');
    const found = certain.length > 1 ? graded.map(notCertain) : graded;
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

  #graded(site: Site, asked: Facts): Candidate[] {
    const { restricted, merged } = site.settings;
    const candidates: Candidate[] = [];
    for (const version of site.engine.store.all('Patient')) {
      if (restricted.includes(version.id) || merged[version.id] !== undefined) continue;
      const held = this.#factsOf(version);
      if (!sharesAnything(asked, held)) continue;
      const agreement = compare(asked, held);
      const grade = gradeOf(agreement);
      if (grade !== undefined) candidates.push({ version, grade, score: scoreOf(grade, agreement) });
    }
    return candidates;
  }

  #factsOf(version: Version): Facts {
    const facts = this.#facts.get(version) ?? factsOf(version.resource ?? {});
    this.#facts.set(version, facts);
    return facts;
  }
}

function readParameters(body: Json | undefined): { person: JsonObject; onlyCertain: boolean; count: number } {
  const parameters = isObject(body) && body.resourceType === 'Parameters' ? [body.parameter].flat() : [];
  const named = (name: string) => parameters.filter((each) => isObject(each)).find((each) => each.name === name);
  const person = named('resource')?.resource;
  if (!isObject(person) || person.resourceType !== 'Patient') {
    throw refused(400, '59108', 'Parameters with a Patient as resource are wanted.', 'resource');
  }
  const { numbers, names, birthDate } = factsOf(person);
  if (numbers.length === 0 && (!names[0]?.family || birthDate === undefined)) {
    throw refused(400, '59108', 'An identifier, or name and birth date, are wanted.', 'resource');
  }
  const count = named('count')?.valueInteger;
  return {
    person,
    onlyCertain: named('onlyCertainMatches')?.valueBoolean === true,
    count: typeof count === 'number' && count > 0 ? count : 10,
  };
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

/** Spares most comparisons: without one of these no grade is given. */
function sharesAnything(asked: Facts, held: Facts): boolean {
  if (asked.birthDate !== undefined && asked.birthDate === held.birthDate) return true;
  const [family] = asked.names.map((name) => name.family);
  return held.names.some((name) => name.family === family) || asked.numbers.some((each) => held.numbers.includes(each));
}

function compare(asked: Facts, held: Facts): Agreement {
  const agrees = (pick: (facts: Facts) => readonly string[]) => pick(asked).some((each) => pick(held).includes(each));
  const [name] = asked.names;
  return {
    number: agrees(({ numbers }) => numbers),
    family: !!name?.family && held.names.some(({ family }) => family === name.family),
    given: !!name?.given && held.names.some(({ given }) => given === name.given),
    birthDate: asked.birthDate !== undefined && asked.birthDate === held.birthDate,
    sex: asked.sex !== undefined && asked.sex === held.sex,
    phone: agrees(({ contacts }) => contacts),
    address: agrees(({ addresses }) => addresses),
  };
}

function factsOf(patient: JsonObject): Facts {
  const { birthDate, gender } = patient;
  return {
    numbers: numbersOf(patient),
    names: namesOf(patient),
    contacts: contactsOf(patient),
    addresses: addressesOf(patient),
    ...(typeof birthDate === 'string' && { birthDate }),
    ...(typeof gender === 'string' && { sex: gender }),
  };
}

function numbersOf({ identifier }: JsonObject): string[] {
  return [identifier]
    .flat()
    .filter((each) => isObject(each))
    .filter((each) => !isSocialSecurity(each) && typeof each.value === 'string')
    .map(({ system, value }) => `${String(system)}|${String(value).trim()}`);
}

function namesOf({ name }: JsonObject): { family: string; given: string }[] {
  return [name]
    .flat()
    .filter((each) => isObject(each))
    .map(({ family, given }) => ({ family: folded(family), given: folded([given].flat()[0]) }));
}

function contactsOf({ telecom }: JsonObject): string[] {
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
