// What the judge looks at: all that the source was told, the servers' stores and journals, and what the gateway shows. Plain data, so that it can
// be kept as the history of a run and judged again.

import { isObject, type JsonObject } from '../../src/json.ts';
import type { Declared } from '../support/declared.ts';
import type { Cluster } from './cluster.ts';
import { each } from './gateway.ts';
import { type Entry, objects, type VendorName } from './simulated.ts';
import type { Answer } from './source.ts';
import type { Change } from './workload.ts';

export interface StoredRecord {
  readonly type: string;
  readonly id: string;
  readonly record: JsonObject;
  readonly links: readonly JsonObject[];
}

export interface ServerEvidence {
  readonly name: VendorName;
  readonly journal: readonly Entry[];
  /** The number of the journal's last entry before the second pass. */
  readonly quietAfter: number;
  readonly store: Readonly<Record<string, readonly JsonObject[]>>;
  readonly declared: Declared;
  /** It takes transactions, and creates Provenance once only, by its tag. */
  readonly takesProvenance: boolean;
}

export interface Evidence {
  readonly answers: readonly Answer[];
  readonly records: readonly StoredRecord[];
  readonly servers: readonly ServerEvidence[];
  readonly changes: readonly JsonObject[];
  readonly decisions: readonly JsonObject[];
  readonly lanes: readonly JsonObject[];
  /** Programs that ended without being told to. */
  readonly ownEnds: readonly string[];
}

/**
 * Looks at everything, after a second pass over all lanes.
 * @param quietAfter by server, the number of its journal's last entry before that pass
 */
export async function gather(
  { gateway, servers, serves, workers }: Cluster,
  answers: readonly Answer[],
  sent: readonly Change[],
  quietAfter: ReadonlyMap<string, number>,
): Promise<Evidence> {
  const records: StoredRecord[] = [];
  const names = new Map(sent.map(({ type, id }) => [`${type}/${id}`, { type, id }]));
  await each([...names.values()], 8, async ({ type, id }) => {
    const shown = await gateway.ask('GET', `/api/records/${type}/${id}?source=county`).catch(() => undefined);
    // One that is not there is missing from the list, which the judge will notice.
    if (shown === undefined) return;
    records.push({ type, id, record: isObject(shown.record) ? shown.record : {}, links: objects(shown.links) });
  });
  return {
    answers,
    records,
    servers: await Promise.all(
      servers.map(async (server) => ({
        name: server.name,
        journal: await server.journal(),
        quietAfter: quietAfter.get(server.name) ?? 0,
        store: await server.store(),
        declared: await server.declared(),
        takesProvenance: await server.takesProvenance(),
      })),
    ),
    changes: await gateway.all('/api/changes', 'county'),
    decisions: await gateway.all('/api/decisions'),
    lanes: await gateway.lanesAtRest(60_000),
    ownEnds: [...serves, ...workers].flatMap(({ name, ownEnds }) => Array.from({ length: ownEnds }, () => name)),
  };
}
