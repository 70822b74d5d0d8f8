// Every value that goes out says where it comes from, every value of a record that stays says why, and every absorbed value names its rule.

import { describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { type Explained, explainAbsorb } from '../../src/mapping/mapping.ts';
import { context, fixtures, mappingOf, resolve, shippedMappings } from './fixtures.ts';

describe.each(fixtures.map((fixture) => ({ ...fixture, title: `${fixture.type}/${fixture.name}` })))(
  '$title',
  ({ type, record }) => {
    const explained = mappingOf(type).explain(record, context);

    test('becomes the same as without being asked where from', () => {
      const { resources } = explained;
      expect(resources.map(({ desired }) => ({ ...desired }))).toEqual(
        mappingOf(type)
          .project(record, context)
          .map((desired) => ({ ...desired })),
      );
    });

    test('tells of each element where it comes from', () => {
      for (const { desired, lineage } of explained.resources) {
        const told = new Set(lineage.map(({ element }) => element));
        const silent = leavesOf(desired.resource).filter((leaf) => !prefixesOf(leaf).some((path) => told.has(path)));
        expect({ slot: desired.slot, silent }).toEqual({ slot: desired.slot, silent: [] });
      }
    });

    test('tells of no element that is not there', () => {
      for (const { desired, lineage } of explained.resources) {
        const there = new Set(leavesOf(desired.resource).flatMap(prefixesOf));
        const absent = lineage.map(({ element }) => element).filter((element) => !there.has(element));
        expect({ slot: desired.slot, absent }).toEqual({ slot: desired.slot, absent: [] });
      }
    });

    test('names rules that stand in the mapping files, and values that stand in the records', () => {
      for (const { rule, raw, pointers, record: other } of explained.resources.flatMap(({ lineage }) => lineage)) {
        const [path, line] = rule.split(':');
        const text = shippedMappings.find((file) => file.path === path)?.text.split('\n')[Number(line) - 1];
        expect({ rule, text: text?.trim() }).toEqual({ rule, text: expect.stringMatching(/\S/) });
        const from = other === undefined ? record : context.record(other.type, other.id);
        if (raw !== undefined) expect(valueAt(from, pointers[0] ?? '')).toEqual(raw);
      }
    });

    test('tells of each value that is sent nowhere why', () => {
      const unexplained = pointersOf(record).filter(
        (pointer) => !isSent(explained, pointer) && !isUnsent(explained, pointer),
      );
      const both = pointersOf(record).filter((pointer) => isSent(explained, pointer) && isUnsent(explained, pointer));
      expect({ unexplained, both }).toEqual({ unexplained: [], both: [] });
      for (const { why } of explained.unsent) expect(why).toMatch(/\S{2,}/);
    });
  },
);

test('an absorbed change names the element, the rule and the fields that it changes', () => {
  const goal = fixtures.find(({ type, name }) => type === 'goal' && name === 'full');
  if (goal === undefined) throw new Error('there is no such fixture');
  const slot = mappingOf('goal').slot('goal');
  const [desired] = mappingOf('goal').project(goal.record, context);
  const observed = { ...desired?.resource, lifecycleStatus: 'on-hold', startDate: '2026-01-27' };
  const keys = slot.elements.map(({ key }) => key);
  const absorbed = explainAbsorb(slot, keys, observed, goal.record, { resolve });
  expect(absorbed.patch).toEqual({ status: 'on-hold', startsOn: '2026-01-27' });
  expect(absorbed.lineage).toEqual([
    {
      element: 'lifecycleStatus',
      rule: expect.stringMatching(/^goal\.yaml:\d+$/),
      converter: 'code goal-status|1.0.0',
      raw: 'on-hold',
      pointers: ['/status'],
    },
    {
      element: 'startDate',
      rule: expect.stringMatching(/^goal\.yaml:\d+$/),
      converter: 'copy',
      raw: '2026-01-27',
      pointers: ['/startsOn'],
    },
  ]);
  const { patch, issues } = slot.absorb(keys, observed, goal.record, { resolve });
  expect({ patch, issues }).toEqual({ patch: absorbed.patch, issues: absorbed.issues });
});

/** Paths of all values in a resource: `name[0].given[1]`. */
function leavesOf(value: Json, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leavesOf(item, `${path}[${index}]`));
  if (!isObject(value)) return [path];
  return Object.entries(value).flatMap(([name, below]) => leavesOf(below, path === '' ? name : `${path}.${name}`));
}

function prefixesOf(leaf: string): string[] {
  const steps = leaf.split(/(?=[.[])/);
  return steps.map((_, index) => steps.slice(0, index + 1).join(''));
}

function pointersOf(value: Json, pointer = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => pointersOf(item, `${pointer}/${index}`));
  if (!isObject(value)) return [pointer];
  return Object.entries(value).flatMap(([name, below]) =>
    pointersOf(below, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}

function isSent({ resources }: Explained, pointer: string): boolean {
  const origins = resources.flatMap(({ lineage }) => lineage).filter(({ record }) => record === undefined);
  return origins.some(({ pointers }) => pointers.some((from) => from === pointer || pointer.startsWith(`${from}/`)));
}

function isUnsent({ unsent }: Explained, pointer: string): boolean {
  return unsent.some((one) => one.pointer === pointer);
}

function valueAt(record: JsonObject | undefined, pointer: string): Json | undefined {
  return pointer
    .split('/')
    .slice(1)
    .reduce<Json | undefined>(
      (value, name) => (Array.isArray(value) ? value[Number(name)] : isObject(value) ? value[name] : undefined),
      record,
    );
}
