// Asks a server who may be a client: by each number, then by `$match` where the server grades candidates, else by name and birth date. A
// search with too many hits is asked again with more criteria, each set once; it is never repeated as it was (ehr-behaviour E18, C13).

import {
  type FhirClient,
  isOffered,
  isTooMany,
  isWholeSearch,
  type MatchGrade,
  type PersonSought,
} from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import { type Json, type JsonObject, objectsIn } from '../../json.ts';
import type { LaneConnection } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import { type Failure, patientSearchFailure, type Refused } from '../look/search-failure.ts';
import type { StrongIdentifier } from './match.ts';
import { matchParameters } from './match-request.ts';

export interface PatientsFound {
  readonly kind: 'found';
  /** Each once. */
  readonly patients: readonly JsonObject[];
  readonly grades: ReadonlyMap<string, MatchGrade>;
  /** Not everybody who may be the client was shown: who is not among the hits may be there all the same. */
  readonly tooMany: boolean;
}

type Searched = PatientsFound | Failure | Refused;
type Query = Parameters<FhirClient['searchAll']>[1];

export async function searchPatients(
  connection: LaneConnection,
  resource: LaneResource,
  strong: readonly StrongIdentifier[],
): Promise<Searched> {
  const numbers = strong.map(({ system, value }) => connection.vendor.queries.identifier(system, value));
  const byNumber = await together(numbers.map((query) => () => searchAsFarAsItGoes(connection, [query])));
  if (byNumber.kind !== 'found') return byNumber;
  const byFacts = await searchByFacts(connection, resource, strong);
  return byFacts.kind === 'found' ? union(byNumber, byFacts) : byFacts;
}

async function searchByFacts(
  connection: LaneConnection,
  resource: LaneResource,
  strong: readonly StrongIdentifier[],
): Promise<Searched> {
  const { match, queries } = connection.vendor;
  const parameters = isOffered(match) ? matchParameters(resource.desired?.resource ?? {}, strong) : undefined;
  if (isOffered(match) && parameters !== undefined) {
    const result = await connection.client.match(match.operation, parameters);
    const matched = found(connection, result);
    // Where $match is not for us, or has too many candidates, the search by name may still tell.
    if (matched.kind !== 'parked' || matched.reason.code === 'patient-restricted') return matched;
  }
  const ladders = criteria(resource).map((steps) => steps.map((person) => queries.patient(person)));
  return together(ladders.map((steps) => () => searchAsFarAsItGoes(connection, steps)));
}

async function together(searches: readonly (() => Promise<Searched>)[]): Promise<Searched> {
  let all: PatientsFound = nobody;
  for (const search of searches) {
    const next = await search();
    if (next.kind !== 'found') return next;
    all = union(all, next);
  }
  return all;
}

const nobody: PatientsFound = { kind: 'found', patients: [], grades: new Map(), tooMany: false };

function union(one: PatientsFound, other: PatientsFound): PatientsFound {
  const byId = new Map([...one.patients, ...other.patients].map((patient) => [String(patient.id), patient]));
  return {
    kind: 'found',
    patients: [...byId.values()],
    grades: new Map([...one.grades, ...other.grades]),
    tooMany: one.tooMany || other.tooMany,
  };
}

/** The first query that the server answers in full and with somebody; each later one asks for less. */
async function searchAsFarAsItGoes(connection: LaneConnection, queries: readonly Query[]): Promise<Searched> {
  const asked = new Set<string>();
  for (const query of queries) {
    const text = JSON.stringify(query);
    // A criterion that the vendor's grammar does not know changes nothing.
    if (asked.has(text)) continue;
    asked.add(text);
    const result = await connection.client.searchAll('Patient', query);
    if (isTooMany(connection.vendor, result)) continue;
    const searched = found(connection, result);
    const isNarrowed = asked.size > 1;
    if (searched.kind !== 'found' || !isNarrowed) return searched;
    if (searched.patients.length > 0) return { ...searched, tooMany: true };
  }
  return { ...nobody, tooMany: queries.length > 0 };
}

function found(connection: LaneConnection, result: Awaited<ReturnType<FhirClient['searchAll']>>): Searched {
  if (isTooMany(connection.vendor, result)) return { kind: 'parked', reason: reason('patient-too-many') };
  if (!isWholeSearch(result)) return patientSearchFailure(connection, result);
  return { kind: 'found', patients: result.resources, grades: result.grades ?? new Map(), tooMany: false };
}

/** For each family name of the client: the person, with more and more of what the record says. */
function criteria(resource: LaneResource): PersonSought[][] {
  const { birthDate, names, sex } = resource.record ?? {};
  if (typeof birthDate !== 'string') return [];
  const { telecom, address } = resource.desired?.resource ?? {};
  const phone = firstText(telecom, 'value', ({ system }) => system === 'phone');
  const postalCode = firstText(address, 'postalCode');
  const byFamily = new Map(
    objectsIn(names).flatMap((name) => (typeof name.family === 'string' ? [[name.family, name] as const] : [])),
  );
  return [...byFamily].map(([family, name]) => {
    const given = Array.isArray(name.given) ? name.given.find((one) => typeof one === 'string') : undefined;
    const base = { family, birthDate };
    const withGiven = { ...base, ...(given !== undefined && { given }) };
    const withSex = { ...withGiven, ...(typeof sex === 'string' && sex !== 'unknown' && { sex }) };
    return [
      base,
      withGiven,
      withSex,
      ...(phone === undefined ? [] : [{ ...withSex, phone }]),
      ...(postalCode === undefined ? [] : [{ ...withSex, postalCode }]),
    ];
  });
}

function firstText(
  list: Json | undefined,
  name: string,
  fits: (item: JsonObject) => boolean = () => true,
): string | undefined {
  return objectsIn(list)
    .filter(fits)
    .map((item) => item[name])
    .find((value) => typeof value === 'string');
}
