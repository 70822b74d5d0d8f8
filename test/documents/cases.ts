// The cases whose documents are kept as golden files, and what tests need to make a document of any records.

import {
  type DocumentFacts,
  type DocumentInput,
  documentFacts,
  type Frame,
  markerOf,
} from '../../src/documents/documents.ts';
import type { JsonObject } from '../../src/json.ts';
import type { GoalRecord, RecordType } from '../../src/records/records.ts';
import {
  aCarePlan,
  aCase,
  aClient,
  aCoverage,
  aGoal,
  aNeed,
  anAppointment,
  anAssessment,
  anIntervention,
  anOrganization,
  aReferral,
  aSafetyPlan,
  aService,
  aWorker,
} from '../builders.ts';

export type Shown = DocumentInput['records'][number];

export const marker = markerOf({
  connection: 'general',
  source: 'county',
  type: 'carePlan',
  id: 'plan-rosa',
  slot: 'document',
});

export function frame(overrides: Partial<Frame> = {}): Frame {
  return {
    asOf: '2026-03-02T15:15:00Z',
    timeZone: 'America/New_York',
    edition: 1,
    marker,
    before: undefined,
    ...overrides,
  };
}

/** Rosa's case by the builders; what is given replaces a part. */
export function input(overrides: Partial<DocumentInput> = {}): DocumentInput {
  return {
    caseRecord: aCase(),
    client: aClient(),
    records: [need(), goal(), referral(), plan()],
    find,
    mrn: 'MRN-20417',
    ...overrides,
  };
}

export const need = (overrides = {}): Shown => ({ type: 'need', record: aNeed(overrides) });
export const goal = (overrides = {}): Shown => ({ type: 'goal', record: aGoal(overrides) });
export const referral = (overrides = {}): Shown => ({ type: 'referral', record: aReferral(overrides) });
export const intervention = (overrides = {}): Shown => ({ type: 'intervention', record: anIntervention(overrides) });
export const appointment = (overrides = {}): Shown => ({ type: 'appointment', record: anAppointment(overrides) });
export const assessment = (overrides = {}): Shown => ({ type: 'assessment', record: anAssessment(overrides) });
export const coverage = (overrides = {}): Shown => ({
  type: 'coverage',
  record: aCoverage({ caseId: 'case-rosa', ...overrides }),
});
export const plan = (overrides = {}): Shown => ({ type: 'carePlan', record: aCarePlan(overrides) });
export const safetyPlan = (overrides = {}): Shown => ({ type: 'safetyPlan', record: aSafetyPlan(overrides) });

const directory: readonly (readonly [RecordType, JsonObject])[] = [
  [
    'organization',
    anOrganization({
      id: 'org-riverside',
      name: 'Riverside Family Services',
      kind: 'case-management',
      phones: [
        { number: '(518) 555-0100', kind: 'voice', note: 'Mon-Fri 9 am-5 pm' },
        { number: '(518) 555-0109', kind: 'fax' },
      ],
    }),
  ],
  ['organization', anOrganization()],
  [
    'organization',
    anOrganization({
      id: 'org-hospital',
      name: 'Larch Valley Hospital',
      kind: 'hospital',
      phones: [{ number: '(518) 555-0102' }],
    }),
  ],
  [
    'organization',
    anOrganization({ id: 'org-housing', name: 'Harbor Housing Coalition', phones: [{ number: '(518) 555-0143' }] }),
  ],
  [
    'organization',
    anOrganization({
      id: 'org-shelter',
      name: 'Haven Shelter for Survivors',
      sensitivity: ['domestic-violence'],
      phones: [{ number: '(518) 555-0190' }],
    }),
  ],
  ['worker', aWorker()],
  [
    'worker',
    aWorker({
      id: 'worker-lindqvist',
      name: { given: 'Karin', family: 'Lindqvist' },
      role: 'supervisor',
      phone: '(518) 555-0113',
    }),
  ],
  ['service', aService()],
  ['service', aService({ id: 'service-rent', name: 'Help with the rent', organizationId: 'org-housing' })],
];

export function find(type: RecordType, id: string): JsonObject | undefined {
  return directory.find(([each, record]) => each === type && record.id === id)?.[1];
}

/** Answers to the nine questions by their scores. */
export function phq9(worth: readonly number[]) {
  const codes = ['44250-9', '44255-8', '44259-0', '44254-1', '44251-7', '44258-2', '44252-5', '44253-3', '44260-8'];
  return codes.map((code, index) => ({ code, answer: { number: worth[index] ?? 0 } }));
}

