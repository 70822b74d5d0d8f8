// The caseload that the demo's case-management system sends: its directory, and for each person what intake, the need, the goal, the plan
// and the referral leave behind. All dates are fixed, so that every run sends the same.

import type {
  CarePlanRecord,
  CaseRecord,
  ClientRecord,
  ConsentRecord,
  GoalRecord,
  NeedRecord,
  RecordType,
  ReferralRecord,
} from '../records/records.ts';
import { dayThere } from './agency-day.ts';
import { directory, services } from './directory.ts';
import { guarded } from './guarded.ts';
import { type Concern, type Person, people, type ServiceName } from './people.ts';
import { type PlaceName, placeNames, places } from './places.ts';

/** One line of what is sent to POST /api/records. */
export interface RecordLine {
  readonly type: RecordType;
  readonly record: { readonly id: string; readonly updatedAt: string };
}

/** All records, each after those that it points to. */
export function caseload(): RecordLine[] {
  return [...directory, ...people.flatMap(recordsOf), ...guarded];
}

/** The id of a person's referral for a need. */
export function referralId({ name }: Person, { domain }: Pick<Concern, 'domain'>): string {
  return `referral-${name}-${domain}`;
}

function recordsOf(person: Person): RecordLine[] {
  const { concerns, plan } = person;
  return [
    { type: 'client', record: client(person) },
    { type: 'case', record: openCase(person) },
    ...(person.noConsent ? [] : [{ type: 'consent', record: consent(person) } as const]),
    ...concerns.map((concern) => ({ type: 'need', record: need(person, concern) }) as const),
    ...concerns.flatMap((concern) => goals(person, concern)),
    ...concerns.flatMap((concern) => referrals(person, concern)),
    ...(plan === undefined ? [] : [{ type: 'carePlan', record: carePlan(person, plan) } as const]),
  ];
}

const openedOn = '2025-03-10';
const agency = 'org-riverside';

function client({ name, given, family, birthDate, sex, street, phone, language, mrns }: Person): ClientRecord {
  return {
    id: `client-${name}`,
    updatedAt: `${openedOn}T09:15:00-04:00`,
    names: [{ use: 'legal', given: [given], family }],
    birthDate,
    sex,
    ...(mrns !== undefined && { identifiers: numbers(mrns) }),
    addresses: [
      { id: 'home', use: 'home', lines: [street], city: 'Albany', state: 'NY', postalCode: '12207', country: 'US' },
    ],
    phones: [{ id: 'mobile', number: phone, kind: 'mobile', textOk: true }],
    languages: [{ code: language ?? 'en', preferred: true, interpreter: language !== undefined }],
  };
}

function numbers(mrns: NonNullable<Person['mrns']>): ClientRecord['identifiers'] {
  return placeNames.flatMap((name) => {
    const value = mrns[name];
    return value === undefined ? [] : [{ kind: 'mrn', value, system: places[name].mrnSystem }];
  });
}

function openCase({ name, worker }: Person): CaseRecord {
  const from = `${openedOn}T09:30:00-04:00`;
  return {
    id: `case-${name}`,
    updatedAt: from,
    clientId: `client-${name}`,
    organizationId: agency,
    status: 'open',
    openedOn,
    assignments: [{ id: 'primary', workerId: `worker-${worker}`, role: 'primary', from }],
  };
}

function consent({ name, hospital }: Person): ConsentRecord {
  const receivers: PlaceName[] = hospital === undefined ? ['exchange'] : ['exchange', hospital];
  return consentRecord(
    name,
    `consent-${name}`,
    receivers.map((receiver) => places[receiver].organizationId),
    `${openedOn}T09:40:00-04:00`,
  );
}

/** The client `name` agrees that these organizations are told of the case, from the day on which it is signed. */
export function consentRecord(
  name: string,
  id: string,
  organizationIds: readonly string[],
  signedAt: string,
): ConsentRecord {
  return {
    id,
    updatedAt: signedAt,
    clientId: `client-${name}`,
    caseId: `case-${name}`,
    status: 'active',
    scope: ['share-care-plan', 'referral', 'data-exchange'],
    recipients: organizationIds.map((organizationId) => ({ organizationId })),
    recordTypes: ['client', 'case', 'need', 'goal', 'carePlan', 'referral', 'consent'],
    purpose: ['care-coordination'],
    period: { from: dayThere(signedAt) },
    givenBy: { role: 'client' },
    signedAt,
    method: 'electronic',
  };
}

