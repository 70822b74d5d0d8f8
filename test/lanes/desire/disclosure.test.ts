// What is labelled goes nowhere without a consent that names the label, and nor does what would tell of it: a client's tie to a labelled shelter,
// clinic or program, anything about a labelled client, and anything within a labelled case.

import { describe, expect, test } from '@jest/globals';
import { type JsonObject, objectAt } from '../../../src/json.ts';
import {
  aCase,
  aClient,
  aConsent,
  aGoal,
  aNeed,
  aNote,
  anAppointment,
  anIntervention,
  anOrganization,
  aReferral,
  aService,
  aWorker,
} from '../../builders.ts';
import { hospitalHas } from '../../support/begun.ts';
import { caseload, caseTypes, caseWithReferral, directoryAndClient, type Item } from '../../support/caseload.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld();
const later = '2026-02-20T10:00:00-05:00';
const label: ['domestic-violence'] = ['domestic-violence'];
const confidential = { lines: ['1 Secret Road'], confidential: true };

const shelter = (overrides: Parameters<typeof anOrganization>[0] = {}) =>
  anOrganization({ id: 'org-shelter', name: 'CANARY Safe Haven', address: confidential, ...overrides });

const bed = (overrides: Parameters<typeof aService>[0] = {}) =>
  aService({ id: 'service-bed', organizationId: 'org-shelter', name: 'CANARY survivor bed', ...overrides });

/** Rosa has been referred to the shelter, and more ties her to it. */
function tied(organization = shelter({ sensitivity: label }), service = bed({ sensitivity: label })): Item[] {
  return [
    ...directoryAndClient(),
    ['organization', organization],
    ['service', service],
    ['worker', aWorker({ id: 'worker-advocate', organizationId: 'org-shelter' })],
    [
      'case',
      aCase({
        careTeam: [
          { id: 'm1', name: 'CANARY advocate', role: 'advocate', organizationId: 'org-shelter' },
          { id: 'm2', name: 'Sam Brown', role: 'neighbor' },
        ],
      }),
    ],
    ['need', aNeed()],
    ['goal', aGoal()],
    ['consent', aConsent({ recipients: [{ organizationId: 'org-shelter' }] })],
    [
      'appointment',
      anAppointment({
        serviceId: 'service-bed',
        with: { organizationId: 'org-shelter', name: 'CANARY intake' },
        place: { name: 'CANARY Safe Haven', address: confidential },
      }),
    ],
    [
      'referral',
      aReferral({
        organizationId: 'org-shelter',
        serviceId: 'service-bed',
        requestedService: undefined,
        requestedText: undefined,
      }),
    ],
  ];
}

const aboutClients = ['EpisodeOfCare', 'CareTeam', 'ServiceRequest', 'Task', 'Appointment', 'Consent', 'CarePlan'];

async function held(...types: readonly string[]): Promise<JsonObject[]> {
  return (await Promise.all(types.map((type) => world.server.all(type)))).flat();
}

/** Resources about a client that name the shelter or its service, in words or by reference. */
async function ties(): Promise<JsonObject[]> {
  const entries = (await held('Organization', 'HealthcareService', 'PractitionerRole')).filter((entry) =>
    /CANARY|county\/\w+\/(?:org-shelter|service-bed|worker-advocate)#/.test(JSON.stringify(entry)),
  );
  const names = entries.map(({ resourceType, id }) => `"${resourceType}/${id}"`);
  return (await held(...aboutClients)).filter((resource) => {
    const text = JSON.stringify(resource);
    return text.includes('CANARY') || names.some((name) => text.includes(name));
  });
}

const agreed = (overrides: Parameters<typeof aConsent>[0] = {}) =>
  aConsent({
    id: 'consent-hospital',
    recipients: [{ name: 'general' }],
    recordTypes: ['referral', 'appointment', 'need', 'goal', 'note', 'intervention', 'carePlan'],
    sensitivity: label,
    ...overrides,
  });

