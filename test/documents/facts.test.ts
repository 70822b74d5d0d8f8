// What a document says of a case, and what it never says.

import { describe, expect, test } from '@jest/globals';
import { type DocumentInput, documentFacts, renderText } from '../../src/documents/documents.ts';
import { aCase, aClient, anOrganization, aWorker } from '../builders.ts';
import { assessment, find, frame, full, goal, input, need, phq9, plan, referral, safetyPlan } from './cases.ts';

const text = (overrides: Partial<DocumentInput> = {}, framed = frame()) =>
  renderText(documentFacts(input(overrides)), framed).text;
// One line of words, so that a test does not depend on where lines end.
const words = (overrides: Partial<DocumentInput> = {}, framed = frame()) =>
  text(overrides, framed).replace(/\s+/g, ' ');

describe('at the top stands', () => {
  test("who it is about, with this hospital's number", () => {
    expect(text()).toContain(
      'Client:      Rosa Maria Delgado\nBorn:        Jun 17, 1984, female\nYour MRN:    MRN-20417\n',
    );
  });

  test.each([
    ['1984', '1984 (month and day not known)'],
    ['1984-06', 'Jun 1984 (day not known)'],
    ['1984-06-17', 'Jun 17, 1984'],
  ])('a birth date %s as %s', (birthDate, printed) => {
    expect(text({ client: aClient({ birthDate }) })).toContain(`Born:        ${printed}, female\n`);
  });

  test('that a birth date is doubtful, a number is not known, a client has died', () => {
    const client = aClient({ birthDateQuality: 'partial', deceasedOn: '2026-02-20' });
    expect(text({ client, mrn: undefined })).toContain(
      'Born:        Jun 17, 1984 (not certain), female\nDIED:        Feb 20, 2026\nYour MRN:    not known to us\n',
    );
  });

  test('the as-of time in the given zone, the version, and what it replaces', () => {
    const replaces = { edition: 1, asOf: '2026-02-20T22:05:00Z' };
    expect(words({}, frame({ timeZone: 'America/Denver', edition: 2, replaces }))).toContain(
      'As of: Mar 2, 2026, 8:15 AM MST, version 2, replaces the document of Feb 20, 2026, 3:05 PM MST, version 1',
    );
  });

  test('the next review, from the last one or the start of the plan, and that it is overdue', () => {
    const reviewed = plan({ reviewEveryDays: 14, reviews: [{ id: 'r1', at: '2026-02-10T12:00:00-05:00' }] });
    expect(text()).toContain('Next review: Mar 6, 2026\n');
    expect(text({ records: [reviewed] })).toContain('Next review: Feb 24, 2026, OVERDUE\n');
    expect(text({ records: [plan({ status: 'completed' })] })).toContain('Next review: none: no plan in force\n');
    expect(text({ records: [] })).toContain('Plan:        no plan yet\n');
  });

  test('an interpreter and referrals to this hospital as what it is asked for', () => {
    const client = aClient({ languages: [{ code: 'vi', interpreter: true }] });
    const toHospital = referral({
      serviceId: undefined,
      organizationId: 'org-hospital',
      urgency: 'emergency',
      neededBy: '2026-03-04',
    });
    const asked = words({ client, receiver: 'org-hospital', records: [toHospital] });
    expect(asked).toContain('Please use an interpreter (Vietnamese).');
    expect(asked).toContain(
      'Please answer our EMERGENCY referral: Weekly groceries for a household of three, needed by Mar 4, 2026',
    );
    expect(words({ receiver: 'org-hospital' })).toContain('WE ASK YOU: No special request.');
    const done = referral({
      organizationId: 'org-hospital',
      status: 'completed',
      outcome: { code: 'service-received' },
    });
    expect(words({ receiver: 'org-hospital', records: [done] })).toContain('WE ASK YOU: No special request.');
  });
});

