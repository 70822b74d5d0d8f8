// The tables of migrations/ as Kysely sees them, and how each kind of column is read and written.
// What the columns mean is told in the design's words: lanes.md for the lane core, records.md for records.

import type { ColumnType, Generated, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Reason } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';

declare const jsonText: unique symbol;

/** A value on its way into a jsonb column: only `json()` makes one. */
export interface JsonText<T> {
  readonly [jsonText]: T;
}

/**
 * A parameter for a jsonb column. Bare values are refused by the types: drivers turn a list into a PostgreSQL array and leave a
 * text unquoted.
 */
export function json<T>(value: T): RawBuilder<JsonText<T>> {
  return sql<JsonText<T>>`${JSON.stringify(value)}::text::jsonb`;
}

type Jsonb<T> = ColumnType<T, JsonText<T>, JsonText<T>>;
type NullableJsonb<T> = ColumnType<T | null, JsonText<T> | null | undefined, JsonText<T> | null>;
/** A timestamptz. JavaScript keeps milliseconds of its microseconds: compare instants in SQL, not after reading. */
type Instant = ColumnType<Date, Date, Date>;
type DefaultInstant = ColumnType<Date, Date | undefined, Date>;
type NullableInstant = ColumnType<Date | null, Date | null | undefined, Date | null>;
type NullableText = ColumnType<string | null, string | null | undefined, string | null>;
type NullableNumber = ColumnType<number | null, number | null | undefined, number | null>;
type Identity = ColumnType<number, never, never>;

/** What is identity for ever, and its value at first use (lanes.md 23). */
export interface IdentityTable {
  name: string;
  value: string;
}

interface RecordContent {
  source: string;
  type: string;
  id: string;
  updated_at: Instant;
  content: Jsonb<JsonObject>;
  hash: string;
}

export interface RecordTable extends RecordContent {
  version: number;
  deleted: Generated<boolean>;
  client_id: NullableText;
  case_id: NullableText;
  subject: string;
  accepted_at: DefaultInstant;
}

export interface RecordVersionTable extends RecordContent {
  version: number;
  accepted_at: DefaultInstant;
}

export interface StaleRecordTable extends RecordContent {
  received_at: DefaultInstant;
}

export interface ConnectionTable {
  id: string;
  first_seen_at: DefaultInstant;
  /** A hash of the configuration in force; empty: none is, for it is off or is being taken over. */
  configuration: string;
  paused: NullableJsonb<Reason>;
  epoch: Generated<number>;
  capabilities: NullableJsonb<JsonObject>;
  capabilities_at: NullableInstant;
  /** The server takes no more documents before this time (a daily cap). */
  documents_held_until: NullableInstant;
  /** As configured at the last start. */
  mode: NullableText;
  /** When a connection that a fault has paused is asked again; null: not by itself. */
  probe_at: NullableInstant;
  probes: Generated<number>;
  /** When it last resumed by itself. */
  resumed_at: NullableInstant;
  /** It takes no work that became due after this, and pauses when the rest is done. */
  draining_since: NullableInstant;
  draining_by: NullableText;
  /** When the configuration in force was taken over. */
  configuration_at: NullableInstant;
  /** It is switched off, or configured no more; nothing is wanted of it. */
  off_since: NullableInstant;
  /** For which records it has lanes, as configured when it was last on; null: not known. */
  recipient: NullableJsonb<RecordsFor & { readonly takingOver?: TakingOver }>;
}

/** Which records make lanes of a connection. */
export interface RecordsFor {
  readonly sources: readonly string[];
  /** Only those that belong to referrals to this organization do. */
  readonly organization?: string;
}

/** Another configuration comes into force: until then records make the lanes of both. */
export interface TakingOver {
  /** The configuration that was in force, to be so again where that fails. */
  readonly from: string;
  /** One for each start that has begun. */
  readonly to: readonly RecordsFor[];
}

/** What the last finished run of a lane was made from, so that a later one can tell what has changed since (lanes.md 22). */
export interface LaneBasis {
  readonly mapping: string;
  /** Hash of the settings that shape what is sent. */
  readonly configuration?: string;
  /** Hash of the route table. */
  readonly routes?: string;
  /** Counters of consent and re-links. */
  readonly epochs?: string;
  /** When a consent of its client was to come into force or to be in force no more, ISO. */
  readonly until?: string;
  /** Database time of its snapshot, ISO. */
  readonly at: string;
}

