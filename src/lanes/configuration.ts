// Which configuration of a connection is in force is a row, as the active mapping is (lanes.md 22): the one that a process with lanes was started with
// last. No process works on lanes of a connection, or asks its server, with another one.

import { type RawBuilder, sql } from 'kysely';
import type { ConnectionConfig } from '../config.ts';
import { contentHash } from '../fhir/fhir.ts';
import type { Store } from '../store/store.ts';

/** What a connection's row is told by: a hash of all that shapes what is sent, to whom and how fast. */
export function configurationOf(config: ConnectionConfig): string {
  return settingsHash({ ...sendingSettings(config), auth: config.auth.type });
}

/** What a change of masses is told by: a hash of what shapes the resources themselves. */
export function shapingOf(config: ConnectionConfig): string {
  // How fast we send, how often we look and what the connection is there for shapes nothing of what is sent.
  const { rateLimit, pollEveryMs, settleMs, mode, backfill, ...shaping } = sendingSettings(config);
  return settingsHash(shaping);
}

function sendingSettings(config: ConnectionConfig) {
  // What is asked for, and who may wake us, shapes nothing of what is sent. A partner more or less changes nothing of what is there; each Task is
  // looked at when its referral changes.
  const { auth, polls, hook, copiesOf, unrelatedTo, otherConnections, ...sending } = config;
  return sending;
}

function settingsHash(settings: object): string {
  return contentHash(JSON.parse(JSON.stringify(settings)));
}

/** No hash: the connection is off, or its configuration is being taken over. */
export const noConfiguration = '';

/** A condition: another configuration of the connection is in force than this one. */
export function isConfiguredOtherwise(connection: string, configuration: string): RawBuilder<boolean> {
  return sql<boolean>`exists (select 1 from connection where connection.id = ${connection} and connection.configuration <> ${configuration})`;
}

export interface OtherConfiguration {
  /** Database time; null: not known. */
  readonly since: Date | null;
  readonly isOff: boolean;
}

/** Those of these connections for which another configuration is in force, by id. */
export async function configuredOtherwise(
  { db }: Store,
  connections: ReadonlyMap<string, { readonly configuration: string }>,
): Promise<Map<string, OtherConfiguration>> {
  const rows = await db
    .selectFrom('connection')
    .select(['id', 'configuration', 'configuration_at', 'off_since'])
    .execute();
  return new Map(
    rows.flatMap((row) => {
      const own = connections.get(row.id)?.configuration;
      if (own === undefined || own === row.configuration) return [];
      const { off_since: offSince, configuration_at: takenOverAt } = row;
      const since = offSince ?? (row.configuration === noConfiguration ? null : takenOverAt);
      return [[row.id, { since, isOff: offSince !== null }] as const];
    }),
  );
}