describe('safety', () => {
  test('is none reported where nothing is', () => {
    expect(text()).toContain('SAFETY:      none reported\n');
  });

  test.each<[string, Partial<DocumentInput>, string]>([
    [
      'a client whom it is not safe to contact',
      { client: aClient({ preferredContact: { safeToContact: false } }) },
      'It is not safe to call or write to the client.',
    ],
    ['a case at high risk', { caseRecord: aCase({ riskLevel: 'high' }) }, 'Overall: HIGH RISK'],
    [
      'a need about violence',
      { records: [need({ domain: 'intimate-partner-violence' })] },
      'Intimate partner violence, moderate risk: Runs out',
    ],
    [
      'one whose help the client declined',
      { records: [need({ domain: 'elder-abuse', status: 'declined' })] },
      'Elder abuse, moderate risk (client declined help)',
    ],
    [
      'a safety plan in force, and no more of it',
      { records: [safetyPlan()] },
      'A safety plan (suicide) is in force since Feb 13, 2026; see the document of its own.',
    ],
    [
      'one without date and reason',
      { records: [safetyPlan({ reason: undefined, effectiveOn: undefined })] },
      'A safety plan is in force; see the document of its own.',
    ],
    ['any need in crisis', { records: [need({ riskLevel: 'crisis' })] }, 'Food, CRISIS: Runs out'],
  ])('names %s', (_, overrides, said) => {
    expect(words(overrides)).toContain(`SAFETY: ${said}`);
  });

  test.each<[string, Partial<DocumentInput>]>([
    ['a need that was met', { records: [need({ domain: 'safety-at-home', status: 'met' })] }],
    ['a safety plan that was replaced', { records: [safetyPlan({ status: 'superseded' })] }],
    ['a safety plan that ended', { records: [safetyPlan({ status: 'ended' })] }],
    ['a crisis that is over', { records: [need({ riskLevel: 'crisis', status: 'met' })] }],
    [
      'the risk of a closed case',
      { caseRecord: aCase({ status: 'closed', closeReason: 'moved', riskLevel: 'crisis' }) },
    ],
  ])('does not name %s', (_, overrides) => {
    expect(words(overrides)).toContain('SAFETY: none reported');
  });
});

describe('a referral says', () => {
  test.each<[string, Parameters<typeof referral>[0], string]>([
    [
      'that it waits for an answer',
      {},
      'Elm Street Pantry, Weekly groceries: sent, no answer yet Asked for: Weekly groceries for a household of three. Sent Feb 4, 2026. Next: partner answers.',
    ],
    [
      'why it was declined',
      { status: 'declined', declineReason: 'no-capacity', declineText: 'Full until May.' },
      'declined by the partner (no capacity) Asked for: Weekly groceries for a household of three. Sent Feb 4, 2026. Reason: Full until May.',
    ],
    [
      'how long it waits',
      { status: 'waitlisted', waitlist: { expectedOn: '2026-04-01' } },
      'on a waiting list Asked for: Weekly groceries for a household of three. Sent Feb 4, 2026. Next: partner offers a place, place expected Apr 1, 2026.',
    ],
    [
      'what came of it',
      { status: 'failed', outcome: { code: 'no-show', at: '2026-02-10T12:00:00-05:00' } },
      'ended without the service Asked for: Weekly groceries for a household of three. Sent Feb 4, 2026. Outcome: client did not come on Feb 10, 2026.',
    ],
    [
      'that we want it back',
      { status: 'accepted', cancelRequest: { at: '2026-02-10T12:00:00-05:00' } },
      'Weekly groceries: accepted, we asked to cancel it',
    ],
    [
      'who asked us',
      { direction: 'incoming', requesterOrganizationId: 'org-hospital', status: 'received' },
      'From Larch Valley Hospital to us, Weekly groceries: received, no answer yet',
    ],
    [
      'when it came, and not when it was sent',
      { direction: 'incoming', status: 'received', receivedAt: '2026-02-09T09:00:00-05:00' },
      'Received Feb 9, 2026.',
    ],
  ])('%s', (_, overrides, said) => {
    expect(words({ records: [referral(overrides)] })).toContain(said);
  });

  test('its last contact, the newest of all', () => {
    const contacted = referral({
      firstContact: { at: '2026-02-05T12:00:00-05:00', outcome: 'reached' },
      followUps: [
        { id: 'f1', doneAt: '2026-02-12T12:00:00-05:00', outcome: 'no-answer' },
        { id: 'f2', dueAt: '2026-03-12T12:00:00-05:00' },
      ],
    });
    expect(words({ records: [contacted] })).toContain(
      'Last contact Feb 12, 2026: no answer. Next: partner answers, follow-up due Mar 12, 2026.',
    );
  });

  test('nothing as long as it is a draft', () => {
    expect(text({ records: [referral({ status: 'draft', sentAt: undefined })] })).toContain(
      'REFERRALS\n  None listed.',
    );
  });
});