/** A case with something of everything that records hold today. */
export const full: DocumentInput = input({
  receiver: 'org-hospital',
  caseRecord: aCase({
    program: 'Community Care Transitions',
    riskLevel: 'high',
    riskSetAt: '2026-02-10T16:00:00-05:00',
    assignments: [
      { id: 'as1', workerId: 'worker-okafor', role: 'primary', from: '2026-02-02T10:30:00-05:00' },
      { id: 'as2', workerId: 'worker-lindqvist', role: 'supervisor', from: '2026-02-02T10:30:00-05:00' },
    ],
    careTeam: [
      { id: 'm1', name: 'Dr. Priya Nair', role: 'Primary care physician', phone: '(518) 555-0150' },
      { id: 'm2', organizationId: 'org-pantry', role: 'Food pantry' },
      { id: 'm3', name: 'Former Helper', role: 'Volunteer driver', phone: '(518) 555-0160', to: '2026-02-20' },
      { id: 'm4', organizationId: 'org-shelter', name: 'Haven counselor', phone: '(518) 555-0191' },
    ],
    household: [{ id: 'h1', relationship: 'child', name: 'Mateo Delgado', birthDate: '2016-05-01' }],
  }),
  client: aClient({
    names: [
      { use: 'legal', given: ['Rosa', 'Maria'], family: 'Delgado' },
      { use: 'preferred', given: ['Rosie'] },
    ],
    languages: [{ code: 'en' }, { code: 'es', preferred: true, interpreter: true }],
    preferredContact: { channel: 'text', bestTime: 'after 4 pm', safeToContact: true },
  }),
  records: [
    need({ id: 'need-food', status: 'addressing', priority: 2 }),
    need({
      id: 'need-home',
      domain: 'intimate-partner-violence',
      description: 'Former partner has come to the apartment twice since January.',
      riskLevel: 'high',
      status: 'addressing',
      confirmedBy: 'worker',
      identifiedOn: '2026-02-10',
      sensitivity: ['domestic-violence'],
    }),
    need({
      id: 'need-rent',
      domain: 'housing-instability',
      description: 'One month behind with the rent.',
      riskLevel: 'moderate',
      status: 'met',
      confirmedBy: 'worker',
      identifiedOn: '2026-02-02',
      resolvedOn: '2026-02-27',
    }),
    need({
      id: 'need-use',
      domain: 'substance-use',
      description: 'Wants help to stay in recovery.',
      riskLevel: 'moderate',
      confirmedBy: 'clinician',
      identifiedOn: '2026-02-12',
      sensitivity: ['substance-use-part2'],
    }),
    goal(),
    goal({
      id: 'goal-walk',
      statement: 'I want to walk to work again.',
      domain: 'physical-health',
      priority: 'high',
      measure: { text: 'Steps counted by phone', unit: '{steps}/d' },
      targets: [
        { id: 't1', comparator: '>=', value: 5000, dueOn: '2026-03-31' },
        { id: 't2', low: 6000, high: 8000, dueOn: '2026-05-31' },
      ],
      dueOn: '2026-05-31',
      progress: [
        { id: 'p1', at: '2026-02-10T10:00:00-05:00', value: 3000, note: 'Knee hurts, told me in confidence.' },
        { id: 'p2', at: '2026-02-24T10:00:00-05:00', value: 4100, achievement: 'improving' },
      ],
    }),
    referral({
      status: 'in-progress',
      history: [{ id: 'h3', status: 'in-progress', at: '2026-02-09T10:00:00-05:00' }],
      firstContact: { at: '2026-02-06T09:00:00-05:00', outcome: 'reached' },
      followUps: [{ id: 'f1', dueAt: '2026-03-05T10:00:00-05:00' }],
      comments: [
        { id: 'c1', at: '2026-02-05T10:00:00-05:00', text: 'Ashamed to come in person.', visibility: 'internal' },
        { id: 'c2', at: '2026-02-05T11:00:00-05:00', text: 'Bag is packed on Thursdays.', visibility: 'shared' },
      ],
    }),
    referral({
      id: 'referral-rent',
      serviceId: 'service-rent',
      organizationId: 'org-housing',
      requestedText: 'One month of rent',
      domain: 'housing-instability',
      urgency: 'urgent',
      status: 'completed',
      history: [{ id: 'h3', status: 'completed', at: '2026-02-27T15:00:00-05:00' }],
      outcome: {
        code: 'service-received',
        at: '2026-02-27T14:00:00-05:00',
        text: 'Rent for February paid.',
        confirmedBy: 'partner',
      },
    }),
    referral({
      id: 'referral-nutrition',
      serviceId: undefined,
      organizationId: 'org-hospital',
      requestedService: 'dietitian',
      requestedText: 'Visit with a dietitian',
      urgency: 'urgent',
      neededBy: '2026-03-20',
      sentAt: '2026-02-26T10:00:00-05:00',
      history: [{ id: 'h2', status: 'sent', at: '2026-02-26T10:00:00-05:00' }],
    }),
    referral({
      id: 'referral-ride',
      serviceId: undefined,
      organizationId: 'org-housing',
      requestedService: 'transport',
      requestedText: 'Rides to work',
      domain: 'transportation',
      status: 'waitlisted',
      waitlist: { position: 4, expectedOn: '2026-03-16' },
      history: [{ id: 'h2', status: 'waitlisted', at: '2026-02-18T10:00:00-05:00', reason: 'All vans are full.' }],
    }),
    referral({
      id: 'referral-in',
      direction: 'incoming',
      serviceId: undefined,
      organizationId: 'org-riverside',
      requesterOrganizationId: 'org-hospital',
      requestedService: 'case-management',
      requestedText: undefined,
      status: 'accepted',
      sentAt: '2026-01-30T10:00:00-05:00',
      history: [{ id: 'h2', status: 'accepted', at: '2026-02-02T10:00:00-05:00' }],
    }),
    intervention({ schedule: { startsOn: '2026-02-06', times: 2, per: 'week' } }),
    intervention({
      id: 'intervention-coach',
      kind: 'coaching',
      description: undefined,
      status: 'planned',
      deliveries: [],
    }),
    appointment(),
    appointment({
      id: 'appointment-eyes',
      kind: 'medical',
      title: 'Eye clinic',
      status: 'confirmed',
      startsAt: '2026-03-05T13:30:00-05:00',
      with: { name: 'Dr. Priya Nair', organizationId: 'org-hospital' },
      place: { name: 'Larch Valley Eye Clinic', address: { lines: ['9 Mill Road'] } },
      transport: {
        needed: true,
        kind: 'nemt',
        status: 'scheduled',
        pickupAt: '2026-03-05T12:45:00-05:00',
        wheelchair: true,
      },
      interpreter: { language: 'es', booked: true },
    }),
    appointment({
      id: 'appointment-shelter',
      kind: 'partner',
      title: 'Intake at Haven',
      status: 'booked',
      startsAt: '2026-03-06T09:00:00-05:00',
      with: { name: 'Haven counselor', organizationId: 'org-shelter' },
      place: { name: 'Haven, Quarry Street' },
    }),
    appointment({
      id: 'appointment-snap',
      kind: 'benefits',
      title: undefined,
      status: 'no-show',
      startsAt: '2026-02-20T09:00:00-05:00',
    }),
    appointment({ id: 'appointment-old', kind: 'medical', status: 'kept', startsAt: '2026-02-11T09:00:00-05:00' }),
    assessment(),
    assessment({
      id: 'assessment-mood',
      instrument: 'phq-9',
      completedAt: '2026-02-12T10:00:00-05:00',
      items: phq9([1, 2, 1, 2, 1, 1, 1, 1, 1]),
      scores: [{ code: '44261-6', value: 11, min: 0, max: 27, interpretation: 'moderate' }],
    }),
    assessment({
      id: 'assessment-katz',
      instrument: 'katz-adl',
      completedAt: '2026-02-12T10:10:00-05:00',
      items: ['bathing', 'dressing', 'toileting', 'transferring', 'continence', 'feeding'].map((code) => ({
        code,
        answer: { bool: code !== 'bathing' },
      })),
      scores: [{ code: 'katz-adl', value: 6 }],
    }),
    assessment({ id: 'assessment-risk', instrument: 'c-ssrs-screen', status: 'declined', declineReason: 'Not today.' }),
    coverage({
      planName: 'Hudson Silver',
      authorizations: [
        {
          id: 'au1',
          number: 'PA-1187',
          service: 'Home health aide',
          status: 'approved',
          endsOn: '2026-04-30',
          unitsApproved: 40,
          unitsUsed: 12,
          unit: 'hour',
        },
        { id: 'au2', service: 'Rides', status: 'expired', unitsApproved: 6, unitsUsed: 8, unit: 'trip' },
        { id: 'au3', service: 'Physical therapy', status: 'draft' },
      ],
    }),
    plan({
      activatedAt: '2026-02-04T11:00:00-05:00',
      needIds: ['need-food', 'need-home', 'need-rent'],
      goalIds: ['goal-walk', 'goal-meals'],
      reviews: [{ id: 'rv1', at: '2026-02-27T16:00:00-05:00', kind: 'scheduled', outcome: 'revised' }],
      signatures: [
        { id: 's1', role: 'client', name: 'Rosa Delgado', signedAt: '2026-02-04T11:10:00-05:00', method: 'ink' },
        { id: 's2', role: 'worker', name: 'Ngozi Okafor', signedAt: '2026-02-04T11:12:00-05:00', method: 'ink' },
      ],
      preferences: ['Text before calling', 'Female staff where possible'],
      barriers: ['No car', 'Works evenings'],
    }),
    safetyPlan({ reason: 'domestic-violence' }),
    safetyPlan({ id: 'safety-old', status: 'superseded', effectiveOn: '2025-08-01' }),
  ],
});

