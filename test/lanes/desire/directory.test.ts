// Directory entries that the server knows by a number are linked and never written (lanes.md 19).

import { describe, expect, test } from '@jest/globals';
import type { OrganizationRecord } from '../../../src/records/records.ts';
import { aClient, anOrganization, aWorker } from '../../builders.ts';
import { directoryAndClient } from '../../support/caseload.ts';
import { aConnection, ownCounts } from '../../support/rig.ts';
import { creates, useWorld } from '../../support/world.ts';

const world = useWorld();
const npi = '1234567893';
const identifiers: OrganizationRecord['identifiers'] = [{ kind: 'npi', value: npi }];
const theirs = {
  resourceType: 'Organization',
  id: 'elm',
  active: true,
  name: 'ELM STREET PANTRY INC',
  identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: npi }],
};

describe('an organization that the server knows by its NPI', () => {
  test('is linked and never written, whatever its record says later', async () => {
    await world.server.seed(theirs);
    await world.send(['organization', anOrganization({ identifiers })]);
    await world.accept([
      'organization',
      anOrganization({ identifiers, name: 'Elm Pantry', updatedAt: '2026-02-10T10:00:00-05:00' }),
    ]);
    await world.workAgain();
    expect(await world.link('organization/org-pantry#organization')).toMatchObject({
      origin: 'found',
      remoteId: 'elm',
      state: 'read',
    });
    expect(await world.server.writes()).toEqual([]);
  });

  test('is not retired when its record is deleted', async () => {
    await world.server.seed(theirs);
    await world.send(['organization', anOrganization({ identifiers })]);
    await world.send([
      'organization',
      anOrganization({ identifiers, deleted: true, updatedAt: '2026-02-10T10:00:00-05:00' }),
    ]);
    expect(await world.server.writes()).toEqual([]);
  });

  test('stands in references to it', async () => {
    await world.server.seed(theirs);
    await world.send(...directoryAndClient(), [
      'organization',
      anOrganization({ identifiers, updatedAt: '2026-01-06T09:00:00-05:00' }),
    ]);
    const service = await world.server.own('HealthcareService', 'county/service/service-groceries#service');
    expect(service.providedBy).toEqual({ reference: 'Organization/elm' });
  });

  test('is not taken when it is switched off there: our own is made', async () => {
    await world.server.seed({ ...theirs, active: false });
    await world.send(['organization', anOrganization({ identifiers })]);
    expect(await ownCounts(world.server)).toEqual({ 'county/organization/org-pantry#organization': 1 });
  });
});

