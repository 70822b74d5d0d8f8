// The readable document at an Epic-like hospital: a note for each edition, filed under an open encounter of the patient (lanes.md 12, closed-loop
// B8). E20 and the like are the quirks of that server.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, type JsonObject } from '../../../src/json.ts';
import { relinkPatient } from '../../../src/lanes/lanes.ts';
import { sql } from '../../../src/store/store.ts';
import { aCase, aClient, aConsent, aGoal, aNeed, anOrganization, aReferral } from '../../builders.ts';
import { caseload, caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { anEncounter, documentsOf } from '../../support/documents.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const hospital = {
  vendor: 'epic',
  createPatients: false,
  task: 'answer',
  documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'latest-open' },
} as const;

const world = useWorld(hospital);
const { filed, sendCase, timePasses, writes } = documentsOf(world);

beforeEach(() =>
  world.server.seed(
    rosaOnFile,
    anEncounter('old', 'in-progress', '2026-01-10T09:00:00Z'),
    anEncounter('newest', 'in-progress', '2026-02-01T09:00:00Z'),
    anEncounter('closed', 'finished', '2026-02-03T09:00:00Z'),
  ),
);

const later = aGoal({ updatedAt: '2026-02-20T09:00:00-05:00', statement: 'I want food on every day of the month.' });

describe('a case with a plan', () => {
  test('becomes one note in plain ASCII under the newest open encounter, and nothing else is written', async () => {
    await sendCase();
    expect(await writes()).toEqual(['POST DocumentReference 201']);
    const [stored] = await world.server.all('DocumentReference');
    expect(stored).toMatchObject({
      status: 'current',
      docStatus: 'final',
      subject: { reference: 'Patient/rosa' },
      type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] },
      context: { encounter: [{ reference: 'Encounter/newest' }] },
      content: [{ attachment: { contentType: 'text/plain' } }],
    });
    const [note] = await filed();
    expect(note?.text).toMatch(/^[\n\x20-\x7e]*$/);
    expect(note?.text).toContain('MRN-20417');
  });

  test('is filed under the newest one also beside those that say no time, or none that is one', async () => {
    const { period: _none, ...untimed } = anEncounter('untimed', 'in-progress', '2026-03-01T09:00:00Z');
    await world.server.seed(
      anEncounter('a-soon', 'in-progress', 'soon'),
      anEncounter('never', 'in-progress', '2026-02-30T25:00:00Z'),
      untimed,
      anEncounter('this-year', 'in-progress', '2026'),
    );
    await sendCase();
    expect(await world.server.all('DocumentReference')).toMatchObject([
      { context: { encounter: [{ reference: 'Encounter/newest' }] } },
    ]);
  });

  test('leaves every record in a state with its reason', async () => {
    await sendCase();
    const links = await world.store.db
      .selectFrom('link')
      .select(['type', 'slot', 'route', 'state', 'reason'])
      .execute();
    expect(links.filter(({ state }) => ['due', 'waiting', 'parked'].includes(state))).toEqual([]);
    expect(links.filter(({ reason, type, slot }) => reason === null && `${type}#${slot}` !== 'client#patient')).toEqual(
      [],
    );
    expect(await world.link('client/client-rosa#patient')).toMatchObject({ state: 'read', remoteId: 'rosa' });
  });

  test('E17 E22 E25 a second pass reads the note and writes nothing, although the server gives no version and stores it otherwise', async () => {
    await sendCase();
    await world.workAgain();
    expect(await writes()).toEqual(['POST DocumentReference 201']);
    const [note] = await filed();
    const reads = (await world.server.journal()).filter(({ url }) =>
      String(url).endsWith(`DocumentReference/${note?.id}`),
    );
    expect(reads.length).toBeGreaterThan(0);
  });
});

