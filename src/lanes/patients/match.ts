// Is one of these patients our client? Certain, a person must decide, or nobody. Never a guess (design section 7, "Patient"). Pure.

import type { MatchGrade } from '../../connections/connections.ts';
import { isObject, type JsonObject, objectAt, objectsIn, textAt } from '../../json.ts';
import {
  birthDateMayAgree,
  both,
  carries,
  familyAgrees,
  fold,
  fullNameAgrees,
  givenAgrees,
  givenMayAgree,
  hasFamily,
  hasGiven,
  hasOtherIdentifier,
  hasSecondFact,
  legalName,
  linesOf,
  phonesOf,
  type StrongIdentifier,
  sameAddressLine,
  sameBirthDate,
  samePhone,
  sameSsnTail,
  ssnTails,
} from './match-facts.ts';
import { patientId } from './patient-of.ts';

export type { StrongIdentifier } from './match-facts.ts';

export type MatchResult =
  | { readonly kind: 'certain'; readonly patient: JsonObject }
  | { readonly kind: 'uncertain'; readonly patients: readonly JsonObject[] }
  | { readonly kind: 'none' };

/** What a server's own matching says of its candidates, by their ids. */
export type Grades = ReadonlyMap<string, MatchGrade>;

/**
 * Certain is one hit by a strong identifier whose birth date, family name and given name agree, or one hit on full name, birth date and sex
 * with one of phone, address line or last four of the social security number, or the one that the server itself grades as certain, if nothing
 * in it contradicts ours. Everything else that looks alike, or that the server thinks possible, is for a person.
 *
 * @param candidates what the server's searches returned, each patient once.
 * @param baseUrl of the server
 */
export function matchPatient(
  client: JsonObject,
  strong: readonly StrongIdentifier[],
  candidates: readonly JsonObject[],
  grades: Grades = new Map(),
  baseUrl?: string,
): MatchResult {
  const standing = withoutReplaced(candidates, baseUrl);
  const graded = standing.filter((patient) => isGradedAlike(gradeOf(patient, grades)));
  const alike = standing.filter((patient) => isAlike(client, strong, patient));
  const either = standing.filter((patient) => graded.includes(patient) || alike.includes(patient));
  if (either.length === 0) return { kind: 'none' };
  const serverIsSure = graded.filter((patient) => gradeOf(patient, grades) === 'certain');
  const [only] = serverIsSure.length > 0 ? serverIsSure : alike;
  const isOnly = only !== undefined && serverIsSure.length <= 1 && alike.length === 1 && alike[0] === only;
  if (isOnly && standsForItself(only) && isSure(client, strong, only, gradeOf(only, grades)))
    return { kind: 'certain', patient: only };
  return { kind: 'uncertain', patients: either };
}

/** Of a merged pair only the survivor counts, where both are among the hits. */
function withoutReplaced(candidates: readonly JsonObject[], baseUrl: string | undefined): JsonObject[] {
  const standing = candidates.filter((patient) => replacedBy(patient, baseUrl) === undefined).map(({ id }) => id);
  return candidates.filter((patient) => {
    const survivor = replacedBy(patient, baseUrl);
    return typeof survivor !== 'string' || !standing.includes(survivor);
  });
}

function gradeOf(patient: JsonObject, grades: Grades): MatchGrade['grade'] | undefined {
  return grades.get(String(patient.id))?.grade;
}

function isGradedAlike(grade: MatchGrade['grade'] | undefined): boolean {
  return grade !== undefined && grade !== 'certainly-not';
}

/** A lesser grade means that the server, which knows more than it shows, is not sure: then neither are we. */
function isSure(
  client: JsonObject,
  strong: readonly StrongIdentifier[],
  patient: JsonObject,
  grade: MatchGrade['grade'] | undefined,
): boolean {
  return grade === undefined
    ? isCertain(client, strong, patient)
    : grade === 'certain' && !contradicts(client, strong, patient);
}

/** `agree` and `differ` name what both sides say; what one of them does not say is in neither. */
export interface Comparison {
  readonly agree: readonly string[];
  readonly differ: readonly string[];
}

/** The facts that a person looks at first, compared as matching compares them. Names of facts only, no values. */
export function comparePatient(
  client: JsonObject,
  strong: readonly StrongIdentifier[],
  patient: JsonObject,
): Comparison {
  const facts: Record<string, boolean | undefined> = {
    identifier: carries(patient, strong) || (hasOtherIdentifier(strong, patient) ? false : undefined),
    'birth date': both(client.birthDate, patient.birthDate) ? birthDateMayAgree(client, patient) : undefined,
    'family name': hasFamily(client.names) && hasFamily(patient.name) ? familyAgrees(client, patient) : undefined,
    'given name': hasGiven(client.names) && hasGiven(patient.name) ? givenAgrees(client, patient) : undefined,
    sex: both(client.sex, patient.gender) ? client.sex === patient.gender : undefined,
    phone: phonesOf(client.phones, patient.telecom).every((list) => list.length > 0)
      ? samePhone(client, patient)
      : undefined,
    'address line': linesOf(client, patient).every((list) => list.length > 0)
      ? sameAddressLine(client, patient)
      : undefined,
    'last four of SSN': ssnTails(client, patient).every((list) => list.length > 0)
      ? sameSsnTail(client, patient)
      : undefined,
  };
  const named = (is: boolean) => Object.keys(facts).filter((name) => facts[name] === is);
  return { agree: named(true), differ: named(false) };
}

