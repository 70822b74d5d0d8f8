// A referral through the whole loop, as far as store, lanes and clocks are concerned.

import { sweepClocks } from '../../src/clocks/clocks.ts';
import type { JsonObject } from '../../src/json.ts';
import { refuseChange } from '../../src/lanes/lanes.ts';
import { aNeed, aReferral } from '../builders.ts';
import { depsOn } from '../clocks/kept.ts';
import { caseWithReferral, directoryAndClient } from './caseload.ts';
import { partnerEdits, type World } from './world.ts';

/** The whole loop: sent, answered with a jump, taken over by half; a change that is refused; a clock that is broken; a need that nobody may
 * see. @returns the Task as it was sent */
export async function wholeLoop(world: World, { leavesQuestion = false } = {}): Promise<JsonObject> {
  await world.send(...directoryAndClient());
  await world.send(...caseWithReferral(), ['need', aNeed({ id: 'need-secret', sensitivity: ['hiv'] })]);
  const task = await world.server.own('Task', 'county/referral/referral-pantry#fulfilment');
  await partnerEdits(world.server, `Task/${task.id}`, (held) => ({ ...held, status: 'in-progress' }));
  await world.poll();
  await world.work();
  const goal = await world.server.own('Goal', 'county/goal/goal-meals#goal');
  await partnerEdits(world.server, `Goal/${goal.id}`, ({ description, ...rest }) => ({
    ...rest,
    description: { ...Object(description), text: 'Theirs' },
  }));
  await world.workAgain();
  await refuseChange(world.store, { source: 'county', cursor: 2, reason: 'The client said otherwise.' });
  if (!leavesQuestion) await world.decide('refused-change', 'keep');
  const [change] = await world.changes();
  const { history, status } = Object(change?.body);
  await world.accept(['referral', aReferral({ updatedAt: '2026-02-06T10:00:00-05:00', status, history })]);
  await sweepClocks(depsOn(world.store), new Date('2026-02-08T10:00:00-05:00'));
  return task;
}
