// Is one of these patients our client? Certain, a person must decide, or nobody. Never a guess (design section 7, "Patient"). Pure.

import { isObject, type Json, type JsonObject } from '../json.ts';

export type MatchResult =
  | { readonly kind: 'certain'; readonly patient: JsonObject }
  | { readonly kind: 'uncertain'; readonly patients: readonly JsonObject[] }
  | { readonly kind: 'none' };

/** An identifier that counts as strong, in the system that is configured for this connection. */
export interface StrongIdentifier {
  readonly system: string;
  readonly value: string;
}

/**
 * Certain is one hit by a strong identifier whose birth date and family name agree, or one hit on full name, birth date and sex with one of
 * phone, address line or last four of the social security number. Everything else that looks alike is for a person.
 *
 * @param candidates what the server's searches returned, each patient once.
 */
export function matchPatient(
  client: JsonObject,
  strong: readonly StrongIdentifier[],
  candidates: readonly JsonObject[],
): MatchResult {
  const alike = candidates.filter((patient) => isAlike(client, strong, patient));
  if (alike.length === 0) return { kind: 'none' };
  const certain = alike.filter((patient) => isCertain(client, strong, patient));
  const [only] = certain;
  if (only !== undefined && alike.length === 1 && isUsable(only)) return { kind: 'certain', patient: only };
  return { kind: 'uncertain', patients: alike };
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
  return items(client.identifiers).flatMap(({ kind, value, system }) => {
    const configured = typeof kind === 'string' && strongKinds.includes(kind) ? identifierSystems[kind] : undefined;
    const fits = configured !== undefined && (system === undefined || system === configured);
    return fits && typeof value === 'string' ? [{ system: configured, value: value.trim() }] : [];
  });
}

const strongKinds = ['mrn', 'medicaid', 'medicare-mbi'];

function isAlike(client: JsonObject, strong: readonly StrongIdentifier[], patient: JsonObject): boolean {
  return (
    hasStrongIdentifier(strong, patient) ||
    (birthDateMayAgree(client, patient) && familyAgrees(client, patient) && givenMayAgree(client, patient))
  );
}

function isCertain(client: JsonObject, strong: readonly StrongIdentifier[], patient: JsonObject): boolean {
  if (!sameBirthDate(client, patient) || !familyAgrees(client, patient)) return false;
  if (hasStrongIdentifier(strong, patient)) return true;
  return (
    fullNameAgrees(client, patient) &&
    typeof client.sex === 'string' &&
    client.sex === patient.gender &&
    client.sex !== 'unknown' &&
    hasSecondFact(client, patient) &&
    !hasOtherIdentifier(strong, patient)
  );
}

/** A patient that the hospital replaced by another, or switched off, is for a person even when everything agrees. */
function isUsable(patient: JsonObject): boolean {
  return patient.active !== false && !items(patient.link).some((link) => link.type === 'replaced-by');
}

function hasStrongIdentifier(strong: readonly StrongIdentifier[], patient: JsonObject): boolean {
  return items(patient.identifier).some(({ system, value }) =>
    strong.some((ours) => ours.system === system && typeof value === 'string' && ours.value === value.trim()),
  );
}

/** Both have a number in the same system, and not one of theirs is ours: two people, or an error that a person must see. */
function hasOtherIdentifier(strong: readonly StrongIdentifier[], patient: JsonObject): boolean {
  return items(patient.identifier).some(({ system }) => strong.some((ours) => ours.system === system));
}

/** A day that is known only by its year or month may be any of it. */
function birthDateMayAgree({ birthDate: ours }: JsonObject, { birthDate: theirs }: JsonObject): boolean {
  if (typeof ours !== 'string' || typeof theirs !== 'string') return false;
  return ours.startsWith(theirs) || theirs.startsWith(ours);
}

function sameBirthDate(client: JsonObject, patient: JsonObject): boolean {
  return (
    typeof client.birthDate === 'string' && client.birthDate.length === 10 && client.birthDate === patient.birthDate
  );
}

function familyAgrees(client: JsonObject, patient: JsonObject): boolean {
  const families = items(client.names).flatMap(({ family }) => (typeof family === 'string' ? [fold(family)] : []));
  return items(patient.name).some(({ family }) => typeof family === 'string' && families.includes(fold(family)));
}

/** Names that share a first letter may be one person (Bob, Robert are not caught; their other facts are for the hospital's own index). */
function givenMayAgree(client: JsonObject, patient: JsonObject): boolean {
  const ours = givenNames(client.names);
  const theirs = givenNames(patient.name);
  return ours.length === 0 || theirs.length === 0 || ours.some((name) => theirs.some((other) => name[0] === other[0]));
}

function fullNameAgrees(client: JsonObject, patient: JsonObject): boolean {
  const name = legalName(client);
  const first = name?.given[0];
  if (name === undefined || first === undefined) return false;
  return items(patient.name).some((other) => {
    const given = texts(other.given).map(fold);
    return typeof other.family === 'string' && fold(other.family) === fold(name.family) && given[0] === fold(first);
  });
}

function hasSecondFact(client: JsonObject, patient: JsonObject): boolean {
  return samePhone(client, patient) || sameAddressLine(client, patient) || sameSsnTail(client, patient);
}

function samePhone(client: JsonObject, patient: JsonObject): boolean {
  const ours = items(client.phones).flatMap(({ number }) => phoneDigits(number));
  const theirs = items(patient.telecom).flatMap(({ system, value }) =>
    system === 'phone' || system === 'sms' ? phoneDigits(value) : [],
  );
  return ours.some((number) => theirs.includes(number));
}

function sameAddressLine(client: JsonObject, patient: JsonObject): boolean {
  const lines = (value: Json | undefined, key: string) =>
    items(value).flatMap((address) => texts(address[key]).slice(0, 1).map(fold));
  const theirs = lines(patient.address, 'line');
  return lines(client.addresses, 'lines').some((line) => line !== '' && theirs.includes(line));
}

const ssnSystem = 'http://hl7.org/fhir/sid/us-ssn';

function sameSsnTail(client: JsonObject, patient: JsonObject): boolean {
  const ours = items(client.identifiers).flatMap(({ kind, value }) =>
    (kind === 'ssn' || kind === 'ssn-last4') && typeof value === 'string' ? ssnTail(value) : [],
  );
  return items(patient.identifier).some(
    ({ system, value }) =>
      system === ssnSystem && typeof value === 'string' && ssnTail(value).some((tail) => ours.includes(tail)),
  );
}

function ssnTail(value: string): string[] {
  const tail = value.replace(/\D/g, '').slice(-4);
  return tail.length === 4 ? [tail] : [];
}

function legalName(client: JsonObject): { family: string; given: string[] } | undefined {
  const name = items(client.names).find(({ use }) => use === 'legal');
  return typeof name?.family === 'string' ? { family: name.family, given: texts(name.given) } : undefined;
}

function givenNames(names: Json | undefined): string[] {
  return items(names).flatMap(({ given }) => texts(given).map(fold));
}

/** The last ten digits: country codes and punctuation differ between systems. */
function phoneDigits(number: Json | undefined): string[] {
  const digits = typeof number === 'string' ? number.replace(/\D/g, '').slice(-10) : '';
  return digits.length === 10 ? [digits] : [];
}

/** Case, accents and surrounding space do not make another person. */
function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim();
}

function items(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
