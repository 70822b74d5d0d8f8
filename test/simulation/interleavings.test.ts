// Two workers on one lane of two records, in every order in which they can meet (lanes.md 5-8), and a mechanism that is off is missed. A plain run plays some
// orders without any misfortune, CASEBRIDGE_TEST_COUNTS=full all of them; `npm run sim -- --interleavings` plays those with one.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { atCounts } from '../support/counts.ts';
import { Choices } from './choices.ts';
import { ChosenTimeline } from './chosen-timeline.ts';
import { EmbeddedDatabase } from './embedded-database.ts';
import { explore } from './interleavings.ts';
import { openStage, type Stage } from './stage.ts';
import { newActor } from './timeline.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage(await EmbeddedDatabase.open());
}, 60_000);

afterAll(() => stage.database.close());

test("all orders of what others see are gone through, each once; what is one's own waits for nobody", async () => {
  const played: string[] = [];
  const open: (readonly number[])[] = [[]];
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    const choices = new Choices(way);
    const timeline = new ChosenTimeline(0, [], async (count) => choices.take(count));
    const steps: string[] = [];
    for (const name of ['a', 'b']) {
      const actor = newActor(name);
      const begin = async () => {
        await timeline.sleep(actor, 0);
        steps.push(`${name}1`);
        await timeline.sleep(actor, 0);
        steps.push(`${name}2`);
      };
      timeline.after(actor, 0, '', () => void begin());
    }
    while (await timeline.step());
    played.push(steps.join(' '));
    open.push(...choices.others);
  }
  expect(played.toSorted()).toEqual([
    'a1 a2 b1 b2',
    'a1 b1 a2 b2',
    'a1 b1 b2 a2',
    'b1 a1 a2 b2',
    'b1 a1 b2 a2',
    'b1 b2 a1 a2',
  ]);
});

test('whichever of two workers does what, the server holds each record once and is written no more', async () => {
  const most = atCounts({ plain: 20, full: Number.POSITIVE_INFINITY });
  const explored = await explore(stage, 'quiet', { most });
  expect(explored).toMatchObject({ violations: [], isWhole: explored.orders < most });
  expect(explored.orders).toBeGreaterThanOrEqual(20);
}, 120_000);

test('without intents an answer that is lost makes a second resource', async () => {
  const { violations } = await explore(stage, 'drop', { without: 'intents', most: 20 });
  expect(violations.join('\n')).toMatch(/^\(a\) .* is there 2 times/m);
});
