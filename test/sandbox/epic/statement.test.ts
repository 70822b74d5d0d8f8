import { expect, test } from '@jest/globals';
import { hospitalSeed, inventedPeople } from '../../../src/sandbox/sandbox.ts';
import type { Parsed } from '../server.ts';
import { ada, aNote, useEpic } from './server.ts';

const epic = useEpic();

const statement = async (): Promise<Parsed> => (await epic.fhir('GET', 'metadata')).body;
const declared = async (type: string) =>
  (await statement()).rest[0].resource.find((each: Parsed) => each.type === type);
const codes = (resource: Parsed) => resource.interaction.map(({ code }: Parsed) => code);

test('the statement is shaped as the vendor has it: no versions, no patch, no system interactions', async () => {
  const body = await statement();
  expect(body.software).toEqual({ name: 'Epic', version: 'May 2026', releaseDate: '2026-05-11' });
  expect([body.patchFormat, body.format, body.implementation.url]).toEqual([undefined, ['xml', 'json'], epic.base]);
  const [rest] = body.rest;
  expect(rest.interaction).toBeUndefined();
  for (const resource of rest.resource) {
    expect(resource).toMatchObject({ readHistory: false, updateCreate: false, conditionalCreate: false });
    expect([resource.versioning, resource.conditionalUpdate]).toEqual([undefined, false]);
    expect(codes(resource)).not.toContain('patch');
    expect(codes(resource)).not.toContain('delete');
  }
  expect(codes(await declared('CarePlan'))).toEqual(['read', 'search-type']);
  expect(codes(await declared('Task'))).toEqual(['read', 'search-type', 'update']);
  expect(codes(await declared('DocumentReference'))).toEqual(['create', 'read', 'search-type', 'update']);
  expect((await declared('Patient')).operation[0].name).toBe('match');
  const parameters = (resource: Parsed) => resource.searchParam.map(({ name }: Parsed) => name);
  expect(parameters(await declared('DocumentReference'))).toContain('_lastupdated');
  expect(parameters(await declared('Goal'))).not.toContain('_lastUpdated');
});

test('discovery names the token endpoint and is open, as the statement is', async () => {
  await epic.settings({ auth: 'token' });
  const { body } = await epic.fhir('GET', '.well-known/smart-configuration');
  expect(body).toMatchObject({
    token_endpoint: epic.tokenUrl,
    token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt']),
  });
  expect(body.introspection_endpoint).toBeUndefined();
  const [{ url, valueUri }] = (await statement()).rest[0].security.extension[0].extension;
  expect([url, valueUri]).toEqual(['token', epic.tokenUrl]);
});

test('a site can lack types and interactions, and then serves none of them', async () => {
  await epic.settings({
    undeclaredTypes: ['Goal'],
    undeclaredInteractions: ['DocumentReference.create', 'Patient.match'],
  });
  expect(await declared('Goal')).toBeUndefined();
  expect(codes(await declared('DocumentReference'))).toEqual(['read', 'search-type', 'update']);
  expect((await declared('Patient')).operation).toBeUndefined();
  expect((await epic.fhir('GET', `Goal?patient=${ada.id}`)).status).toBe(404);
  expect((await epic.fhir('POST', 'DocumentReference', { body: aNote() })).status).toBe(404);
  expect((await epic.fhir('POST', 'Patient/$match', { body: {} })).status).toBe(404);
});

test('a site can declare what it does not serve', async () => {
  await epic.settings({ unservedTypes: ['Goal'] });
  expect(codes(await declared('Goal'))).toContain('read');
  expect((await epic.fhir('GET', `Goal?patient=${ada.id}`)).status).toBe(404);
});

test.each([
  [{ colour: 'red' }, 'colour'],
  [{ off: ['E35'] }, '/off/0'],
  [{ merged: { 'a/b': 'c' } }, '/merged'],
  [{ restricted: 'a' }, '/restricted'],
  [{ documentCap: -1 }, '/documentCap'],
  [{ instance: 'x' }, '/instance'],
  [{ undeclaredTypes: ['goal'] }, '/undeclaredTypes/0'],
  [{ undeclaredInteractions: ['Goal.delete'] }, '/undeclaredInteractions/0'],
])('the setting %j is refused by name', async (body, named) => {
  const answer = await epic.control('POST', 'settings', body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toContain(named);
});

test('reset brings back settings, ids, clients and pages', async () => {
  const first = await epic.created(aNote());
  await epic.control('POST', 'reset');
  const { body } = await epic.control('GET', 'settings');
  expect(body).toMatchObject({ auth: 'token', tokenSeconds: 3600, off: [], encounterRequired: true });
  await epic.settings({ auth: 'none' });
  const people = inventedPeople(1);
  await epic.control('POST', 'seed', hospitalSeed({ mrnSystem: 'urn:oid:9', people, since: '2026-03-01T08:00:00Z' }));
  expect(await epic.created(aNote())).toBe(first);
});

test('the people of a seed are all different, and the same each time', () => {
  const people = inventedPeople(500);
  expect(people).toEqual(inventedPeople(500));
  const distinct = (pick: (person: (typeof people)[number]) => unknown) => new Set(people.map(pick)).size;
  expect(distinct(({ mrn }) => mrn)).toBe(500);
  expect(distinct(({ family, given }) => `${family} ${given}`)).toBe(500);
  expect(distinct(({ phone }) => phone)).toBe(500);
  expect(distinct(({ address }) => address?.line)).toBe(500);
});

test('every search parameter that is declared is taken', async () => {
  const values: Record<string, string> = { date: 'ge2026-01-01', token: 'x', string: 'x', reference: 'x', number: '5' };
  // Parameters of which one at least must be there, or which name the patient.
  const needed: Record<string, string> = {
    CarePlan: `patient=${ada.id}&category=assess-plan`,
    Observation: `patient=${ada.id}&code=x`,
    Patient: `family=${ada.family}&birthdate=${ada.birthDate}`,
    Practitioner: 'name=x',
    Organization: '_id=x',
  };
  const patient = ['patient', 'subject', 'beneficiary'];
  const answers: [string, number][] = [];
  for (const { type, searchParam = [] } of (await statement()).rest[0].resource) {
    for (const { name, type: kind } of searchParam) {
      const query = needed[type] ?? `patient=${ada.id}`;
      const value = patient.includes(name) ? ada.id : values[kind];
      answers.push([`${type}.${name}`, (await epic.fhir('GET', `${type}?${query}&${name}=${value}`)).status]);
    }
  }
  expect(answers.length).toBeGreaterThan(100);
  expect(answers.filter(([, status]) => status !== 200)).toEqual([]);
});
