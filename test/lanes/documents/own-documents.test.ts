// Notes, safety plans and shared incidents: a document of their own at a hospital that takes no resources of ours, a DocumentReference by the mapping on
// a server that does. What stays in the agency is nowhere on any server. What a server holds is read from its own store.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../../src/json.ts';
import {
  aCase,
  aClient,
  aConsent,
  aHospitalStay,
  aNeed,
  aNote,
  anImprovementIdea,
  anIncident,
  aSafetyPlan,
  aWorker,
} from '../../builders.ts';
import { caseload, directoryAndClient, type Item } from '../../support/caseload.ts';
import { anEncounter, documentsOf } from '../../support/documents.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const documents = { quietMs: 4 * 3_600_000, atMostEveryMs: 24 * 3_600_000, encounter: 'latest-open' } as const;
const hospital = { createPatients: false, documents, organization: { source: 'county', id: 'org-pantry' } } as const;
const later = '2026-03-01T09:00:00-05:00';

/** Words of what stays in the agency. */
const kept: readonly Item[] = [
  ['note', aNote({ id: 'note-draft', status: 'draft', signedAt: undefined, text: 'CANARY-DRAFT' })],
  ['note', aNote({ id: 'note-boss', kind: 'supervision', text: 'CANARY-SUPERVISION' })],
  ['note', aNote({ id: 'note-wrong', status: 'entered-in-error', text: 'CANARY-WRONG' })],
  ['incident', anIncident({ description: 'CANARY-INCIDENT' })],
  ['incident', anIncident({ id: 'incident-no', shareWithChart: false, description: 'CANARY-NOT-SHARED' })],
  ['improvementIdea', anImprovementIdea({ title: 'CANARY-IDEA' })],
  ['improvementIdea', anImprovementIdea({ id: 'idea-case', caseId: 'case-rosa', title: 'CANARY-IDEA-OF-CASE' })],
  ['hospitalStay', aHospitalStay({ cause: 'CANARY-STAY' })],
];

const shared = anIncident({
  id: 'incident-shared',
  shareWithChart: true,
  place: 'CANARY-PLACE',
  people: [
    { role: 'client', id: 'client-rosa', injured: true },
    { role: 'witness', initials: 'CANARY-WITNESS' },
  ],
  reportedTo: [{ agency: 'CANARY-AGENCY' }],
  actions: [{ id: 'a1', text: 'CANARY-ACTION' }],
});

const naming = (overrides: Parameters<typeof aConsent>[0] = {}): Item => [
  'consent',
  aConsent({ recordTypes: ['safetyPlan'], period: { from: '2026-02-02' }, ...overrides }),
];

const addendum = {
  id: 'ad1',
  kind: 'addendum' as const,
  text: 'The card came by mail.',
  authorId: 'worker-okafor',
  signedAt: later,
};

/** Another patient, and a case of the same client. */
const lee: JsonObject = {
  ...rosaOnFile,
  id: 'lee',
  identifier: [{ system: 'urn:oid:1.2.3', value: 'MRN-3' }],
  name: [{ use: 'official', family: 'Okonkwo', given: ['Lee'] }],
  birthDate: '1970-05-05',
};
const leesCase: readonly Item[] = [
  [
    'client',
    aClient({
      id: 'client-lee',
      names: [{ use: 'legal', given: ['Lee'], family: 'Okonkwo' }],
      birthDate: '1970-05-05',
      identifiers: [{ kind: 'mrn', value: 'MRN-3', system: 'urn:oid:1.2.3' }],
    }),
  ],
  ['case', aCase({ id: 'case-lee', clientId: 'client-lee' })],
];

