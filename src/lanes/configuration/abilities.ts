// What a server offers and grants, kept for an hour in the store, and the routes that follow from it.

import { sql } from 'kysely';
import {
  type Capabilities,
  type Connection,
  changesByPatch,
  isOffered,
  namesVersions,
  provenanceAbility,
  type RoutedSlot,
  routeTable,
  takesChanges,
} from '../../connections/connections.ts';
import { CasebridgeError, reason } from '../../errors.ts';
import { contentHash } from '../../fhir/fhir.ts';
import type { JsonObject } from '../../json.ts';
import type { MappingSet } from '../../mapping/mapping.ts';
import { json, type Store, timeOf } from '../../store/store.ts';
import type { Abilities } from '../lane-connection.ts';
import { changedTopic, openAlert, renewAlert } from '../operating/alerts.ts';
import { configurationOf } from './configuration.ts';

const keepMs = 60 * 60_000;

/** Reads the server's statement when ours is older than an hour; several callers at once cause one request. */
export function cachedCapabilities(
  store: Store,
  connection: Connection,
  clock: () => number,
): () => Promise<Capabilities> {
  let current: { capabilities: Capabilities; at: number } | undefined;
  let reading: Promise<Capabilities> | undefined;
  return async () => {
    if (current !== undefined && clock() - current.at < keepMs) return current.capabilities;
    reading ??= connection
      .capabilities()
      .then(async (capabilities) => {
        await keep(store, connection, capabilities, await grantedScopes(connection));
        current = { capabilities, at: clock() };
        return capabilities;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
}

/** Sorted; undefined: this auth knows no scopes, or no token can be had now, which says nothing about what it would allow. */
async function grantedScopes(connection: Connection): Promise<string[] | undefined> {
  const scopes = await connection.scopes();
  return 'granted' in scopes ? [...(scopes.granted ?? [])].sort() : undefined;
}

/** What a server does with what may change, by the name under which it is kept. */
const verbs: Readonly<Record<string, string>> = { hash: 'offers', granted: 'grants' };

/** What is declared or granted and has changed voids plans that are under way, and opens an alert: the routes may be others now. */
async function keep(
  store: Store,
  { id: connection, config }: Connection,
  capabilities: Capabilities,
  granted: readonly string[] | undefined,
): Promise<void> {
  await store.tx(async (trx) => {
    const row = await trx
      .selectFrom('connection')
      .select('capabilities')
      .where('id', '=', connection)
      .where('configuration', '=', configurationOf(config))
      .forUpdate()
      .executeTakeFirst();
    // What another configuration is told is nothing to those who work by the one in force.
    if (row === undefined) return;
    const before = row.capabilities ?? {};
    const known: JsonObject = {
      hash: capabilities.hash,
      granted: granted ? [...granted] : (before.granted ?? null),
    };
    const changed = Object.entries(known).flatMap(([part, value]) => {
      const was = before[part] ?? null;
      return was !== null && contentHash(was) !== contentHash(value) ? (verbs[part] ?? []) : [];
    });
    const isChanged = changed.length > 0;
    const changedAt = isChanged ? await timeOf(trx) : before.changedAt;
    await trx
      .updateTable('connection')
      .set({
        capabilities: json<JsonObject>(JSON.parse(JSON.stringify({ ...capabilities, ...known, changedAt }))),
        capabilities_at: sql<Date>`now()`,
        ...(isChanged ? { epoch: sql<number>`epoch + 1` } : {}),
      })
      .where('id', '=', connection)
      .execute();
    if (!isChanged) return;
    // What could not be asked for may be possible now.
    await trx
      .updateTable('poll')
      .set({ next_at: sql<Date>`least(next_at, now())` })
      .where('connection', '=', connection)
      .where('reason', 'is not', null)
      .execute();
    const told = {
      topic: `${changedTopic}${connection}`,
      connection,
      reason: reason('capabilities-changed', { connection, does: changed.join(' and ') }),
    };
    await openAlert(trx, told);
    await renewAlert(trx, told);
  });
}

/** The record types of the active mapping, each with the resource types that it makes; one that makes none says why. */
export function slotsOf(mappings: MappingSet): RoutedSlot[] {
  return mappings.mappings.flatMap(({ recordType, slots, unsent }) =>
    unsent === undefined
      ? [...new Set(slots.map(({ resourceType }) => resourceType))].map((resourceType) => ({
          recordType,
          resourceType,
        }))
      : [{ recordType, resourceType: 'none', unsent: unsent.why }],
  );
}

/** Routes and abilities for a lane run. @throws CasebridgeError when the server's statement or a token cannot be had. */
export async function readAbilities(
  connection: Connection,
  capabilities: () => Promise<Capabilities>,
  mappings: MappingSet,
): Promise<Abilities> {
  const scopes = await connection.scopes();
  if ('fault' in scopes && scopes.fault !== undefined) {
    throw new CasebridgeError(scopes.reason?.code ?? 'internal', {
      requestId: connection.id,
      host: new URL(connection.config.baseUrl).host,
      problem: scopes.text,
    });
  }
  const declared = await capabilities();
  const { config, vendor } = connection;
  const granted = 'granted' in scopes ? scopes.granted : undefined;
  const searches = (resourceType: string, parameter: string) =>
    declared.searchParams[resourceType]?.includes(parameter) === true;
  return {
    routes: routeTable({
      capabilities: declared,
      scopes: granted,
      vendor,
      overrides: config.routes,
      task: config.task,
      slots: slotsOf(mappings),
    }),
    transaction: declared.transaction && isOffered(vendor.transaction),
    provenance: provenanceAbility(declared, vendor, granted),
    changes: (resourceType) => takesChanges(declared, vendor, resourceType),
    patches: (resourceType) => changesByPatch(declared, vendor, resourceType),
    namesVersions: (resourceType) => namesVersions(declared, vendor, resourceType),
    searches,
    // A condition that a server does not understand it may leave out, and find whatever it holds (ehr-behaviour E12).
    conditionalCreate: (resourceType) =>
      declared.conditionalCreate[resourceType] === true &&
      isOffered(vendor.create.conditional) &&
      searches(resourceType, 'identifier'),
  };
}
