// Whether what a server shows as made or found may be what was sent (lanes.md 9, 10): proven, disproven, or neither.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/json.ts';
import { mayBeOurs } from '../../../src/lanes/send/created-reply.ts';

const system = 'https://agency.example.org/casebridge';
const server = { identifierSystem: system, baseUrl: 'https://fhir.example.org/r4' };
const ours = { system, value: 'county/goal/g1#goal' };
const otherOfOurs = { system, value: 'county/goal/g2#goal' };
const theirs = { system: 'urn:oid:1.2.3', value: '7' };

const goal: JsonObject = { resourceType: 'Goal', identifier: [ours], subject: { reference: 'Patient/rosa' } };
const organization: JsonObject = { resourceType: 'Organization', identifier: [ours], name: 'Elm Street Pantry' };
const taking = (id: string): JsonObject => ({ actor: { reference: `Patient/${id}` } });
const visit: JsonObject = { resourceType: 'Appointment', identifier: [ours], participant: [taking('rosa')] };
const patient: JsonObject = {
  resourceType: 'Patient',
  identifier: [ours],
  name: [{ family: 'Núñez', given: ['Rosa'] }],
  birthDate: '1984-06-17',
};

describe('the resource that an answer to a create shows', () => {
  test.each<[string, JsonObject, JsonObject]>([
    ['carries our identifier among others', goal, { identifier: [theirs, ours] }],
    ['carries it alone, as a type with one identifier', goal, { identifier: ours }],
    ['carries it beside another one of ours, which the server has merged', goal, { identifier: [otherOfOurs, ours] }],
    ['carries it, and another subject', goal, { identifier: [ours], subject: { reference: 'Patient/merged' } }],
    ['carries no identifier', goal, { subject: { reference: 'Patient/rosa' } }],
    ['carries only theirs', goal, { identifier: [theirs] }],
    [
      'names the patient by the address of the server',
      goal,
      {
        subject: { reference: 'https://fhir.example.org/r4/Patient/rosa/_history/2' },
      },
    ],
    [
      'names the patient by another address of the server',
      goal,
      {
        subject: { reference: 'https://inside.example.org/r4/Patient/9' },
      },
    ],
    ['is for another patient too', visit, { participant: [taking('ben'), taking('rosa')] }],
    ['writes the name otherwise', organization, { name: ' ELM STREET PANTRY' }],
    ['tells no name', organization, {}],
    ['writes the family name otherwise', patient, { name: [{ family: 'NUNEZ' }], birthDate: '1984-06-17' }],
    ['tells the year of birth only', patient, { birthDate: '1984' }],
  ])('may be ours: it %s', (_title, sent, shown) => {
    expect(
      mayBeOurs({ sent, shown: { resourceType: sent.resourceType ?? '', ...shown }, wasFound: false }, server),
    ).toBe(true);
  });

  test.each<[string, JsonObject, JsonObject]>([
    ['carries another identifier of ours', goal, { identifier: [otherOfOurs], subject: { reference: 'Patient/rosa' } }],
    ['is of another patient', goal, { subject: { reference: 'Patient/ben' } }],
    ['is for another patient alone', visit, { participant: [taking('ben')] }],
    ['has another name', organization, { name: 'Another' }],
    ['is a person of another family', patient, { name: [{ family: 'Ngo' }] }],
    ['is a person born on another day', patient, { birthDate: '1984-07-16' }],
  ])('is not ours: it %s', (_title, sent, shown) => {
    expect(
      mayBeOurs({ sent, shown: { resourceType: sent.resourceType ?? '', ...shown }, wasFound: false }, server),
    ).toBe(false);
  });

  test('is ours although another patient takes part in it too, and not where only others do', () => {
    const visit = (...ids: string[]): JsonObject => ({
      resourceType: 'Appointment',
      participant: ids.map((id) => ({ actor: { reference: `Patient/${id}` } })),
    });
    const isOurs = (shown: JsonObject) => mayBeOurs({ sent: visit('rosa'), shown, wasFound: false }, server);
    expect([isOurs(visit('ines', 'rosa')), isOurs(visit('ines')), isOurs(visit())]).toEqual([true, false, true]);
  });

  test.each<[string, JsonObject, boolean]>([
    ['our identifier', { identifier: [ours] }, true],
    ['no identifier', { subject: { reference: 'Patient/rosa' } }, false],
    ['only theirs', { identifier: [theirs] }, false],
  ])('was found by our identifier and carries %s: %s', (_title, shown, isOurs) => {
    expect(mayBeOurs({ sent: goal, shown: { resourceType: 'Goal', ...shown }, wasFound: true }, server)).toBe(isOurs);
  });
});