describe.each([
  ['epic', { task: 'answer' }],
  ['oracle', { task: 'off' }],
] as const)('at an %s hospital', (vendor, { task }) => {
  const world = useWorld({ vendor, task, ...hospital });
  const { filed, timePasses, writes } = documentsOf(world);
  const open = (...items: readonly Item[]) => world.accept(...directoryAndClient(), ['case', aCase()], ...items);
  const stored = (id: string | undefined) =>
    world.server.all('DocumentReference').then((all) => all.find((one) => one.id === id));

  const seedLee = () => world.server.seed(lee, anEncounter('visit-lee', 'in-progress', '2026-02-01T09:00:00Z', 'lee'));
  /** The newest that stands in the chart of a patient. */
  const lastIn = async (patient: string) => {
    const all = await world.server.all('DocumentReference');
    const ids = all.filter(({ subject }) => Object(subject).reference === `Patient/${patient}`).map(({ id }) => id);
    return (await filed()).findLast(({ id }) => ids.includes(id))?.text ?? '';
  };

  beforeEach(() => world.server.seed(rosaOnFile, anEncounter('visit', 'in-progress', '2026-02-01T09:00:00Z')));

  test('a signed note is one document at once: who, by whom, and its text', async () => {
    await open(['note', aNote()]);
    await world.work();
    expect(await writes()).toEqual(['POST DocumentReference 201']);
    const [note] = await filed();
    for (const text of [
      'Delgado',
      'MRN-20417',
      'Ngozi Okafor',
      'Riverside Family Services',
      'Rosa has the pantry card',
    ])
      expect(note?.text).toContain(text);
    expect(await stored(note?.id)).toMatchObject({
      status: 'current',
      docStatus: 'final',
      subject: { reference: 'Patient/rosa' },
      type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] },
      context: { encounter: [{ reference: 'Encounter/visit' }] },
    });
    expect(await world.link('note/note-visit#note')).toMatchObject({ state: 'current', remoteId: note?.id });
  });

  test('a second pass writes nothing, nor does a new phone of the author', async () => {
    await open(['note', aNote()]);
    await world.work();
    await world.workAgain();
    await world.send(['worker', aWorker({ updatedAt: later, phone: '(518) 555-0199' })]);
    expect(await writes()).toEqual(['POST DocumentReference 201']);
  });

  test('an addendum is another document, and the note stays as it is', async () => {
    await open(['note', aNote()]);
    await world.work();
    await world.send(['note', aNote({ updatedAt: later, status: 'amended', addenda: [addendum] })]);
    expect(await writes()).toEqual(['POST DocumentReference 201', 'POST DocumentReference 201']);
    const added = (await filed()).find(({ text }) => text.includes('The card came by mail.'));
    const note = (await filed()).find(({ text }) => text.includes('pantry card now'));
    expect(added).toMatchObject({ edition: 1, status: 'current' });
    expect(added?.text).toContain('Addendum to a case note');
    // Oracle Health takes no relation between documents: the text names the note.
    const relation = [{ code: 'appends', target: { reference: `DocumentReference/${note?.id}` } }];
    expect((await stored(added?.id))?.relatesTo).toEqual(vendor === 'epic' ? relation : undefined);
  });

  test.each(['after-commit', 'before-commit'])('a note whose reply is lost %s is there once', async (drop) => {
    await world.server.strikeOnce('POST', 'DocumentReference', { drop });
    await open(['note', aNote()]);
    await world.work();
    await world.workAgain();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
    expect(await world.link('note/note-visit#note')).toMatchObject({ state: 'current' });
  });

  test.each<[string, JsonObject]>([
    ['was entered in error', aNote({ updatedAt: later, status: 'entered-in-error' })],
    ['is withdrawn', { id: 'note-visit', updatedAt: later, deleted: true }],
  ])('a note that %s is taken back, without a word of it, and a person learns of it', async (_how, record) => {
    await open(['note', aNote()]);
    await world.work();
    await world.send(['note', record]);
    const last = (await filed()).at(-1);
    expect(last?.text).toMatch(/retracted: document of a community agency/i);
    expect(last?.text).not.toMatch(/Delgado|pantry/);
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ code: 'document-recalled' }));
    const before = await writes();
    await world.workAgain();
    expect(await writes()).toEqual(before);
  });

  test('a note that was entered for another client is taken back in the wrong chart, and filed in the right one', async () => {
    await seedLee();
    await open(['note', aNote()], ...leesCase);
    await world.work();
    await world.send(['note', aNote({ clientId: 'client-lee', caseId: 'case-lee', updatedAt: later })]);
    expect(await lastIn('rosa')).toMatch(/retracted/i);
    expect(await lastIn('rosa')).not.toMatch(/Delgado|pantry/);
    expect(await lastIn('lee')).toMatch(/Okonkwo.*pantry card/s);
    const before = await writes();
    await world.workAgain();
    expect(await writes()).toEqual(before);
  });

  test('a need that was entered for another client: the document that told of it is taken back, and the next one does not', async () => {
    await seedLee();
    await open(['need', aNeed({ description: 'NEED-OF-LEE' })], ['need', aNeed({ id: 'need-two' })], ...leesCase);
    await timePasses(5);
    await world.work();
    expect(await lastIn('rosa')).toContain('NEED-OF-LEE');
    const moved = aNeed({ clientId: 'client-lee', caseId: 'case-lee', description: 'NEED-OF-LEE', updatedAt: later });
    await world.send(['need', moved]);
    await timePasses(5);
    await world.work();
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ code: 'document-recalled' }));
    expect(await lastIn('rosa')).toMatch(/Delgado.*Runs out of food/s);
    expect(await lastIn('rosa')).not.toContain('NEED-OF-LEE');
    expect(await lastIn('lee')).toContain('NEED-OF-LEE');
  });

  test('a safety plan goes nowhere without a consent that names it', async () => {
    await open(['safetyPlan', aSafetyPlan()], naming({ recordTypes: ['carePlan', 'note'] }));
    await world.work();
    expect(await writes()).toEqual([]);
    expect(await world.link('safetyPlan/safety-rosa#plan')).toMatchObject({
      state: 'withheld',
      reason: 'consent-type',
    });
  });

  test('with one it is a document of its own at once, with the crisis line, and the plan of the case says that it is there', async () => {
    await world.send(...caseload(), naming(), ['safetyPlan', aSafetyPlan()]);
    const [first, second, ...more] = await filed();
    expect(more).toEqual([]);
    const [plan, document] = first?.text.includes('Warning signs') ? [first, second] : [second, first];
    for (const text of ['I stop answering the phone.', '988', 'Ana, sister']) expect(plan?.text).toContain(text);
    expect(document?.text.replaceAll(/\s+/g, ' ')).toContain('A safety plan (suicide) is in force');
    expect(document?.text).not.toMatch(/I stop answering|Ana, sister/);
    for (const slot of ['plan', 'flag'])
      expect(await world.link(`safetyPlan/safety-rosa#${slot}`)).toMatchObject({
        state: 'current',
        reason: 'document-current',
      });
  });

  test('a revoked consent takes it back, and it does not come again', async () => {
    await open(naming(), ['safetyPlan', aSafetyPlan()]);
    await world.work();
    await world.send(naming({ status: 'revoked', revokedAt: later, updatedAt: later }));
    await world.workAgain();
    const texts = (await filed()).map(({ text }) => text);
    expect(texts.at(-1)).toMatch(/retracted/i);
    expect(texts).toHaveLength(vendor === 'epic' ? 2 : 1);
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ code: 'document-recalled' }));
  });

  test('an incident that is shared tells what happened to the client, and nothing of others', async () => {
    await open(['incident', shared]);
    await world.work();
    const [summary, ...more] = await filed();
    expect(more).toEqual([]);
    expect(summary?.text).toContain('slipped on the stairs');
    expect(summary?.text).toContain('The client was injured.');
    expect(summary?.text).not.toContain('CANARY');
  });

  test('what the document of the case does not tell of puts it off by nothing', async () => {
    await open(['need', aNeed()]);
    await world.work();
    expect(await filed()).toEqual([]);
    await timePasses(3);
    await world.accept(...kept);
    await timePasses(1);
    await world.work();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
  });

  test('what stays in the agency is in no document and no request', async () => {
    await world.send(...caseload(), ...kept);
    expect(await filed()).toHaveLength(1);
    expect(await everythingOn(world)).not.toContain('CANARY');
  });
});

