// A code that a record repeats, or two that become the same, is one coding in the resource, and the record keeps its own when it comes back.

import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import { fixture, mappingOf } from './fixtures.ts';
import { linkedSource, linkTo, targetOf } from './linked-source.ts';

const cases: [RecordType, string, JsonObject, ('plain' | 'full')?][] = [
  ['client', 'patient', { race: ['white', 'white', 'asian'], sensitivity: ['mental-health', 'mental-health'] }],
  [
    'client',
    'patient',
    { race: ['hispanic', 'hispanic', 'middle-eastern-north-african', 'middle-eastern-north-african'] },
  ],
  // In words too, where the client has none of their own.
  ['client', 'patient', { race: ['white', 'asian', 'white'] }, 'plain'],
  ['goal', 'goal', { sensitivity: ['hiv', 'hiv', 'mental-health'] }],
  ['service', 'service', { domains: ['food-insecurity', 'food-insecurity', 'homelessness'] }],
  ['consent', 'consent', { scope: ['share-care-plan', 'share-care-plan'] }],
];

test.each(cases)('%s: a repeated code', (type, slotName, repeated, kind = 'full') => {
  const record = { ...fixture(type, kind), ...repeated };
  const once = Object.fromEntries(
    Object.entries(repeated).map(([name, codes]) => [name, Array.isArray(codes) ? [...new Set(codes)] : codes]),
  );
  const resourceOf = (of: JsonObject) =>
    mappingOf(type)
      .project(of, linkedSource)
      .find(({ slot }) => slot === slotName)?.resource;
  const resource = resourceOf(record);
  expect(resource).toEqual(resourceOf({ ...record, ...once }));
  const slot = mappingOf(type).slot(slotName);
  const keys = slot.elements.map(({ key }) => key);
  expect(slot.absorb(keys, resource ?? {}, record, { resolve: targetOf, linked: linkTo })).toMatchObject({
    patch: {},
    issues: [],
  });
});
