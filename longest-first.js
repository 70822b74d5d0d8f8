// Jest sequencer: where nothing is known of earlier runs, as in a clean checkout, the longest test files start first, so that none is left to run alone.
import Sequencer from '@jest/test-sequencer';

const longest = [
  'demo/demo',
  'leaks/leaks',
  'lanes/killed-process',
  'lanes/killed-at-each-step',
  'chaos/webhooks',
  'chaos/chaos',
  'lanes/stopped',
  'store/one-process',
  'lanes/resting',
  'simulation/simulation',
  'page/loop',
  'commands/serve',
  'docs/readme',
  'commands/replay',
  'lanes/mass-change',
  'webhooks/deliveries',
  'contract/queue',
].map((name) => `/test/${name}.test.ts`);

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => longest.findIndex((name) => path.endsWith(name)) + 1 || Number.POSITIVE_INFINITY;
    return super.sort(tests).sort((one, other) => (place(one) < place(other) ? -1 : place(one) > place(other) ? 1 : 0));
  }
}