describe('a tie to a labelled shelter', () => {
  test('is told by nothing without a consent that names its label, and the rest goes', async () => {
    await world.send(...tied());
    expect(await ties()).toEqual([]);
    expect(await held('ServiceRequest', 'Task', 'Appointment', 'Consent')).toEqual([]);
    expect((await held('CareTeam')).map(({ participant }) => participant)).toMatchObject([
      [{ id: 'as1' }, { member: { display: 'Sam Brown' } }],
    ]);
    expect(await world.link('referral/referral-pantry#fulfilment')).toMatchObject({
      state: 'withheld',
      reason: 'consent-missing',
    });
    expect(await world.lane('county.case.case-rosa')).toMatchObject({
      hasWork: false,
      waiting: false,
      parked: undefined,
    });
    expect(await held('EpisodeOfCare', 'Condition', 'Goal')).toHaveLength(3);
  });

  test('neither the shelter’s entry nor its service’s tells how to reach a confidential address, and no appointment where it is', async () => {
    await world.send(...tied(shelter(), bed()));
    const [entry] = (await held('Organization')).filter(({ name }) => name === 'CANARY Safe Haven');
    const [service] = (await held('HealthcareService')).filter(({ name }) => name === 'CANARY survivor bed');
    const [appointment] = await held('Appointment');
    expect([entry?.telecom, entry?.address, service?.telecom, appointment?.comment]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('goes with a consent that names the label, and bears it', async () => {
    await world.send(...tied(), ['consent', agreed()]);
    const told = await held('ServiceRequest', 'Task', 'Appointment');
    expect(told).toHaveLength(3);
    for (const { meta } of told) expect(meta).toMatchObject({ security: [{ code: 'R' }, { code: 'SDV' }] });
    // Of the consents the one that names the shelter bears it too; the other one covers the label, and bears none.
    const consents = await held('Consent');
    expect(consents).toHaveLength(2);
    expect(consents.filter((consent) => objectAt(consent, 'meta')?.security !== undefined)).toMatchObject([
      {
        meta: { security: [{ code: 'R' }, { code: 'SDV' }] },
        provision: { actor: [{ reference: { reference: expect.stringMatching(/^Organization\//) } }] },
      },
    ]);
    expect((await held('Condition')).map(({ meta }) => meta)).toMatchObject([{ source: expect.any(String) }]);
    expect((await held('Condition')).map(({ meta }) => Object.keys(meta ?? {}))).not.toContainEqual(
      expect.arrayContaining(['security']),
    );
  });

  test('goes without one to the shelter itself', async () => {
    await world.connect(aConnection(world.server.base, { organization: { source: 'county', id: 'org-shelter' } }));
    await world.send(...tied());
    expect(await held('ServiceRequest', 'Task', 'Appointment')).toHaveLength(3);
    const [entry] = (await held('Organization')).filter(({ name }) => name === 'CANARY Safe Haven');
    expect(entry?.meta).toMatchObject({ security: [{ code: 'R' }, { code: 'SDV' }] });
  });

  test('is taken back once the shelter is labelled, and told anew once the client agrees', async () => {
    await world.send(...tied(shelter(), bed()));
    expect(await ties()).not.toEqual([]);
    await world.send(['organization', shelter({ sensitivity: label, updatedAt: later })]);
    expect(await ties()).toEqual([]);
    expect((await held('ServiceRequest', 'Task', 'Consent')).map(({ status }) => status)).toEqual([
      'entered-in-error',
      'entered-in-error',
      'inactive',
    ]);
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ code: 'consent-withdrawn' }));
    const before = (await world.server.journal()).length;
    await world.workAgain();
    expect(await world.server.writes(before)).toEqual([]);
    await world.send(['consent', agreed()]);
    expect((await held('Task')).map(({ status }) => status)).toEqual(['entered-in-error', 'requested']);
  });
});

describe.each([
  ['case', 'substance-use-part2', '42CFRPart2'],
  ['client', 'mental-health', 'PSY'],
] as const)('a labelled %s', (type, label, code) => {
  const overrides = { sensitivity: [label], updatedAt: later };
  const labelled = type === 'case' ? aCase(overrides) : aClient(overrides);
  const all: Item[] = [
    ...caseload(),
    ['note', aNote()],
    ['intervention', anIntervention()],
    ['appointment', anAppointment()],
  ];
  const within = [...caseTypes, 'DocumentReference', 'Procedure', 'Appointment'];
  const asLabelled = all.map((item): Item => (item[0] === type ? [type, labelled] : item));
  const consent = agreed({ caseId: 'case-rosa', sensitivity: [label], part2: { redisclosureNotice: true } });

  test('keeps everything of it back', async () => {
    await world.send(...asLabelled);
    expect(await held(...within)).toEqual([]);
    expect(await held('Patient')).toHaveLength(type === 'client' ? 0 : 1);
  });

  test('goes with a consent that names the label, and all of it bears it', async () => {
    await world.send(...asLabelled, ['consent', consent]);
    const told = await held(...within, 'Consent');
    expect(new Set(told.map(({ resourceType }) => resourceType)).size).toBe(within.length + 1);
    for (const { meta } of told) expect(meta).toMatchObject({ security: [{ code: 'R' }, { code }] });
  });

  test.each(['was made there by us', 'was found there'])(
    'that is labelled later is taken back, where the patient %s',
    async (how) => {
      if (how === 'was found there') await hospitalHas(world, rosaOnFile);
      await world.send(...all);
      await world.send([type, labelled]);
      const told = await held(...within);
      const marks = told.map(({ status, lifecycleStatus, verificationStatus }) =>
        JSON.stringify(status ?? lifecycleStatus ?? verificationStatus),
      );
      expect(marks.filter((mark) => !/entered-in-error|cancelled/.test(mark))).toEqual([]);
      const before = (await world.server.journal()).length;
      await world.send(
        ['need', aNeed({ description: 'CANARY', updatedAt: later })],
        ['goal', aGoal({ id: 'goal-2', statement: 'CANARY', updatedAt: later })],
        ['note', aNote({ id: 'note-2', text: 'CANARY', updatedAt: later })],
      );
      expect(await world.server.writes(before)).toEqual([]);
      expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ code: 'consent-withdrawn' }));
    },
  );
});

describe('on a connection that needs a consent for everything', () => {
  const organization = { source: 'county', id: 'org-pantry' };
  const others = [{ name: 'CANARY Prism Clinic' }, { organizationId: 'org-riverside' }];
  const earlier = '2026-02-01T10:00:00-05:00';

  test('a consent tells of no recipient but the receiver, and one of others is not told', async () => {
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    await world.send(
      ...caseload(),
      ['consent', aConsent({ recipients: [...others, { organizationId: 'org-pantry' }] })],
      ['consent', aConsent({ id: 'consent-other', recipients: others })],
      ['consent', aConsent({ id: 'consent-no', status: 'declined', recipients: others, signedAt: earlier })],
    );
    const told = await held('Consent');
    expect(told.map(({ provision }) => provision)).toMatchObject([
      { actor: [{ reference: { reference: expect.stringMatching(/^Organization\//) } }] },
    ]);
    expect(JSON.stringify(told)).not.toContain('CANARY');
    expect(await world.link('consent/consent-other#consent')).toMatchObject({
      state: 'withheld',
      reason: 'consent-of-others',
    });
  });

  test('a change there takes nobody out of the record of whom it was not told', async () => {
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    const consent = aConsent({ recipients: [...others, { organizationId: 'org-pantry' }] });
    await world.send(...caseload(), ['consent', consent]);
    const [there] = await held('Consent');
    const { actor: _actor, ...provision } = objectAt(there, 'provision') ?? {};
    expect((await world.server.fhir('PUT', `Consent/${there?.id}`, { ...there, provision })).status).toBe(200);
    await world.workAgain();
    expect(JSON.stringify(await world.changes())).not.toContain('recipients');
  });
});

describe('a refusal under another id of the same person', () => {
  const organization = { source: 'county', id: 'org-riverside' };
  const duplicate = (mergedInto: string | undefined, overrides: Parameters<typeof aClient>[0] = {}): Item => [
    'client',
    aClient({ id: 'client-dup', identifiers: [], ...(mergedInto !== undefined && { mergedInto }), ...overrides }),
  ];
  const refusal = (clientId: string, overrides: Parameters<typeof aConsent>[0] = {}): Item => [
    'consent',
    aConsent({
      id: `consent-no-${clientId}`,
      clientId,
      status: 'declined',
      recipients: [{ organizationId: 'org-riverside' }],
      recordTypes: ['need', 'goal'],
      signedAt: later,
      ...overrides,
    }),
  ];
  const inForce = async () =>
    [
      ...(await held('Condition')).filter(
        ({ verificationStatus }) => !JSON.stringify(verificationStatus).includes('entered-in-error'),
      ),
      ...(await held('Goal')).filter(({ lifecycleStatus }) => lifecycleStatus !== 'entered-in-error'),
    ].map(({ resourceType }) => resourceType);

  test.each<[string, Item[]]>([
    ['a duplicate of the client', [duplicate('client-rosa'), refusal('client-dup')]],
    [
      'a duplicate of a duplicate',
      [
        duplicate('client-mid'),
        ['client', aClient({ id: 'client-mid', identifiers: [], mergedInto: 'client-rosa' })],
        refusal('client-dup'),
      ],
    ],
    [
      'whom the client is a duplicate of, and that one in turn of the client',
      [
        duplicate('client-rosa'),
        ['client', aClient({ mergedInto: 'client-dup', updatedAt: later })],
        refusal('client-dup'),
      ],
    ],
    [
      'a duplicate that its source has deleted since',
      [
        duplicate('client-rosa'),
        refusal('client-dup'),
        ['client', { id: 'client-dup', deleted: true, updatedAt: later }],
      ],
    ],
  ])('is heard: of %s', async (_of, items) => {
    await world.connect(aConnection(world.server.base, { organization }));
    await world.send(...directoryAndClient(), ...items, ...caseWithReferral());
    expect(await inForce()).toEqual([]);
    expect(await world.link('need/need-food#condition')).toMatchObject({
      state: 'withheld',
      reason: 'consent-refused',
    });
  });

  test('takes back what has gone when it comes, or when it turns out that they are one, and lets it go when they are not', async () => {
    await world.connect(aConnection(world.server.base, { organization }));
    await world.send(...directoryAndClient(), duplicate(undefined), refusal('client-dup'), ...caseWithReferral());
    expect(await inForce()).toEqual(['Condition', 'Goal']);
    await world.send(duplicate('client-rosa', { updatedAt: later }));
    expect(await inForce()).toEqual([]);
    await world.send(duplicate(undefined, { updatedAt: '2026-02-21T10:00:00-05:00' }));
    expect(await inForce()).toEqual(['Condition', 'Goal']);
    await world.send(duplicate('client-rosa', { updatedAt: '2026-02-22T10:00:00-05:00' }));
    await world.send(
      refusal('client-dup', { status: 'revoked', revokedAt: later, updatedAt: '2026-02-22T10:00:00-05:00' }),
    );
    expect(await inForce()).toEqual(['Condition', 'Goal']);
    await world.send(refusal('client-dup', { updatedAt: '2026-02-23T10:00:00-05:00' }));
    expect(await inForce()).toEqual([]);
  });

  test('is heard for what still bears the id of the duplicate, when it is of the one who is left', async () => {
    await world.connect(aConnection(world.server.base, { organization }));
    await world.send(
      ...directoryAndClient(),
      duplicate('client-rosa'),
      ['case', aCase({ id: 'case-dup', clientId: 'client-dup' })],
      ['need', aNeed({ id: 'need-dup', clientId: 'client-dup', caseId: 'case-dup' })],
      refusal('client-rosa'),
    );
    expect(await world.link('need/need-dup#condition')).toMatchObject({ state: 'withheld', reason: 'consent-refused' });
  });

  test('permits nothing, and is of no other client', async () => {
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    const yes = refusal('client-dup', { status: 'active' });
    await world.send(...directoryAndClient(), duplicate('client-rosa'), yes, ...caseWithReferral());
    expect(await inForce()).toEqual([]);
    await world.send(refusal('client-other'), [
      'consent',
      aConsent({ recipients: [{ organizationId: 'org-riverside' }], recordTypes: ['need', 'goal'] }),
    ]);
    expect(await inForce()).toEqual(['Condition', 'Goal']);
  });
});

describe('a refusal of a hospital by its record', () => {
  const refused: Item = [
    'consent',
    aConsent({ status: 'declined', recipients: [{ organizationId: 'org-riverside' }], recordTypes: ['need'] }),
  ];
  const condition = 'need/need-food#condition';

  test('is heard where the connection does not say which record it is, or says so of another source', async () => {
    await world.send(...directoryAndClient(), refused, ...caseWithReferral());
    expect(await world.link(condition)).toMatchObject({ state: 'withheld', reason: 'consent-refused' });
    expect((await world.report()).withoutOrganization).toEqual(['county']);
    const organization = { source: 'city', id: 'org-7' };
    await world.connect(aConnection(world.server.base, { organization, sources: ['city', 'county'] }));
    await world.workAgain();
    expect(await world.link(condition)).toMatchObject({ state: 'withheld', reason: 'consent-refused' });
    expect((await world.report()).withoutOrganization).toEqual(['county']);
    const organizationElsewhere = [{ source: 'county', id: 'org-pantry' }];
    await world.connect(
      aConnection(world.server.base, { organization, organizationElsewhere, sources: ['city', 'county'] }),
    );
    await world.workAgain();
    expect(await held('Condition')).toHaveLength(1);
    const report = await world.report();
    expect([report.withoutOrganization, report.findings.map(({ text }) => text)]).toEqual([
      [],
      [expect.stringContaining('No record organization/org-7 of city')],
    ]);
  });

  test.each<[string, Parameters<typeof aConnection>[1]]>([
    ['another connection', { otherOrganizations: [{ source: 'county', id: 'org-riverside' }] }],
    ['another record than its own', { organization: { source: 'county', id: 'org-pantry' } }],
  ])('is none of this one, where it is that of %s', async (_of, config) => {
    await world.connect(aConnection(world.server.base, config));
    await world.send(...directoryAndClient(), refused, ...caseWithReferral());
    expect(await held('Condition')).toHaveLength(1);
    expect((await world.report()).withoutOrganization).toEqual(config?.organization === undefined ? ['county'] : []);
  });

  test('is heard by what the hospital is a part of, or by its name, for as long as that is so', async () => {
    const hospital = (updatedAt: string, overrides: Parameters<typeof anOrganization>[0] = {}): Item => [
      'organization',
      anOrganization({ id: 'org-riverside', name: 'Riverside Family Services', updatedAt, ...overrides }),
    ];
    const refusalOf = (updatedAt: string, recipient: { organizationId: string } | { name: string }): Item => [
      'consent',
      aConsent({ status: 'declined', recipients: [recipient], recordTypes: ['need'], updatedAt }),
    ];
    const organization = { source: 'county', id: 'org-riverside' };
    await world.connect(aConnection(world.server.base, { organization }));
    await world.send(
      ...directoryAndClient(),
      refusalOf(later, { organizationId: 'org-county' }),
      ...caseWithReferral(),
    );
    expect(await held('Condition')).toHaveLength(1);
    await world.send(hospital('2026-02-21T10:00:00-05:00', { parentId: 'org-county' }));
    expect(await world.link(condition)).toMatchObject({ state: 'withheld', reason: 'consent-refused' });
    await world.send(hospital('2026-02-22T10:00:00-05:00', { parentId: 'org-pantry' }));
    expect((await world.link(condition))?.state).toBe('current');
    await world.send(refusalOf('2026-02-23T10:00:00-05:00', { name: 'riverside  FAMILY services' }));
    expect(await world.link(condition)).toMatchObject({ state: 'withheld', reason: 'consent-refused' });
  });

  test('is not taken for one of the record with that id in another source', async () => {
    await world.connect(
      aConnection(world.server.base, { otherOrganizations: [{ source: 'city', id: 'org-riverside' }] }),
    );
    await world.send(...directoryAndClient(), refused, ...caseWithReferral());
    expect(await held('Condition')).toEqual([]);
  });
});

test('what is labelled waits for the time of the signature, and goes when it is told', async () => {
  const consent = { id: 'consent-hiv', recipients: [{ name: 'general' }], sensitivity: ['hiv' as const] };
  await world.send(
    ...directoryAndClient(),
    ['case', aCase()],
    ['need', aNeed({ sensitivity: ['hiv'] })],
    ['consent', aConsent({ ...consent, signedAt: undefined })],
  );
  expect(await held('Condition')).toEqual([]);
  expect(await world.link('need/need-food#condition')).toMatchObject({ state: 'withheld', reason: 'consent-unsigned' });
  await world.send(['consent', aConsent({ ...consent, signedAt: later, updatedAt: later })]);
  expect(await held('Condition')).toHaveLength(1);
});
