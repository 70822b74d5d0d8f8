// What the rest of Casebridge knows of its configuration: complete, checked, secrets resolved, durations in milliseconds.

import type { JSONWebKeySet, JWK } from 'jose';

export const vendorNames = ['epic', 'oracle', 'standard'] as const;
export type VendorName = (typeof vendorNames)[number];

/** How one kind of record reaches one connection (design section 2). */
export const routes = ['native', 'document', 'answer', 'read', 'manual', 'withheld', 'off'] as const;
export type Route = (typeof routes)[number];

/** How SMART scopes are written: `system/Patient.read`, or `system/Patient.rs`. */
export const scopeVersions = ['v1', 'v2'] as const;
export type ScopeVersion = (typeof scopeVersions)[number];

/** What an operator's token may do besides proving who asks. */
export const permissions = ['read', 'run', 'decide', 'configure'] as const;
export type Permission = (typeof permissions)[number];

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The clocks that records start and stop (docs/clocks.md). */
export const clockRules = [
  'referral-follow-up-48h',
  'first-contact-72h',
  'cancel-answer-48h',
  'note-24h',
  'incident-4h',
  'plan-review-30d',
  'discharge-follow-up-7d',
] as const;
export type ClockRule = (typeof clockRules)[number];

/** The clocks whose limit is so many hours. */
export const hourRules = [
  'referral-follow-up-48h',
  'first-contact-72h',
  'cancel-answer-48h',
  'note-24h',
  'incident-4h',
] as const;

/** Those that stand still at night where business hours are configured. An incident has to be written down in four hours at any time. */
export const officeRules = hourRules.filter((rule) => rule !== 'incident-4h');

/** The types that servers are asked for what changed. */
export const polledTypes = [
  'Appointment',
  'CarePlan',
  'Communication',
  'Condition',
  'DocumentReference',
  'Encounter',
  'Goal',
  'Patient',
  'Procedure',
  'ServiceRequest',
  'Task',
] as const;
export type PolledType = (typeof polledTypes)[number];

export const weekdays = ['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'] as const;
export type Weekday = (typeof weekdays)[number];

export interface ClockConfig {
  /** `HH:MM` at which breaches are told together, in the zone of the source; absent: each at once. */
  readonly digest?: string;
  /** Limits in hours count only within these, by the zone of the case; absent: all hours count. */
  readonly businessHours?: {
    readonly days: readonly Weekday[];
    /** `HH:MM`. */
    readonly from: string;
    /** `HH:MM`, up to 24:00. */
    readonly to: string;
    /** Dates. */
    readonly holidays: readonly string[];
    /** The clocks that count so. */
    readonly rules: readonly ClockRule[];
  };
}

export interface Config {
  /** The file it was read from, as an absolute path. */
  readonly file: string;
  readonly server: ServerConfig;
  readonly store: {
    /** PostgreSQL; absent: embedded. */
    readonly url?: string;
    /** Absolute folder of the embedded store. */
    readonly folder: string;
  };
  readonly queue: {
    /** Redis; absent: on the store. */
    readonly url?: string;
  };
  readonly lanes: {
    /** How long a run may hold a lane without a sign of life. */
    readonly leaseMs: number;
  };
  readonly log: { readonly level: LogLevel };
  /** Absent: no e-mails are sent. */
  readonly mail?: MailConfig;
  /** Absent: no text messages are sent. */
  readonly sms?: SmsConfig;
  readonly clocks: ClockConfig;
  readonly retention: RetentionConfig;
  /** Files of facts that `casebridge guide` made, as absolute paths. */
  readonly guides: readonly string[];
  /** Folder of fields and codes of the agency's own, as an absolute path. */
  readonly overlay?: string;
  /** System of every identifier that Casebridge gives to a resource. */
  readonly identifierSystem: string;
  readonly operators: ReadonlyMap<string, OperatorConfig>;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  /** Those of partners included. */
  readonly connections: ReadonlyMap<string, ConnectionConfig>;
  /** Organizations that are given their referrals by Casebridge itself. */
  readonly partners: ReadonlyMap<string, PartnerConfig>;
  /** What an operator should mend although it is no error. One plain sentence each. */
  readonly warnings: readonly string[];
}

