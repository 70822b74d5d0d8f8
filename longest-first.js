// Jest sequencer: where nothing is known of earlier runs, as in a clean checkout, the longest test files start first, so that none is left to run alone.
import Sequencer from '@jest/test-sequencer';

const longest = [
  'demo/demo',
  'leaks/leaks',
  'chaos/chaos',
  'lanes/killed-at-each-step',
  'lanes/killed-process',
  'commands/replay',
  'lanes/stopped',
  'page/loop',
  'chaos/webhooks',
  'simulation/simulation',
  'lanes/resting',
  'contract/queue',
  'lanes/no-lost-update',
  'commands/serve',
  'store/one-process',
  'docs/readme',
  'lanes/polls-patients',
  'store/migrate',
  'lanes/mass-change',
  'commands/map',
  'commands/doctor',
  'commands/guide',
  'facade/facade',
  'lanes/inbound/restarted',
  'queue/redis-away',
].map((name) => `/test/${name}.test.ts`);

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => longest.findIndex((name) => path.endsWith(name)) + 1 || Number.POSITIVE_INFINITY;
    return super.sort(tests).sort((one, other) => (place(one) < place(other) ? -1 : place(one) > place(other) ? 1 : 0));
  }
}
