// The form of a slot: the same as long as it says things in the same way, whatever else a mapping says (lanes.md 13, 22).

import { expect, test } from '@jest/globals';
import { compileMappings, type MappingSet } from '../../src/mapping/mapping.ts';
import { mappings, shippedMappings } from './fixtures.ts';

function changed(path: string, change: (text: string) => string): MappingSet {
  const files = shippedMappings.map((file) => (file.path === path ? { ...file, text: change(file.text) } : file));
  expect(files).not.toEqual(shippedMappings);
  const compiled = compileMappings(files);
  if ('set' in compiled) return compiled.set;
  throw new Error(JSON.stringify(compiled.problems));
}

/** The slots that have another form than in the shipped mappings, as `goal#progress`. */
function others(set: MappingSet): string[] {
  return set.mappings.flatMap(({ recordType, slots }) =>
    slots.flatMap(({ name, form }) =>
      form === mappings.mapping(recordType)?.slot(name).form ? [] : [`${recordType}#${name}`],
    ),
  );
}

test.each<[string, string, (text: string) => string, string[]]>([
  ['a comment, and where rules stand', 'goal.yaml', (text) => `# Said anew.\n\n${text}`, []],
  ['what is not mapped, and why', 'goal.yaml', (text) => text.replace('narrative and document only', 'told'), []],
  [
    'a rule',
    'goal.yaml',
    (text) => text.replace('{ from: startsOn }', '{ first: [{ from: startsOn }, { from: dueOn }] }'),
    ['goal#goal'],
  ],
  [
    'the key of a rule',
    'goal.yaml',
    (text) => text.replace('- { from: domain, code: sdoh', '- { key: area, from: domain, code: sdoh'),
    ['goal#goal'],
  ],
  [
    'a list of codes',
    'concept-maps/goal-priority.yaml',
    (text) => text.replace('Low Priority', 'Lowest'),
    ['goal#goal'],
  ],
])('another one by %s', (_what, path, change, expected) => {
  expect(others(changed(path, change))).toEqual(expected);
});

test('slots have forms of their own', () => {
  const forms = mappings.mappings.flatMap(({ slots }) => slots.map(({ form }) => form));
  expect(new Set(forms).size).toBe(forms.length);
});
