// From a file of the right shape to the configuration: secrets resolved, defaults filled in by vendor, names that point at
// each other checked. Every problem is kept, so that one run of a command shows all of them.

import { dirname, resolve } from 'node:path';
import type { JWK } from 'jose';
import { isCalendarDate } from '../records/records.ts';
import { durationMs } from './duration.ts';
import { isKnown, organizationOf } from './known-names.ts';
import { completeMail, completeSms } from './messages.ts';
import { completePartners, organizationsOf, withCopies } from './partners.ts';
import type { RawConfig, RawConnection, RawHook } from './schema.ts';
import { isReference, resolveReference, type SecretPlaces } from './secrets.ts';
import type { ConfigProblem, SettingPath, SourceText } from './source-text.ts';
import { isThisMachine } from './this-machine.ts';
import type {
  AuthConfig,
  ClockConfig,
  Config,
  ConnectionConfig,
  HookConfig,
  OperatorConfig,
  PollConfig,
  PolledType,
  RetentionConfig,
  ScopeVersion,
  ServerConfig,
  SourceConfig,
  VendorName,
} from './types.ts';
import { officeRules, polledTypes } from './types.ts';
import { completeWebhook } from './webhook.ts';

type VendorDefaults = Pick<ConnectionConfig, 'mode' | 'task' | 'pollEveryMs'>;

const vendorDefaults: Readonly<Record<VendorName, VendorDefaults>> = {
  standard: { mode: 'live', task: 'home', pollEveryMs: 60_000 },
  epic: { mode: 'shadow', task: 'answer', pollEveryMs: 900_000 },
  oracle: { mode: 'shadow', task: 'off', pollEveryMs: 900_000 },
};

/** The complete configuration, or every problem that keeps it from being one. */
export async function complete(
  file: string,
  raw: RawConfig,
  source: SourceText,
  env: SecretPlaces['env'],
): Promise<{ config: Config } | { problems: ConfigProblem[] }> {
  const desk = new Desk(source, { env, folder: dirname(file) });
  const front = await server(raw, desk);
  const configured = await connections(raw, front, desk);
  const { partners, homes } = await completePartners(raw, configured, desk);
  const all = new Map([...withCopies(configured, partners), ...homes]);
  const config: Config = {
    file,
    server: front,
    store: {
      url: await desk.url(raw.store?.url, ['store', 'url'], ['postgres:', 'postgresql:']),
      folder: resolve(dirname(file), raw.store?.folder ?? './data'),
    },
    queue: { url: await desk.url(raw.queue?.url, ['queue', 'url'], ['redis:', 'rediss:']) },
    lanes: { leaseMs: leaseOf(raw, desk) },
    log: { level: raw.log?.level ?? 'info' },
    mail: await completeMail(raw, desk),
    sms: await completeSms(raw, desk),
    clocks: clocks(raw, desk),
    retention: retention(raw, desk),
    guides: (raw.guides ?? []).map((path) => resolve(dirname(file), path)),
    ...(raw.overlay !== undefined && { overlay: resolve(dirname(file), raw.overlay) }),
    identifierSystem: raw.identifierSystem,
    operators: await operators(raw, desk),
    sources: await sources(raw, desk),
    connections: withOtherOrganizations(withOthers(all, [...all.keys()])),
    partners: withOthers(partners, [...all.keys()]),
    warnings: desk.warnings,
  };
  return desk.problems.length > 0 ? { problems: desk.problems } : { config };
}

/** Each with the names of all others. */
function withOthers<T>(ones: ReadonlyMap<string, T>, names: readonly string[]): Map<string, T> {
  return new Map([...ones].map(([id, one]) => [id, { ...one, otherConnections: names.filter((name) => name !== id) }]));
}

function withOtherOrganizations(all: ReadonlyMap<string, ConnectionConfig>): Map<string, ConnectionConfig> {
  const others = (id: string) => [...all.values()].flatMap((one) => (one.id === id ? [] : organizationsOf(one)));
  return new Map([...all].map(([id, one]) => [id, { ...one, otherOrganizations: others(id) }]));
}

/** Resolves single settings and collects what is wrong with them. */
export class Desk {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: string[] = [];
  readonly #source: SourceText;
  readonly #places: SecretPlaces;
  readonly #tokens = new Map<string, string>();

