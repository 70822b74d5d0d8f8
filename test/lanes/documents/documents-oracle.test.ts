// The readable document at a hospital on Oracle Health: one XHTML document, amended by PUT (lanes.md 12, closed-loop B8). C16 and the like are
// the quirks of that server.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { wantAll } from '../../../src/lanes/lanes.ts';
import { aCase, aConsent, aGoal, aNeed, aNote } from '../../builders.ts';
import { caseWithReferral, directoryAndClient } from '../../support/caseload.ts';
import { anEncounter, documentsOf } from '../../support/documents.ts';
import { rosaOnFile } from '../../support/patients.ts';
import { aConnection } from '../../support/rig.ts';
import { useWorld } from '../../support/world.ts';

const hospital = {
  vendor: 'oracle',
  createPatients: false,
  task: 'off',
  documents: { quietMs: 0, atMostEveryMs: 0, encounter: 'latest-open' },
} as const;

const world = useWorld(hospital);
const { filed, sendCase, writes } = documentsOf(world);

beforeEach(() => world.server.seed(rosaOnFile, anEncounter('open', 'in-progress', '2026-02-01T09:00:00Z')));

const later = aGoal({ updatedAt: '2026-02-20T09:00:00-05:00', statement: 'I want food on every day of the month.' });

describe('a case with a plan', () => {
  test('C15 C19 C25 becomes one XHTML document in the chart, and nothing that the server would refuse is tried', async () => {
    await sendCase();
    expect(await writes()).toEqual(['POST DocumentReference 201']);
    const [stored] = await world.server.all('DocumentReference');
    expect(stored).toMatchObject({
      status: 'current',
      docStatus: 'final',
      subject: { reference: 'Patient/rosa' },
      type: { coding: [{ system: 'http://loinc.org', code: '18776-5' }] },
      context: { encounter: [{ reference: 'Encounter/open' }] },
      content: [{ attachment: { contentType: 'application/xhtml+xml;charset=utf-8' } }],
    });
    const [document] = await filed();
    expect(document?.text).toContain('MRN-20417');
    expect(document?.text).toContain('Elm Street Pantry');
    expect(document?.text).not.toMatch(/<(script|style|iframe)\b/);
  });

  test('leaves every record in a state with its reason', async () => {
    await sendCase();
    const links = await world.store.db.selectFrom('link').select(['type', 'slot', 'state', 'reason']).execute();
    expect(links.filter(({ state }) => ['due', 'waiting', 'parked'].includes(state))).toEqual([]);
    expect(links.filter(({ reason, type, slot }) => reason === null && `${type}#${slot}` !== 'client#patient')).toEqual(
      [],
    );
  });

  test('C9 C29 a second pass reads the document and writes nothing', async () => {
    await sendCase();
    await world.workAgain();
    expect(await writes()).toEqual(['POST DocumentReference 201']);
  });
});

describe('a later edition', () => {
  test('C16 C17 C31 amends the document under the tag that was just read', async () => {
    await sendCase();
    await world.send(['goal', later]);
    expect(await writes()).toEqual(['POST DocumentReference 201', 'PUT DocumentReference 200']);
    expect(await filed()).toMatchObject([{ edition: 2, docStatus: 'amended' }]);
    expect((await filed())[0]?.text).toContain('on every day of the month');
  });

  test('C31 goes as a new document where the site refuses the amendment', async () => {
    await sendCase();
    await world.accept(['goal', later]);
    await world.server.strikeOnce('PUT', 'DocumentReference', {
      status: 422,
      body: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'business-rule' }] },
      headers: { 'content-type': 'application/fhir+json' },
    });
    await world.work();
    expect((await filed()).map(({ edition }) => edition)).toEqual([1, 2]);
  });

  test('C25 C31 is a new document, and a new one takes that back, where the site declares no update: none is tried', async () => {
    await world.server.settings({ interactions: { DocumentReference: 'crs' } });
    await sendCase();
    await world.send(['goal', later]);
    expect((await filed()).map(({ edition }) => edition)).toEqual([1, 2]);
    await world.send(['case', { id: 'case-rosa', updatedAt: '2026-03-01T09:00:00-05:00', deleted: true }]);
    expect((await filed())[2]).toMatchObject({ edition: 3, status: 'current' });
    expect((await filed())[2]?.text).toMatch(/ v2 of .* was taken back/);
    expect(new Set(await writes())).toEqual(new Set(['POST DocumentReference 201']));
  });

  test('C16 is not lost when somebody changed the document between our read and our write', async () => {
    await sendCase();
    await world.accept(['goal', later]);
    await world.server.strikeOnce('PUT', 'DocumentReference', { status: 409 });
    await world.work();
    expect(await filed()).toMatchObject([{ edition: 2 }]);
  });
});

