// Who a client is on a server: linked when certain, asked when not, and made only where nobody there can be it (design section 7, "Patient").

import type { Transaction } from 'kysely';
import type { MatchGrade } from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { identifierValue } from '../../fhir/fhir.ts';
import type { JsonObject } from '../../json.ts';
import type { Database } from '../../store/store.ts';
import { closeObsolete, type NewDecision, openDecision } from '../decisions/decisions.ts';
import { originHere } from '../inbound/origin.ts';
import type { LaneConnection, Run } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import { type LaneKey, type Lease, underLease } from '../lease.ts';
import { linkFound } from '../look/link-found.ts';
import { readOne } from '../look/read-one.ts';
import { type Failure, patientSearchFailure, type Refused } from '../look/search-failure.ts';
import { ownIdentifier } from '../own-identifier.ts';
import { comparePatient, matchPatient, replacedBy, type StrongIdentifier } from './match.ts';
import { patientTopic } from './patient-link.ts';
import { searchPatients } from './patient-search.ts';

export type PatientFound =
  | { readonly kind: 'linked'; readonly woken: readonly LaneKey[] }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'asked' }
  | Failure
  | Refused;

export async function findPatient(
  run: Run,
  resource: LaneResource,
  strong: readonly StrongIdentifier[],
): Promise<PatientFound> {
  const { connection, lease } = run;
  const searched = await searchPatients(connection, resource, strong);
  if (searched.kind !== 'found') return searched;
  const { grades, tooMany } = searched;
  const candidates: JsonObject[] = [];
  for (const patient of searched.patients) {
    const looked = isOurs(run, resource, patient) ? await asItStands(connection, patient) : stands(patient);
    if (looked.kind === 'stands') candidates.push(looked.patient);
    else if (looked.kind !== 'off') return looked;
  }
  const { baseUrl } = connection.config;
  const match = matchPatient(resource.record ?? {}, strong, candidates, grades, baseUrl);
  const hits = match.kind === 'certain' ? [match.patient] : match.kind === 'uncertain' ? match.patients : [];
  const [denier] = hits.flatMap((patient) => deniersOf(patient, resource, candidates, baseUrl));
  if (match.kind === 'certain' && denier === undefined)
    return { kind: 'linked', woken: await linkFound(run, resource, match.patient) };
  // A record that answers what began there is about somebody who is there.
  const isThere = originHere(resource.record, connection.config.id) !== undefined;
  const mayCreate = resource.route.route === 'native' && connection.config.createPatients && !isThere;
  const isNobody = match.kind === 'none' && !tooMany;
  // Whoever had a chart there may be one whom the search does not show.
  const isToMake = isNobody && mayCreate && resource.client?.isLost !== true;
  await underLease(run, async (trx) => {
    if (isToMake) return closeObsolete(trx, lease, [patientTopic]);
    const why = denier === undefined ? whyAsked(hits.length, tooMany) : reason('patient-denied', { by: denier });
    return askWho(trx, lease, resource, { patients: hits, grades, strong, mayCreate, isSought: true, why });
  });
  return isToMake ? { kind: 'not-found' } : { kind: 'asked' };
}

/** Who has said that the client is not this one, or not one whom the server has merged into this one since. */
function deniersOf(
  patient: JsonObject,
  { client }: LaneResource,
  candidates: readonly JsonObject[],
  baseUrl: string,
): string[] {
  const merged = candidates.filter((one) => replacedBy(one, baseUrl) === patient.id);
  return [patient, ...merged].flatMap(({ id }) => client?.denied.get(String(id)) ?? []);
}

/** An earlier generation of this very client. */
function isOurs({ deps, lease }: Run, { key, nextGeneration }: LaneResource, patient: JsonObject): boolean {
  const [value] = (ownIdentifier(patient, deps.identifierSystem) ?? '').split('~');
  return (
    (nextGeneration > 1 || patient.active === false) &&
    value === identifierValue({ source: lease.source, type: key.type, id: key.id }, key.slot)
  );
}

