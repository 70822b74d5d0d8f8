// Polls of single patients in a world: who is asked about is brought up to date, and everything is asked at once.

import { refreshRoster, runDuePolls } from '../../src/lanes/lanes.ts';
import { sql } from '../../src/store/store.ts';
import type { World } from './world.ts';

/** Makes every poll of the connection once, those of single patients too. @returns how many */
export async function pollEverybody(world: World, id = 'general'): Promise<number> {
  const connection = world.deps.connections.get(id);
  if (connection === undefined) throw new Error(`no connection ${id}`);
  await refreshRoster(world.store, connection.config, connection.vendor);
  await world.store.db.updateTable('poll').set({ next_at: sql<Date>`now()` }).where('connection', '=', id).execute();
  return pollDue(world, id);
}

/** Makes the polls that are due, until none is. @returns how many */
export async function pollDue(world: World, id = 'general'): Promise<number> {
  let ran = 0;
  for (let now = -1; now !== 0; ran += now) now = await runDuePolls(world.deps, world.capabilities, [id]);
  return ran;
}
