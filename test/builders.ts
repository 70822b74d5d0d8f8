// Valid records of invented people, for every test. One story: Rosa Delgado's case at Riverside Family Services, a food need, a goal, a plan
// and a referral to the Elm Street Pantry. Overrides replace a field; `undefined` takes a default out.

import type { Json, JsonObject } from '../src/json.ts';
import { isObject } from '../src/json.ts';
import type {
  AppointmentRecord,
  AssessmentRecord,
  CarePlanRecord,
  CaseRecord,
  ClientRecord,
  ConsentRecord,
  CoverageRecord,
  GoalRecord,
  HospitalStayRecord,
  ImprovementIdeaRecord,
  IncidentRecord,
  InterventionRecord,
  NeedRecord,
  NoteRecord,
  OrganizationRecord,
  RecordType,
  ReferralRecord,
  SafetyPlanRecord,
  ServiceRecord,
  StoredRecord,
  WorkerRecord,
} from '../src/records/records.ts';

/** When the builders' records arrive: after all their times. */
export const receivedAt = new Date('2026-03-02T15:00:00Z');

export function anOrganization(overrides: Partial<OrganizationRecord> = {}): StoredRecord {
  const pantry: OrganizationRecord = {
    id: 'org-pantry',
    updatedAt: '2026-01-05T09:00:00-05:00',
    name: 'Elm Street Pantry',
    kind: 'community-partner',
    active: true,
    phones: [{ number: '(518) 555-0142', kind: 'voice' }],
    address: { lines: ['12 Elm Street'], city: 'Albany', state: 'NY', postalCode: '12207', country: 'US' },
  };
  return merged(pantry, overrides);
}

export function aWorker(overrides: Partial<WorkerRecord> = {}): StoredRecord {
  const manager: WorkerRecord = {
    id: 'worker-okafor',
    updatedAt: '2026-01-05T09:05:00-05:00',
    name: { given: 'Ngozi', family: 'Okafor', credentials: ['LMSW'] },
    role: 'case-manager',
    organizationId: 'org-riverside',
    active: true,
    phone: '(518) 555-0111',
    email: 'ngozi.okafor@riverside.example',
  };
  return merged(manager, overrides);
}

export function aService(overrides: Partial<ServiceRecord> = {}): StoredRecord {
  const groceries: ServiceRecord = {
    id: 'service-groceries',
    updatedAt: '2026-01-05T09:10:00-05:00',
    organizationId: 'org-pantry',
    name: 'Weekly groceries',
    description: 'A bag of groceries each week, no proof of income.',
    status: 'active',
    domains: ['food'],
    languages: ['en', 'es'],
  };
  return merged(groceries, overrides);
}

export function aClient(overrides: Partial<ClientRecord> = {}): StoredRecord {
  const rosa: ClientRecord = {
    id: 'client-rosa',
    updatedAt: '2026-02-02T10:00:00-05:00',
    names: [{ use: 'legal', given: ['Rosa', 'Maria'], family: 'Delgado' }],
    birthDate: '1984-06-17',
    sex: 'female',
    identifiers: [{ kind: 'mrn', value: 'MRN-20417', system: 'urn:oid:1.2.3' }],
    addresses: [
      {
        id: 'a1',
        use: 'home',
        lines: ['48 Larch Avenue'],
        city: 'Albany',
        state: 'NY',
        postalCode: '12208',
        country: 'US',
      },
    ],
    phones: [{ id: 'p1', number: '(518) 555-0177', e164: '+15185550177', kind: 'voice', textOk: true }],
    languages: [{ code: 'es', preferred: true, interpreter: false }],
  };
  return merged(rosa, overrides);
}

export function aCase(overrides: Partial<CaseRecord> = {}): StoredRecord {
  const open: CaseRecord = {
    id: 'case-rosa',
    updatedAt: '2026-02-02T10:30:00-05:00',
    clientId: 'client-rosa',
    organizationId: 'org-riverside',
    caseNumber: '2026-0042',
    status: 'open',
    openedOn: '2026-02-02',
    assignments: [{ id: 'as1', workerId: 'worker-okafor', role: 'primary', from: '2026-02-02T10:30:00-05:00' }],
  };
  return merged(open, overrides);
}

export function aConsent(overrides: Partial<ConsentRecord> = {}): StoredRecord {
  const toPantry: ConsentRecord = {
    id: 'consent-rosa',
    updatedAt: '2026-02-02T11:00:00-05:00',
    clientId: 'client-rosa',
    status: 'active',
    scope: ['referral', 'data-exchange'],
    recipients: [{ organizationId: 'org-pantry' }],
    recordTypes: ['client', 'need', 'goal', 'carePlan', 'referral'],
    purpose: ['care-coordination'],
    period: { from: '2026-02-02', to: '2027-02-01' },
    givenBy: { role: 'client' },
    signedAt: '2026-02-02T10:55:00-05:00',
    method: 'electronic',
  };
  return merged(toPantry, overrides);
}