/** A person's word on something, with a note for colleagues. */
export interface Signed {
  readonly by: string;
  readonly note?: string;
  /** ISO instant. */
  readonly at: string;
}

/** One version that is not tried any more, and why it could not be sent. */
export interface SetAside extends Signed {
  readonly version: number;
  readonly reason: Reason;
}

export interface LaneTable {
  connection: string;
  subject: string;
  source: string;
  wanted: Generated<number>;
  done: Generated<number>;
  fence: Generated<number>;
  lease_holder: NullableText;
  lease_until: NullableInstant;
  queued_until: NullableInstant;
  starts: Generated<number>;
  attempts: Generated<number>;
  priority: Generated<number>;
  due_at: DefaultInstant;
  next_try_at: NullableInstant;
  next_look_at: NullableInstant;
  reread: Generated<boolean>;
  waiting: Generated<boolean>;
  parked: NullableJsonb<Reason>;
  reason: NullableJsonb<Reason>;
  /** An operator has parked it: nobody runs it. */
  stopped: NullableJsonb<Signed>;
  basis: NullableJsonb<LaneBasis>;
}

export interface LaneReadTable {
  connection: string;
  subject: string;
  source: string;
  type: string;
  id: string;
}

export interface LinkTable {
  connection: string;
  source: string;
  type: string;
  id: string;
  slot: string;
  generation: Generated<number>;
  subject: string;
  resource_type: string;
  remote_id: NullableText;
  origin: Generated<string>;
  version_tag: NullableText;
  sent: NullableJsonb<JsonObject>;
  seen: NullableJsonb<JsonObject>;
  seen_tag: NullableText;
  seen_hash: NullableText;
  record_version: NullableNumber;
  route: string;
  state: string;
  reason: NullableJsonb<Reason>;
  retired_at: NullableInstant;
  updated_at: DefaultInstant;
  set_aside: NullableJsonb<SetAside>;
  /** Of the slot by which `sent` and `seen` were made; null: not known. */
  form: NullableText;
  /** The version of the record that all of `sent` says; what a person is being asked about may be older. */
  sent_version: NullableNumber;
}

export interface OperationTable {
  id: Identity;
  send_id: string;
  connection: string;
  subject: string;
  fence: number;
  source: string;
  type: string;
  record_id: string;
  slot: string;
  generation: Generated<number>;
  kind: string;
  resource_type: string;
  remote_id: NullableText;
  sent: NullableJsonb<JsonObject>;
  record_version: NullableNumber;
  intended_at: DefaultInstant;
  send_before: Instant;
  outcome: NullableText;
  status: NullableNumber;
  reason: NullableJsonb<Reason>;
  missed_at: NullableInstant;
  late_check_at: NullableInstant;
  closed_at: NullableInstant;
  route: NullableText;
  route_reason: NullableJsonb<Reason>;
  request_id: NullableText;
}

export interface WaitingTable {
  connection: string;
  subject: string;
  source: string;
  type: string;
  id: string;
  slot: string;
  since: DefaultInstant;
}

/** One edition of a readable document, as the server was given it. */
export interface EditionTable {
  connection: string;
  source: string;
  type: string;
  id: string;
  slot: string;
  edition: number;
  remote_id: string;
  facts: Jsonb<JsonObject>;
  /** The records that it told of, as `type/id`. */
  records: Jsonb<string[]>;
  /** It takes back the editions before it. */
  retracts: Generated<boolean>;
  /** In whose chart, by the server's id. */
  patient: string;
  encounter: NullableText;
  as_of: Instant;
  sent_at: DefaultInstant;
}

export interface SeenTable {
  connection: string;
  resource_type: string;
  remote_id: string;
  version_tag: NullableText;
  hash: NullableText;
  body: NullableJsonb<JsonObject>;
  gone: Generated<boolean>;
  seen_at: DefaultInstant;
  /** In whose chart, by the server's id, where the resource says it. */
  patient: NullableText;
  /** Who looked last: a `run` of a lane, a `poll`, or nobody: an `adt` message told of it. */
  origin: Generated<string>;
  /** Since when what is seen waits to be taken up, where no record has a link to it; null: it has been, or a lane has the link. */
  news_since: NullableInstant;
  /** Since when full answers about its patient lack it; never taken as a deletion. */
  absent_since: NullableInstant;
}

