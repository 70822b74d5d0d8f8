// Who a client is at Epic, and what becomes of a problem that we make there, over HTTP against its simulation: how the client of that server keeps
// to its rules (ehr-behaviour E18 to E21, E25).

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { raiseWanted } from '../../../src/lanes/lanes.ts';
import { aCase, aClient, aNeed } from '../../builders.ts';
import { mrn, paddedMrn, rosa, rosasSlot } from '../../support/patients.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld({
  vendor: 'epic',
  routes: { need: 'native' },
  task: 'answer',
  createPatients: false,
  identifierSystems: { mrn: mrn.system },
});
const clientLane = 'county.client.client-rosa';

async function sendClient(overrides: JsonObject = {}): Promise<void> {
  await world.send(['client', { ...aClient(), ...overrides }]);
}

/** Requests about patients, as `POST Patient/$match` or `GET Patient?identifier=…`. */
async function asked(after = 0): Promise<string[]> {
  return (await world.server.journal(after))
    .map(({ method, url }) => `${method} ${String(url).replace(/^.*\/R4\//, '')}`)
    .filter((line) => line.includes(' Patient'));
}

const phone = [{ system: 'phone', value: '518-555-0177' }];

describe('E18: a patient search with more than 100 hits, and numbers padded with spaces', () => {
  const crowd = (overrides: JsonObject = {}) =>
    Array.from({ length: 120 }, (_, at) =>
      rosa(`c${at}`, { name: [{ family: 'Delgado', given: [`Ines${at}`] }], ...overrides }),
    );
  const noMatch = { method: 'POST', path: 'Patient/$match', fault: { status: 403 } };

  test('E18: a padded number is compared trimmed, and the patient is linked', async () => {
    await world.server.seed(rosa('rosa', { identifier: [paddedMrn] }));
    await sendClient();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa', origin: 'found', state: 'read' });
    const journal = await asked();
    expect(journal[0]).toContain(encodeURIComponent(`${mrn.system}|${mrn.value}`));
  });

  test('E18: is asked again with given name, then sex; who is certain among fewer is linked', async () => {
    await world.server.seed(...crowd(), rosa('rosa', { telecom: phone }));
    await world.server.faults(noMatch);
    await sendClient();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa', origin: 'found' });
    const searches = (await asked()).filter((line) => line.includes('family='));
    expect(searches.map((line) => line.includes('given='))).toEqual([false, true]);
  });

  test('E18: is never repeated as it was; too many for every criterion is a question, once', async () => {
    await world.server.seed(...crowd({ name: [{ family: 'Delgado', given: ['Rosa'] }] }));
    await world.server.faults(noMatch);
    await sendClient();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'patient-match', code: 'patient-too-many', choices: ['again', 'leave'] },
    ]);
    expect(await world.lane(clientLane)).toMatchObject({ hasWork: false });
    const searches = (await asked()).filter((line) => line.includes('family='));
    expect(new Set(searches).size).toBe(searches.length);
    expect(searches.length).toBeGreaterThan(2);
  });
});