export function aNeed(overrides: Partial<NeedRecord> = {}): StoredRecord {
  const food: NeedRecord = {
    id: 'need-food',
    updatedAt: '2026-02-03T09:00:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    domain: 'food',
    description: 'Runs out of food in the last week of each month.',
    status: 'identified',
    riskLevel: 'moderate',
    confirmedBy: 'client-report',
    identifiedOn: '2026-02-02',
  };
  return merged(food, overrides);
}

export function aGoal(overrides: Partial<GoalRecord> = {}): StoredRecord {
  const meals: GoalRecord = {
    id: 'goal-meals',
    updatedAt: '2026-02-03T09:30:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    statement: 'I want food on the table every day of the month.',
    domain: 'food',
    needIds: ['need-food'],
    status: 'active',
    targets: [{ id: 't1', text: 'No day without a meal', dueOn: '2026-05-31' }],
    startsOn: '2026-02-03',
    dueOn: '2026-05-31',
    responsible: [{ kind: 'client' }, { kind: 'worker', id: 'worker-okafor' }],
  };
  return merged(meals, overrides);
}

export function aReferral(overrides: Partial<ReferralRecord> = {}): StoredRecord {
  const toPantry: ReferralRecord = {
    id: 'referral-pantry',
    updatedAt: '2026-02-04T10:00:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    direction: 'outgoing',
    serviceId: 'service-groceries',
    organizationId: 'org-pantry',
    requestedService: 'food-pantry',
    requestedText: 'Weekly groceries for a household of three',
    domain: 'food',
    needIds: ['need-food'],
    goalIds: ['goal-meals'],
    urgency: 'routine',
    status: 'sent',
    history: [
      { id: 'h1', status: 'draft', at: '2026-02-04T09:40:00-05:00', byId: 'worker-okafor' },
      { id: 'h2', status: 'sent', at: '2026-02-04T10:00:00-05:00', byId: 'worker-okafor' },
    ],
    requestedAt: '2026-02-04T09:40:00-05:00',
    sentAt: '2026-02-04T10:00:00-05:00',
    requesterOrganizationId: 'org-riverside',
    requestedById: 'worker-okafor',
    channel: 'fhir',
  };
  return merged(toPantry, overrides);
}

export function aCarePlan(overrides: Partial<CarePlanRecord> = {}): StoredRecord {
  const plan: CarePlanRecord = {
    id: 'plan-rosa',
    updatedAt: '2026-02-04T11:00:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    title: 'Enough food at home',
    summary: 'Groceries from the pantry now, SNAP next.',
    status: 'active',
    startsOn: '2026-02-04',
    needIds: ['need-food'],
    goalIds: ['goal-meals'],
    reviewEveryDays: 30,
  };
  return merged(plan, overrides);
}

export function aNote(overrides: Partial<NoteRecord> = {}): StoredRecord {
  const visit: NoteRecord = {
    id: 'note-visit',
    updatedAt: '2026-02-10T16:00:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    kind: 'home-visit',
    text: 'Rosa has the pantry card now. The refrigerator works again.',
    occurredAt: '2026-02-10T14:00:00-05:00',
    minutes: 40,
    contact: { mode: 'in-person', with: 'client', outcome: 'reached' },
    authorId: 'worker-okafor',
    signedAt: '2026-02-10T15:55:00-05:00',
    status: 'signed',
    about: { goalIds: ['goal-meals'] },
  };
  return merged(visit, overrides);
}

export function anAssessment(overrides: Partial<AssessmentRecord> = {}): StoredRecord {
  const hunger: AssessmentRecord = {
    id: 'assessment-food',
    updatedAt: '2026-02-02T11:30:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    instrument: 'hunger-vital-sign',
    reason: 'intake',
    status: 'completed',
    completedAt: '2026-02-02T11:20:00-05:00',
    assessorId: 'worker-okafor',
    items: [
      { code: '88122-7', answer: { code: 'LA28397-0' } },
      { code: '88123-5', answer: { code: 'LA28398-8' } },
    ],
  };
  return merged(hunger, overrides);
}

export function anIntervention(overrides: Partial<InterventionRecord> = {}): StoredRecord {
  const snap: InterventionRecord = {
    id: 'intervention-snap',
    updatedAt: '2026-02-06T10:00:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    kind: 'benefits-assistance',
    description: 'Help with the SNAP application.',
    status: 'active',
    goalIds: ['goal-meals'],
    needIds: ['need-food'],
    domain: 'food',
    responsible: [{ kind: 'worker', id: 'worker-okafor' }],
    deliveries: [
      { id: 'd1', at: '2026-02-06T09:00:00-05:00', minutes: 40, byId: 'worker-okafor', outcome: 'delivered' },
    ],
  };
  return merged(snap, overrides);
}