describe('several organizations under one NPI', () => {
  const name = 'organization/org-pantry#organization';
  const bakery = { ...theirs, id: 'bakery', name: 'Elm Street Bakery' };
  const sendPantry = async () => {
    await world.send(...directoryAndClient(), [
      'organization',
      anOrganization({ identifiers, updatedAt: '2026-01-06T09:00:00-05:00' }),
    ]);
  };

  test('the one of the same name is linked, wherever it comes in their order', async () => {
    await world.server.seed(bakery, { ...theirs, name: 'ELM STREET PANTRY' });
    await sendPantry();
    expect(await world.link(name)).toMatchObject({ origin: 'found', remoteId: 'elm' });
  });

  test('without one of the same name a person is asked: nothing is guessed or made, and what needs it waits', async () => {
    await world.server.seed(bakery, theirs);
    await sendPantry();
    await world.workAgain();
    expect(await world.openDecisions()).toMatchObject([
      {
        kind: 'entry-match',
        code: 'directory-several',
        choices: ['link:bakery', 'link:elm', 'create', 'again', 'leave'],
        detail: { candidates: [{ id: 'bakery', name: 'Elm Street Bakery' }, { id: 'elm' }] },
      },
    ]);
    expect(await world.link(name)).toMatchObject({ remoteId: null, state: 'parked', reason: 'directory-several' });
    expect((await ownCounts(world.server))[`county/${name}`]).toBeUndefined();
    await world.decide('entry-match', 'link:elm');
    await world.work();
    await world.workAgain();
    expect(await world.link(name)).toMatchObject({ origin: 'found', remoteId: 'elm', state: 'read' });
    const service = await world.server.own('HealthcareService', 'county/service/service-groceries#service');
    expect(service.providedBy).toEqual({ reference: 'Organization/elm' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('… answered "create": ours is made beside them, once, and is written on', async () => {
    await world.server.seed(bakery, theirs);
    await sendPantry();
    await world.decide('entry-match', 'create');
    await world.work();
    const made = await world.server.own('Organization', `county/${name}`);
    const service = await world.server.own('HealthcareService', 'county/service/service-groceries#service');
    expect(service.providedBy).toEqual({ reference: `Organization/${made.id}` });
    const phone = { phones: [{ number: '555-0199' }], updatedAt: '2026-02-10T10:00:00-05:00' };
    await world.accept(['organization', anOrganization({ identifiers, ...phone })]);
    await world.workAgain();
    expect(await world.link(name)).toMatchObject({ origin: 'created', remoteId: made.id, state: 'current' });
    expect(JSON.stringify(await world.server.own('Organization', `county/${name}`))).toContain('555-0199');
    expect((await world.server.all('Organization')).length).toBe(4);
    expect(await world.openDecisions()).toEqual([]);
  });

  test('… answered "leave": none is linked or made, and nobody is asked again until its record has a new version', async () => {
    await world.server.seed(bakery, theirs);
    await sendPantry();
    await world.decide('entry-match', 'leave');
    await world.work();
    await world.workAgain();
    expect(await world.openDecisions()).toEqual([]);
    expect(await world.link(name)).toMatchObject({ remoteId: null, state: 'parked', reason: 'version-set-aside' });
    expect(await world.lane('county.organization.org-pantry')).toMatchObject({ hasWork: false, parked: undefined });
    const renamed = { name: 'Elm Street Kitchen', updatedAt: '2026-02-10T10:00:00-05:00' };
    await world.send(['organization', anOrganization({ identifiers, ...renamed })]);
    expect(await world.openDecisions()).toMatchObject([{ kind: 'entry-match' }]);
    expect((await ownCounts(world.server))[`county/${name}`]).toBeUndefined();
  });

  test('… and a record that comes with another name is looked for anew', async () => {
    await world.server.seed(bakery, theirs);
    await sendPantry();
    await world.send([
      'organization',
      anOrganization({ identifiers, name: 'Elm Street Bakery', updatedAt: '2026-01-07T09:00:00-05:00' }),
    ]);
    expect(await world.link(name)).toMatchObject({ remoteId: 'bakery' });
    expect(await world.openDecisions()).toEqual([]);
  });

  test('and several practitioners: the one of the same name is linked', async () => {
    const person = (id: string, family: string, given: string) => ({
      resourceType: 'Practitioner',
      id,
      name: [{ family, given: [given] }],
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: npi }],
    });
    await world.server.seed(person('a', 'Okafor', 'Ada'), person('b', 'OKAFOR', 'Ngozi'));
    await world.send(...directoryAndClient(), ['worker', aWorker({ npi, updatedAt: '2026-01-06T09:00:00-05:00' })]);
    expect(await world.link('worker/worker-okafor#practitioner')).toMatchObject({ origin: 'found', remoteId: 'b' });
  });
});

test('a practitioner known by NPI is linked; the role, which names the agency, is ours', async () => {
  await world.server.seed({
    resourceType: 'Practitioner',
    id: 'ngozi',
    active: true,
    identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: npi }],
  });
  await world.send(...directoryAndClient(), ['worker', aWorker({ npi, updatedAt: '2026-01-06T09:00:00-05:00' })]);
  expect(await world.link('worker/worker-okafor#practitioner')).toMatchObject({ origin: 'found', remoteId: 'ngozi' });
  expect(await world.server.own('PractitionerRole', 'county/worker/worker-okafor#role')).toMatchObject({
    practitioner: { reference: 'Practitioner/ngozi' },
  });
});

test('an organization known by an identifier of the connection is linked', async () => {
  await world.connect(
    aConnection(world.server.base, { id: 'hub', identifierSystems: { 'state-license': 'urn:oid:9.9' } }),
  );
  await world.server.seed({ ...theirs, identifier: [{ system: 'urn:oid:9.9', value: 'NY-17' }] });
  await world.send(['organization', anOrganization({ identifiers: [{ kind: 'state-license', value: 'NY-17' }] })]);
  expect(await world.link('organization/org-pantry#organization', 'hub')).toMatchObject({
    origin: 'found',
    remoteId: 'elm',
  });
});

test('two organizations that share a number arriving at once end as one on the server', async () => {
  await world.send(
    ['organization', anOrganization({ identifiers })],
    ['organization', anOrganization({ id: 'org-again', identifiers })],
    ['client', aClient()],
  );
  expect(await creates(world.server, 'Organization')).toBe(1);
});