describe('E19: $match', () => {
  test('E19: one graded certain is linked', async () => {
    await world.server.seed(
      rosa('rosa', { telecom: phone }),
      rosa('other', { name: [{ family: 'Delgado', given: ['Ines'] }] }),
    );
    await sendClient();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa', origin: 'found' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('E19: it is asked what we know, without the social security number, for all candidates', async () => {
    const ssn = { kind: 'ssn', value: '900-12-3456' };
    const record = aClient();
    const identifiers = Array.isArray(record.identifiers) ? record.identifiers : [];
    await world.server.seed(rosa('rosa'));
    await sendClient({ identifiers: [...identifiers, ssn] });
    const request = (await world.server.journal()).find(({ url }) => String(url).endsWith('/Patient/$match'));
    const text = JSON.stringify(request?.requestBody);
    expect(text).toContain('Delgado');
    expect(text).toContain('onlyCertainMatches');
    expect(text).not.toMatch(/3456|us-ssn|agency\.example/);
  });

  test('E19: name and birth date alone are probable: a person is asked, and sees grade, score, and what agrees', async () => {
    await world.server.seed(rosa('p1'), rosa('p2'));
    await sendClient();
    const [question] = await world.openDecisions();
    expect(question).toMatchObject({
      kind: 'patient-match',
      code: 'patient-uncertain',
      choices: ['link:p1', 'link:p2', 'again', 'leave'],
    });
    const candidates = question?.detail.candidates;
    expect(candidates).toContainEqual(
      expect.objectContaining({
        id: 'p1',
        grade: 'probable',
        score: expect.any(Number),
        agree: ['birth date', 'family name', 'given name', 'sex'],
        differ: [],
      }),
    );
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: null, state: 'parked' });
  });

  test('E19: certain for the server, but a twin for us: a person is asked', async () => {
    await world.server.seed(rosa('twin', { identifier: [paddedMrn], name: [{ family: 'Delgado', given: ['Ines'] }] }));
    await sendClient();
    expect(await world.openDecisions()).toMatchObject([
      { code: 'patient-uncertain', detail: { candidates: [{ id: 'twin', grade: 'certain', differ: ['given name'] }] } },
    ]);
  });

  test('E19: our number on somebody of another birth date: a person is asked', async () => {
    await world.server.seed(rosa('rosa', { identifier: [paddedMrn], birthDate: '1991-01-01' }));
    await sendClient();
    expect(await world.openDecisions()).toMatchObject([{ code: 'patient-uncertain' }]);
  });

  test('E19: nobody matches: a person is asked, for nobody may be made there', async () => {
    await sendClient();
    expect(await world.openDecisions()).toMatchObject([{ code: 'patient-not-found', choices: ['again', 'leave'] }]);
    expect(await world.server.all('Patient')).toEqual([]);
  });

  test('answered "again": who has been registered since is found, and who is not there is asked about once more', async () => {
    await sendClient();
    await world.decide('patient-match', 'again');
    await world.work();
    expect(await world.openDecisions()).toMatchObject([{ code: 'patient-not-found' }]);
    await world.server.seed(rosa('rosa', { telecom: phone }));
    await world.decide('patient-match', 'again');
    await world.work();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa', origin: 'found' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('E19: a lost answer is a read that failed: it is asked again, and nothing is an unknown outcome', async () => {
    await world.server.seed(rosa('rosa', { telecom: phone }));
    await world.server.faults({
      method: 'POST',
      path: 'Patient/$match',
      nth: 1,
      times: 2,
      fault: { drop: 'after-commit' },
    });
    await sendClient();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa' });
    expect(await world.store.db.selectFrom('operation').selectAll().execute()).toEqual([]);
    expect((await asked()).filter((line) => line.startsWith('POST'))).toHaveLength(3);
  });

  test('E19: where $match is not granted, the search by name and birth date tells', async () => {
    await world.server.seed(rosa('rosa', { telecom: phone }));
    await world.server.faults({ method: 'POST', path: 'Patient/$match', fault: { status: 403 } });
    await sendClient();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa' });
  });
});

describe('E20: a merged patient', () => {
  // The system of the codes differs from site to site (E31).
  const coding = [{ system: 'urn:oid:1.2.840.114350.1.13.338.3.7.2.657369', code: '4107' }];
  const mergedAway = {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'fatal', code: 'deleted', details: { coding } }],
  };

  test('E20: the read is redirected: the link follows, a person is told', async () => {
    await world.server.seed(rosa('old', { telecom: phone }));
    await sendClient();
    await world.server.seed(rosa('new', { telecom: phone }));
    await world.server.settings({ merged: { old: 'new' } });
    await world.workAgain();
    expect(await world.link(rosasSlot)).toMatchObject({
      generation: 2,
      remoteId: 'new',
      origin: 'found',
      state: 'read',
    });
    expect(await world.openDecisions()).toMatchObject([
      { kind: 'patient-merged', detail: { was: 'old', now: 'new' }, choices: ['noted'] },
    ]);
    const { length } = await world.server.journal();
    await world.workAgain();
    // Whether the merge still holds: it is redirected as before.
    expect(await asked(length)).toEqual(['GET Patient/new', 'GET Patient/old', 'GET Patient/new']);
  });

  test('E20: to somebody of another birth date and family name: a person is asked', async () => {
    await world.server.seed(rosa('old', { telecom: phone }));
    await sendClient();
    await world.server.seed(rosa('new', { birthDate: '1950-01-01', name: [{ family: 'Baker', given: ['Ann'] }] }));
    await world.server.settings({ merged: { old: 'new' } });
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      { code: 'patient-merged-elsewhere', choices: ['link:new', 'leave'] },
    ]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: null });
  });

  test('E20: met by a write, which is refused: the link follows, and the next try is about the survivor', async () => {
    await world.server.seed(rosa('old', { telecom: phone }));
    await sendClient();
    await world.server.seed(rosa('new', { telecom: phone }));
    await world.server.settings({ merged: { old: 'new' } });
    await world.server.faults(
      { method: 'POST', path: 'Condition', nth: 1, fault: { status: 400, body: mergedAway } },
      { method: 'POST', path: 'Condition', nth: 2, fault: { status: 201, headers: { location: 'Condition/c1' } } },
    );
    await world.send(['case', aCase()], ['need', aNeed()]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'new' });
    const posts = (await world.server.journal()).filter(({ url }) => String(url).endsWith('/Condition'));
    expect(posts.map(({ requestBody }) => /Patient\/\w+/.exec(JSON.stringify(requestBody))?.[0])).toEqual([
      'Patient/old',
      'Patient/new',
    ]);
  });

  test('E20: told by 4107 alone: the client is looked for again, a person is told', async () => {
    await world.server.seed(rosa('old', { telecom: phone }));
    await sendClient();
    await world.server.seed(rosa('new', { telecom: phone }));
    await world.server.settings({ merged: { old: 'new' } });
    await world.server.faults({ path: 'Patient/old', fault: { status: 404, body: mergedAway } });
    await world.workAgain();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'new', origin: 'found' });
    expect(await world.openDecisions()).toMatchObject([{ kind: 'patient-merged', detail: { was: 'old', now: null } }]);
  });
});