describe('a goal says', () => {
  test('its target, due date and latest value, corrections taken', () => {
    const walking = goal({
      statement: 'I want to walk.',
      measure: { text: 'Counted by phone', unit: '{steps}/d' },
      targets: [{ id: 't1', comparator: '>=', value: 5000, dueOn: '2026-04-30' }],
      progress: [
        { id: 'p1', at: '2026-02-10T12:00:00-05:00', value: 3000 },
        { id: 'p2', at: '2026-02-11T12:00:00-05:00', value: 9000 },
        { id: 'p3', at: '2026-02-10T13:00:00-05:00', value: 900, replaces: 'p2' },
      ],
    });
    expect(words({ records: [walking] })).toContain(
      'I want to walk - active Target: at least 5000 steps a day by Apr 30, 2026 (Counted by phone). Due May 31, 2026. Latest: 900 steps a day on Feb 10, 2026.',
    );
  });
});

describe('never shown are', () => {
  test('comments, internal or shared, notes on progress, household, phone and address of the client', () => {
    const shown = renderText(documentFacts(full), frame()).text;
    for (const hidden of ['Ashamed', 'packed', 'Knee hurts', 'Mateo', '555-0177', 'Larch Avenue']) {
      expect(shown).not.toContain(hidden);
    }
  });

  test('records of another case, withdrawn records and those entered in error', () => {
    const strangers = [
      need({ caseId: 'case-other', description: 'Another client' }),
      need({ id: 'n2', deleted: true, description: 'Withdrawn' }),
      need({ id: 'n3', status: 'entered-in-error', description: 'Mistaken' }),
    ];
    expect(text({ records: strangers })).toContain('NEEDS\n  None listed.');
  });

  test('the name of a shelter, unless the record that points to it carries its label', () => {
    const toShelter = {
      serviceId: undefined,
      organizationId: 'org-shelter',
      requestedService: 'shelter',
      requestedText: undefined,
    };
    expect(words({ records: [referral(toShelter)] })).toContain('- Community partner, Shelter: sent');
    const labelled = referral({ ...toShelter, sensitivity: ['domestic-violence'], consentId: 'consent-rosa' });
    expect(words({ records: [labelled] })).toContain('- Haven Shelter for Survivors, Shelter: sent');
    const team = [{ id: 'm1', organizationId: 'org-shelter', name: 'Haven counselor', phone: '(518) 555-0191' }];
    expect(text({ caseRecord: aCase({ careTeam: team }) })).not.toMatch(/Haven|0191/);
  });

  test.each<[string, Partial<Parameters<typeof aCase>[0]>]>([
    ['the case worker', { assignments: [{ id: 'a1', workerId: 'worker-advocate', role: 'primary' }] }],
    [
      'a member of the care team whose text is their own',
      { careTeam: [{ id: 'm1', workerId: 'worker-advocate', name: 'Dana Reyes', phone: '(518) 555-0177' }] },
    ],
  ])('the name and number of a labelled worker, unless the case carries the label: %s', (_, overrides) => {
    const advocate = aWorker({
      id: 'worker-advocate',
      name: { given: 'Dana', family: 'Reyes' },
      phone: '(518) 555-0177',
      sensitivity: ['domestic-violence'],
    });
    const known: DocumentInput['find'] = (type, id) => (id === advocate.id ? advocate : find(type, id));
    expect(text({ caseRecord: aCase(overrides), find: known })).not.toMatch(/Reyes|0177/);
    const labelled = aCase({ ...overrides, sensitivity: ['domestic-violence'] });
    expect(text({ caseRecord: labelled, find: known })).toMatch(/Dana Reyes.*\(518\) 555-0177/);
  });

  test('the phone of an organization whose address is confidential', () => {
    const hidden = anOrganization({ address: { confidential: true } });
    const team = [{ id: 'm1', organizationId: 'org-pantry' }];
    const known: DocumentInput['find'] = (type, id) => (id === 'org-pantry' ? hidden : find(type, id));
    expect(text({ caseRecord: aCase({ careTeam: team }), find: known })).toContain(
      '- Elm Street Pantry, no phone known',
    );
  });

  test('how to reach a client whom it is not safe to contact', () => {
    const contact = { channel: 'phone', bestTime: 'mornings' } as const;
    expect(text({ client: aClient({ preferredContact: contact }) })).toContain('- Best contact: phone, mornings');
    expect(text({ client: aClient({ preferredContact: { ...contact, safeToContact: false } }) })).not.toContain(
      'mornings',
    );
  });
});