/** How long is kept what nothing needs any more. */
export interface RetentionConfig {
  /** Who looked at or changed what. */
  readonly auditMs: number;
  /** Earlier versions of what is held for partners. */
  readonly versionsMs: number;
  /** What was seen on servers about people who are not asked about any more. */
  readonly seenMs: number;
}

export interface ServerConfig {
  /** 0 takes any free port. */
  readonly port: number;
  /** Address to listen on; absent: all. */
  readonly host?: string;
  /** Where others reach this server, without a slash at the end; absent: no links are sent. */
  readonly publicUrl?: string;
  /** The last address of X-Forwarded-For is the caller's. @default false */
  readonly behindProxy?: boolean;
}

/** How e-mails are sent. */
export interface MailConfig {
  /** The sender, such as `Casebridge <referrals@agency.example.org>`. */
  readonly from: string;
  readonly smtp: {
    readonly host: string;
    readonly port: number;
    /** `tls` from the first byte, `starttls` or nothing, `none` on this machine and in tests. */
    readonly security: 'tls' | 'starttls' | 'none';
    readonly user?: string;
    readonly password?: string;
  };
}

/** How text messages are sent: each is posted to a service, signed as Standard Webhooks are. */
export type SmsConfig = Pick<WebhookConfig, 'url' | 'secrets' | 'allowPrivate'>;

export const pageLanguages = ['en', 'es'] as const;
export type PageLanguage = (typeof pageLanguages)[number];

/** Who is told of referrals: by one address, or by an address and a number. At least one of them is there. */
export interface PageContact {
  /** Where the links go; the codes too, where there is no number. */
  readonly email?: string;
  /** Where the codes go, and the links where there is no e-mail address; `+` and digits. */
  readonly sms?: string;
}

/** The page of a partner that has no FHIR client (docs/partners.md). */
export interface PageConfig {
  /** Each is told by a link and codes of their own. By name; '' where there is only one, which has none. */
  readonly contacts: ReadonlyMap<string, PageContact>;
  /** Of messages, and of the page for whoever asks for neither. */
  readonly language: PageLanguage;
  /** How many days a link opens its referral. */
  readonly linkDays: number;
}

export interface PartnerConfig {
  readonly id: string;
  /** The organization record to which the referrals are made. */
  readonly organization: { readonly source: string; readonly id: string };
  /** Of that source, IANA name; absent: UTC. Its days begin and end the consents of its clients. */
  readonly timeZone?: string;
  /** The names of the other partners and of connections, as in `ConnectionConfig`. */
  readonly otherConnections?: readonly string[];
  /** Its own system, which asks by FHIR; absent: it has none. */
  readonly client?: PartnerClient;
  /** Absent: nobody is told, and there is no page. */
  readonly page?: PageConfig;
}

export interface PublishedKeys {
  readonly url: string;
  /** It may lead to this machine and into private networks. @default false */
  readonly allowPrivate?: boolean;
}

export interface PartnerClient {
  readonly id: string;
  /** Its public keys (RFC 7517), or where it publishes them. */
  readonly keys: JSONWebKeySet | PublishedKeys;
  /** What a token of it may allow at most. */
  readonly scopes: readonly string[];
}

export interface OperatorConfig {
  readonly name: string;
  readonly token: string;
  readonly may: readonly Permission[];
}

export interface SourceConfig {
  readonly id: string;
  readonly token: string;
  /** IANA name; with it instants without a zone are accepted. */
  readonly timeZone?: string;
  /** Where changes are posted; absent: the source asks for them. */
  readonly webhook?: WebhookConfig;
}

export interface WebhookConfig {
  readonly url: string;
  /** Keys of HMAC-SHA256, one or two; each signs every delivery. */
  readonly secrets: readonly Uint8Array[];
  /** A receiver that has taken nothing for this long gets nothing more. */
  readonly giveUpAfterMs: number;
  /** Whether loopback and private addresses are reached. */
  readonly allowPrivate: boolean;
}

