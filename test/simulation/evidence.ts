// What the oracles judge by: the server's own store and journal, what the source and the partner know that they did, and of our store only what
// people were told.

import type { ConnectionConfig } from '../../src/config.ts';
import { type JsonObject, textAt } from '../../src/json.ts';
import type { MappingSet } from '../../src/mapping/mapping.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import type { SimulatedServer } from '../../src/sandbox/serve.ts';
import { type Store, sql } from '../../src/store/store.ts';
import type { SentWrite } from './exchanger.ts';
import type { Edit } from './partner.ts';
import type { Site } from './site.ts';
import type { SentRecord } from './source.ts';
import type { Swarm } from './swarm.ts';

/** After the first commit and up to the second, by their numbers in the history. */
export interface Interval {
  readonly from: number;
  to: number;
}

/** After this commit that version of the mapping is the active one. */
export interface Activation {
  readonly from: number;
  readonly version: string;
}

/** Of one connection. */
export interface Evidence {
  readonly store: Store;
  readonly site: Site;
  readonly server: SimulatedServer;
  readonly config: ConnectionConfig;
  /** By which the newest records are projected. */
  readonly mapping: MappingSet;
  readonly swarm: Swarm;
  /** The newest of each record. */
  readonly newest: ReadonlyMap<string, SentRecord>;
  /** Every version of the source's records, by its number. */
  readonly made: ReadonlyMap<number, SentRecord>;
  readonly promised: readonly SentRecord[];
  readonly edits: readonly Edit[];
  readonly writes: SentWrite[];
  readonly pauses: readonly Interval[];
  /** Oldest first. */
  readonly activations: readonly Activation[];
  /** By client: when their consent was withdrawn. */
  readonly revoked: Map<string, Interval[]>;
}

export interface Told {
  /** Topics of open questions. */
  readonly topics: ReadonlySet<string>;
  /** `Type/id` of what the server would not let be taken back in the wrong chart, and a person has to. */
  readonly misfiled: ReadonlySet<string>;
  /** Names of the resources whose newest versions the operator has set aside: they rest, and what needs them waits. */
  readonly aside: ReadonlySet<string>;
  /** All that was offered to the source or shown in a question, as text. */
  readonly text: string;
}

export async function toldToPeople({ db }: Store, connection: string): Promise<Told> {
  const decisions = await db
    .selectFrom('decision')
    .select(['kind', 'topic', 'detail', 'state'])
    .where('connection', '=', connection)
    .execute();
  const changes = await db.selectFrom('change').select('body').where('connection', '=', connection).execute();
  const aside = await sql<{ name: string }>`
    select l.type || '/' || l.id || '#' || l.slot as name
    from link l join record r on r.source = l.source and r.type = l.type and r.id = l.id
      and r.version = (l.set_aside ->> 'version')::integer
    where l.connection = ${connection} and l.retired_at is null`.execute(db);
  return {
    topics: new Set(decisions.filter(({ state }) => state === 'open').map(({ topic }) => topic)),
    misfiled: new Set(
      decisions
        .filter(({ kind }) => kind === 'misfiled')
        .map(({ detail }) => `${textAt(detail, 'resourceType')}/${textAt(detail, 'id')}`),
    ),
    aside: new Set(aside.rows.map(({ name }) => name)),
    text: JSON.stringify([decisions, changes]),
  };
}

export function isRead({ method, url, status }: JournalEntry): boolean {
  return method === 'GET' && status === 200 && !url.includes('?');
}

export function resourcesOf({ engine }: SimulatedServer): JsonObject[] {
  return engine.store.resourceTypes.flatMap((type) =>
    [...engine.store.all(type)].flatMap(({ resource }) => (resource === undefined ? [] : [resource])),
  );
}

/** By the id of a patient on the server: which client of the source it is. */
export function clientsOn(server: SimulatedServer): ReadonlyMap<string, string> {
  return new Map(
    resourcesOf(server).flatMap((resource): [string, string][] => {
      const [, at] = /"MRN-(\d+)"/.exec(JSON.stringify(resource.identifier ?? '').replaceAll(' ', '')) ?? [];
      return resource.resourceType === 'Patient' && at !== undefined ? [[String(resource.id), `c${at}`]] : [];
    }),
  );
}

export function isRetired({ resourceType, status, lifecycleStatus, verificationStatus, active }: JsonObject): boolean {
  // What was agreed is no error because sharing ends.
  if (resourceType === 'Consent' && status === 'inactive') return true;
  const said = [status, lifecycleStatus, JSON.stringify(verificationStatus)];
  return active === false || said.some((text) => String(text).includes('entered-in-error'));
}
