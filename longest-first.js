// Jest sequencer: where nothing is known of earlier runs, as in a clean checkout, the longest test files start first, so that none is left to run alone.
import { existsSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

const longest = [
  'demo/demo',
  'leaks/leaks',
  'chaos/chaos',
  'lanes/run/killed-at-each-step',
  'lanes/run/killed-process',
  'commands/replay',
  'lanes/run/stopped',
  'page/loop',
  'chaos/webhooks',
  'simulation/simulation',
  'lanes/budget/resting',
  'contract/queue',
  'lanes/send/no-lost-update',
  'commands/serve',
  'store/one-process',
  'docs/readme',
  'lanes/polls/polls-patients',
  'store/migrate',
  'lanes/operating/mass-change',
  'commands/map',
  'commands/doctor',
  'commands/guide',
  'facade/facade',
  'lanes/inbound/restarted',
  'queue/redis-away',
].map((name) => `/test/${name}.test.ts`);

const moved = longest.filter((path) => !existsSync(new URL(`.${path}`, import.meta.url)));
if (moved.length > 0)
  throw new Error(`Not there any more: ${moved.join(', ')}. Name the file's new place in longest-first.js.`);

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => longest.findIndex((name) => path.endsWith(name)) + 1 || Number.POSITIVE_INFINITY;
    return super.sort(tests).sort((one, other) => (place(one) < place(other) ? -1 : place(one) > place(other) ? 1 : 0));
  }
}