type Looked = { readonly kind: 'stands'; readonly patient: JsonObject } | { readonly kind: 'off' } | Failure | Refused;

function stands(patient: JsonObject): Looked {
  return { kind: 'stands', patient };
}

/** What we switched off ourselves is no answer (lanes.md 17), and a search may show it as it was before: it is read. */
async function asItStands(connection: LaneConnection, { id }: JsonObject): Promise<Looked> {
  const { reply, body, failed } = await readOne(connection, { resourceType: 'Patient', id: String(id) });
  if (failed?.class === 'gone') return { kind: 'off' };
  if (failed !== undefined) return patientSearchFailure(connection, reply);
  // Whom the hospital has merged is not switched off by us.
  return body.active === false && replacedBy(body) === undefined ? { kind: 'off' } : stands(body);
}

function whyAsked(count: number, tooMany: boolean): Reason {
  if (tooMany) return reason('patient-too-many');
  return count === 0 ? reason('patient-not-found') : reason('patient-uncertain', { count });
}

export interface Question {
  readonly patients: readonly JsonObject[];
  readonly grades: ReadonlyMap<string, MatchGrade>;
  readonly strong: readonly StrongIdentifier[];
  readonly mayCreate: boolean;
  /** They were found by a search, which may find others another time. */
  readonly isSought?: boolean;
  readonly why: Reason;
  /** Kept beside what is shown, for the answer's effect. */
  readonly more?: JsonObject;
}

/** More would not be read by anybody; the others are found on the server itself. */
const mostShown = 20;

/** Both sides are shown, and where they agree and differ; a person chooses. */
export function askWho(
  trx: Transaction<Database>,
  lease: Lease,
  resource: LaneResource,
  question: Question,
): Promise<void> {
  const { patients, grades, strong } = question;
  const shown = patients.slice(0, mostShown);
  return openDecision(trx, lease, {
    kind: 'patient-match',
    topic: patientTopic,
    key: resource.key,
    reason: question.why,
    detail: {
      recordVersion: resource.recordVersion,
      client: sideBySide(resource.desired?.resource ?? {}),
      candidates: shown.map((patient) => candidate(resource, strong, patient, grades.get(String(patient.id)))),
      ...(patients.length > shown.length && { notShown: patients.length - shown.length }),
      ...question.more,
    },
    choices: choices(shown, question),
  });
}

function candidate(
  resource: LaneResource,
  strong: readonly StrongIdentifier[],
  patient: JsonObject,
  graded: MatchGrade | undefined,
): JsonObject {
  const { agree, differ } = comparePatient(resource.record ?? {}, strong, patient);
  const id = String(patient.id);
  const deniedBy = resource.client?.denied.get(id);
  return {
    id,
    ...(deniedBy !== undefined && { deniedBy }),
    ...graded,
    agree: [...agree],
    differ: [...differ],
    ...sideBySide(patient),
  };
}

function choices(patients: readonly JsonObject[], { mayCreate, isSought }: Question): NewDecision['choices'] {
  return [
    ...patients.map(({ id }) => ({
      choose: `link:${id}`,
      effect: `The client is Patient/${id}: link it. The patient itself is never written.`,
    })),
    ...(mayCreate ? [{ choose: 'create', effect: 'The client is none of these: create a new patient.' }] : []),
    ...(isSought
      ? [{ choose: 'again', effect: 'Look for the client there once more: the server knows more by now.' }]
      : []),
    {
      choose: 'leave',
      effect: 'Link nobody. The cases of the client are not sent there until the client record changes.',
    },
  ];
}

const comparedElements = ['name', 'birthDate', 'gender', 'identifier', 'telecom', 'address', 'active', 'link'];

function sideBySide(patient: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(patient).filter(([name]) => comparedElements.includes(name)));
}
