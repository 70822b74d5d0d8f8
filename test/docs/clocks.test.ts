import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withTable } from '../../scripts/make-clock-page.ts';
import { rules } from '../../src/clocks/clocks.ts';
import { checkConfig } from '../../src/config.ts';

const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'clocks.md'), 'utf8');

test('docs/clocks.md holds the table of the rules; node scripts/make-clock-page.ts writes it', () => {
  expect(page).toBe(withTable(page));
});

test('docs/clocks.md tells of each clock, and of each event that brings a review forward, before the table', () => {
  const [before = ''] = page.split('## All rules');
  const named = rules.map(({ name }) => `| \`${name}\` |`);
  const events = rules.flatMap(({ sooner }) => sooner?.after.map(({ says }) => `\n- ${says}`) ?? []);
  expect(events.length).toBeGreaterThan(5);
  expect([...named, ...events].filter((words) => !before.includes(words))).toEqual([]);
});

test.each(rules.map((rule) => [rule.name, rule] as const))(
  '%s ends in ways that are told apart',
  (_name, { stops, voids, pauses }) => {
    const says = [...stops, ...voids, ...pauses].map((one) => one.says);
    expect(says).toEqual([...new Set(says)]);
  },
);

test('its configuration is one', async () => {
  const [, block = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const text = `identifierSystem: https://a.example.org\nsources: { county: { token: env:T } }\n${block}`;
  const checked = await checkConfig('/casebridge.yaml', text, { T: 'token' });
  if (!('config' in checked)) throw new Error(JSON.stringify(checked.problems));
  expect(checked.config.clocks).toMatchObject({ digest: '07:30', businessHours: { from: '09:00', to: '17:00' } });
});

test.each([
  ['a digest that is no time', 'digest: "7"', /clocks\.digest must be a time of day/],
  [
    'hours that end before they begin',
    'businessHours: { days: [mo], from: "17:00", to: "09:00" }',
    /must be later than "from"/,
  ],
  ['no days', 'businessHours: { days: [], from: "09:00", to: "17:00" }', /clocks\.businessHours\.days/],
  [
    'a holiday that no calendar has',
    'businessHours: { days: [mo], from: "09:00", to: "17:00", holidays: [2026-02-30] }',
    /date of the calendar/,
  ],
  [
    'a clock that counts days',
    'businessHours: { days: [mo], from: "09:00", to: "17:00", rules: [plan-review-30d] }',
    /must be one of/,
  ],
])('%s is refused', async (_what, setting, problem) => {
  const text = `identifierSystem: https://a.example.org\nsources: { county: { token: env:T } }\nclocks: { ${setting} }`;
  const checked = await checkConfig('/casebridge.yaml', text, { T: 'token' });
  expect('problems' in checked && checked.problems.map((one) => one.problem).join()).toMatch(problem);
});
