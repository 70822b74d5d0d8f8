// What `@jest/globals` gives to a test file and its helpers (`run-natively.js`): that of the file whose turn it is.

import type * as Jest from '@jest/globals';

type Globals = Pick<
  typeof Jest,
  'afterAll' | 'afterEach' | 'beforeAll' | 'beforeEach' | 'describe' | 'expect' | 'test'
>;

export let { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test }: Partial<Globals> = {};

let leftovers: (() => unknown)[] = [];

/** Before a test file is loaded: these are its globals. */
export function beginFile(globals: Globals): void {
  ({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } = globals);
  leftovers = [];
  globals.afterAll(async () => {
    for (const clear of leftovers.reverse()) await clear();
  });
}

/** Does this once the tests of the file are over, the newest first: for helpers that are called within tests and leave something behind. */
export function atEndOfFile(clear: () => unknown): void {
  leftovers.push(clear);
}
