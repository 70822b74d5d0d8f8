// Single facts of a client record and of a Patient resource, compared: names, day of birth, numbers, phones, addresses. Pure.
// Every function says what counts as the same, and as nothing to compare.

import { type Json, type JsonObject, objectsIn } from '../../json.ts';

/** An identifier that counts as strong, in the system that is configured for this connection. */
export interface StrongIdentifier {
  readonly system: string;
  readonly value: string;
}

export function both(one: Json | undefined, other: Json | undefined): boolean {
  return typeof one === 'string' && typeof other === 'string';
}

export function hasFamily(names: Json | undefined): boolean {
  return objectsIn(names).some(({ family }) => typeof family === 'string');
}

export function hasGiven(names: Json | undefined): boolean {
  return givenNames(names).length > 0;
}

/** A server that does not know the search parameter answers with everybody (ehr-behaviour E12): what has none of the numbers is no hit. */
export function carries({ identifier }: JsonObject, strong: readonly StrongIdentifier[]): boolean {
  return objectsIn(identifier).some(({ system, value }) =>
    strong.some((ours) => ours.system === system && typeof value === 'string' && ours.value === value.trim()),
  );
}

/** Both have a number in the same system, and not one of theirs is ours: two people, or an error that a person must see. */
export function hasOtherIdentifier(strong: readonly StrongIdentifier[], patient: JsonObject): boolean {
  return objectsIn(patient.identifier).some(({ system }) => strong.some((ours) => ours.system === system));
}

/** A day that is known only by its year or month may be any of it. */
export function birthDateMayAgree({ birthDate: ours }: JsonObject, { birthDate: theirs }: JsonObject): boolean {
  if (typeof ours !== 'string' || typeof theirs !== 'string') return false;
  return ours.startsWith(theirs) || theirs.startsWith(ours);
}

export function sameBirthDate(client: JsonObject, patient: JsonObject): boolean {
  return (
    typeof client.birthDate === 'string' && client.birthDate.length === 10 && client.birthDate === patient.birthDate
  );
}

export function familyAgrees(client: JsonObject, patient: JsonObject): boolean {
  const families = objectsIn(client.names).flatMap(({ family }) => (typeof family === 'string' ? [fold(family)] : []));
  return objectsIn(patient.name).some(({ family }) => typeof family === 'string' && families.includes(fold(family)));
}

/** Names that share a first letter may be one person (Bob, Robert are not caught; their other facts are for the hospital's own index). */
export function givenMayAgree(client: JsonObject, patient: JsonObject): boolean {
  const ours = givenNames(client.names);
  const theirs = givenNames(patient.name);
  return ours.length === 0 || theirs.length === 0 || ours.some((name) => theirs.some((other) => name[0] === other[0]));
}

/** The same first name, by any of the names that either side knows: preferred names and aliases count, middle names do not tell twins apart. */
export function givenAgrees(client: JsonObject, patient: JsonObject): boolean {
  return shareOne([firstNames(client.names), firstNames(patient.name)]);
}

/** Some servers keep all given names in one text. */
function firstNames(names: Json | undefined): string[] {
  return objectsIn(names).flatMap(({ given }) => {
    const [first = ''] = fold(texts(given)[0] ?? '').split(/\s+/);
    return first === '' ? [] : [first];
  });
}

export function fullNameAgrees(client: JsonObject, patient: JsonObject): boolean {
  const name = legalName(client);
  const first = name?.given[0];
  if (name === undefined || first === undefined) return false;
  return objectsIn(patient.name).some((other) => {
    const given = texts(other.given).map(fold);
    return typeof other.family === 'string' && fold(other.family) === fold(name.family) && given[0] === fold(first);
  });
}

export function hasSecondFact(client: JsonObject, patient: JsonObject): boolean {
  return samePhone(client, patient) || sameAddressLine(client, patient) || sameSsnTail(client, patient);
}

export function samePhone(client: JsonObject, patient: JsonObject): boolean {
  return shareOne(phonesOf(client.phones, patient.telecom));
}

export function phonesOf(phones: Json | undefined, telecom: Json | undefined): Pair {
  const theirs = objectsIn(telecom).flatMap(({ system, value }) =>
    system === 'phone' || system === 'sms' ? phoneDigits(value) : [],
  );
  return [objectsIn(phones).flatMap(({ number }) => phoneDigits(number)), theirs];
}

/** What either side says of one fact. */
type Pair = readonly [ours: readonly string[], theirs: readonly string[]];

function shareOne([ours, theirs]: Pair): boolean {
  return ours.some((one) => theirs.includes(one));
}

export function sameAddressLine(client: JsonObject, patient: JsonObject): boolean {
  return shareOne(linesOf(client, patient));
}

/** First lines only: the second of an address is often a name or a floor. */
export function linesOf(client: JsonObject, patient: JsonObject): Pair {
  const first = (value: Json | undefined, key: string) =>
    objectsIn(value).flatMap((address) =>
      texts(address[key])
        .slice(0, 1)
        .map(fold)
        .filter((line) => line !== ''),
    );
  return [first(client.addresses, 'lines'), first(patient.address, 'line')];
}

const ssnSystem = 'http://hl7.org/fhir/sid/us-ssn';

export function sameSsnTail(client: JsonObject, patient: JsonObject): boolean {
  return shareOne(ssnTails(client, patient));
}

export function ssnTails(client: JsonObject, patient: JsonObject): Pair {
  const tails = (found: Json | undefined) => (typeof found === 'string' ? ssnTail(found) : []);
  return [
    objectsIn(client.identifiers).flatMap(({ kind, value }) =>
      kind === 'ssn' || kind === 'ssn-last4' ? tails(value) : [],
    ),
    objectsIn(patient.identifier).flatMap(({ system, value }) => (system === ssnSystem ? tails(value) : [])),
  ];
}

function ssnTail(value: string): string[] {
  const tail = value.replace(/\D/g, '').slice(-4);
  return tail.length === 4 ? [tail] : [];
}

export function legalName(client: JsonObject): { family: string; given: string[] } | undefined {
  const name = objectsIn(client.names).find(({ use }) => use === 'legal');
  return typeof name?.family === 'string' ? { family: name.family, given: texts(name.given) } : undefined;
}

function givenNames(names: Json | undefined): string[] {
  return objectsIn(names).flatMap(({ given }) => texts(given).map(fold));
}

/** The last ten digits: country codes and punctuation differ between systems. */
function phoneDigits(number: Json | undefined): string[] {
  const digits = typeof number === 'string' ? number.replace(/\D/g, '').slice(-10) : '';
  return digits.length === 10 ? [digits] : [];
}

/** Case, accents and surrounding space do not make another person. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim();
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
