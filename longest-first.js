// Jest sequencer: where nothing is known of earlier runs, as in a clean checkout, the longest test files start first, so that none is left to run alone.
import Sequencer from '@jest/test-sequencer';

const longest = [
  'demo/demo',
  'leaks/leaks',
  'chaos/chaos',
  'lanes/stopped',
  'lanes/resting',
  'lanes/killed-at-each-step',
  'commands/serve',
  'simulation/simulation',
  'chaos/webhooks',
  'store/one-process',
  'lanes/killed-process',
  'webhooks/deliveries',
  'page/loop',
  'commands/replay',
  'lanes/no-lost-update',
  'docs/readme',
  'lanes/polls-patients',
  'commands/guide',
].map((name) => `/test/${name}.test.ts`);

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => longest.findIndex((name) => path.endsWith(name)) + 1 || Number.POSITIVE_INFINITY;
    return super.sort(tests).sort((one, other) => (place(one) < place(other) ? -1 : place(one) > place(other) ? 1 : 0));
  }
}
