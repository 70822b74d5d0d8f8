// Entries of ConceptMaps with periods: the day of the record's `updatedAt` says which one holds, and what another time said is still understood.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject } from '../../src/json.ts';
import { compileMappings, exportFml, type MappingFile, type MappingSet } from '../../src/mapping/mapping.ts';
import { aGoal } from '../builders.ts';
import { context, shippedMappings } from './fixtures.ts';
import { conceptMaps } from './golden.ts';
import { testLaws } from './laws.ts';
import { mutantsOf } from './mutation/mutants.ts';

const shippedPriority = `codes:
  high: { code: high-priority, display: High Priority }
  medium: { code: medium-priority, display: Medium Priority }
  low: { code: low-priority, display: Low Priority }
`;

/** The shipped mappings, with other codes for the priority of a goal. */
function filesWith(codes: string): MappingFile[] {
  return shippedMappings.map(({ path, text }) =>
    path === 'concept-maps/goal-priority.yaml'
      ? { path, text: text.replace(shippedPriority, () => codes) }
      : { path, text },
  );
}

function compiled(files: readonly MappingFile[]): MappingSet {
  const result = compileMappings(files);
  if ('set' in result) return result.set;
  throw new Error(result.problems.map(({ path, line, message }) => `${path}:${line} ${message}`).join('\n'));
}

const renewed = filesWith(`codes:
  high:
    - { code: high-priority, display: High Priority, until: 2026-02-28 }
    - { code: "loinc#LA-1", display: Urgent, from: 2026-03-01 }
  medium:
    - { code: [medium-priority, local], until: 2026-02-28 }
    - { code: none, from: 2026-03-01 }
  low: { code: low-priority, display: Low Priority }
`);

/** From March on each of two codings means what the other one meant. */
const swapped = filesWith(`codes:
  high: [{ code: high-priority, until: 2026-02-28 }, { code: medium-priority, from: 2026-03-01 }]
  medium: [{ code: medium-priority, until: 2026-02-28 }, { code: high-priority, from: 2026-03-01 }]
  low: { code: low-priority }
`);

const february = '2026-02-28T23:59:00-05:00';
const march = '2026-03-01T00:01:00-05:00';

function priorityOf(set: MappingSet, record: JsonObject): unknown {
  return set.mapping('goal')?.project(record, context)[0]?.resource.priority;
}

function absorbed(set: MappingSet, coding: JsonObject, record: JsonObject) {
  const observed = { resourceType: 'Goal', priority: { coding: [coding] } };
  const slot = set.mapping('goal')?.slot('goal');
  const { patch, issues } = slot?.absorb(['priority'], observed, record, { resolve: () => undefined }) ?? {};
  return { patch, issues };
}

const system = 'http://terminology.hl7.org/CodeSystem/goal-priority';

