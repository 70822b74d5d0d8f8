import { expect, test } from '@jest/globals';
import { cut } from '../../../src/lanes/inbound/cut.ts';

test.each([
  ['is short', 'Called', 6, 'Called'],
  ['is cut between characters', 'Called', 4, 'Call'],
  ['would be cut in the middle of one', 'ok 👍', 4, 'ok '],
  ['ends with one of two units', 'ok 👍', 5, 'ok 👍'],
])('a text that %s', (_what, text, length, cutText) => {
  expect(cut(text, length)).toBe(cutText);
});
