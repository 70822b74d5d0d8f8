// What the histories of one process share, opened once: a database, the simulated servers, the compiled mappings.

import type { VendorName } from '../../src/config.ts';
import { mappingFolder } from '../../src/gateway.ts';
import { activateMapping, activeMappings } from '../../src/lanes/lanes.ts';
import { type MappingSet, readMappingFiles } from '../../src/mapping/mapping.ts';
import type { BaseTime } from '../../src/sandbox/clock.ts';
import type { SimulatedServer } from '../../src/sandbox/serve.ts';
import { EpicServer } from '../../src/sandbox/vendors/epic/epic.ts';
import { OracleServer } from '../../src/sandbox/vendors/oracle/oracle.ts';
import { StandardServer } from '../../src/sandbox/vendors/standard.ts';
import { storeOn } from '../../src/store/store.ts';
import { backingOn } from './backing.ts';
import type { SimulatedDatabase } from './database.ts';
import { newActor, Timeline } from './timeline.ts';

/** One history at a time uses it. */
export interface Stage {
  readonly database: SimulatedDatabase;
  readonly servers: Readonly<Record<VendorName, SimulatedServer>>;
  /** Gives the servers their base time. */
  readonly setTime: (timeline: Timeline) => void;
  /** The active mapping, compiled once. */
  readonly mappings: () => Promise<MappingSet>;
}

export async function openStage(database: SimulatedDatabase): Promise<Stage> {
  const sleeper = newActor('server');
  let timeline = new Timeline(0);
  const time: BaseTime = {
    now: () => timeline.now,
    wait: (ms) => timeline.sleep(sleeper, ms, ''),
  };
  const store = await storeOn(backingOn(database.kind, () => database.connect(timeline.now)));
  await activateMapping(store, await readMappingFiles(mappingFolder));
  const active = await activeMappings(store)();
  return {
    database,
    servers: { standard: new StandardServer(time), epic: new EpicServer(time), oracle: new OracleServer(time) },
    setTime: (next) => {
      timeline = next;
    },
    mappings: async () => active,
  };
}