export interface RemoteValueTable {
  connection: string;
  source: string;
  type: string;
  id: string;
  pointer: string;
  value: NullableJsonb<Json>;
  /** What the record said itself when this was offered; null: nothing. */
  base: NullableJsonb<Json>;
  seen_at: DefaultInstant;
  /** When the source refused it. */
  refused_at: NullableInstant;
}

/** What began on the other side, and what its source is offered of it: one row for each resource and the type of record that it becomes. */
export interface InboundTable {
  connection: string;
  /** Whom it is offered to. */
  source: string;
  resource_type: string;
  remote_id: string;
  /** Record type; `none`: no mapping reads it. */
  type: string;
  /** Of the proposal. */
  id: string;
  /** The lane that sees to it. */
  subject: string;
  /** In whose chart, by the server's id. */
  patient: NullableText;
  /**
   * `new`: not looked at yet. `kept`: seen, and not offered for a reason. `proposed`: offered. `withdrawn`: and taken back. `refused`: the source
   * does not take it. `adopted`: a record of the source answers it.
   */
  state: Generated<string>;
  reason: NullableJsonb<Reason>;
  /** Hash of all that the state was worked out from. */
  look: NullableText;
  /** The record as it was offered last. */
  offered: NullableJsonb<JsonObject>;
  /** Hash of that, whatever the records that it points at are called. */
  offered_hash: NullableText;
  /** `InboundPart`s: the resources that the record was read from, as they were then. */
  parts: NullableJsonb<Json>;
  /** The record that a refusal makes of the proposal. */
  answer: NullableJsonb<JsonObject>;
  /** The record that answers it. */
  record_id: NullableText;
  noted_at: DefaultInstant;
  updated_at: DefaultInstant;
}

export interface ChangeCounterTable {
  source: string;
  last: Generated<number>;
}

export interface ChangeTable {
  source: string;
  cursor: number;
  connection: string;
  op: string;
  type: string;
  id: string;
  body: NullableJsonb<JsonObject>;
  /** `ChangeLineage` (lanes/changes.ts). */
  lineage: NullableJsonb<Json>;
  at: DefaultInstant;
  /** Of the lane that offered it. */
  subject: string;
  /** What of which resource a patch was read from, where the record's value could be written over it. */
  elements: NullableJsonb<readonly ChangedElement[]>;
}

export interface ChangedElement {
  readonly slot: string;
  readonly element: string;
}

/** How a source's receiver does. */
export interface WebhookTable {
  source: string;
  /** Every change up to this cursor has been delivered, or has its row in `delivery`. */
  taken: Generated<number>;
  /** In a row. */
  failures: Generated<number>;
  /** The first of them. */
  failing_since: NullableInstant;
  rest_until: NullableInstant;
  /** Of the last failure. */
  reason: NullableJsonb<Reason>;
  /** Why nothing is posted until somebody enables it. */
  disabled: NullableJsonb<Reason>;
  /** The last one. */
  delivered_at: NullableInstant;
}

/** A change that the receiver has not taken yet. */
export interface DeliveryTable {
  source: string;
  cursor: number;
  /** Those of one subject are delivered one after the other. */
  subject: string;
  since: DefaultInstant;
  attempts: Generated<number>;
  failing_since: NullableInstant;
  /** It is counted in the alert of its source. */
  stuck: Generated<boolean>;
  next_at: DefaultInstant;
  lease_until: NullableInstant;
  /** Raised by each attempt and each replay: the outcome of an older attempt counts no more. */
  fence: Generated<number>;
}

export interface DecisionTable {
  id: Identity;
  connection: string;
  subject: string;
  source: string;
  kind: string;
  type: NullableText;
  record_id: NullableText;
  slot: NullableText;
  topic: string;
  reason: Jsonb<Reason>;
  detail: Jsonb<JsonObject>;
  choices: Jsonb<Json>;
  state: Generated<string>;
  choice: NullableText;
  note: NullableText;
  decided_by: NullableText;
  opened_at: DefaultInstant;
  decided_at: NullableInstant;
  used_at: NullableInstant;
}

export interface MatchLeaseTable {
  connection: string;
  key: string;
  holder: string;
  until: Instant;
}