describe('E32 a later edition', () => {
  test('is a new note that names the one it replaces', async () => {
    await sendCase();
    await world.send(['goal', later]);
    const [first, second, ...more] = await filed();
    expect(more).toEqual([]);
    expect([first?.edition, second?.edition]).toEqual([1, 2]);
    expect(second?.text).toMatch(/replaces/i);
    const stored = (await world.server.all('DocumentReference')).find(({ id }) => id === second?.id);
    expect(stored?.relatesTo).toEqual([{ code: 'replaces', target: { reference: `DocumentReference/${first?.id}` } }]);
    expect((await writes()).filter((write) => write.startsWith('PUT'))).toEqual([]);
  });
});

describe('E23 a note whose reply is lost', () => {
  test.each([
    ['after it was filed', { drop: 'after-commit' }],
    ['before the server did anything', { drop: 'before-commit' }],
    [
      'as an outage page after it was filed',
      { status: 502, body: '<html>down</html>', headers: { 'content-type': 'text/html' }, at: 'after-commit' },
    ],
  ])('%s is found by its marker in the Binary, and there is one', async (_title, fault) => {
    await world.server.strikeOnce('POST', 'DocumentReference', fault);
    await sendCase();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
    await world.workAgain();
    expect(await filed()).toHaveLength(1);
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'current' });
  });

  test('each time, and that no search shows, is filed no more once an hour is over; a person is asked', async () => {
    const nothing = { resourceType: 'Bundle', type: 'searchset', entry: [] };
    await world.server.faults(
      { method: 'POST', path: 'DocumentReference', fault: { status: 500, at: 'after-commit' } },
      { method: 'GET', path: 'DocumentReference$', fault: { status: 200, body: nothing } },
    );
    await world.accept(...caseload());
    await world.work({ tries: 14 });
    expect(await world.openDecisions()).toEqual([]);
    await sql`update operation set intended_at = intended_at - interval '1 hour'`.execute(world.store.db);
    await world.work();
    expect(await filed()).toHaveLength(7);
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'outcome-untold', choices: ['look-again', 'not-there'] },
    ]);
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false });
    await world.accept(['goal', later]);
    await world.work({ tries: 5 });
    expect(await filed()).toHaveLength(7);
  });

  test('five times before it is filed, counts for nothing when the next edition is lost', async () => {
    const lose = (times: number) =>
      world.server.faults({ method: 'POST', path: 'DocumentReference', nth: 1, times, fault: { status: 500 } });
    await lose(5);
    await world.accept(...caseload());
    await world.work({ tries: 30 });
    expect(await filed()).toMatchObject([{ edition: 1 }]);
    await lose(1);
    await world.send(['goal', later]);
    expect(await filed()).toMatchObject([{ edition: 1 }, { edition: 2 }]);
    expect(await world.openDecisions()).toEqual([]);
  });

  /** The note is filed and its reply lost; then the server shows it with this attachment, and this behind its address. */
  async function shownWith(attachment: JsonObject, binary: (data: string) => JsonObject): Promise<void> {
    await world.server.faults(
      { method: 'POST', path: 'DocumentReference', nth: 1, fault: { drop: 'after-commit' } },
      { method: 'GET', path: 'DocumentReference', fault: { status: 503 } },
    );
    await sendCase();
    const [note] = await world.server.all('DocumentReference');
    const shown = { ...note, content: [{ attachment: { contentType: 'text/plain', ...attachment } }] };
    const found = { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: shown }] };
    const data = Buffer.from((await filed())[0]?.text ?? '').toString('base64');
    await world.server.mend();
    await world.server.faults(
      { method: 'GET', path: 'DocumentReference$', fault: { status: 200, body: found } },
      { method: 'GET', path: 'Binary', fault: binary(data) },
    );
    await world.work();
  }

  const posts = async () => (await writes()).filter((write) => write.startsWith('POST DocumentReference')).length;
  const long = 'e'.repeat(80);

  test.each([
    ['of 80 characters', `Binary/${long}`, long],
    ['with an underscore', 'Binary/abc_1', 'abc_1'],
    ['with a query behind it', 'Binary/abc?x=1', 'abc'],
    ['on its own address', () => `${world.server.base}/Binary/abc_1`, 'abc_1'],
  ])('is found although the id of its Binary is no usual one: %s', async (_title, url, id) => {
    await shownWith({ url: typeof url === 'string' ? url : url() }, (data) => ({
      status: 200,
      body: { resourceType: 'Binary', id, contentType: 'text/plain', data },
    }));
    expect(await posts()).toBe(1);
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['on another host', { url: 'https://elsewhere.example.org/fhir/Binary/1' }, { status: 503 }],
    ['behind an address that names no Binary', { url: 'urn:oid:1.2.3' }, { status: 503 }],
    ['not shown', {}, { status: 503 }],
    ['gone', { url: 'Binary/abc' }, { status: 410 }],
    ['empty', { url: 'Binary/abc' }, { status: 200, body: { resourceType: 'Binary', id: 'abc' } }],
  ])('whose text is %s: a person is asked, and no second one is filed', async (_title, attachment, binary) => {
    await shownWith(attachment, () => binary);
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'outcome-untold', choices: ['look-again', 'not-there'] },
    ]);
    await world.workAgain();
    expect(await posts()).toBe(1);
    await world.server.mend();
    await world.workAgain();
    expect(await posts()).toBe(1);
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('is found also where another note of that day cannot be read', async () => {
    await world.server.strikeOnce('POST', 'DocumentReference', { drop: 'after-commit' });
    await world.server.seed({
      resourceType: 'DocumentReference',
      id: 'theirs',
      status: 'current',
      date: new Date().toISOString(),
      type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] },
      subject: { reference: 'Patient/rosa' },
      content: [{ attachment: { contentType: 'text/plain', url: 'https://elsewhere.example.org/fhir/Binary/1' } }],
    });
    await sendCase();
    expect(await posts()).toBe(1);
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
  });
});