describe('E21: a restricted patient', () => {
  test('E21: parks the lane without a word about the patient; only an operator or a new version asks again', async () => {
    await world.server.seed(rosa('rosa', { telecom: phone }));
    await sendClient();
    await world.server.settings({ restricted: ['rosa'] });
    await world.workAgain();
    expect(await world.lane(clientLane)).toMatchObject({ parked: 'patient-restricted', hasWork: false });
    const { parked } = await world.store.db
      .selectFrom('lane')
      .select('parked')
      .where('subject', '=', clientLane)
      .executeTakeFirstOrThrow();
    expect(Object.keys(parked ?? {}).sort()).toEqual(['code', 'text']);
    expect(JSON.stringify(parked)).not.toMatch(/Delgado|rosa|1984/i);
    const { length } = await world.server.journal();
    await world.run(clientLane);
    expect(await asked(length)).toEqual([]);
    await world.server.settings({ restricted: [] });
    const lane = { connection: 'general', subject: clientLane };
    await world.store.tx((trx) => raiseWanted(trx, [lane], { reread: true, unpark: true }));
    await world.work();
    expect(await world.lane(clientLane)).toMatchObject({ parked: undefined });
  });

  test('E21: left out of a search: parked the same way, and nobody is taken for absent', async () => {
    await world.server.seed(rosa('rosa', { identifier: [paddedMrn] }));
    await world.server.settings({ restricted: ['rosa'] });
    await sendClient();
    await world.workAgain();
    expect(await world.lane(clientLane)).toMatchObject({ parked: 'patient-restricted', hasWork: false });
    expect(await world.openDecisions()).toEqual([]);
    expect(await asked()).toHaveLength(1);
  });

  test('E21: refused while looking for the client: parked the same way', async () => {
    const coding = [{ system: 'urn:oid:1.2.840.114350.1.13.0.1.7.2.657369', code: '4131' }];
    const body = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'fatal', code: 'forbidden', details: { coding } }],
    };
    await world.server.faults({ path: 'Patient', fault: { status: 403, body } });
    await sendClient();
    await world.workAgain();
    expect(await world.lane(clientLane)).toMatchObject({ parked: 'patient-restricted', hasWork: false });
    expect(await asked()).toHaveLength(1);
    await world.server.faults();
    await world.server.seed(rosa('rosa', { telecom: phone }));
    await sendClient({ updatedAt: '2026-02-20T10:00:00-05:00', pronouns: 'she/her' });
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa' });
  });
});