const script = '<script>alert("x")</script> & co';

const priorities: readonly GoalRecord['priority'][] = ['low', 'high', 'medium'];

/** What sources send by mistake or malice: markup, control characters, half characters, other scripts, long words, 200 goals. */
export const awkward: DocumentInput = input({
  mrn: undefined,
  caseRecord: aCase({
    status: 'closed',
    closeReason: 'moved',
    closedOn: '2026-02-28',
    careTeam: [{ id: 'm1', name: script, role: 'line\u0007 with\u0000 controls' }],
  }),
  client: aClient({
    names: [
      {
        use: 'legal',
        given: ['Zoë', 'Nguyễn-Łukasz', '\u202eeman neddih\u202c', 'half \ud800'],
        family: 'x'.repeat(240),
      },
    ],
    birthDate: '1984-06',
    languages: [{ code: 'ar' }, { code: 'vi' }],
    preferredContact: { channel: 'phone', safeToContact: false },
  }),
  records: [
    need({ description: `${script}\r\n\tPrice: 5 € – “too much”, 日本語` }),
    need({ id: 'need-elder', domain: 'elder-abuse', description: 'شكوى', status: 'declined', riskLevel: 'moderate' }),
    ...Array.from({ length: 200 }, (_, index) =>
      goal({
        id: `goal-${index}`,
        statement: `Goal number ${index + 1}: ${'one step and '.repeat(index % 5)}rest.`,
        priority: priorities[index % 3],
      }),
    ),
    referral({ requestedText: 'Борщ & хлеб', status: 'failed', outcome: { code: 'no-show', text: script } }),
    plan({ title: '\u2028Plan\u2029 <b>', preferences: ['\u200bnothing\u200b hidden', 'ﷺ'] }),
  ],
});