describe('the foot', () => {
  test('always says that some information may need separate consent', () => {
    expect(text()).toContain('This document may be incomplete: some information needs separate consent.');
  });

  test.each<[string, Partial<DocumentInput>]>([
    ['need', { records: [need({ sensitivity: ['substance-use-part2'] })] }],
    ['case', { caseRecord: aCase({ sensitivity: ['substance-use-part2'] }) }],
  ])('carries the notice of 42 CFR 2.32 where a %s is labelled, else not', (_, overrides) => {
    const notice = '42 CFR part 2 prohibits unauthorized use or disclosure of these records.';
    expect(text(overrides)).toContain(notice);
    expect(text({ records: [need({ sensitivity: ['mental-health'] })] })).not.toContain(notice);
  });
});

test('facts do not depend on when records were saved', () => {
  const resaved = input().records.map(({ type, record }) => ({
    type,
    record: { ...record, updatedAt: '2026-03-01T00:00:00Z' },
  }));
  expect(documentFacts(input({ records: resaved }))).toEqual(documentFacts(input()));
});

describe('assessments', () => {
  const mood = (overrides = {}) => assessment({ id: 'a1', instrument: 'phq-9', ...overrides });
  const positive = { items: phq9([0, 0, 0, 0, 0, 0, 0, 0, 2]), completedAt: '2026-02-10T10:00:00-05:00' };
  const negative = { id: 'a2', items: phq9([1]), completedAt: '2026-02-20T10:00:00-05:00' };
  const told = (...records: DocumentInput['records']) => documentFacts(input({ records }));

  test('a later one by the same instrument takes the place of an alert', () => {
    expect(told(mood(positive)).safety).toMatchObject([{ key: 'assessment/a1', kind: 'assessment' }]);
    expect(told(mood(positive), mood(negative))).not.toHaveProperty('safety');
    expect(told(mood(positive), mood(negative)).assessments).toMatchObject([{ id: 'a2' }]);
  });

  test('one that was declined later takes nothing from what was answered before', () => {
    const declined = { id: 'a3', status: 'declined', startedAt: '2026-02-25T10:00:00-05:00', completedAt: undefined };
    expect(told(mood(positive), mood(declined))).toMatchObject({
      safety: [{ key: 'assessment/a1' }],
      assessments: [
        { id: 'a3', status: 'declined' },
        { id: 'a1', status: 'completed' },
      ],
    });
  });

  test("the source's score stands, with ours beside it where they differ", () => {
    const scores = [{ code: '44261-6', value: 5 }];
    expect(told(mood({ ...negative, scores })).assessments).toMatchObject([
      { scores: [{ code: '44261-6', value: 5, max: 27, counted: 1 }] },
    ]);
  });
});