/** One search that is made again and again. */
export interface PollTable {
  connection: string;
  resource_type: string;
  /** The patient that it asks about, by the server's id; '': all that the search finds. */
  about: Generated<string>;
  /** 0: a search of all, and of patients with an open referral 1, an open case 2, none 3. */
  tier: Generated<number>;
  /** The newest time of the server that was seen; what is later is asked for. */
  cursor: NullableText;
  /** When all of it, and not what is new alone, was last read to the end. */
  full_at: NullableInstant;
  /** When a notification last brought it forward. */
  woken_at: NullableInstant;
  /** Milliseconds between the last two polls that were read to the end. */
  last_ms: NullableNumber;
  next_at: DefaultInstant;
  lease_until: NullableInstant;
  last_ok_at: NullableInstant;
  reason: NullableJsonb<Reason>;
}

/** A patient who is asked about although no client of ours is linked to them. */
export interface RosterTable {
  connection: string;
  patient: string;
  /** `group`: of the configured Group or List; `uploaded`: an operator's list; `referred`: a Task or request to us names them. */
  origin: string;
  since: DefaultInstant;
}

/** A patient of an operator's list who is named by a number. */
export interface RosterSoughtTable {
  connection: string;
  system: string;
  value: string;
  /** The server's id of who carries the number; null: nobody is known yet. */
  patient: NullableText;
  /** Why nobody is. */
  reason: NullableJsonb<Reason>;
  next_at: DefaultInstant;
}

/** A part of an answer that could not be read and was set aside, so that the rest goes on. */
export interface PollUnreadableTable {
  connection: string;
  resource_type: string;
  about: string;
  /** The server's id of the resource, else its place. */
  key: string;
  reason: Jsonb<Reason>;
  first_at: DefaultInstant;
  last_at: DefaultInstant;
}

/** A Subscription of the server that has notified us. */
export interface SubscriptionTable {
  connection: string;
  id: string;
  topic: NullableText;
  /** FHIR's subscription-status. */
  status: string;
  last_heard_at: DefaultInstant;
  ends_at: NullableInstant;
  /** The number of its last event. */
  events: Generated<number>;
}

/** A Subscription of ours: what we want to be told of, and what we have asked the server for. */
export interface OwnSubscriptionTable {
  connection: string;
  resource_type: string;
  /** The server's id of it; null: none is known yet. */
  id: NullableText;
  /** Hash of what it was last asked to be. */
  said: NullableText;
  /** When one was last asked for whose id is not known. */
  intended_at: NullableInstant;
  /** Since when it has been as it is wanted. */
  since: NullableInstant;
  /** A poll found then what no notification had told of. */
  missed_at: NullableInstant;
}

export interface BudgetTable {
  connection: string;
  /** Raised by each change: a change is made only to the version that it was worked out from. */
  version: Generated<number>;
  /** `BudgetState` (connections/budget.ts). */
  state: Jsonb<JsonObject>;
  /** Nothing is sent before. */
  rest_until: NullableInstant;
  /** The server is left alone until one request has been answered. */
  failing: Generated<boolean>;
  /** Before, only urgent lanes run. */
  urgent_until: NullableInstant;
  /** Why, of either. */
  reason: NullableJsonb<Reason>;
  /** The alerts that are open because of it. */
  told: Jsonb<string[]>;
}

export interface EpochTable {
  key: string;
  n: Generated<number>;
}

export interface MappingTable {
  version: string;
  files: Jsonb<Json>;
  activated_at: DefaultInstant;
  active: Generated<boolean>;
}

export interface AlertTable {
  id: Identity;
  topic: string;
  connection: NullableText;
  reason: Jsonb<Reason>;
  count: Generated<number>;
  opened_at: DefaultInstant;
  resolved_at: NullableInstant;
  /** Whose people it is for, where it is for people of a source. */
  source: NullableText;
  recipients: NullableJsonb<Recipient[]>;
  /** How it ended, where more is to be said than that it did. */
  resolution: NullableJsonb<Reason>;
}

/** Whom an alert is for: a worker record of its source. */
export interface Recipient {
  readonly role: string;
  readonly id: string;
}