/**
 * Whether a server's statement that two patients are one (a merge, a certain grade) cannot be about this client: another birth date, and
 * another family name or given name. Siblings, and a parent and a child, are the usual wrong merges.
 */
export function isSomebodyElse(client: JsonObject, patient: JsonObject): boolean {
  const isOtherFamily = hasFamily(client.names) && hasFamily(patient.name) && !familyAgrees(client, patient);
  const isOtherGiven = hasGiven(client.names) && hasGiven(patient.name) && !givenAgrees(client, patient);
  return (
    both(client.birthDate, patient.birthDate) && !birthDateMayAgree(client, patient) && (isOtherFamily || isOtherGiven)
  );
}

/** What is put to the server and locked against a twin: each strong identifier, and family name with birth date (lanes.md 18). */
export function matchKeys(client: JsonObject, strong: readonly StrongIdentifier[]): string[] {
  const name = legalName(client);
  const byName =
    typeof client.birthDate === 'string' && name !== undefined ? [`name|${fold(name.family)}|${client.birthDate}`] : [];
  return [...strong.map(({ system, value }) => `identifier|${system}|${value}`), ...byName];
}

/** The strong identifiers of a client for a connection: MRN, Medicare and Medicaid numbers in the configured system. */
export function strongIdentifiers(
  client: JsonObject,
  identifierSystems: Readonly<Record<string, string>>,
): StrongIdentifier[] {
  return objectsIn(client.identifiers).flatMap(({ kind, value, system }) => {
    const configured = typeof kind === 'string' && strongKinds.includes(kind) ? identifierSystems[kind] : undefined;
    const fits = configured !== undefined && (system === undefined || system === configured);
    return fits && typeof value === 'string' ? [{ system: configured, value: value.trim() }] : [];
  });
}

const strongKinds = ['mrn', 'medicaid', 'medicare-mbi'];

function isAlike(client: JsonObject, strong: readonly StrongIdentifier[], patient: JsonObject): boolean {
  return (
    carries(patient, strong) ||
    (birthDateMayAgree(client, patient) && familyAgrees(client, patient) && givenMayAgree(client, patient))
  );
}

/**
 * A number does not outweigh the given name: it is what tells twins apart, whose numbers are the ones that get mixed up. A short form
 * that neither side has noted (Bob for Robert) is the price: a person sees it once.
 */
function isCertain(client: JsonObject, strong: readonly StrongIdentifier[], patient: JsonObject): boolean {
  if (!sameBirthDate(client, patient) || !familyAgrees(client, patient)) return false;
  if (carries(patient, strong))
    return givenAgrees(client, patient) || !hasGiven(patient.name) || !hasGiven(client.names);
  return (
    fullNameAgrees(client, patient) &&
    typeof client.sex === 'string' &&
    client.sex === patient.gender &&
    client.sex !== 'unknown' &&
    hasSecondFact(client, patient) &&
    !hasOtherIdentifier(strong, patient)
  );
}

/** What the server calls certain, and we know better. */
function contradicts(client: JsonObject, strong: readonly StrongIdentifier[], patient: JsonObject): boolean {
  const { differ } = comparePatient(client, strong, patient);
  return ['identifier', 'birth date', 'family name', 'given name'].some((fact) => differ.includes(fact));
}

/** A patient that the hospital replaced by another, or switched off, is for a person even when everything agrees. */
export function standsForItself(patient: JsonObject): boolean {
  return patient.active !== false && replacedBy(patient) === undefined;
}

/**
 * Who took the place of this one, as its server says: an id there; null for somebody whom it does not name, or who is on another server.
 * Undefined: nobody did.
 * @param baseUrl of the server
 */
export function replacedBy(patient: JsonObject, baseUrl?: string): string | null | undefined {
  const links = objectsIn(patient.link).filter(({ type }) => type === 'replaced-by');
  const [id] = links.flatMap((link) => patientId(textAt(objectAt(link, 'other'), 'reference'), baseUrl) ?? []);
  return id ?? (links.length === 0 ? undefined : null);
}

const npiSystem = 'http://hl7.org/fhir/sid/us-npi';

/** The numbers by which a server may already know an organization or a practitioner. */
export function directoryIdentifiers(
  record: JsonObject,
  identifierSystems: Readonly<Record<string, string>>,
): { system: string; value: string }[] {
  const npi = identifierSystems.npi ?? npiSystem;
  const own = typeof record.npi === 'string' ? [{ system: npi, value: record.npi.trim() }] : [];
  const listed = (Array.isArray(record.identifiers) ? record.identifiers : []).flatMap((item) => {
    if (!isObject(item) || typeof item.kind !== 'string' || typeof item.value !== 'string' || item.kind === 'tax-id')
      return [];
    const system = item.kind === 'npi' ? npi : identifierSystems[item.kind];
    return system === undefined ? [] : [{ system, value: item.value.trim() }];
  });
  return [...own, ...listed];
}