export interface ConnectionConfig {
  readonly id: string;
  readonly vendor: VendorName;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly auth: AuthConfig;
  readonly mode: 'off' | 'shadow' | 'live';
  /** The organization record whose server this is. */
  readonly organization?: { readonly source: string; readonly id: string };
  /** The records of the same organization in other sources, one each; absent: it is known in none. */
  readonly organizationElsewhere?: readonly { readonly source: string; readonly id: string }[];
  readonly basis: 'treatment' | 'consent';
  /** The names of the other connections and partners: a client's refusal of one of them is none of this one. */
  readonly otherConnections?: readonly string[];
  /** The organizations of the others: where this one's own is not known, a refusal of one of these is none of this one either. */
  readonly otherOrganizations?: readonly { readonly source: string; readonly id: string }[];
  /** Whose cases go there. */
  readonly sources: readonly string[];
  /** Which source is offered what begins on the other side. */
  readonly inboundTo?: string;
  /** Connections of earlier configurations that led to the same address and that it does not go on from. */
  readonly unrelatedTo?: readonly string[];
  readonly createPatients: boolean;
  /** By identifier kind (mrn, medicaid, …): the one system in which it counts on this server. */
  readonly identifierSystems: Readonly<Record<string, string>>;
  /** Which side holds the Task of a referral (closed loop B1). */
  readonly task: 'home' | 'copy' | 'answer' | 'off';
  /** How the performer is asked to cancel what it has accepted; absent: it is not asked, and cancelled is set. */
  readonly cancellation?: 'bser' | 'abort-task';
  readonly backfill: 'none' | 'open-cases' | 'all';
  readonly pollEveryMs: number;
  readonly polls: PollConfig;
  /** By which the server may tell that something is new; absent: it may not. */
  readonly hook?: HookConfig;
  readonly rateLimit: {
    readonly requestsPerSecond: number;
    readonly concurrency: number;
    /** By the calendar day in UTC; absent: no limit. */
    readonly requestsPerDay?: number;
  };
  /** How long a write may stay invisible to search. */
  readonly settleMs: number;
  readonly documents: {
    readonly quietMs: number;
    readonly atMostEveryMs: number;
    readonly encounter: 'latest-open' | 'none';
  };
  /** Overrides by record type. */
  readonly routes: Readonly<Record<string, Route>>;
  /** Organizations whose Tasks live at Casebridge, so that this server gets copies of them. */
  readonly copiesOf?: readonly { readonly source: string; readonly id: string }[];
  /** Of a case only the referrals to `organization` go there, and what they speak of; absent: all of it. */
  readonly share?: 'referrals';
}

export interface PollConfig {
  readonly types: readonly PolledType[];
  /** The Group or List of the server whose patients are asked about beside the linked ones. */
  readonly roster?: { readonly resourceType: 'Group' | 'List'; readonly id: string };
  /** How the server names our organization, as in `Organization/7`, beside what is linked. */
  readonly performers: readonly string[];
  /** Codes and categories, as `system|code`, of requests that are referrals whoever performs them. */
  readonly referralCodes: readonly string[];
  /** LOINC codes of the documents that are offered to sources. */
  readonly documentTypes: readonly string[];
  /** How far back is read of what happens once. */
  readonly lookBackMs: number;
}

export interface HookConfig {
  /** The secret last part of its address. */
  readonly key: string;
  /** What a caller has to send in `Authorization: Bearer` besides. */
  readonly bearer?: string;
  /** It is heard from at least so often; absent: as its Subscription says, if it does. */
  readonly heartbeatMs?: number;
  /** What Casebridge keeps Subscriptions for on the server; absent: it makes none. */
  readonly subscribe?: SubscribeConfig;
}

export interface SubscribeConfig {
  readonly types: readonly PolledType[];
  /** Where the server notifies, without a slash at the end; the type follows. It holds the key. */
  readonly address: string;
}

export type AuthConfig =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly user: string; readonly password: string }
  | {
      readonly type: 'smart-backend';
      readonly clientId: string;
      /** Private key, which signs. */
      readonly key: JWK;
      /** Private keys that are published and do not sign yet, or no longer. */
      readonly otherKeys?: readonly JWK[];
      /** In either spelling; empty: none are asked for, and what is granted was chosen at registration. */
      readonly scopes: readonly string[];
      /** The spelling in which they are sent. @default 'v2' */
      readonly scopeVersion?: ScopeVersion;
    }
  | {
      /** A system account: the token endpoint takes its id and secret by HTTP Basic (RFC 6749 section 2.3.1). */
      readonly type: 'smart-basic';
      readonly clientId: string;
      readonly secret: string;
      readonly scopes: readonly string[];
      readonly scopeVersion?: ScopeVersion;
    };
