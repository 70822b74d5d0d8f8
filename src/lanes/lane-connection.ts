// What a lane run needs to know of its connection and of the world; everything with an effect is passed in here.

import type { Receiver } from '../access/access.ts';
import { type ConnectionConfig, organizationsOf } from '../config.ts';
import type { FhirClient, ProvenanceAbility, RouteRow, Vendor } from '../connections/connections.ts';
import type { MappingSet } from '../mapping/mapping.ts';
import type { Store } from '../store/store.ts';
import type { LaneKey, Lease } from './lease.ts';
import type { LaneMemories } from './load/lane-memory.ts';
import type { RunGate } from './run/run-gate.ts';

export interface LaneConnection {
  readonly config: ConnectionConfig;
  /** `configurationOf(config)`, to tell whether it is the one in force. */
  readonly configuration: string;
  readonly vendor: Vendor;
  readonly client: FhirClient;
  /** What the server offers and grants, turned into routes; read before the first run and kept for an hour. */
  readonly abilities: (mappings: MappingSet) => Promise<Abilities>;
}

export interface Abilities {
  readonly routes: readonly RouteRow[];
  readonly transaction: boolean;
  /** Whether a transaction tells who wrote what is in it. */
  readonly provenance: ProvenanceAbility;
  /** True where creates may carry If-None-Exist. */
  readonly conditionalCreate: (resourceType: string) => boolean;
  /** True where the server declares that it takes changes of the type. */
  readonly changes: (resourceType: string) => boolean;
  /** True where the server changes the type by JSON Patch only. */
  readonly patches: (resourceType: string) => boolean;
  /** True where a write of the type names the version that it changes. */
  readonly namesVersions: (resourceType: string) => boolean;
  /** True where the server declares this search parameter for the type. */
  readonly searches: (resourceType: string, parameter: string) => boolean;
}

export interface LaneDeps {
  readonly store: Store;
  readonly identifierSystem: string;
  readonly connections: ReadonlyMap<string, LaneConnection>;
  /**
   * The mapping version that the store names as active (lanes.md 22).
   * @param active its name, for a caller who has just read it
   */
  readonly mappings: (active?: string | null) => Promise<MappingSet>;
  /** Names this process in leases. */
  readonly holder: string;
  readonly leaseMs: number;
  readonly gate: RunGate;
  /** What runs of this process keep for one another. */
  readonly memories: LaneMemories;
  /** IANA name of the zone in which a source's documents tell times. */
  readonly timeZone: (source: string) => string;
  /** Epoch milliseconds of this machine: for time-outs and for what a Provenance says, never compared with another clock. */
  readonly clock: () => number;
  readonly newId: () => string;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  /** Called after commit with lanes that have work now. */
  readonly wake: (lanes: readonly LaneKey[]) => void;
  readonly log: LaneLog;
  readonly onRun?: (connection: string, outcome: string) => void;
}

/** A run works on one leased lane of one connection. */
export interface Run {
  readonly deps: LaneDeps;
  readonly connection: LaneConnection;
  readonly lease: Lease;
}

/** Ids, counts and codes only; no record content. */
export interface LaneLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** The receiver that the connection is for a record of this source. */
export function receiverFor(config: ConnectionConfig, source: string): Receiver {
  const { basis, id, otherConnections = [], otherOrganizations = [] } = config;
  return {
    basis,
    organization: organizationsOf(config).find((one) => one.source === source)?.id,
    connection: id,
    otherConnections,
    otherOrganizations: otherOrganizations.flatMap((other) => (other.source === source ? [other.id] : [])),
  };
}