describe('E23 a note that the server calls a duplicate (59141)', () => {
  const refusal: JsonObject = {
    status: 400,
    body: {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'fatal', code: 'duplicate', details: { coding: [{ system: 'urn:oid:1', code: '59141' }] } }],
    },
  };
  const refuse = (times: JsonObject = {}) =>
    world.server.faults({ method: 'POST', path: 'DocumentReference', fault: refusal, ...times });
  const tries = async () => (await writes()).filter((write) => write.startsWith('POST DocumentReference')).length;
  const question = { kind: 'conflict', code: 'server-duplicate', choices: ['again'] };

  test('and that is there is found by its marker', async () => {
    await world.server.strikeOnce('POST', 'DocumentReference', { ...refusal, at: 'after-commit' });
    await sendCase();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
    expect(await tries()).toBe(1);
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'current' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('each time, and is not there: a person is asked what the server takes it for, and it rests', async () => {
    await refuse();
    await world.accept(...caseload());
    await world.work({ tries: 30 });
    expect(await tries()).toBe(6);
    expect(await world.openDecisions()).toMatchObject([question]);
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'parked', reason: 'server-duplicate' });
    await world.accept(['goal', later]);
    await world.work({ tries: 5 });
    expect(await tries()).toBe(6);

    await world.server.mend();
    await world.decide('conflict', 'again');
    await world.work();
    expect(await filed()).toHaveLength(1);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('each time, of a note that takes another one back: it rests as well', async () => {
    await sendCase();
    await refuse();
    await world.accept(['case', aCase({ updatedAt: '2026-03-01T09:00:00-05:00', deleted: true })]);
    await world.work({ tries: 30 });
    expect(await tries()).toBe(7);
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining(question));
  });
});

describe('a note that takes another one back', () => {
  test('is tried once where it is refused, and asked about', async () => {
    await sendCase();
    await world.server.faults({ method: 'POST', path: 'DocumentReference', fault: { status: 422 } });
    await world.accept(['case', aCase({ updatedAt: '2026-03-01T09:00:00-05:00', deleted: true })]);
    await world.work({ tries: 5 });
    expect((await writes()).filter((write) => write.startsWith('POST DocumentReference'))).toHaveLength(2);
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ kind: 'refused-write' }));
  });
});

