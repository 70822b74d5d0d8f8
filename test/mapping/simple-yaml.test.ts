// The quick reader of mapping files says what the reader of all of YAML says, or nothing: of the shipped files, and of each with small damages.

import { expect, test } from '@jest/globals';
import { assert, constantFrom, nat, property, tuple } from 'fast-check';
import { type MapNode, Problems, readAnyYaml } from '../../src/mapping/positions.ts';
import { readSimpleYaml } from '../../src/mapping/simple-yaml.ts';
import { shippedMappings } from './fixtures.ts';

const files = shippedMappings.filter(({ path }) => path.endsWith('.yaml'));

/** What the reader of all of YAML says; undefined where it finds a fault. */
function anyYaml(text: string): MapNode | undefined {
  const problems = new Problems();
  const root = readAnyYaml({ path: 'file.yaml', text }, problems);
  return problems.errors.length > 0 ? undefined : root;
}

test('every shipped file is simple, and reads as by the reader of all of YAML', () => {
  expect(files.length).toBeGreaterThan(50);
  for (const { text } of files) {
    const simple = readSimpleYaml(text, 'file.yaml');
    expect(simple).toBeDefined();
    expect(simple).toEqual(anyYaml(text));
  }
});

const marks = [
  '',
  ' ',
  '  ',
  '\n',
  '\n  ',
  '\n\n',
  '\n# note\n',
  ' # ',
  '#',
  ':',
  ': ',
  ',',
  '-',
  '- ',
  '{',
  '}',
  '[',
  ']',
];
const words = [
  '"',
  "'",
  '\\',
  '>',
  '>-',
  '>-\n',
  '|',
  '&a ',
  '*a',
  '!t ',
  '?',
  '%',
  '@',
  '~',
  'true',
  'Null',
  '0',
  '1.0',
  '1e3',
  '-0',
  'é',
  '\t',
];

test('whatever stands in a file, it reads it like the reader of all of YAML or leaves it to that', () => {
  let read = 0;
  const damage = tuple(constantFrom(...files), nat(), nat(4), constantFrom(...marks, ...words));
  assert(
    property(damage, ([{ text }, place, cut, inserted]) => {
      const at = place % text.length;
      const damaged = text.slice(0, at) + inserted + text.slice(at + cut);
      const simple = readSimpleYaml(damaged, 'file.yaml');
      if (simple === undefined) return;
      read += 1;
      expect(simple).toEqual(anyYaml(damaged));
    }),
    { numRuns: 300 },
  );
  expect(read).toBeGreaterThan(50);
});
