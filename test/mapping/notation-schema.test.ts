// The JSON Schema by which editors complete and check mapping files: it is the one of this program, takes what ships, and refuses what no mapping has.

import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { mappingSchema } from '../../scripts/mapping-schema.ts';
import { mappings, shippedMappings } from './fixtures.ts';

const shipped = JSON.parse(await readFile(new URL('../../mappings/mapping.schema.json', import.meta.url), 'utf8'));
const check = new Ajv2020({ allErrors: false, strict: false }).compile(shipped);

test('is what scripts/make-mapping-schema.ts makes', () => {
  expect(shipped).toEqual(mappingSchema(mappings));
});

test.each(shippedMappings.map(({ path, text }) => ({ path, text })))('takes $path', ({ text }) => {
  expect({ fine: check(parse(text)), errors: check.errors }).toEqual({ fine: true, errors: null });
});

const guide = await readFile(new URL('../../docs/custom-fields.md', import.meta.url), 'utf8');
const overlay = [...guide.matchAll(/```yaml\n# (overlay\/\S+)\n([\s\S]*?)```/g)].map(([, path, text]) => ({
  path,
  text,
}));

test.each(overlay)('takes $path of docs/custom-fields.md', ({ text = '' }) => {
  expect({ fine: check(parse(text)), errors: check.errors }).toEqual({ fine: true, errors: null });
});

test('docs/custom-fields.md shows a file of each kind', () => {
  const keys = overlay.map(({ text = '' }) => Object.keys(parse(text))[0]);
  expect(keys).toEqual(expect.arrayContaining(['overlay', 'conceptMap', 'addsTo']));
});

test.each([
  ['an unknown record type', { record: 'gaol', resources: {} }],
  ['an unknown word', { record: 'goal', resource: {} }],
  ['an unused field that no record has', { record: 'goal', unused: { horizonn: 'never' } }],
  ['an unused field without a reason', { record: 'goal', unused: { horizon: '' } }],
  ['an element that the resource has not', goal({ startDat: { from: 'startsOn' } })],
  ['an unknown word in a rule', goal({ startDate: { from: 'startsOn', cod: 'goal-status' } })],
  ['an unknown owner', goal({ startDate: { from: 'startsOn', owner: 'sourc' } })],
  ['oneWay without a reason', goal({ startDate: { from: 'startsOn', oneWay: '' } })],
  ['a text for true', goal({ startDate: { from: 'startsOn', derived: 'yes' } })],
  ['a number for a text', goal({ startDate: { from: 'startsOn', goesWith: 5 } })],
  ['a way back as a list', { conceptMap: 'x', version: '1', source: 'us', codes: {}, back: ['a'] }],
  ['a ConceptMap without a source', { conceptMap: 'x', version: '1', codes: {} }],
  ['an overlay of no record type', { overlay: 'gaol', fields: {} }],
  ['an unknown kind of field', { overlay: 'goal', fields: { pets: { kind: 'count' } } }],
  ['an unknown word in a field', { overlay: 'goal', fields: { pets: { kind: 'integer', mini: 0 } } }],
  ['an unknown word in an overlay', { overlay: 'goal', field: {} }],
  ['an addition without a source', { addsTo: 'sdoh-intervention', version: 1, codes: {} }],
  ['a system that is no URL', { sct: 'snomed' }],
])('refuses %s', (_, file) => {
  expect(check(file)).toBe(false);
});

function goal(elements: object): object {
  return { record: 'goal', resources: { goal: { resourceType: 'Goal', elements } } };
}