export function anAppointment(overrides: Partial<AppointmentRecord> = {}): StoredRecord {
  const visit: AppointmentRecord = {
    id: 'appointment-visit',
    updatedAt: '2026-02-06T10:10:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    kind: 'home-visit',
    title: 'Home visit',
    status: 'booked',
    startsAt: '2026-03-09T10:00:00-04:00',
    minutes: 60,
    with: { workerId: 'worker-okafor' },
    mode: 'in-person',
  };
  return merged(visit, overrides);
}

export function anIncident(overrides: Partial<IncidentRecord> = {}): StoredRecord {
  const fall: IncidentRecord = {
    id: 'incident-fall',
    updatedAt: '2026-02-12T12:00:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    kind: 'fall',
    occurredAt: '2026-02-12T09:30:00-05:00',
    discoveredAt: '2026-02-12T09:40:00-05:00',
    documentedAt: '2026-02-12T11:30:00-05:00',
    severity: 'moderate',
    description: 'Rosa slipped on the stairs of the office and hurt her left wrist.',
    status: 'open',
  };
  return merged(fall, overrides);
}

export function aSafetyPlan(overrides: Partial<SafetyPlanRecord> = {}): StoredRecord {
  const plan: SafetyPlanRecord = {
    id: 'safety-rosa',
    updatedAt: '2026-02-13T10:00:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    status: 'active',
    effectiveOn: '2026-02-13',
    reviewDueOn: '2026-03-13',
    reason: 'suicide',
    warningSigns: ['I stop answering the phone.'],
    copingStrategies: ['Walk around the block.'],
    distractions: ['The library on Elm Street.'],
    supportContacts: [{ id: 's1', name: 'Ana', phone: '(518) 555-0188', relationship: 'sister' }],
  };
  return merged(plan, overrides);
}

export function aHospitalStay(overrides: Partial<HospitalStayRecord> = {}): StoredRecord {
  const stay: HospitalStayRecord = {
    id: 'stay-rosa',
    updatedAt: '2026-02-16T08:00:00-05:00',
    clientId: 'client-rosa',
    caseId: 'case-rosa',
    hospitalId: 'org-general',
    kind: 'inpatient',
    admittedAt: '2026-02-15T22:10:00-05:00',
    cause: 'Fracture of the left wrist.',
    knownAt: '2026-02-16T07:45:00-05:00',
    source: 'adt',
  };
  return merged(stay, overrides);
}

export function anImprovementIdea(overrides: Partial<ImprovementIdeaRecord> = {}): StoredRecord {
  const idea: ImprovementIdeaRecord = {
    id: 'idea-handover',
    updatedAt: '2026-02-18T09:00:00-05:00',
    organizationId: 'org-riverside',
    kind: 'process-gap',
    title: 'Pantry cards arrive a week late',
    step: 'referral',
    raisedAt: '2026-02-18T08:50:00-05:00',
    raisedById: 'worker-okafor',
    status: 'new',
  };
  return merged(idea, overrides);
}

export function aCoverage(overrides: Partial<CoverageRecord> = {}): StoredRecord {
  const medicaid: CoverageRecord = {
    id: 'coverage-rosa',
    updatedAt: '2026-02-02T11:10:00-05:00',
    clientId: 'client-rosa',
    kind: 'medicaid',
    payerId: 'org-medicaid',
    memberId: 'NY-0042-1187',
    startsOn: '2025-07-01',
    status: 'active',
  };
  return merged(medicaid, overrides);
}

/** A record of each type as its builder makes it. */
export const builders: Readonly<Record<RecordType, () => StoredRecord>> = {
  organization: () => anOrganization(),
  worker: () => aWorker(),
  service: () => aService(),
  client: () => aClient(),
  case: () => aCase(),
  consent: () => aConsent(),
  coverage: () => aCoverage(),
  assessment: () => anAssessment(),
  hospitalStay: () => aHospitalStay(),
  incident: () => anIncident(),
  need: () => aNeed(),
  goal: () => aGoal(),
  safetyPlan: () => aSafetyPlan(),
  referral: () => aReferral(),
  intervention: () => anIntervention(),
  carePlan: () => aCarePlan(),
  appointment: () => anAppointment(),
  note: () => aNote(),
  improvementIdea: () => anImprovementIdea(),
};

// Through JSON, as records arrive: a new object each time, without the fields that are undefined.
function merged(defaults: object, overrides: object): StoredRecord {
  const record: Json = JSON.parse(JSON.stringify({ ...defaults, ...overrides }));
  if (isObject(record) && isStored(record)) return record;
  throw new Error('a builder was asked for a record without id or updatedAt');
}

function isStored(record: JsonObject): record is StoredRecord {
  return typeof record.id === 'string' && typeof record.updatedAt === 'string';
}
