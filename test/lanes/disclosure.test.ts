// What is labelled goes nowhere without a consent that names the label, and nor does what would tell of it: a client's tie to a labelled shelter,
// clinic or program, anything about a labelled client, and anything within a labelled case.

import { describe, expect, test } from '@jest/globals';
import { type JsonObject, objectAt } from '../../src/json.ts';
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
} from '../builders.ts';
import { hospitalHas } from '../support/begun.ts';
import { caseload, caseTypes, directoryAndClient, type Item } from '../support/caseload.ts';
import { rosaOnFile } from '../support/patients.ts';
import { aConnection } from '../support/rig.ts';
import { useWorld } from '../support/world.ts';

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

  test('a consent tells of no recipient but the receiver, and one of others is not told', async () => {
    await world.connect(aConnection(world.server.base, { basis: 'consent', organization }));
    await world.send(
      ...caseload(),
      ['consent', aConsent({ recipients: [...others, { organizationId: 'org-pantry' }] })],
      ['consent', aConsent({ id: 'consent-other', recipients: others })],
      ['consent', aConsent({ id: 'consent-no', status: 'declined', recipients: others })],
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