/** A clock that a record has started (docs/clocks.md). */
export interface ClockTable {
  source: string;
  type: string;
  id: string;
  rule: string;
  part: string;
  subject: string;
  state: string;
  started_at: Instant;
  due_at: NullableInstant;
  due_soon_at: NullableInstant;
  stopped_at: NullableInstant;
  paused_since: NullableInstant;
  contact: NullableText;
  worker: NullableText;
  supervisor: NullableText;
  reason: Jsonb<Reason>;
  /** When its state changes by the passing of time, or its breach is to be told. */
  next_at: NullableInstant;
  /** Of the open alert that tells of its breach. */
  topic: NullableText;
}

/** A subject whose clocks have to be worked out anew. */
export interface ClockMarkTable {
  subject: string;
  since: DefaultInstant;
  /** It could not be done: not again before this. */
  try_at: NullableInstant;
}

/** What a replay was asked for (`POST /api/replays`). */
export interface ReplayScope {
  readonly connection?: string;
  readonly case?: { readonly source: string; readonly id: string };
  /** ISO instants: records accepted from here on, and before. */
  readonly since?: string;
  readonly until?: string;
  readonly mapping?: string;
}

export interface ReplayTable {
  id: Identity;
  scope: Jsonb<ReplayScope>;
  dry_run: Generated<boolean>;
  state: Generated<string>;
  asked_by: string;
  asked: Generated<number>;
  created_at: DefaultInstant;
  ended_at: NullableInstant;
}

/** One lane of a replay. */
export interface ReplayItemTable {
  replay: number;
  connection: string;
  subject: string;
  /** The lane has worked it off when its `done` has come to this; null: not asked for yet. */
  wanted: NullableNumber;
  asked_at: NullableInstant;
  outcome: NullableText;
  reason: NullableJsonb<Reason>;
  writes: Generated<number>;
  /** Of a dry run. */
  plan: NullableJsonb<Json>;
}

/** How much one cause has changed on a connection, and whether it may go on. */
export interface MassChangeTable {
  connection: string;
  cause: string;
  value: string;
  links: number;
  let_through: Generated<number>;
  held: Generated<number>;
  state: Generated<string>;
}

export interface MassChangeLinkTable {
  connection: string;
  cause: string;
  value: string;
  source: string;
  type: string;
  id: string;
  slot: string;
  subject: string;
  held: Generated<boolean>;
}

export interface UnmappedTable {
  connection: string;
  source: string;
  subject: string;
  type: string;
  id: string;
  slot: string;
  way: string;
  pointer: string;
  concept_map: string;
  code: string;
  seen_at: DefaultInstant;
}

/** How often a server has put an element back to the same value. */
export interface RevertTable {
  connection: string;
  source: string;
  type: string;
  id: string;
  slot: string;
  element: string;
  value_hash: string;
  times: Generated<number>;
  since: DefaultInstant;
}

/** What a partner is told of one event of a referral: one row for each, whatever becomes of it. */
export interface PartnerMessageTable {
  id: Identity;
  partner: string;
  task_id: string;
  /** Tells this event from all others of the referral. */
  event: string;
  /** Who of the partner is told, by the name in the configuration; '' where the page has one address only. */
  contact: Generated<string>;
  /** `waiting`, `sent`, `failed` (given up), or `needless`: there was nothing left to tell, or it was told with another one. */
  state: string;
  created_at: DefaultInstant;
  attempts: Generated<number>;
  failing_since: NullableInstant;
  next_at: DefaultInstant;
  lease_until: NullableInstant;
  /** Counts attempts: the outcome of an older one changes nothing. */
  fence: Generated<number>;
  sent_at: NullableInstant;
  /** Why the last attempt failed. */
  reason: NullableJsonb<Reason>;
}

/** Up to which state a referral has been looked at for events. */
export interface PartnerWatchTable {
  partner: string;
  task_id: string;
  seen: string;
}

/** A link to one referral of one partner. Its secret is in the message alone. */
export interface PartnerLinkTable {
  id: string;
  partner: string;
  task_id: string;
  /** The message that carried it; null: none did. */
  message: NullableNumber;
  /** To whom of the partner it was given, as in the message. */
  contact: Generated<string>;
  /** Of the secret. */
  hash: string;
  created_at: DefaultInstant;
  expires_at: Instant;
  revoked_at: NullableInstant;
  revoked_by: NullableText;
  /** When somebody last signed in by it. */
  used_at: NullableInstant;
  code_hash: NullableText;
  /** Since somebody last signed in by it. */
  codes_sent: Generated<number>;
  code_sent_at: NullableInstant;
  code_until: NullableInstant;
  /** In a row. */
  wrong_codes: Generated<number>;
  /** How often it has been locked. */
  locks: Generated<number>;
  locked_until: NullableInstant;
}