describe('another document under the id of ours, in the chart of somebody else', () => {
  test('is not amended: a person is asked', async () => {
    await sendCase();
    const [ours] = await world.server.all('DocumentReference');
    await world.server.seed(
      { ...rosaOnFile, id: 'harold', identifier: [] },
      { ...ours, subject: { reference: 'Patient/harold' } },
    );
    await world.accept(['goal', later]);
    await world.workAgain();
    expect(await writes()).toEqual(['POST DocumentReference 201']);
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'remote-gone', code: 'remote-replaced', choices: ['recreate', 'leave'] },
    ]);
  });
});

describe('C24 a document that always times out when it is read', () => {
  test('waits alone: it is not amended unread, a note of the same case is filed, and the edition follows', async () => {
    await sendCase();
    const [document] = await filed();
    await world.server.settings({ alwaysTimesOut: [`GET DocumentReference/${document?.id}`] });
    await world.accept(['goal', later], ['note', aNote()]);
    await wantAll(world.store, ['general']);
    await world.work({ tries: 2 });
    expect(await writes()).toEqual(['POST DocumentReference 201', 'POST DocumentReference 201']);
    expect(await world.link('note/note-visit#note')).toMatchObject({ state: 'current' });
    expect(await world.link('case/case-rosa#document')).toMatchObject({ state: 'due', reason: 'connection-not-fhir' });
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: true, reason: 'connection-not-fhir' });
    expect(await world.openDecisions()).toEqual([]);

    await world.server.settings({ alwaysTimesOut: [] });
    await world.work();
    expect(await world.lane('county.case.case-rosa')).toMatchObject({ hasWork: false, parked: undefined });
    expect((await filed()).map(({ edition, docStatus }) => `${edition} ${docStatus}`)).toContain('2 amended');
  });
});

describe('C20 a document whose reply is lost', () => {
  test.each([
    ['after it was filed', { drop: 'after-commit' }],
    ['before the server did anything', { drop: 'before-commit' }],
    ['as a gateway time-out after it was filed', { status: 504, at: 'after-commit' }],
  ])('%s: a new one is found by its marker in the Binary', async (_title, fault) => {
    await world.server.strikeOnce('POST', 'DocumentReference', fault);
    await sendCase();
    expect(await filed()).toMatchObject([{ edition: 1 }]);
    await world.workAgain();
    expect(await filed()).toHaveLength(1);
  });

  test.each([
    ['after it was filed', { drop: 'after-commit' }],
    ['before the server did anything', { drop: 'before-commit' }],
  ])('%s: an amendment', async (_title, fault) => {
    await sendCase();
    await world.accept(['goal', later]);
    await world.server.strikeOnce('PUT', 'DocumentReference', fault);
    await world.work();
    expect(await filed()).toMatchObject([{ edition: 2 }]);
    const before = await writes();
    await world.workAgain();
    expect(await writes()).toEqual(before);
  });
});

describe('a revoked consent', () => {
  test('marks the document entered-in-error, replaces its text, and files anew what may be told', async () => {
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
    const [retraction, anew, ...more] = await filed();
    expect(more).toEqual([]);
    expect(retraction).toMatchObject({ status: 'entered-in-error', edition: 2 });
    expect(anew).toMatchObject({ status: 'current', edition: 3 });
    expect(`${retraction?.text}${anew?.text}`).not.toContain('CANARY-SECRET');
  });
});

describe('a note that was an error', () => {
  test.each([
    ['cannot be read, is not written over', 'GET', 0],
    ['may not be marked, is tried once', 'PUT', 1],
  ])('and whose document %s: a person is asked, and it goes when the server lets it', async (_what, method, tries) => {
    await world.send(...directoryAndClient(), ['case', aCase()], ['note', aNote()]);
    const { length } = await world.server.journal();
    await world.server.faults({ method, path: 'DocumentReference/', fault: { status: 501 } });
    await world.send(['note', aNote({ status: 'entered-in-error', updatedAt: '2026-03-01T09:00:00-05:00' })]);
    const puts = (await world.server.journal(length)).filter((request) => request.method === 'PUT');
    expect(puts).toHaveLength(tries);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'refused-write' }]);
    expect((await filed())[0]).toMatchObject({ status: 'current' });
    await world.server.mend();
    await world.decide('refused-write', 'retry');
    await world.work();
    expect((await filed())[0]).toMatchObject({ status: 'entered-in-error' });
  });
});
