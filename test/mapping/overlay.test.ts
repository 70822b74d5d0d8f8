// An overlay at work: the laws of a two-way mapping hold with it as without it, for each kind of field, and nothing of ours differs for it.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileMappings, type MappingFile, type MappingSet } from '../../src/mapping/mapping.ts';
import { parseRecord } from '../../src/records/records.ts';
import { aNeed, receivedAt } from '../builders.ts';
import { overlayFiles } from '../docs/worked-example.ts';
import { arbitraryRecord } from '../records/arbitrary.ts';
import { mappings, shippedMappings } from './fixtures.ts';
import { testLaws } from './laws.ts';
import { linkedSource } from './linked-source.ts';

const url = (name: string): string => `https://agency.example.org/fhir/StructureDefinition/${name}`;
const extension = (name: string, value: string): string => `        - { key: ${name}, url: ${url(name)}, ${value} }\n`;

/** Every kind of field, in the record, in an object and in a list; an element and a slot that ours lack. */
const everyKind: readonly MappingFile[] = [
  {
    path: 'overlay/goal.yaml',
    text: `overlay: goal
fields:
  flag: { kind: boolean }
  open: { kind: code }
  closed: { kind: code, codes: [north, south] }
  item: { kind: item-code }
  day: { kind: date }
  part: { kind: partial-date }
  at: { kind: instant }
  hour: { kind: time }
  whole: { kind: integer, min: 0, max: 9 }
  decimal: { kind: number }
  cost: { kind: money }
  short: { kind: line }
  long: { kind: text }
  link: { kind: uri }
  help: { kind: id, of: need }
  words: { kind: line, list: true }
  measure.method: { kind: line }
  progress.mood: { kind: integer, min: 1, max: 5 }
resources:
  goal:
    elements:
      outcomeCode:
        - { from: custom.open, code: agency-open }
      extension:
${[
  extension('flag', 'valueBoolean: { from: custom.flag }'),
  extension('help', 'valueReference: { from: custom.help, reference: need#condition }'),
  extension('closed', 'valueCode: { from: custom.closed, code: agency-closed }'),
  extension('item', 'valueString: { from: custom.item }'),
  extension('day', 'valueDate: { from: custom.day }'),
  extension('part', 'valueDateTime: { from: custom.part }'),
  extension('at', 'valueInstant: { from: custom.at }'),
  extension('hour', 'valueTime: { from: custom.hour, oneWay: a server may add seconds }'),
  extension('whole', 'valueInteger: { from: custom.whole }'),
  extension('decimal', 'valueDecimal: { from: custom.decimal }'),
  extension('cost', 'valueString: { from: custom.cost }'),
  extension('short', 'valueString: { from: custom.short }'),
  extension('long', 'valueString: { from: custom.long }'),
  extension('link', 'valueUri: { from: custom.link }'),
  extension('method', 'valueString: { from: measure.custom.method }'),
].join('')}        - key: words
          each: custom.words
          item: { url: ${url('words')}, valueString: { from: . } }
  mood:
    resourceType: Observation
    each: progress
    by: id
    when: { custom.mood: present }
    retired: { status: entered-in-error }
    elements:
      status: final
      code: { text: Mood }
      subject: { from: /clientId, reference: client, derived: true }
      valueInteger: { from: custom.mood }
`,
  },
  {
    path: 'overlay/open.yaml',
    text: 'conceptMap: agency-open\nversion: 1\nsource: ours\ncodes: { rent: local, food: local }\nunmapped: local\n',
  },
  {
    path: 'overlay/closed.yaml',
    text: 'conceptMap: agency-closed\nversion: 1\nsource: ours\ncodes: { north: n, south: s }\n',
  },
];

function withOverlay(files: readonly MappingFile[]): MappingSet {
  const compiled = compileMappings([...shippedMappings, ...files]);
  if ('set' in compiled) return compiled.set;
  throw new Error(compiled.problems.map(({ path, line, message }) => `${path}:${line} ${message}`).join('\n'));
}

const shown = withOverlay(overlayFiles);
const full = withOverlay(everyKind);

// Their rules of ours are tried in laws.test.ts already.
const numRuns = 20;

describe('the mapping of need, with the overlay of the page', () => testLaws(shown, 'need', numRuns));

describe('the mapping of intervention, with the overlay of the page', () => testLaws(shown, 'intervention', numRuns));

describe('the mapping of goal, with fields of every kind', () => testLaws(full, 'goal', numRuns));

test('a number from a server that the field does not allow is told and not taken', () => {
  const slot = shown.mapping('need')?.slot('condition');
  const pets = (valueInteger: number) => ({
    resourceType: 'Condition',
    extension: [{ url: 'https://riverside.example.org/fhir/StructureDefinition/pets-moving-along', valueInteger }],
  });
  const record = { ...aNeed(), custom: { pets: 2 } };
  const absorbed = (count: number) =>
    slot?.absorb(['extension[pets]'], pets(count), record, { resolve: () => undefined });
  expect(absorbed(20)).toMatchObject({ patch: { custom: { pets: 20 } }, issues: [] });
  expect(absorbed(21)).toMatchObject({ patch: {}, issues: [{ code: 'does-not-fit', pointer: '/custom/pets' }] });
  expect(absorbed(-1)).toMatchObject({ patch: {}, issues: [{ code: 'does-not-fit' }] });
});

test('a record without such fields becomes the same with and without an overlay', () => {
  const ours = mappings.mapping('goal');
  const theirs = full.mapping('goal');
  fc.assert(
    fc.property(arbitraryRecord('goal'), (record) => {
      const made = ours?.project(record, linkedSource).map(({ slot, resource, facts }) => ({ slot, resource, facts }));
      expect(theirs?.project(record, linkedSource)).toMatchObject(made ?? []);
    }),
    { numRuns, seed: 20_260_302 },
  );
});

test('such fields are taken by the schemas of the set alone', () => {
  const { schemas } = shown;
  const need = { ...aNeed(), custom: { pets: 1 } };
  expect(parseRecord('need', need, { now: receivedAt })).toMatchObject({
    ok: false,
    errors: [{ pointer: '/custom', message: 'The need record has no field "custom". Leave it out.' }],
  });
  expect(parseRecord('need', need, { now: receivedAt, schemas })).toEqual({ ok: true, record: need });
});
