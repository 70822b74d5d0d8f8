// A resource that breaks a rule says which line of the mapping made it so, and from which fields of the record; never a value.

import { expect, test } from '@jest/globals';
import { aClient } from '../builders.ts';
import { context, fixture, mappingOf, shippedMappings } from './fixtures.ts';

/** The text of the rule at `file:line`. */
function ruleAt(at: string): string {
  const [path, line] = at.split(':');
  const file = shippedMappings.find((candidate) => candidate.path === path);
  return file?.text.split('\n')[Number(line) - 1]?.trim() ?? '';
}

test('what breaks base R4 names the profile rule, the mapping line and the fields', () => {
  const home = {
    id: 'a1',
    use: 'home' as const,
    lines: ['48 Larch Avenue'],
    city: 'Albany',
    state: 'NY',
    country: 'US',
  };
  const client = aClient({ addresses: [home, { ...home, id: 'a2', from: '2026-05-01', to: '2026-01-31' }] });
  const [{ invalid } = { invalid: [] }] = mappingOf('client').project(client, context);
  const [breach] = invalid;
  expect(invalid).toHaveLength(1);
  expect(breach).toMatchObject({
    rule: 'per-1',
    path: 'Patient.address[1].period',
    profile: 'Patient',
    pointers: ['/addresses/1/from', '/addresses/1/to'],
  });
  expect(ruleAt(breach?.at ?? '')).toMatch(/^period: \{ start: \{ from: from \}/);
  expect(JSON.stringify(invalid)).not.toMatch(/Larch|2026/);
});

test('a step down for what is there names the field that it was made from', () => {
  const worker = { ...fixture('worker', 'full'), npi: '1234567890' };
  const [{ issues } = { issues: [] }] = mappingOf('worker').project(worker, context);
  const [step] = issues.filter(({ code }) => code === 'profile-step-down');
  expect(step).toMatchObject({ element: 'identifier[1]', pointer: '/npi' });
  expect(ruleAt(step?.at ?? '')).toContain('from: npi');
});

test('a step down for what is missing names the rule and the fields that would have made it', () => {
  const { name: _name, ...nameless } = fixture('worker', 'full');
  const [{ issues } = { issues: [] }] = mappingOf('worker').project({ ...nameless, name: { given: 'Ana' } }, context);
  const [step] = issues.filter(({ message }) => message.includes('family is required'));
  expect(step).toMatchObject({ pointer: '/name' });
  expect(step?.at).toMatch(/^worker\.yaml:\d+$/);
});

test('a rule about the resource as a whole names the slot', () => {
  const { phone: _phone, email: _email, ...silent } = fixture('worker', 'full');
  const role = mappingOf('worker')
    .project(silent, context)
    .find(({ slot }) => slot === 'role');
  const [step] = role?.issues.filter(({ message }) => message.includes('pd-1')) ?? [];
  expect(step).not.toHaveProperty('pointer');
  expect(ruleAt(step?.at ?? '')).toBe('resourceType: PractitionerRole');
});