describe('a code whose entry changes on a day', () => {
  const set = compiled(renewed);
  const old = { system, code: 'high-priority' };
  const young = { system: 'http://loinc.org', code: 'LA-1' };

  test('goes as the entry that holds on the day of the record, as its source writes it', () => {
    expect(priorityOf(set, aGoal({ priority: 'high', updatedAt: february }))).toMatchObject({ coding: [old] });
    expect(priorityOf(set, aGoal({ priority: 'high', updatedAt: march }))).toMatchObject({ coding: [young] });
    // The same instant as `february`, written elsewhere.
    const elsewhere = '2026-03-01T04:59:00Z';
    expect(priorityOf(set, aGoal({ priority: 'high', updatedAt: elsewhere }))).toMatchObject({ coding: [young] });
  });

  test('goes as several codings for a time, and then as none', () => {
    expect(priorityOf(set, aGoal({ priority: 'medium', updatedAt: february }))).toMatchObject({
      coding: [{ code: 'medium-priority' }, { system: `${context.identifierSystem}/CodeSystem/goal-priority` }],
    });
    expect(priorityOf(set, aGoal({ priority: 'medium', updatedAt: march }))).toBeUndefined();
  });

  test('is understood by the coding of any time', () => {
    for (const updatedAt of [february, march]) {
      for (const coding of [old, young]) {
        expect(absorbed(set, coding, aGoal({ priority: 'low', updatedAt }))).toEqual({
          patch: { priority: 'high' },
          issues: [],
        });
        expect(absorbed(set, coding, aGoal({ priority: 'high', updatedAt }))).toEqual({ patch: {}, issues: [] });
      }
      expect(absorbed(set, { system, code: 'medium-priority' }, aGoal({ priority: 'low', updatedAt }))).toEqual({
        patch: { priority: 'medium' },
        issues: [],
      });
    }
  });

  test('names the ConceptMap and its version in the lineage', () => {
    const lineage = set.mapping('goal')?.explain(aGoal({ priority: 'high' }), context).resources[0]?.lineage;
    expect(lineage).toContainEqual(
      expect.objectContaining({ element: 'priority', converter: 'code goal-priority|1.0.0' }),
    );
  });

  test('is exported as it goes last, and the days before are told to be left out', () => {
    const { maps, leftOut } = exportFml(renewed, context);
    const { fml = '' } = maps.find(({ slot }) => slot === 'goal') ?? {};
    expect(fml).toContain('LA-1');
    expect(fml).not.toContain('high-priority');
    expect(leftOut).toContainEqual(
      expect.objectContaining({
        record: 'goal',
        element: 'priority',
        reason: 'what ConceptMap goal-priority says of days before 2026-03-01',
      }),
    );
  });
});

test('a coding that changes its meaning means what it does on the day of the record; a record without one takes the last', () => {
  const set = compiled(swapped);
  const coding = { system, code: 'high-priority' };
  const taken = (record: JsonObject): unknown => absorbed(set, coding, record).patch;
  expect(taken(aGoal({ priority: 'low', updatedAt: february }))).toEqual({ priority: 'high' });
  expect(taken(aGoal({ priority: 'low', updatedAt: march }))).toEqual({ priority: 'medium' });
  expect(taken({})).toEqual({ priority: 'medium' });
});

test('a code outside its period is one that the map does not know, and is told', () => {
  const codes = (measure: string): MappingFile[] =>
    shippedMappings.map(({ path, text }) => ({
      path,
      text: path === 'concept-maps/goal-measure.yaml' ? text.replace('codes: {}', () => `codes: ${measure}`) : text,
    }));
  const set = compiled(codes('{ steps: { code: "loinc#41950-7", from: 2026-03-01 } }'));
  const issuesOn = (updatedAt: string) => {
    const record = aGoal({
      updatedAt,
      measure: { code: 'steps' },
      progress: [{ id: 'p1', at: '2026-02-01T10:00:00Z', value: 3 }],
    });
    const desired = set.mapping('goal')?.project(record, context) ?? [];
    return desired.flatMap(({ issues }) => issues).filter(({ code }) => code === 'unmapped-code');
  };
  expect(issuesOn(march)).toEqual([]);
  expect(issuesOn(february)[0]).toMatchObject({
    message: expect.stringContaining('ConceptMap goal-measure does not know this code on the day of the record.'),
    unmapped: { conceptMap: 'goal-measure', code: 'steps' },
  });
});

test('a fault in an entry with periods stops the load or changes what the map says', () => {
  for (const files of [renewed, swapped]) {
    const file = files.find(({ path }) => path === 'concept-maps/goal-priority.yaml');
    const before = conceptMaps(files);
    for (const { what, line, path, text } of file === undefined ? [] : mutantsOf(file)) {
      const changed = files.map((one) => (one.path === path ? { path, text } : one));
      const isSeen =
        JSON.stringify(conceptMaps(changed)) !== JSON.stringify(before) || 'problems' in compileMappings(changed);
      expect({ what, line, isSeen }).toEqual({ what, line, isSeen: true });
    }
  }
});

const anyDay = { updatedAt: fc.constantFrom(february, march) };

describe('the mapping of goal, with a code that has become another', () =>
  testLaws(compiled(renewed), 'goal', 20, anyDay));

describe('the mapping of goal, with two codings that have changed places', () =>
  testLaws(compiled(swapped), 'goal', 20, anyDay));
