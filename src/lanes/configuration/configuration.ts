// Which configuration of a connection is in force is a row, as the active mapping is (lanes.md 22): the one that a process with lanes was started with
// last. No process works on lanes of a connection, or asks its server, with another one.

import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { ConnectionConfig } from '../../config.ts';
import type { Reason } from '../../errors.ts';
import { contentHash } from '../../fhir/fhir.ts';
import type { Database, Store } from '../../store/store.ts';

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
  const { auth, polls, hook, copiesOf, unrelatedTo, otherConnections, otherOrganizations, ...sending } = config;
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

/** How a connection stands beside what its server says; each null where it is not so. */
export interface Standing {
  readonly paused: Reason | null;
  readonly draining: { readonly since: string; readonly by: string | null } | null;
  /**
   * Since when another configuration of it is in force than the one that this process was started with; while it is, this process does nothing there.
   */
  readonly otherConfigurationSince: string | null;
}

/** @param row undefined: the connection has never been started */
export function standingOf(config: ConnectionConfig, row: StandingRow | undefined): Standing {
  const since = row?.draining_since ?? null;
  return {
    paused: row?.paused ?? null,
    draining: since === null ? null : { since: since.toISOString(), by: row?.draining_by ?? null },
    otherConfigurationSince: otherSince(config, row)?.toISOString() ?? null,
  };
}

/** What `standingOf` needs of a connection's row. */
export const standingColumns = [
  'paused',
  'draining_since',
  'draining_by',
  'configuration',
  'configuration_at',
  'off_since',
] as const;

type StandingRow = Pick<Selectable<Database['connection']>, (typeof standingColumns)[number]>;

function otherSince(config: ConnectionConfig, row: StandingRow | undefined): Date | null {
  if (row === undefined) return null;
  const { configuration, configuration_at: takenOverAt, off_since: offSince } = row;
  if (offSince !== null) return config.mode === 'off' ? null : offSince;
  return config.mode !== 'off' && configuration === configurationOf(config) ? null : takenOverAt;
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
