// A patient is never guessed (G24): among twins, namesakes, mixed-up numbers and merged patients, every link is right or a person is asked.
// `npm run experiment:twins` does the same at 2,000.

import { expect, test } from '@jest/globals';
import { searchTwins } from '../../support/twins.ts';

test.each(['standard', 'epic', 'oracle'] as const)(
  'on %s: no wrong link, no known client made again',
  async (vendor) => {
    const found = await searchTwins({ vendor, count: 36, seed: 7, withinMs: 150_000 });
    expect(found).toMatchObject({ searches: 36, wrong: 0, doubled: 0, unexplained: 0 });
    expect(found.linked).toBeGreaterThan(8);
    expect(found.asked).toBeGreaterThan(8);
    expect(found.byScenario["the twin's number, only the twin is there"]).toMatchObject({ linked: 0, created: 0 });
  },
  180_000,
);