describe('E23: a problem that is on the list already', () => {
  const need = 'need/need-food#condition';

  test('is asked about as what it is, as no search of this server tells whether it is ours', async () => {
    await world.server.seed(rosa('rosa', { identifier: [paddedMrn] }), {
      resourceType: 'Condition',
      id: 'of-the-clinic',
      subject: { reference: 'Patient/rosa' },
      code: { coding: [{ system: 'http://snomed.info/sct', code: '733423003' }] },
    });
    await world.send(['client', aClient()], ['case', aCase()], ['need', aNeed()]);
    const posts = async () =>
      (await world.server.journal())
        .filter(({ method, url }) => method === 'POST' && String(url).endsWith('/Condition'))
        .map(({ status }) => status);
    expect(await posts()).toEqual([400]);
    const question = { kind: 'conflict', code: 'server-duplicate', choices: ['again', 'leave'] };
    expect(await world.openDecisions()).toMatchObject([{ ...question, topic: `contested:${need}` }]);
    expect(await world.link(need)).toMatchObject({ remoteId: null, state: 'parked', reason: 'server-duplicate' });
    await world.workAgain();
    expect(await posts()).toEqual([400]);

    await world.decide('conflict', 'again');
    await world.work();
    expect(await posts()).toEqual([400, 400]);
    expect(await world.openDecisions()).toMatchObject([question]);
  });
});

describe('E25: a problem, which the server stores in a form of its own and takes no changes of', () => {
  const need = 'need/need-food#condition';
  const changed = (more: JsonObject = {}): JsonObject => ({
    ...aNeed({ status: 'met', resolvedOn: '2026-02-20', updatedAt: '2026-02-20T10:00:00-05:00' }),
    ...more,
  });
  const sendNeed = async () => {
    await world.server.seed(rosa('rosa', { telecom: phone }));
    await sendClient();
    await world.send(['case', aCase()], ['need', aNeed()]);
  };
  const writes = async () =>
    (await world.server.journal())
      .filter(({ method, url }) => method !== 'GET' && String(url).includes('/Condition'))
      .map(({ method, status }) => `${String(method)} ${String(status)}`);
  const stored = async () => (await world.server.all('Condition'))[0] ?? {};

  test('E25: what the vendor is known to rewrite is no change of theirs: nobody is asked, nothing is offered (lanes.md 15)', async () => {
    await sendNeed();
    await world.workAgain();
    expect(await stored()).toMatchObject({ category: [{ text: 'Problem List Item' }] });
    expect(await writes()).toEqual(['POST 201']);
    expect(await world.link(need)).toMatchObject({ origin: 'created', state: 'current' });
    expect([await world.openDecisions(), await world.changes()]).toEqual([[], []]);
  });

  test('E25: what they change of it later is theirs, whether or not they had rewritten it', async () => {
    await sendNeed();
    const code = { coding: [{ system: 'http://snomed.info/sct', code: '445281000124101' }] };
    await world.server.seed({ ...(await stored()), clinicalStatus: clinical('resolved'), code });
    await world.workAgain();
    const diagnosisCodes = [{ system: 'snomed', code: '445281000124101' }];
    expect(await world.changes()).toMatchObject([{ id: 'need-food', body: { status: 'met', diagnosisCodes } }]);
    expect([await world.openDecisions(), await writes()]).toEqual([[], ['POST 201']]);
  });

  test('E25: a change here is not sent: the state says that the server takes none, and one question asks what to do', async () => {
    await sendNeed();
    await world.send(['need', changed()]);
    expect(await writes()).toEqual(['POST 201']);
    expect(await world.link(need)).toMatchObject({ state: 'parked', reason: 'update-not-offered' });
    expect(await world.openDecisions()).toMatchObject([{ code: 'refused-write', choices: ['retry', 'skip'] }]);
    await world.decide('refused-write', 'retry');
    await world.work();
    expect(await writes()).toEqual(['POST 201']);
  });

  test('E25: changed by hand there as here, it is current again, and the question is over', async () => {
    await sendNeed();
    await world.send(['need', changed()]);
    await world.server.seed({
      ...(await stored()),
      clinicalStatus: clinical('resolved'),
      abatementDateTime: '2026-02-20',
    });
    await world.workAgain();
    expect(await world.link(need)).toMatchObject({ state: 'current' });
    expect([await world.openDecisions(), await writes()]).toEqual([[], ['POST 201']]);
  });

  test('E25: a need that is withdrawn stays there, and the state says that it cannot be taken back', async () => {
    await sendNeed();
    await world.send(['need', { id: 'need-food', updatedAt: '2026-02-20T10:00:00-05:00', deleted: true }]);
    expect(await world.link(need)).toMatchObject({ state: 'parked', reason: 'update-not-offered', retired: false });
    expect(await writes()).toEqual(['POST 201']);
  });
});

function clinical(code: string): JsonObject {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code }] };
}