describe('E34 without an open encounter', () => {
  beforeEach(async () => {
    await world.server.control('POST', 'reset');
    await world.server.settings({ auth: 'none' });
    await world.server.seed(rosaOnFile, anEncounter('closed', 'finished', '2026-02-03T09:00:00Z'));
  });

  test.each([
    ['every hour', async () => timePasses(1)],
    ['when a person says so', async () => world.decide('encounter-missing', 'look-again')],
  ])('nothing is filed, a person is asked, and the server is looked at again %s', async (_when, again) => {
    await sendCase();
    expect(await writes()).toEqual([]);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'encounter-missing', choices: ['look-again'] }]);
    expect(await world.link('carePlan/plan-rosa#plan')).toMatchObject({ state: 'parked', reason: 'encounter-missing' });
    await again();
    await world.work();
    expect([await writes(), (await world.openDecisions()).length]).toEqual([[], 1]);
    await world.server.seed(anEncounter('fresh', 'in-progress', '2026-03-01T09:00:00Z'));
    await again();
    await world.work();
    expect(await filed()).toHaveLength(1);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('the note goes without one where the site allows it', async () => {
    await world.server.settings({ encounterRequired: false });
    await world.connect(
      aConnection(world.server.base, { ...hospital, documents: { ...hospital.documents, encounter: 'none' } }),
    );
    await sendCase();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
  });
});

describe('E30 the daily cap on documents', () => {
  test('holds the documents of the whole connection until the next day; nothing is lost or tried again and again', async () => {
    await world.server.settings({ documentCap: 1 });
    await world.server.seed({
      resourceType: 'Patient',
      id: 'ben',
      name: [{ family: 'Ngo', given: ['Ben'] }],
      birthDate: '1990-01-02',
      gender: 'male',
      identifier: [{ system: 'urn:oid:1.2.3', value: 'MRN-2' }],
    });
    await world.server.seed(anEncounter('ben-visit', 'in-progress', '2026-02-01T09:00:00Z', 'ben'));
    await sendCase();
    await world.send(['goal', later]);
    const tries = (await writes()).filter((write) => write.includes('DocumentReference'));
    expect(tries).toEqual(['POST DocumentReference 201', 'POST DocumentReference 403']);
    await world.workAgain();
    expect((await writes()).filter((write) => write.includes('DocumentReference'))).toEqual(tries);
    await world.server.control('POST', 'clock', { advance: '1d' });
    await world.server.settings({ documentCap: 5 });
    await timePasses(25);
    await world.workAgain();
    expect((await filed()).map(({ edition }) => edition)).toEqual([1, 2]);
  });
});

describe('E30 a note whose reply is lost at the daily cap', () => {
  const asked = async () =>
    (await world.server.journal()).filter(({ url }) => /DocumentReference|Binary/.test(String(url))).length;

  test('waits for the next day alone: the lane goes on, nobody is asked, and the note is found once', async () => {
    await world.server.settings({ documentCap: 1 });
    await world.server.strikeOnce('POST', 'DocumentReference', { drop: 'after-commit' });
    await sendCase();
    const { documents_held_until: until } = await world.store.db
      .selectFrom('connection')
      .select('documents_held_until')
      .executeTakeFirstOrThrow();
    expect(until?.getTime()).toBeGreaterThan(Date.now());
    expect(await world.lane('county.case.case-rosa')).toMatchObject({
      hasWork: false,
      parked: undefined,
      nextLookAt: until,
    });
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'parked', reason: 'outcome-unknown' });

    const before = await asked();
    await sql`update operation set intended_at = intended_at - interval '2 hours'`.execute(world.store.db);
    await world.workAgain();
    expect(await asked()).toBe(before);
    expect(await world.openDecisions()).toEqual([]);

    await world.server.control('POST', 'clock', { advance: '1d' });
    await world.server.settings({ documentCap: 5 });
    await timePasses(25);
    await world.work();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'current' });
  });
});

