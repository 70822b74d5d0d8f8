// Jest sequencer: where nothing is known of earlier runs, as in a clean checkout, the longest test files start first, so that none is left to run alone.
import Sequencer from '@jest/test-sequencer';

const longest = [
  'lanes/killed-at-each-step',
  'lanes/killed-process',
  'lanes/stopped',
  'leaks/leaks',
  'commands/replay',
  'demo/demo',
  'lanes/resting',
  'chaos/chaos',
  'store/one-process',
  'simulation/simulation',
  'commands/doctor',
  'commands/serve',
  'docs/readme',
  'contract/queue',
  'mapping/laws',
].map((name) => `/test/${name}.test.ts`);

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => longest.findIndex((name) => path.endsWith(name)) + 1 || Number.POSITIVE_INFINITY;
    return super.sort(tests).sort((one, other) => (place(one) < place(other) ? -1 : place(one) > place(other) ? 1 : 0));
  }
}
