// What a document says, as facts: an allow-list over the records, with codes instead of words, so that better wording alone makes no new
// edition. No time of printing and nothing that depends on it. Most important first in every list (closed-loop.md B8).

import { type JsonObject, objectAt, objectsAt, textAt, textsAt } from '../json.ts';
import type { RecordType } from '../records/records.ts';
import { appointmentFacts } from './appointments.ts';
import { assessmentFacts } from './assessments.ts';
import { shown } from './clean.ts';
import {
  careTeamFacts,
  type Find,
  nameable,
  organizationName,
  organizationPhones,
  pointedAt,
  primaryAssignment,
  workerFacts,
} from './directory.ts';
import { goalFacts, needFacts } from './goals-and-needs.ts';
import { planFacts, planOf, positions } from './plan.ts';
import { referralFacts } from './referrals.ts';
import { askFacts, safetyFacts } from './safety.ts';
import { authorizationFacts, interventionFacts } from './services.ts';
import { present, said } from './values.ts';

/** Everything that the document says except when it was printed and what number it has: equal facts need no new edition. */
export type DocumentFacts = JsonObject;

export interface DocumentInput {
  /** Record `case`. */
  readonly caseRecord: JsonObject;
  readonly client: JsonObject;
  /**
   * Records of the case that may be shown to this receiver: need, goal, referral, carePlan, safetyPlan, intervention, appointment, assessment,
   * coverage.
   * Consent was decided by the caller.
   */
  readonly records: readonly { readonly type: RecordType; readonly record: JsonObject }[];
  /** Other records of the same source by type and id: organization, service, worker; undefined where unknown. */
  readonly find: Find;
  /** The medical record number of the receiving hospital, where the client has one in its system. */
  readonly mrn: string | undefined;
  /** The organization record's id of the receiving hospital: referrals to it are what we ask it to do. */
  readonly receiver?: string | undefined;
}

/** The facts of one case for one receiver. The order of the records does not matter. */
export function documentFacts(input: DocumentInput): DocumentFacts {
  const { caseRecord, client, find } = input;
  const records = input.records.filter(({ record }) => isShown(record, caseRecord));
  const of = (type: RecordType) => records.filter((each) => each.type === type).map(({ record }) => record);
  const plan = planOf(of('carePlan'));
  const agency = pointedAt(find, caseRecord, 'organizationId', 'organization');
  const primary = primaryAssignment(caseRecord);
  const worker = primary && nameable(find('worker', textAt(primary, 'workerId') ?? ''), caseRecord);
  const referrals = referralFacts(of('referral'), find);
  const labels = [caseRecord, client, ...records.map(({ record }) => record)];
  return present({
    client: clientFacts(client, input.mrn),
    agency: agencyFacts(caseRecord, agency),
    worker: workerFacts(worker),
    caseStatus: textAt(caseRecord, 'status'),
    closeReason: textAt(caseRecord, 'closeReason'),
    safety: safetyFacts(caseRecord, client, of('need'), of('assessment'), of('safetyPlan')),
    asks: askFacts(client, of('referral'), referrals, input.receiver, find),
    plan: plan && planFacts(plan),
    needs: needFacts(of('need'), positions(plan, 'needIds')),
    goals: goalFacts(of('goal'), positions(plan, 'goalIds')),
    referrals,
    interventions: interventionFacts(of('intervention')),
    appointments: appointmentFacts(of('appointment'), find),
    assessments: assessmentFacts(of('assessment')),
    authorizations: authorizationFacts(of('coverage')),
    careTeam: careTeamFacts(caseRecord, find),
    preferences: preferenceFacts(client, plan),
    part2: labels.some((record) => textsAt(record, 'sensitivity').includes('substance-use-part2')) || undefined,
  });
}

// A record of another case in the list would be the gravest of errors in the caller; it is not made worse here.
function isShown(record: JsonObject, caseRecord: JsonObject): boolean {
  return record.deleted !== true && record.status !== 'entered-in-error' && record.caseId === caseRecord.id;
}

export function agencyFacts(caseRecord: JsonObject, agency: JsonObject | undefined): JsonObject {
  return present({
    name: organizationName(agency),
    program: shown(textAt(caseRecord, 'program'), 60),
    phones: organizationPhones(agency),
  });
}

export function clientFacts(client: JsonObject, mrn: string | undefined): JsonObject {
  const names = objectsAt(client, 'names');
  const legal = names.find((name) => name.use === 'legal');
  const suffix = textAt(legal, 'suffix');
  return present({
    name: shown(said([givenAndFamily(legal), suffix]).join(' '), 200),
    preferred: shown(givenAndFamily(names.find((name) => name.use === 'preferred')), 60),
    birthDate: textAt(client, 'birthDate'),
    birthDateDoubtful: (textAt(client, 'birthDateQuality') ?? 'full') !== 'full' || undefined,
    sex: textAt(client, 'sex'),
    mrn: shown(mrn, 60),
    diedOn: textAt(client, 'deceasedOn'),
  });
}

function givenAndFamily(name: JsonObject | undefined): string {
  return said([...textsAt(name, 'given'), textAt(name, 'family')]).join(' ');
}

function preferenceFacts(client: JsonObject, plan: JsonObject | undefined): JsonObject {
  const contact = objectAt(client, 'preferredContact');
  const reachable = contact?.safeToContact !== false;
  return present({
    channel: reachable ? textAt(contact, 'channel') : undefined,
    bestTime: reachable ? shown(textAt(contact, 'bestTime'), 60) : undefined,
    languages: objectsAt(client, 'languages')
      .toSorted((a, b) => Number(b.preferred === true) - Number(a.preferred === true))
      .flatMap((language) => textAt(language, 'code') ?? [])
      .slice(0, 4),
    said: textsAt(plan, 'preferences').flatMap((text) => shown(text, 160) ?? []),
    barriers: textsAt(plan, 'barriers').flatMap((text) => shown(text, 160) ?? []),
  });
}