describe('a revoked consent', () => {
  test('is answered by a retraction note that tells nothing clinical, then by a note without what it covered', async () => {
    const secret = aNeed({ id: 'need-secret', description: 'CANARY-SECRET', sensitivity: ['mental-health'] });
    await world.connect(
      aConnection(world.server.base, { ...hospital, organization: { source: 'county', id: 'org-pantry' } }),
    );
    await world.accept(...directoryAndClient(), ['consent', aConsent({ sensitivity: ['mental-health'] })]);
    await world.send(...caseWithReferral(), ['need', secret]);
    expect((await filed())[0]?.text).toContain('CANARY-SECRET');
    const at = '2026-03-01T09:00:00-05:00';
    await world.send([
      'consent',
      aConsent({ sensitivity: ['mental-health'], status: 'revoked', revokedAt: at, updatedAt: at }),
    ]);
    const [, retraction, anew, ...more] = await filed();
    expect(more).toEqual([]);
    expect(retraction?.text).toMatch(/retracted/i);
    expect(retraction?.text).not.toContain('Delgado');
    expect(anew?.text).toContain('Delgado');
    expect(`${retraction?.text}${anew?.text}`).not.toContain('CANARY-SECRET');
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ code: 'document-recalled' }));
  });
});

describe('what is labelled', () => {
  const at = '2026-03-01T09:00:00-05:00';
  const asked = ['need', 'goal', 'carePlan', 'referral'] as const;
  const shelter = (sensitivity: ['domestic-violence'] | []) =>
    anOrganization({ id: 'org-shelter', name: 'CANARY-SHELTER', sensitivity, updatedAt: at });
  const referral = aReferral({ id: 'referral-shelter', organizationId: 'org-shelter', serviceId: undefined });

  test('takes the note back once the case is, and goes with a consent that names the label, under the notice', async () => {
    await world.send(...caseload());
    await world.send(['case', aCase({ sensitivity: ['substance-use-part2'], updatedAt: at })]);
    expect((await filed()).map(({ text }) => /retracted/i.test(text))).toEqual([false, true]);
    const consent = aConsent({
      recipients: [{ class: 'my treating providers' }],
      recordTypes: [...asked],
      sensitivity: ['substance-use-part2'],
      part2: { redisclosureNotice: true },
    });
    await world.send(['consent', consent]);
    const [, , anew] = await filed();
    expect(anew?.text).toContain('Delgado');
    expect(anew?.text).toMatch(/42 CFR/);
  });

  test('is named in none of it without a consent, a shelter to which the client was referred as little as one that is labelled later', async () => {
    await world.accept(...caseload());
    await world.send(['organization', shelter(['domestic-violence'])], ['referral', referral]);
    const [first] = await filed();
    expect(first?.text).toContain('Delgado');
    expect(first?.text).not.toContain('CANARY-SHELTER');
    await world.send(['organization', { ...shelter([]), updatedAt: '2026-03-02T09:00:00-05:00' }]);
    expect((await filed()).at(-1)?.text).toContain('CANARY-SHELTER');
    const again = { ...shelter(['domestic-violence']), updatedAt: '2026-03-03T09:00:00-05:00' };
    await world.send(['organization', again]);
    const last = (await filed()).slice(2);
    expect(last).toHaveLength(2);
    expect(last.map(({ text }) => text).join()).not.toContain('CANARY-SHELTER');
  });
});

