// Who a client is at Oracle Health, over HTTP against its simulation: how the client of that server keeps to its rules (ehr-behaviour C13, C14).

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { aClient } from '../../builders.ts';
import { mrn, rosa, rosasSlot } from '../../support/patients.ts';
import { useWorld } from '../../support/world.ts';

const world = useWorld({ vendor: 'oracle', task: 'off', createPatients: false });

async function sendClient(): Promise<void> {
  await world.send(['client', aClient()]);
}

async function searches(): Promise<JsonObject[]> {
  return (await world.server.journal()).filter(({ url }) => String(url).includes('/Patient?family='));
}

const phone = [{ system: 'phone', value: '518-555-0177' }];

describe('C13: a patient search with more hits than the server gives', () => {
  const crowd = (given: string) =>
    Array.from({ length: 12 }, (_, at) => rosa(`c${at}`, { name: [{ family: 'Delgado', given: [given] }] }));

  test('C13: is asked again with more criteria; who is certain among fewer is linked', async () => {
    await world.server.settings({ patientSearchLimit: 10 });
    await world.server.seed(...crowd('Ines'), rosa('rosa', { telecom: phone }));
    await sendClient();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa', origin: 'found', state: 'read' });
    expect((await searches()).map(({ status }) => status)).toEqual([422, 200]);
  });

  test('C13: is never repeated as it was; too many for every criterion is a question', async () => {
    await world.server.settings({ patientSearchLimit: 10 });
    await world.server.seed(...crowd('Rosa'));
    await sendClient();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ code: 'patient-too-many', choices: ['again', 'leave'] }]);
    const urls = (await searches()).map(({ url }) => url);
    expect(urls.length).toBeGreaterThan(1);
    expect(new Set(urls).size).toBe(urls.length);
  });

  test('C13: fewer hits need no more criteria', async () => {
    await world.server.seed(rosa('rosa', { identifier: [mrn] }));
    await sendClient();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'rosa' });
    expect(await searches()).toHaveLength(1);
  });
});

describe('C14: a combined patient', () => {
  test('C14: is read as inactive with its survivor: the link follows, a person is told', async () => {
    await world.server.seed(rosa('old', { identifier: [mrn] }));
    await sendClient();
    await world.server.seed(rosa('new', { identifier: [mrn] }));
    await world.server.settings({ combined: { old: 'new' } });
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
  });

  test('C14: with somebody of another birth date and family name: a person is asked', async () => {
    await world.server.seed(rosa('old', { identifier: [mrn] }));
    await sendClient();
    await world.server.seed(rosa('new', { birthDate: '1950-01-01', name: [{ family: 'Baker', given: ['Ann'] }] }));
    await world.server.settings({ combined: { old: 'new' } });
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([{ code: 'patient-merged-elsewhere' }]);
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: null, state: 'parked' });
  });

  test('C14: is not found any more by a search: who survives is', async () => {
    await world.server.seed(rosa('old', { identifier: [mrn] }), rosa('new', { identifier: [mrn] }));
    await world.server.settings({ combined: { old: 'new' } });
    await sendClient();
    expect(await world.link(rosasSlot)).toMatchObject({ remoteId: 'new', origin: 'found' });
  });
});
