// The texts that a mapping makes for people, and what is refused in a mapping file about them.

import { describe, expect, test } from '@jest/globals';
import { compileMappings } from '../../src/mapping/mapping.ts';
import { aNote } from '../builders.ts';
import { context, mappingOf, shippedMappings } from './fixtures.ts';

/** The problems of the shipped mappings with one text in one file replaced. */
function problemsWith(path: string, from: string, to: string): string[] {
  const files = shippedMappings.map((file) =>
    file.path === path ? { ...file, text: file.text.replace(from, to) } : file,
  );
  expect(files).not.toEqual(shippedMappings);
  const compiled = compileMappings(files);
  return 'problems' in compiled ? compiled.problems.map(({ message }) => message) : [];
}

test.each<[string, string, string, string, string]>([
  [
    'a word that no line has',
    'note.yaml',
    '{ label: Minutes, from: minutes }',
    '{ label: Minutes, form: minutes }',
    'A line of a text has no "form". Did you mean "from"?',
  ],
  [
    'a line that says nothing',
    'note.yaml',
    '{ label: Minutes, from: minutes }',
    '{ label: Minutes }',
    'A line of a text has "from" or "say".',
  ],
  [
    'a line that is no map',
    'note.yaml',
    '- { label: Minutes, from: minutes }',
    '- Minutes',
    'A line of a text is written {label: ..., from: ...}, or {say: ...}.',
  ],
  [
    'a number for a label',
    'note.yaml',
    '{ label: Minutes, from: minutes }',
    '{ label: 5, from: minutes }',
    '"label" is a text or a map; 5 is a number here: put it in quotes.',
  ],
  [
    'what stands between parts that there are none of',
    'note.yaml',
    '{ label: Minutes, from: minutes }',
    '{ label: Minutes, from: minutes, join: and }',
    '"join" is said of the items of "each", and there is no "each" here.',
  ],
  [
    'a word that no part has',
    'safetyPlan.yaml',
    'parts: [{ from: name }, ',
    'parts: [{ from: name, when: { phone: present } }, ',
    'A part of a line has no "when".',
  ],
  [
    'a part that is no map',
    'safetyPlan.yaml',
    'parts: [{ from: name }, ',
    'parts: [name, ',
    'A part is written {from: ...}.',
  ],
  [
    'a field that does not exist',
    'note.yaml',
    '{ label: Minutes, from: minutes }',
    '{ label: Minutes, from: minuts }',
    'The note record has no field "minuts". Did you mean "minutes"?',
  ],
  [
    'an object for a text',
    'note.yaml',
    '{ label: Minutes, from: minutes }',
    '{ label: Minutes, from: contact }',
    'A object cannot be said in words.',
  ],
  [
    'items that are no list',
    'safetyPlan.yaml',
    'each: meansSafety',
    'each: reason',
    '"each" needs a list of the record.',
  ],
  [
    'items without parts',
    'safetyPlan.yaml',
    'parts: [{ from: name }, { from: relationship }, { from: phone }, { from: available }]',
    'parts: []',
    '"each" needs "parts", a list of {from: ...}; or a label read from the items.',
  ],
  [
    'a text where none belongs',
    'note.yaml',
    'contentType: text/plain;charset=utf-8',
    'contentType: { document: [{ say: x }], oneWay: y }',
    '"document" is a list of {label, from}, for an element of type base64Binary.',
  ],
  [
    'a mapping that is never sent and has resources',
    'improvementIdea.yaml',
    'unsent: it is about',
    'resources: {}\n\nunsent: it is about',
    '"unsent" says in words why no resource is made, and then there are no "resources".',
  ],
  [
    'a mapping without either',
    'improvementIdea.yaml',
    "unsent: it is about the agency's own work\n",
    '',
    'A mapping needs "resources" with at least one slot, or "unsent" with the reason.',
  ],
  [
    'a field that is forgotten in a mapping that is never sent',
    'improvementIdea.yaml',
    "  outcome: kept for the agency's reports\n",
    '',
    'Unmapped record field "outcome": use it in a rule, or name it under "unused" with the reason.',
  ],
])('%s is refused', (_title, path, from, to, problem) => {
  expect(problemsWith(path, from, to)).toContain(problem);
});

describe('the text of a note', () => {
  const textOf = (overrides: Parameters<typeof aNote>[0]): string => {
    const [desired] = mappingOf('note').project(aNote(overrides), context);
    const data = /"data":"([^"]*)"/.exec(JSON.stringify(desired?.resource))?.[1] ?? '';
    return Buffer.from(data, 'base64').toString('utf8');
  };

  test('has a line for each short value, and sets longer ones apart', () => {
    expect(textOf({ text: 'One.\r\nTwo.', minutes: undefined, contact: undefined })).toBe(
      [
        'Home visit note',
        'Date of contact: 2026-02-10 14:00 UTC-05:00',
        'Signed: 2026-02-10 15:55 UTC-05:00',
        '',
        'Note:',
        'One.',
        'Two.',
      ].join('\n'),
    );
  });

  test('has its sections under their names, and no control characters', () => {
    const text = textOf({ sections: [{ code: 'client-response', text: 'Calm.\u0007' }] });
    expect(text).toMatch(/\nClient response: Calm\.$/);
  });

  test('says instants with the offset that they came with', () => {
    expect(textOf({ occurredAt: '2026-02-10T19:00:00.250Z' })).toContain('Date of contact: 2026-02-10 19:00 UTC\n');
  });
});
