// What the HTTP interface asks of the gateway behind it. Everything that only reads rows it reads from the store itself.

import type { Logger } from 'pino';
import type { Counter, Registry } from 'prom-client';
import type { Config } from '../config.ts';
import type { Reason } from '../errors.ts';
import type { PartnerInterface } from '../facade/facade.ts';
import type { Home } from '../home/home.ts';
import type { HookAnswer, HookMessage } from '../hooks/hooks.ts';
import type { Json, JsonObject } from '../json.ts';
import type {
  ConnectionReport,
  DryRun,
  NumberSought,
  Refusal,
  RelinkAsked,
  Relinked,
  ReplayAsked,
  Signature,
} from '../lanes/lanes.ts';
import type { PartnerPage } from '../page/page.ts';
import type { Acceptance, CheckedRecord, LaneKey, RecordKey, RecordSchemas, StaleKey } from '../records/records.ts';
import type { Store } from '../store/store.ts';

export interface GatewayApi {
  readonly config: Config;
  readonly store: Store;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  /** What is held for partners, and what they do with it. */
  readonly home: Home;
  /** Undefined: no partner has a page. */
  readonly page: PartnerPage | undefined;
  /** How partners' systems come in. */
  readonly partnerInterface: PartnerInterface;

  /** What records are checked by: our schemas, with the fields of the overlay that the store names as active. */
  schemas(): Promise<RecordSchemas>;
  /** Accepts records of one source in one transaction, in order, and wakes their lanes after the commit. */
  accept(source: string, items: readonly CheckedRecord[]): Promise<readonly Acceptance[]>;
  /** What these records would be as FHIR, together with what is stored. Stores nothing. */
  preview(source: string, items: readonly CheckedRecord[], connection?: string): Promise<Preview>;
  /**
   * The desired resources of these stored records, by the address that they have in a Bundle; none for a record that makes none. `whole`: with those of the
   * clients and directory entries that they refer to, which follow them.
   */
  resources(keys: readonly RecordKey[], options?: { readonly whole?: boolean }): Promise<DesiredResources>;

  /** Wants the lane and answers at once (its state is read from the store), or with `dryRun` plans it and changes nothing. */
  runLane(lane: LaneKey): Promise<void>;
  planLane(lane: LaneKey): Promise<DryRun>;
  /** Nobody runs it until an operator says so. @throws CasebridgeError `lane-unknown` */
  parkLane(lane: LaneKey, signature: Signature): Promise<void>;
  /** @throws CasebridgeError `lane-unknown`, `lane-nothing-to-retry` */
  retryLane(lane: LaneKey): Promise<void>;
  /**
   * Sets the stuck versions aside, or the one resource that is named; answers their names.
   * @throws CasebridgeError `lane-unknown`, `lane-nothing-to-skip`
   */
  skipStuck(lane: LaneKey, signature: Signature, resource?: string): Promise<readonly string[]>;
  /**
   * Stores a replay and answers its id; the lanes' own processes work it off.
   * @throws CasebridgeError `connection-unknown`, `record-unknown`, `mapping-not-active`
   */
  startReplay(asked: ReplayAsked): Promise<number>;
  /** Makes an older record that was kept aside the newest version. @throws CasebridgeError `stale-unknown` */
  acceptStale(key: StaleKey): Promise<Acceptance>;
  /**
   * Takes a person's choice and wants the lane.
   * @throws CasebridgeError `decision-unknown`, `decision-closed`, `decision-outdated`, `choice-unknown`
   */
  decide(id: number, answer: { choose: string; note?: string; by: string }): Promise<void>;

  /**
   * Takes a person's word on which patient a client is, and wants the client's lanes.
   * @throws CasebridgeError `record-unknown`; `patient-unknown`, `patient-merged`, `patient-restricted`, `patient-unreadable` as the server says
   */
  linkPatient(asked: RelinkAsked): Promise<Relinked>;

  pause(connection: string, by: string): Promise<void>;
  resume(connection: string, by: string): Promise<void>;
  /** Finishes what is due, takes nothing new, then pauses. @throws CasebridgeError `connection-not-running` */
  drain(connection: string, by: string): Promise<void>;
  /** @param source whose lanes alone are told of; absent: those of all */
  capabilities(connection: string, source?: string): Promise<ConnectionReport>;
  /**
   * Takes a message whose sender has shown the connection's key: polls that it concerns are made soon, once a minute at most.
   * @throws CasebridgeError `json-invalid`, `hook-message-unreadable`; then nothing was changed
   */
  notify(connection: string, message: HookMessage): Promise<HookAnswer>;
  /** Puts a list of patients in the place of the one before. */
  uploadRoster(
    connection: string,
    patients: readonly string[],
    numbers: readonly NumberSought[],
  ): Promise<{ added: number; removed: number }>;

  /**
   * Opens the question what to do with a change that its source does not take over, once for each change.
   * @returns the decision's id
   * @throws CasebridgeError `change-unknown`
   */
  refuseChange(refusal: Refusal): Promise<number>;
  /** Posts one ping to the receiver, and says what came of it. @throws CasebridgeError `webhook-unknown` */
  testWebhook(source: string): Promise<WebhookAttempt>;
  /** Goes on after it was disabled, or at once where it rests. @throws CasebridgeError `webhook-unknown` */
  enableWebhook(source: string): Promise<void>;
  /** Delivers the changes after this cursor once more. @returns how many @throws CasebridgeError `webhook-unknown` */
  replayWebhook(source: string, after: number): Promise<number>;

  /** Whether records can come in and go out, and by which mappings they do. */
  ready(): Promise<Readiness>;
}

export interface WebhookAttempt {
  readonly isTaken: boolean;
  readonly status?: number;
  readonly reason?: Reason;
}

export interface GatewayMetrics {
  readonly registry: Registry;
  /** Records by `source` and `outcome` (accepted, unchanged, stale, refused). Counted by the HTTP interface. */
  readonly records: Counter<'source' | 'outcome'>;
  /** Requests of partners by `route` and `outcome` (2xx, …, cut). Counted by the HTTP interface. */
  readonly partnerRequests: Counter<'route' | 'outcome'>;
}

export interface BundleEntry {
  readonly fullUrl: string;
  readonly resource: JsonObject;
}

/** What stored records become. */
export interface DesiredResources {
  readonly entries: readonly BundleEntry[];
  readonly issues: readonly Json[];
  readonly lineage: readonly Json[];
  /** Of each record that is not withdrawn and makes no resource, why. */
  readonly nothing: readonly Reason[];
}

export interface Preview {
  readonly bundle: JsonObject;
  readonly issues: readonly Json[];
  readonly lineage: readonly Json[];
  /** Stored records that it may show words of. */
  readonly read: readonly RecordKey[];
}

export interface Readiness {
  /** Each part that has to work. */
  readonly checks: readonly ReadyCheck[];
  /** The version that the store names as active; undefined: none yet, or the store does not answer. */
  readonly mappingVersion: string | undefined;
}

export interface ReadyCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: Reason;
}
