// What a run of a lane is made from, to tell at the next one what is another since.

import type { ConnectionConfig } from '../../../config.ts';
import { contentHash } from '../../../fhir/fhir.ts';
import type { LaneBasis } from '../../../store/store.ts';
import { shapingOf } from '../../configuration/configuration.ts';
import type { Abilities } from '../../lane-connection.ts';
import type { LaneState } from '../../load/load.ts';

/** What of a connection shapes what is sent: the same for a whole run. */
export function shapeOf(
  config: ConnectionConfig,
  abilities: Abilities,
): Required<Pick<LaneBasis, 'configuration' | 'routes'>> {
  const routes = abilities.routes.map(({ recordType, resourceType, route }) => [recordType, resourceType, route]);
  return {
    configuration: shapingOf(config),
    routes: contentHash(routes.map((row) => row.join(' ')).sort()),
  };
}

/** What a run of the lane is made from. */
export function basisOf(shape: ReturnType<typeof shapeOf>, state: LaneState): LaneBasis {
  return {
    ...shape,
    mapping: state.basis.mappingVersion,
    epochs: [...state.basis.epochs].map(([key, n]) => `${key}=${n}`).join(' '),
    ...(state.basis.until && { until: state.basis.until.toISOString() }),
    at: state.now.toISOString(),
  };
}