describe('a patient who is not there', () => {
  test('keeps the case waiting for a decision; nothing is filed in another chart', async () => {
    await world.accept(...directoryAndClient().filter(([type]) => type !== 'client'));
    await world.accept([
      'client',
      aClient({ identifiers: [], names: [{ use: 'legal', given: ['Rosa'], family: 'Delmar' }] }),
    ]);
    await world.send(...caseWithReferral());
    expect(await writes()).toEqual([]);
    expect(await world.link('carePlan/plan-rosa#plan')).toMatchObject({ state: 'waiting' });
  });

  test('any more, or is not shown for a while, gets no later edition; shown again, they do', async () => {
    await sendCase();
    await world.server.faults({ method: 'GET', path: 'Patient/rosa', fault: { status: 404 } });
    await world.workAgain();
    await world.send(['goal', later]);
    expect(await filed()).toMatchObject([{ edition: 1 }]);
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'waiting', reason: 'remote-gone' });
    await world.server.mend();
    await world.workAgain();
    expect(await filed()).toMatchObject([{ edition: 1 }, { edition: 2 }]);
    expect(await world.openDecisions()).toEqual([]);
  });
});

describe('a document in the chart of the wrong patient', () => {
  const right = { ...rosaOnFile, id: 'right', identifier: [], birthDate: '1984-07-16' };
  const sayItIs = (patient: string | null) =>
    relinkPatient(world.store, {
      connection: 'general',
      source: 'county',
      clientId: 'client-rosa',
      patient,
      by: 'ida',
      note: 'the other Rosa',
    });
  const charts = async () =>
    (await world.server.all('DocumentReference'))
      .map(({ subject }) => (isObject(subject) ? String(subject.reference) : ''))
      .sort();

  test('is taken back there, and filed in the right chart', async () => {
    await world.server.seed(right, anEncounter('right-visit', 'in-progress', '2026-02-01T09:00:00Z', 'right'));
    await sendCase();
    await sayItIs('right');
    await world.work();
    expect(await charts()).toEqual(['Patient/right', 'Patient/rosa', 'Patient/rosa']);
    const [, retraction, anew] = await filed();
    expect(retraction?.text).toMatch(/retracted/i);
    expect(retraction?.text).not.toContain('Delgado');
    expect(anew?.text).toContain('Delgado');
    expect(await world.openDecisions()).toContainEqual(expect.objectContaining({ code: 'document-recalled' }));
    const before = await writes();
    await world.workAgain();
    expect(await writes()).toEqual(before);
  });

  test('told while its encounter is looked for: it is filed under a visit of the right patient', async () => {
    await world.server.seed(right, anEncounter('right-visit', 'in-progress', '2026-02-01T09:00:00Z', 'right'));
    const connection = world.deps.connections.get('general');
    if (connection === undefined) throw new Error('no connection');
    const { client } = connection;
    const told: typeof client = {
      ...client,
      searchAll: async (type, ...rest) => {
        if (type === 'Encounter' && rest[0].patient === 'rosa') await sayItIs('right');
        return client.searchAll(type, ...rest);
      },
    };
    await world.accept(...caseload());
    await world.work({ deps: { connections: new Map([['general', { ...connection, client: told }]]) } });
    expect(await world.server.all('DocumentReference')).toMatchObject([
      { subject: { reference: 'Patient/right' }, context: { encounter: [{ reference: 'Encounter/right-visit' }] } },
    ]);
  });

  test('is taken back when the client is nobody there, and filed nowhere', async () => {
    await sendCase();
    await sayItIs(null);
    await world.work();
    expect(await charts()).toEqual(['Patient/rosa', 'Patient/rosa']);
    expect((await filed())[1]?.text).toMatch(/retracted/i);
  });
});

describe('a client whose consent does not name the hospital', () => {
  test('is not even looked for there, until one does', async () => {
    const organization = { source: 'county', id: 'org-pantry' };
    await world.connect(aConnection(world.server.base, { ...hospital, basis: 'consent', organization }));
    await sendCase();
    const aboutPatients = (await world.server.journal()).filter(({ url }) => /\/Patient\b/.test(String(url)));
    expect(aboutPatients).toEqual([]);
    expect(await world.link('client/client-rosa#patient')).toMatchObject({ state: 'withheld' });
    await world.send(['consent', aConsent({ period: { from: '2026-02-02' } })]);
    expect(await filed()).toMatchObject([{ edition: 1 }]);
  });
});
