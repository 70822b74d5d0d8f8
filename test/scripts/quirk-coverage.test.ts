import { expect, test } from '@jest/globals';
import { coverageLines, quirkCoverage } from '../../scripts/quirk-coverage.ts';
import { quirks } from '../../scripts/quirks.ts';

const ours = [
  { id: 'E91', name: 'one' },
  { id: 'C92', name: 'two', clientExempt: 'a reason' },
];
const file = (path: string, ...titles: string[]) => ({ path, text: titles.join('\n') });

test('a title counts for its side by the folder of its file', () => {
  const coverage = quirkCoverage(ours, [
    file('test/sandbox/epic/a.test.ts', "test('E91 is so', () => {});", 'test.each([1])(\n  `E91 %s`, () => {});'),
    file('test/sandbox/oracle/b.test.ts', "  test('C92 and E91 are so', () => {});"),
    file('test/sandbox/b.test.ts', "test('E91, C92 are borne', () => {});"),
  ]);
  expect(coverage.map(({ server, client, lacks }) => [server, client, lacks])).toEqual([
    [3, 1, []],
    [1, 1, []],
  ]);
});

test('what does not begin with the id, is skipped or only groups others does not count', () => {
  const [one, two] = quirkCoverage(ours, [
    file('test/lanes/a.test.ts', "test('bears E91', f);", "test.skip('E91 is so', f);", "describe('E91 is so', f);"),
    file('test/lanes/b.test.ts', "test('E911 is so', f);", "test('C921 is so', f);"),
  ]);
  expect(one).toMatchObject({ server: 0, client: 0, lacks: ['server', 'client'] });
  expect(two?.lacks).toEqual(['server']);
});

test('the lines name what lacks a test, and why one need not have it', () => {
  const lines = coverageLines(quirkCoverage(ours, [file('test/sandbox/epic/a.test.ts', "test('E91 is so', f);")]));
  expect(lines[0]).toMatch(/^E91 .*server {2}1 {2}client {2}0 {2}LACKS client$/);
  expect(lines[1]).toMatch(/LACKS server {2}no client test asked: a reason$/);
  expect(lines.at(-1)).toBe('2 quirks; server: 1 lack a test: C92; client: 1 lack a test: E91');
});

test('the table has E1 to E34 and C1 to C31, each once', () => {
  const expected = [
    ...Array.from({ length: 34 }, (_, index) => `E${index + 1}`),
    ...Array.from({ length: 31 }, (_, index) => `C${index + 1}`),
  ];
  expect(quirks.map(({ id }) => id)).toEqual(expected);
});