describe('on a server that takes resources', () => {
  const world = useWorld({ organization: { source: 'county', id: 'org-pantry' } });

  test('a note, its addendum, a safety plan with its flag and a shared incident are resources by the mapping', async () => {
    const note = aNote({ status: 'amended', addenda: [{ ...addendum, signedAt: '2026-02-11T09:00:00-05:00' }] });
    await world.accept(...directoryAndClient(), ['case', aCase()], naming(), ['note', note]);
    await world.send(['safetyPlan', aSafetyPlan()], ['incident', shared]);
    const all = await world.server.all('DocumentReference');
    const of = (slot: string) => all.find((one) => identifierOf(one).endsWith(slot));
    expect(all).toHaveLength(4);
    expect(of('note-visit#note')).toMatchObject({ status: 'current', docStatus: 'amended' });
    const appended = { code: 'appends', target: { reference: `DocumentReference/${of('note-visit#note')?.id}` } };
    expect(of('#addendum[ad1]')?.relatesTo).toEqual([appended]);
    expect(of('#plan')).toMatchObject({ status: 'current' });
    expect(of('#summary')).toMatchObject({ status: 'current' });
    expect(await world.server.all('Flag')).toMatchObject([{ status: 'active' }]);
    const before = (await world.server.journal()).filter(({ method }) => method !== 'GET').length;
    await world.workAgain();
    expect((await world.server.journal()).filter(({ method }) => method !== 'GET')).toHaveLength(before);
    expect(textsOf(all)).not.toContain('CANARY');
  });

  test('a withdrawn consent takes the safety plan back: its text and its flag are blanked there', async () => {
    await world.send(...directoryAndClient(), ['case', aCase()], naming(), ['safetyPlan', aSafetyPlan()]);
    await world.send(naming({ status: 'revoked', revokedAt: later, updatedAt: later }));
    const [plan] = await world.server.all('DocumentReference');
    expect(plan).toMatchObject({ status: 'entered-in-error', content: [{ attachment: { title: 'Withdrawn' } }] });
    expect(await world.server.all('Flag')).toMatchObject([{ status: 'entered-in-error', code: { text: 'Withdrawn' } }]);
  });

  test('what stays in the agency is in no resource and no request; a stay is the hospital’s to write', async () => {
    await world.send(...caseload(), ...kept);
    expect(await world.server.all('DocumentReference')).toEqual([]);
    expect(await world.server.all('Encounter')).toEqual([]);
    expect(await everythingOn(world)).not.toContain('CANARY');
    expect(await world.link('hospitalStay/stay-rosa#stay')).toMatchObject({
      reason: 'route-vendor-default',
      remoteId: null,
    });
  });

  test('a configured route does not send what is never sent', async () => {
    const routes = { incident: 'native', improvementIdea: 'native', note: 'native' } as const;
    await world.connect(aConnection(world.server.base, { routes }));
    await world.send(...directoryAndClient(), ['case', aCase()], ...kept);
    expect(await everythingOn(world)).not.toContain('CANARY');
  });
});

/** All that was ever asked of the server, and what it holds, with texts as they are read. */
async function everythingOn(world: ReturnType<typeof useWorld>): Promise<string> {
  const held = await world.server.all('DocumentReference');
  const asked = (await world.server.journal()).map(({ requestBody }) => requestBody ?? null);
  return [...held, ...asked].map((one) => `${JSON.stringify(one)}${isObject(one) ? textsOf([one]) : ''}`).join('\n');
}

function textsOf(resources: readonly JsonObject[]): string {
  return resources
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .map((item) => {
      const attachment = isObject(item) ? item.attachment : undefined;
      return isObject(attachment) ? Buffer.from(String(attachment.data), 'base64').toString('utf8') : '';
    })
    .join('\n');
}

function identifierOf({ identifier }: JsonObject): string {
  const [first] = Array.isArray(identifier) ? identifier : [];
  return isObject(first) ? String(first.value) : '';
}