  constructor(source: SourceText, places: SecretPlaces) {
    this.#source = source;
    this.#places = places;
  }

  refuse(path: SettingPath, rest: string): void {
    this.problems.push({ where: this.#source.at(path), problem: `${path.join('.')} ${rest}` });
  }

  /** The secret behind a reference; '' once a problem has been noted. */
  async secret(reference: string, path: SettingPath): Promise<string> {
    const resolved = await resolveReference(reference, this.#places);
    if ('problem' in resolved) {
      this.refuse(path, `${resolved.problem}.`);
      return '';
    }
    if (resolved.warning !== undefined) this.warnings.push(resolved.warning);
    return resolved.value;
  }

  /** The text of a file that is no secret; '' once a problem has been noted. */
  async publicText(reference: string, path: SettingPath): Promise<string> {
    const resolved = await resolveReference(reference, this.#places);
    if ('value' in resolved) return resolved.value;
    this.refuse(path, `${resolved.problem}.`);
    return '';
  }

  /** A plain setting that may also be given as a reference. */
  async plain(text: string, path: SettingPath): Promise<string> {
    return isReference(text) ? this.secret(text, path) : text;
  }

  /** A token that callers of ours present: distinct from all others, and fit for an Authorization header. */
  async callerToken(reference: string, path: SettingPath): Promise<string> {
    const token = await this.secret(reference, path);
    if (token === '') return token;
    const twin = this.#tokens.get(token);
    if (twin !== undefined) this.refuse(path, `is the same secret as ${twin}. Each needs its own.`);
    this.#tokens.set(token, path.join('.'));
    if (!/^[\x21-\x7e]+$/.test(token)) this.refuse(path, 'must be printable ASCII without spaces.');
    return token;
  }

  /** A database or queue address. One that carries a password may only be a reference. */
  async url(text: string | undefined, path: SettingPath, protocols: readonly string[]): Promise<string | undefined> {
    if (text === undefined) return undefined;
    const value = await this.plain(text, path);
    if (value === '') return undefined;
    const url = URL.parse(value);
    if (!url || !protocols.includes(url.protocol)) {
      this.refuse(path, `must begin with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`);
    } else if (value === text && url.password !== '') {
      this.refuse(
        path,
        'holds a password in clear text. Write env:NAME or file:PATH instead, and change the password.',
      );
    }
    return value;
  }

  async baseUrl(text: string, path: SettingPath): Promise<string> {
    const value = await this.plain(text, path);
    if (value === '') return value;
    const url = URL.parse(value);
    if (!url || !['http:', 'https:'].includes(url.protocol)) {
      this.refuse(path, 'must be an absolute http or https URL.');
    } else if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
      this.refuse(path, 'must be without query, fragment, user and password.');
    } else if (url.protocol === 'http:' && !isThisMachine(url.hostname)) {
      this.warnings.push(`${path.join('.')} is not encrypted (http). Use https outside a test network.`);
    }
    return value.replace(/\/+$/, '');
  }

  duration(text: string | undefined, otherwise: number): number {
    return (text === undefined ? undefined : durationMs(text)) ?? otherwise;
  }
}

const shortestPollMs = 100;

function pollEvery({ poll }: RawConnection, usual: number, path: SettingPath, desk: Desk): number {
  const everyMs = desk.duration(poll?.every, usual);
  if (everyMs < shortestPollMs)
    desk.refuse([...path, 'poll', 'every'], 'must be at least 100ms: a server is not asked without a pause.');
  return everyMs;
}

const shortestLeaseMs = 2_000;

function leaseOf({ lanes }: RawConfig, desk: Desk): number {
  const leaseMs = desk.duration(lanes?.lease, 60_000);
  if (leaseMs < shortestLeaseMs) desk.refuse(['lanes', 'lease'], 'must be at least 2s: a request has to fit in.');
  return leaseMs;
}

function clocks({ clocks: raw = {} }: RawConfig, desk: Desk): ClockConfig {
  const { digest, businessHours: hours } = raw;
  const path = ['clocks', 'businessHours'];
  if (hours !== undefined && hours.from >= hours.to) desk.refuse([...path, 'to'], 'must be later than "from".');
  for (const [index, date] of (hours?.holidays ?? []).entries())
    if (!isCalendarDate(date)) desk.refuse([...path, 'holidays', String(index)], 'must be a date of the calendar.');
  return {
    ...(digest !== undefined && { digest }),
    ...(hours && { businessHours: { ...hours, holidays: hours.holidays ?? [], rules: hours.rules ?? officeRules } }),
  };
}

/** 45 CFR 164.316(b)(2): six years, two leap days among them. */
const sixYearsMs = 2192 * 86_400_000;

function retention({ retention: raw = {} }: RawConfig, desk: Desk): RetentionConfig {
  const auditMs = desk.duration(raw.audit, sixYearsMs);
  if (auditMs < sixYearsMs)
    desk.warnings.push(
      'retention.audit is shorter than the six years that HIPAA asks for (45 CFR 164.316). Use 2192d.',
    );
  return {
    auditMs,
    versionsMs: desk.duration(raw.versions, sixYearsMs),
    seenMs: desk.duration(raw.seen, 365 * 86_400_000),
  };
}

async function server({ server: raw = {} }: RawConfig, desk: Desk): Promise<ServerConfig> {
  const { port = 8080, host, publicUrl, behindProxy = false } = raw;
  return {
    port,
    host,
    behindProxy,
    ...(publicUrl !== undefined && { publicUrl: await desk.baseUrl(publicUrl, ['server', 'publicUrl']) }),
  };
}

async function operators(raw: RawConfig, desk: Desk): Promise<Map<string, OperatorConfig>> {
  const found = new Map<string, OperatorConfig>();
  for (const [name, operator] of Object.entries(raw.operators ?? {})) {
    const token = await desk.callerToken(operator.token, ['operators', name, 'token']);
    found.set(name, { name, token, may: operator.may ?? ['read'] });
  }
  return found;
}

async function sources(raw: RawConfig, desk: Desk): Promise<Map<string, SourceConfig>> {
  const found = new Map<string, SourceConfig>();
  for (const [id, { token: reference, timeZone, webhook }] of Object.entries(raw.sources)) {
    const token = await desk.callerToken(reference, ['sources', id, 'token']);
    if (timeZone !== undefined && !isTimeZone(timeZone)) {
      desk.refuse(['sources', id, 'timeZone'], 'must be an IANA time zone such as America/New_York.');
    }
    const path = ['sources', id, 'webhook'];
    found.set(id, { id, token, timeZone, ...(webhook && { webhook: await completeWebhook(webhook, path, desk) }) });
  }
  return found;
}

async function connections(raw: RawConfig, front: ServerConfig, desk: Desk): Promise<Map<string, ConnectionConfig>> {
  const found = new Map<string, ConnectionConfig>();
  const known = Object.keys(raw.sources);
  for (const [id, connection] of Object.entries(raw.connections ?? {})) {
    found.set(id, await completeConnection(id, connection, known, front, desk));
  }
  return found;
}

async function completeConnection(
  id: string,
  raw: RawConnection,
  known: readonly string[],
  front: ServerConfig,
  desk: Desk,
): Promise<ConnectionConfig> {
  const path = ['connections', id];
  const defaults = vendorDefaults[raw.vendor];
  const theirs = raw.sources ?? [...known];
  for (const [index, source] of theirs.entries()) isKnown(source, known, [...path, 'sources', String(index)], desk);
  if (raw.inboundTo !== undefined) isKnown(raw.inboundTo, theirs, [...path, 'inboundTo'], desk);
  const polls = pollConfig(raw, desk);
  // The route of clients where the vendor is a hospital: it keeps its own patients.
  if (raw.createPatients === true && raw.vendor !== 'standard' && raw.routes?.client !== 'native')
    desk.warnings.push(
      `${path.join('.')}.createPatients has no effect on ${raw.vendor}: patients are found there and never made, unless routes.client is native.`,
    );
  return {
    id,
    vendor: raw.vendor,
    baseUrl: await desk.baseUrl(raw.baseUrl, [...path, 'baseUrl']),
    auth: await completeAuth(raw, [...path, 'auth'], desk),
    mode: raw.mode ?? defaults.mode,
    organization:
      raw.organization === undefined
        ? undefined
        : organizationOf(raw.organization, known, [...path, 'organization'], desk),
    ...elsewhere(raw, known, path, desk),
    basis: raw.basis ?? 'treatment',
    sources: theirs,
    inboundTo: raw.inboundTo ?? (theirs.length === 1 ? theirs[0] : undefined),
    ...(raw.unrelatedTo && { unrelatedTo: raw.unrelatedTo }),
    createPatients: raw.createPatients ?? false,
    identifierSystems: raw.identifierSystems ?? {},
    task: raw.task ?? defaults.task,
    ...cancellationOf(raw, path, desk),
    backfill: raw.backfill ?? 'open-cases',
    pollEveryMs: pollEvery(raw, defaults.pollEveryMs, path, desk),
    polls,
    ...(raw.hook && { hook: await hookConfig(id, raw.hook, { polls, front, path: [...path, 'hook'], desk }) }),
    rateLimit: {
      requestsPerSecond: raw.rateLimit?.requestsPerSecond ?? 20,
      concurrency: raw.rateLimit?.concurrency ?? 8,
      ...(raw.rateLimit?.requestsPerDay !== undefined && { requestsPerDay: raw.rateLimit.requestsPerDay }),
    },
    settleMs: desk.duration(raw.settle, 90_000),
    documents: {
      quietMs: desk.duration(raw.documents?.quiet, 4 * 3_600_000),
      atMostEveryMs: desk.duration(raw.documents?.atMostEvery, 24 * 3_600_000),
      encounter: raw.documents?.encounter ?? 'latest-open',
    },
    routes: raw.routes ?? {},
  };
}

/** Each in a source of its own. */
function elsewhere(
  { organization, organizationElsewhere }: RawConnection,
  known: readonly string[],
  path: SettingPath,
  desk: Desk,
): Pick<ConnectionConfig, 'organizationElsewhere'> {
  if (organizationElsewhere === undefined) return {};
  const setting = [...path, 'organizationElsewhere'];
  const named = organizationElsewhere.map((text, index) =>
    organizationOf(text, known, [...setting, String(index)], desk),
  );
  const sources = [
    ...(organization === undefined ? [] : [organization.split('/')[0]]),
    ...named.map(({ source }) => source),
  ];
  const twice = sources.find((source, index) => sources.indexOf(source) < index);
  if (twice !== undefined)
    desk.refuse(setting, `names a second record of the source ${twice}. A source has one record of it.`);
  return { organizationElsewhere: named };
}

/** At Oracle Health a Communication is mail among the staff. */
function usuallyPolled(vendor: VendorName): readonly PolledType[] {
  return vendor === 'oracle' ? polledTypes.filter((type) => type !== 'Communication') : polledTypes;
}

/** Only where the performer answers in the Task itself is there somebody to ask. */
function cancellationOf(
  { cancellation = 'set', vendor, task }: RawConnection,
  path: SettingPath,
  desk: Desk,
): Pick<ConnectionConfig, 'cancellation'> {
  if (cancellation === 'set') return {};
  const setting = [...path, 'cancellation'];
  if (vendor !== 'standard')
    desk.refuse(setting, `must be "set" on a server of the vendor ${vendor}: nobody can be asked there.`);
  else if ((task ?? vendorDefaults[vendor].task) !== 'home')
    desk.refuse(
      setting,
      `must be "set" where "task" is "${task}": only where the Task lives does its performer answer.`,
    );
  return { cancellation };
}

/** LOINC: the discharge summary and the note of an emergency department, which tell of what brings a plan's review forward. */
const usuallyOffered = ['18842-5', '34111-5'];

function pollConfig({ vendor, poll = {} }: RawConnection, desk: Desk): PollConfig {
  const [, resourceType, id] = /^(Group|List)\/(.+)$/.exec(poll.roster ?? '') ?? [];
  const isRoster = (resourceType === 'Group' || resourceType === 'List') && id !== undefined;
  return {
    types: poll.types ?? usuallyPolled(vendor),
    ...(isRoster && { roster: { resourceType, id } }),
    performers: poll.performers ?? [],
    referralCodes: poll.referralCodes ?? [],
    documentTypes: poll.documentTypes ?? usuallyOffered,
    lookBackMs: desk.duration(poll.lookBack, 90 * 86_400_000),
  };
}

const shortestHookKey = 16;

interface HookPlace {
  readonly polls: PollConfig;
  readonly front: ServerConfig;
  readonly path: SettingPath;
  readonly desk: Desk;
}

async function hookConfig(id: string, raw: RawHook, { polls, front, path, desk }: HookPlace): Promise<HookConfig> {
  const key = await desk.secret(raw.key, [...path, 'key']);
  if (key !== '' && (key.length < shortestHookKey || !/^[A-Za-z0-9_-]{1,128}$/.test(key)))
    desk.refuse(
      [...path, 'key'],
      'must be 16 to 128 letters, digits, dashes and underscores: it is part of an address.',
    );
  if (raw.subscribe !== undefined && front.publicUrl === undefined)
    desk.refuse([...path, 'subscribe'], 'needs "server.publicUrl": it is where the server notifies.');
  for (const [index, type] of (raw.subscribe ?? []).entries())
    if (!polls.types.includes(type))
      desk.refuse(
        [...path, 'subscribe', String(index)],
        'must be one of "poll.types": a notification only wakes a poll.',
      );
  return {
    key,
    ...(raw.bearer !== undefined && { bearer: await desk.secret(raw.bearer, [...path, 'bearer']) }),
    ...(raw.heartbeat !== undefined && { heartbeatMs: desk.duration(raw.heartbeat, 0) }),
    ...(raw.subscribe && {
      subscribe: { types: raw.subscribe, address: `${front.publicUrl ?? ''}/hooks/${id}/${key}` },
    }),
  };
}

async function completeAuth({ auth: raw, vendor }: RawConnection, path: SettingPath, desk: Desk): Promise<AuthConfig> {
  switch (raw.type) {
    case 'none':
      return { type: 'none' };
    case 'bearer':
      return { type: 'bearer', token: await desk.secret(raw.token, [...path, 'token']) };
    case 'basic':
      return {
        type: 'basic',
        user: await desk.plain(raw.user, [...path, 'user']),
        password: await desk.secret(raw.password, [...path, 'password']),
      };
    case 'smart-backend':
      return {
        type: 'smart-backend',
        clientId: await desk.plain(raw.clientId, [...path, 'clientId']),
        key: await privateKey(raw.key, [...path, 'key'], desk),
        ...(raw.otherKeys && { otherKeys: await otherKeys(raw.otherKeys, [...path, 'otherKeys'], desk) }),
        ...scopesOf(raw, vendor, path, desk),
      };
    case 'smart-basic':
      return {
        type: 'smart-basic',
        clientId: await desk.plain(raw.clientId, [...path, 'clientId']),
        secret: await desk.secret(raw.secret, [...path, 'secret']),
        ...scopesOf(raw, vendor, path, desk),
      };
    default:
      return raw satisfies never;
  }
}

function otherKeys(references: readonly string[], path: SettingPath, desk: Desk): Promise<JWK[]> {
  return Promise.all(references.map((reference, index) => privateKey(reference, [...path, String(index)], desk)));
}

/** Only Epic grants what was registered without being asked (ehr-behaviour section 2). */
function scopesOf(
  { scopes = [], scopeVersion = 'v2' }: { readonly scopes?: string[]; readonly scopeVersion?: ScopeVersion },
  vendor: VendorName,
  path: SettingPath,
  desk: Desk,
): { readonly scopes: readonly string[]; readonly scopeVersion: ScopeVersion } {
  if (scopes.length === 0 && vendor !== 'epic') {
    desk.refuse(path, `needs "scopes": a server of the vendor ${vendor} grants nothing that is not asked for.`);
  }
  return { scopes, scopeVersion };
}

async function privateKey(reference: string, path: SettingPath, desk: Desk): Promise<JWK> {
  const text = await desk.secret(reference, path);
  const key = text === '' ? undefined : parseKey(text);
  if (key) return key;
  if (text !== '') desk.refuse(path, 'must be one private key as JWK (RSA or EC). Make one with: casebridge keys.');
  return { kty: '' };
}

function parseKey(text: string): JWK | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isPrivateKey(value) ? value : undefined;
  } catch {
    // What was found is a secret, so the parser's words about it are not repeated.
    return undefined;
  }
}

function isPrivateKey(value: unknown): value is JWK {
  if (typeof value !== 'object' || value === null || !('kty' in value) || !('d' in value)) return false;
  return (value.kty === 'RSA' || value.kty === 'EC') && typeof value.d === 'string';
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== undefined;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