function need({ name }: Person, { domain, risk, need: description, referral }: Concern): NeedRecord {
  return {
    id: `need-${name}-${domain}`,
    updatedAt: `${openedOn}T10:00:00-04:00`,
    clientId: `client-${name}`,
    caseId: `case-${name}`,
    domain,
    description,
    status: referral === undefined ? 'identified' : 'addressing',
    riskLevel: risk,
    wantsHelp: 'yes',
    confirmedBy: 'worker',
    identifiedOn: openedOn,
  };
}

function goals({ name, worker }: Person, { domain, goal }: Concern): { type: 'goal'; record: GoalRecord }[] {
  if (goal === undefined) return [];
  const record: GoalRecord = {
    id: `goal-${name}-${domain}`,
    updatedAt: '2025-03-12T11:00:00-04:00',
    clientId: `client-${name}`,
    caseId: `case-${name}`,
    statement: goal,
    domain,
    needIds: [`need-${name}-${domain}`],
    status: 'active',
    achievement: 'in-progress',
    targets: [{ id: 'first', text: 'The client says so at the review', dueOn: '2025-06-30' }],
    startsOn: '2025-03-12',
    responsible: [{ kind: 'client' }, { kind: 'worker', id: `worker-${worker}` }],
  };
  return [{ type: 'goal', record }];
}

function referrals(person: Person, concern: Concern): { type: 'referral'; record: ReferralRecord }[] {
  const { referral, domain, goal } = concern;
  if (referral === undefined) return [];
  const { name } = person;
  const record = referralRecord(person, {
    id: referralId(person, concern),
    service: referral.service,
    text: referral.text,
    domain,
    needIds: [`need-${name}-${domain}`],
    ...(goal !== undefined && { goalIds: [`goal-${name}-${domain}`] }),
    requestedAt: '2025-03-13T09:30:00-04:00',
    ...(referral.status === 'sent' && { sentAt: '2025-03-13T10:00:00-04:00' }),
    consentId: `consent-${name}`,
  });
  return [{ type: 'referral', record }];
}

/** What a referral asks for. */
export interface Asked extends Pick<ReferralRecord, 'id' | 'domain' | 'needIds' | 'goalIds' | 'consentId'> {
  readonly service: ServiceName;
  readonly text: string;
  readonly requestedAt: string;
  /** Absent: it is a draft. */
  readonly sentAt?: string;
}

/** A referral of the agency to one of its partners. */
export function referralRecord(
  { name, worker }: Person,
  { service: serviceName, text, requestedAt, sentAt, ...asked }: Asked,
): ReferralRecord {
  const service = services[serviceName];
  const byId = `worker-${worker}`;
  const drafted = { id: 'drafted', status: 'draft', at: requestedAt, byId } as const;
  return {
    ...asked,
    updatedAt: sentAt ?? requestedAt,
    clientId: `client-${name}`,
    caseId: `case-${name}`,
    direction: 'outgoing',
    serviceId: `service-${serviceName}`,
    organizationId: service.organizationId,
    requestedService: service.code,
    requestedText: text,
    urgency: 'routine',
    status: sentAt === undefined ? 'draft' : 'sent',
    history: sentAt === undefined ? [drafted] : [drafted, { id: 'sent', status: 'sent', at: sentAt, byId }],
    requestedAt,
    ...(sentAt !== undefined && { sentAt }),
    requesterOrganizationId: agency,
    requestedById: byId,
    channel: 'fhir',
  };
}

function carePlan({ name, concerns }: Person, title: string): CarePlanRecord {
  return {
    id: `plan-${name}`,
    updatedAt: '2025-03-14T15:00:00-04:00',
    clientId: `client-${name}`,
    caseId: `case-${name}`,
    title,
    status: 'active',
    startsOn: '2025-03-14',
    activatedAt: '2025-03-14T15:00:00-04:00',
    needIds: concerns.map(({ domain }) => `need-${name}-${domain}`),
    goalIds: concerns.flatMap(({ domain, goal }) => (goal === undefined ? [] : [`goal-${name}-${domain}`])),
    reviewEveryDays: 30,
  };
}