/** Somebody who has signed in by a link. */
export interface PartnerSessionTable {
  /** Of the cookie. */
  hash: string;
  link: string;
  /** What they call themselves. */
  name: string;
  created_at: DefaultInstant;
  seen_at: DefaultInstant;
}

/** A form that has been sent: once done, it does nothing when it is sent once more. */
export interface PartnerFormTable {
  link: string;
  /** What it does, and a hash of its own key and of what it says. */
  key: string;
  done: Generated<boolean>;
  at: DefaultInstant;
}

export interface CallerRateTable {
  /** Hash of what is counted and who is. */
  key: string;
  /** Until when the tries so far are spoken for. */
  until: Instant;
}

/** An operator who has signed in on the console. */
export interface OperatorSessionTable {
  /** Of the secret in the browser. */
  hash: string;
  operator: string;
  /** Of secret and token together: another token ends the session. */
  token_hash: string;
  begun_at: DefaultInstant;
  used_at: DefaultInstant;
}

export interface HomeVersionTable {
  partner: string;
  resource_type: string;
  id: string;
  version: number;
  at: Instant;
  /** `casebridge`, a partner's client, or a contact of the partner. */
  written_by: string;
  body: Jsonb<JsonObject>;
}

/** What Casebridge holds for a partner, as it is now. */
export interface HomeResourceTable extends HomeVersionTable {
  /** The value of the identifier that Casebridge gave it; null: the partner made it. */
  own_value: NullableText;
  /** `ServiceRequest/<id>` that what the partner made belongs to. */
  based_on: NullableText;
}

/** Who looked at or changed what of a partner's resources, and when. Names ids only. */
export interface AuditTable {
  id: Identity;
  at: DefaultInstant;
  /** Null: of no partner, an operator has looked. */
  partner: NullableText;
  actor: string;
  action: string;
  resource_type: string;
  resource_id: NullableText;
  outcome: string;
  request_id: NullableText;
}

/** Tokens that our token endpoint gave, by their SHA-256. */
export interface AccessTokenTable {
  hash: string;
  client: string;
  /** Separated by spaces. */
  scopes: string;
  expires_at: Instant;
}

/** Each assertion is good for one token. */
export interface UsedAssertionTable {
  client: string;
  jti_hash: string;
  expires_at: Instant;
}

export interface Database {
  identity: IdentityTable;
  record: RecordTable;
  record_version: RecordVersionTable;
  stale_record: StaleRecordTable;
  connection: ConnectionTable;
  lane: LaneTable;
  lane_read: LaneReadTable;
  link: LinkTable;
  operation: OperationTable;
  waiting: WaitingTable;
  edition: EditionTable;
  seen: SeenTable;
  remote_value: RemoteValueTable;
  inbound: InboundTable;
  change_counter: ChangeCounterTable;
  change: ChangeTable;
  webhook: WebhookTable;
  delivery: DeliveryTable;
  decision: DecisionTable;
  match_lease: MatchLeaseTable;
  poll: PollTable;
  roster: RosterTable;
  roster_sought: RosterSoughtTable;
  poll_unreadable: PollUnreadableTable;
  subscription: SubscriptionTable;
  own_subscription: OwnSubscriptionTable;
  budget: BudgetTable;
  epoch: EpochTable;
  mapping: MappingTable;
  alert: AlertTable;
  clock: ClockTable;
  clock_mark: ClockMarkTable;
  replay: ReplayTable;
  replay_item: ReplayItemTable;
  mass_change: MassChangeTable;
  mass_change_link: MassChangeLinkTable;
  revert: RevertTable;
  unmapped: UnmappedTable;
  partner_message: PartnerMessageTable;
  partner_watch: PartnerWatchTable;
  partner_link: PartnerLinkTable;
  partner_session: PartnerSessionTable;
  partner_form: PartnerFormTable;
  home_resource: HomeResourceTable;
  home_version: HomeVersionTable;
  audit: AuditTable;
  access_token: AccessTokenTable;
  used_assertion: UsedAssertionTable;
  operator_session: OperatorSessionTable;
  caller_rate: CallerRateTable;
}
