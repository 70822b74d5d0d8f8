// A few histories of `npm run sim`, and what makes it believable: equal seeds are equal histories, and with each mechanism off it goes red.
// A plain run plays one seed beside those that once went wrong; CASEBRIDGE_TEST_COUNTS=full plays three.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPostgres } from '../../src/store/postgres.ts';
import { atCounts } from '../support/counts.ts';
import { describeOnPostgres } from '../support/servers.ts';
import { EmbeddedDatabase } from './embedded-database.ts';
import { runHistory } from './history.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { regressions } from './regressions.ts';
import type { Mechanism } from './sabotage.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage(await EmbeddedDatabase.open());
}, 60_000);

afterAll(() => stage.database.close());

/** What failed and how to see it again. */
async function play(seed: number): Promise<readonly string[]> {
  const { violations } = await runHistory(stage, { seed });
  return violations.length === 0 ? [] : [...violations, `SEED=${seed} npm run sim -- --seed ${seed}`];
}

describe('whatever befalls workers, network, store and queue, it ends as the records say (G3, G7, G9; lanes.md 27)', () => {
  test.each(atCounts({ plain: [5], full: [2, 3, 5] }))('seed %i', async (seed) => {
    expect(await play(seed)).toEqual([]);
  });

  for (const { seed, why } of regressions) {
    test(`seed ${seed}: ${why}`, async () => {
      expect(await play(seed)).toEqual([]);
    });
  }
});

test('the same seed is the same history, whatever was played before', async () => {
  const first = await runHistory(stage, { seed: 3 });
  await runHistory(stage, { seed: 6 });
  const again = await runHistory(stage, { seed: 3 });
  expect(again.trace).toBe(first.trace);
  expect(first.steps.length).toBeGreaterThan(100);
});

describe('a mechanism that is switched off is missed', () => {
  // Of what a plan was made from each part alone: without one of them the others still hold.
  const first: readonly (readonly [Mechanism, number, RegExp])[] = [
    ['intents', 8, /^\(l\) .* is there 2 times/m],
    ['settle', 29, /^\(a\) .* is there 2 times/m],
    ['if-match', 5, /^\(d\) .* is lost/m],
    ['reread', 27, /^\(d\) .* was not read right before our write/m],
    ['fence', 132, /^\(l\) .* is there 2 times/m],
    ['basis-consent', 90, /^\(i\) .* whose consent was withdrawn/m],
    ['basis-pause', 73, /^\(h\) .* although the connection was paused/m],
    ['basis-mapping', 56, /^\(m\) .* by a mapping that was not active any more/m],
    ['cursor', 252, /^\(d\) Nobody was told of/m],
    ['own-chart', 35, /^\(n\) .* of c\d in the chart of c\d/m],
    ['their-moves', 15, /^\(d\) .* was moved to \S+ .* and is not any more/m],
    ['references', 9, /^\(b\) .* has \S+ \["county\/need\/.* instead of \["county\/need\//m],
    ['told-once', 29, /^\(o\) .* says nothing that was not said before/m],
  ];
  test.each(first)('%s: seed %i', async (without, seed, violation) => {
    const { violations } = await runHistory(stage, { seed, without });
    expect(violations.join('\n')).toMatch(violation);
  });
});

describeOnPostgres('on PostgreSQL', (server) => {
  test('a history is the same, step by step', async () => {
    const database = await PostgresDatabase.open(await openPostgres(await server.freshDatabase()));
    try {
      const there = await runHistory(await openStage(database), { seed: 4 });
      const here = await runHistory(stage, { seed: 4 });
      expect(there.violations).toEqual([]);
      expect(there.steps).toEqual(here.steps);
    } finally {
      await database.close();
    }
  });
});
