// What time it is in a test's store, where days matter: `now()` of every statement, not of the process.

import { afterEach } from '@jest/globals';
import { sql } from '../../src/store/store.ts';
import { clockSql, searchPath } from '../simulation/database-clock.ts';
import type { World } from './world.ts';

/** @returns sets the time, for the rest of the test */
export function useStoreClock(world: World): (at: string) => Promise<void> {
  let isSet = false;
  const run = (statements: string) => sql.raw(statements).execute(world.store.db);

  afterEach(async () => {
    if (isSet) await run('set search_path = casebridge; drop schema sim cascade');
    isSet = false;
  });

  return async (at) => {
    if (!isSet) await run(`${clockSql}; set search_path = ${searchPath}`);
    isSet = true;
    await run(`set sim.now = '${at}'`);
  };
}
