// What the histories of one process share, opened once: a database, the simulated servers, the compiled mappings.

import type { VendorName } from '../../src/config.ts';
import { mappingFolder } from '../../src/gateway.ts';
import { activateMapping, activeMappings } from '../../src/lanes/lanes.ts';
import { type MappingFile, type MappingSet, readMappingFiles } from '../../src/mapping/mapping.ts';
import type { BaseTime } from '../../src/sandbox/clock.ts';
import type { SimulatedServer } from '../../src/sandbox/serve.ts';
import { EpicServer } from '../../src/sandbox/vendors/epic/epic.ts';
import { OracleServer } from '../../src/sandbox/vendors/oracle/oracle.ts';
import { StandardServer } from '../../src/sandbox/vendors/standard.ts';
import { type Store, storeOn } from '../../src/store/store.ts';
import { backingOn } from './backing.ts';
import type { SimulatedDatabase } from './database.ts';
import { newActor, Timeline } from './timeline.ts';

/** One history at a time uses it. */
export interface Stage {
  readonly database: SimulatedDatabase;
  readonly servers: Readonly<Record<VendorName, SimulatedServer>>;
  /** Gives the servers their base time. */
  readonly setTime: (timeline: Timeline) => void;
  /** Two versions that map the same, compiled once. */
  readonly mappings: readonly [MappingSet, MappingSet];
}

export async function openStage(database: SimulatedDatabase): Promise<Stage> {
  const sleeper = newActor('server');
  let timeline = new Timeline(0);
  const time: BaseTime = {
    now: () => timeline.now,
    wait: (ms) => timeline.sleep(sleeper, ms, ''),
  };
  const store = await storeOn(backingOn(database.kind, () => database.connect(timeline.now)));
  const files = await readMappingFiles(mappingFolder);
  const active = async (some: readonly MappingFile[]) => {
    await activateMapping(store, some);
    return activeMappings(store)();
  };
  const mappings = [await active(files), await active(files.map(withRemark))] as const;
  return {
    database,
    servers: { standard: new StandardServer(time), epic: new EpicServer(time), oracle: new OracleServer(time) },
    setTime: (next) => {
      timeline = next;
    },
    mappings,
  };
}

function withRemark({ path, text }: MappingFile): MappingFile {
  return { path, text: `${text}\n# The same in other words.\n` };
}

/** The version in the store is the active one from now on; lanes go out under it when they next run. */
export async function makeActive({ tx }: Store, version: string): Promise<void> {
  await tx(async (trx) => {
    // One of them is active at any time, also between two statements.
    await trx.updateTable('mapping').set({ active: false }).where('active', '=', true).execute();
    await trx.updateTable('mapping').set({ active: true }).where('version', '=', version).execute();
  });
}
