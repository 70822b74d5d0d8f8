// Provenance goes only where it cannot be doubled or stand alone; whoever asks is told in one line what stands in the way.

import { expect, test } from '@jest/globals';
import { type Capabilities, provenanceAbility, vendors } from '../../src/connections/connections.ts';

const able: Capabilities = {
  readAt: '2026-03-02T10:00:00.000Z',
  interactions: { Provenance: ['create', 'read', 'search-type'] },
  searchParams: { Provenance: ['_id', '_tag', 'target'] },
  conditionalCreate: { Provenance: true },
  transaction: true,
  versioned: {},
  patch: true,
  hash: '',
};

test('it goes with transactions where the server declares all that it needs and the token allows it', () => {
  for (const granted of [undefined, ['system/Provenance.cs'], ['system/*.cruds']]) {
    expect(provenanceAbility(able, vendors.standard, granted)).toMatchObject({ sent: true });
  }
});

test.each<[string, Partial<Capabilities>, readonly string[] | undefined]>([
  ['the server takes none', { transaction: false }, undefined],
  ['does not declare that it creates Provenance', { interactions: { Provenance: ['read'] } }, undefined],
  ['does not declare that it creates Provenance', { interactions: {} }, undefined],
  ['conditional create', { conditionalCreate: { Provenance: false } }, undefined],
  ['_tag', { searchParams: { Provenance: ['target'] } }, undefined],
  ['the token does not grant system/Provenance.cs', {}, ['system/Goal.cruds', 'system/Provenance.rs']],
  ['the token does not grant system/Provenance.cs', {}, ['system/Provenance.c']],
])('none, and why: %s', (why, lack, granted) => {
  const ability = provenanceAbility({ ...able, ...lack }, vendors.standard, granted);
  expect(ability).toEqual({ sent: false, why: expect.stringMatching(/^No Provenance: /) });
  expect(ability.why).toContain(why);
});

test.each(['epic', 'oracle'] as const)('none goes to %s, which takes no transactions whatever it declares', (name) => {
  expect(provenanceAbility(able, vendors[name], undefined)).toMatchObject({ sent: false });
});
