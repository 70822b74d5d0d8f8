// A run that may have brought its process down before runs alone (lanes.md 5).

import { expect, test } from '@jest/globals';
import { createRunGate } from '../../../src/lanes/run/run-gate.ts';

/** Work that ends when it is told to, and says when it has begun. */
function work(log: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    end: resolve,
    run: async () => {
      log.push(`${name} begins`);
      await promise;
      log.push(`${name} ends`);
      return name;
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('others run side by side', async () => {
  const log: string[] = [];
  const gate = createRunGate();
  const [a, b] = [work(log, 'a'), work(log, 'b')];
  const runs = [gate.sideBySide(a.run), gate.sideBySide(b.run)];
  await settle();
  expect(log).toEqual(['a begins', 'b begins']);
  a.end();
  b.end();
  expect(await Promise.all(runs)).toEqual(['a', 'b']);
});

test('one that runs alone waits for those that run, and those that come later wait for it', async () => {
  const log: string[] = [];
  const gate = createRunGate();
  const [a, lone, late] = [work(log, 'a'), work(log, 'lone'), work(log, 'late')];
  const runs = [gate.sideBySide(a.run)];
  await settle();
  runs.push(gate.alone(lone.run), gate.sideBySide(late.run));
  await settle();
  expect(log).toEqual(['a begins']);
  a.end();
  await settle();
  expect(log).toEqual(['a begins', 'a ends', 'lone begins']);
  lone.end();
  late.end();
  await Promise.all(runs);
  expect(log.slice(3)).toEqual(['lone ends', 'late begins', 'late ends']);
});

test('two that run alone run one after the other', async () => {
  const log: string[] = [];
  const gate = createRunGate();
  const [a, b] = [work(log, 'a'), work(log, 'b')];
  const runs = [gate.alone(a.run), gate.alone(b.run)];
  a.end();
  b.end();
  await Promise.all(runs);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('what fails is told to its caller and holds up nobody', async () => {
  const gate = createRunGate();
  const fails = async () => {
    throw new Error('broken');
  };
  await expect(gate.alone(fails)).rejects.toThrow('broken');
  await expect(gate.sideBySide(fails)).rejects.toThrow('broken');
  expect(await gate.alone(async () => 'fine')).toBe('fine');
  expect(await gate.sideBySide(async () => 'fine')).toBe('fine');
});