const updates: { readonly [id: string]: JsonObject } = {
  'appointment-eyes': { startsAt: '2026-04-02T13:30:00-04:00', status: 'booked' },
  'intervention-snap': { status: 'completed' },
  'need-home': { riskLevel: 'crisis' },
  'need-food': { confirmedBy: 'clinician' },
  'goal-walk': {
    progress: [{ id: 'p3', at: '2026-03-20T10:00:00-04:00', value: 5200, achievement: 'achieved' }],
  },
  'referral-pantry': {
    status: 'completed',
    history: [{ id: 'h4', status: 'completed', at: '2026-03-19T12:00:00-04:00' }],
    outcome: { code: 'service-received', at: '2026-03-19T12:00:00-04:00', confirmedBy: 'client' },
  },
  'plan-rosa': {
    reviews: [
      { id: 'rv1', at: '2026-02-27T16:00:00-05:00', kind: 'scheduled', outcome: 'revised' },
      { id: 'rv2', at: '2026-03-20T16:00:00-04:00', kind: 'event', outcome: 'no-change' },
    ],
  },
};

/** The full case three weeks later. */
export const later: DocumentInput = {
  ...full,
  client: aClient({
    names: [
      { use: 'legal', given: ['Rosa', 'Maria'], family: 'Delgado' },
      { use: 'preferred', given: ['Rosie'] },
    ],
    languages: [{ code: 'en' }, { code: 'es', preferred: true, interpreter: true }],
    preferredContact: { channel: 'text', bestTime: 'after 4 pm', safeToContact: false },
  }),
  records: full.records
    .filter(({ record }) => record.id !== 'need-use')
    .map(({ type, record }): Shown => ({ type, record: { ...record, ...updates[String(record.id)] } }))
    .concat([
      need({
        id: 'need-phone',
        domain: 'digital-access',
        description: 'Phone was cut off.',
        riskLevel: 'low',
        identifiedOn: '2026-03-18',
      }),
      assessment({
        id: 'assessment-mood-2',
        instrument: 'phq-9',
        completedAt: '2026-03-19T10:00:00-04:00',
        items: phq9([1, 1, 1, 1, 0, 1, 0, 0, 0]),
      }),
    ]),
};

/** A golden document: its facts and the frame it is printed in. */
export interface Golden {
  readonly name: string;
  readonly facts: DocumentFacts;
  readonly frame: Frame;
}

export const goldens: readonly Golden[] = [
  { name: 'plain', facts: documentFacts(input()), frame: frame() },
  { name: 'full', facts: documentFacts(full), frame: frame() },
  { name: 'awkward', facts: documentFacts(awkward), frame: frame() },
  {
    name: 'changed',
    facts: documentFacts(later),
    frame: frame({
      asOf: '2026-03-23T13:30:00Z',
      edition: 2,
      replaces: { edition: 1, asOf: '2026-03-02T15:15:00Z' },
      before: documentFacts(full),
    }),
  },
];
