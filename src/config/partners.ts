// Partners: organizations that read and answer their referrals at Casebridge itself. To the lanes each is a connection like any other, whose
// server we are.

import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { isReachable } from '../public-address.ts';
import type { Desk } from './complete.ts';
import { organizationOf } from './known-names.ts';
import { completePage } from './messages.ts';
import type { RawConfig, RawPartner } from './schema.ts';
import type { SettingPath } from './source-text.ts';
import type { ConnectionConfig, PartnerClient, PartnerConfig } from './types.ts';
import { notPublic } from './webhook.ts';

/** All that the interface for partners offers (docs/partners.md). */
export const partnerScopes: readonly string[] = [
  'system/Task.rus',
  'system/Procedure.crs',
  ...['ServiceRequest', 'Patient', 'Condition', 'Goal', 'Consent'].map((type) => `system/${type}.rs`),
  ...['Organization', 'Practitioner', 'PractitionerRole', 'HealthcareService', 'Location'].map(
    (type) => `system/${type}.rs`,
  ),
];

/** The partners, and the connections that stand for them. */
export async function completePartners(
  raw: RawConfig,
  connections: ReadonlyMap<string, ConnectionConfig>,
  desk: Desk,
): Promise<{ partners: Map<string, PartnerConfig>; homes: Map<string, ConnectionConfig> }> {
  const partners = new Map<string, PartnerConfig>();
  for (const [id, partner] of Object.entries(raw.partners ?? {})) {
    const path = ['partners', id];
    const completed = await completePartner(id, partner, raw, desk);
    if (connections.has(id))
      desk.refuse(path, 'has the name of a connection. Partners and connections share one name space.');
    for (const other of partners.values()) checkApart(completed, other, path, desk);
    const { organization } = completed;
    const server = [...connections.values()].find(
      (one) => one.task === 'home' && organizationsOf(one).some((its) => isSame(its, organization)),
    );
    if (server !== undefined) {
      const rest = `is the organization of the connection ${server.id} too, whose server holds its Tasks (task: home). A Task has one home.`;
      desk.refuse([...path, 'organization'], rest);
    }
    partners.set(id, completed);
  }
  return { partners, homes: new Map([...partners].map(([id, partner]) => [id, homeConnection(partner)])) };
}

/** A Task has one home: what is held for a partner is a copy everywhere else. */
export function withCopies(
  connections: ReadonlyMap<string, ConnectionConfig>,
  partners: ReadonlyMap<string, PartnerConfig>,
): ReadonlyMap<string, ConnectionConfig> {
  if (partners.size === 0) return connections;
  const copiesOf = [...partners.values()].map(({ organization }) => organization);
  return new Map([...connections].map(([id, connection]) => [id, { ...connection, copiesOf }]));
}

async function completePartner(
  id: string,
  { organization, client, page }: RawPartner,
  raw: RawConfig,
  desk: Desk,
): Promise<PartnerConfig> {
  const path = ['partners', id];
  const { sources, server } = raw;
  const named = organizationOf(organization, Object.keys(sources), [...path, 'organization'], desk);
  const timeZone = sources[named.source]?.timeZone;
  if (client !== undefined && server?.publicUrl === undefined)
    desk.refuse(
      [...path, 'client'],
      'needs server.publicUrl: the assertions of a client name the address that they are meant for.',
    );
  return {
    id,
    organization: named,
    ...(timeZone !== undefined && { timeZone }),
    ...(client && { client: await completeClient(client, [...path, 'client'], desk) }),
    ...(page && { page: completePage(page, [...path, 'page'], raw, desk) }),
  };
}

async function completeClient(
  { id, keys, allowPrivate = false, scopes = [...partnerScopes] }: NonNullable<RawPartner['client']>,
  path: SettingPath,
  desk: Desk,
): Promise<PartnerClient> {
  for (const [index, scope] of scopes.entries())
    if (!/^system\/([A-Za-z]+|\*)\.(read|write|\*|c?r?u?d?s?)$/.test(scope))
      desk.refuse(
        [...path, 'scopes', String(index)],
        'must be a system scope, such as system/Task.rus or system/Task.read.',
      );
  return { id, keys: await completeKeys(keys, allowPrivate, [...path, 'keys'], desk), scopes };
}

async function completeKeys(
  keys: unknown,
  allowPrivate: boolean,
  path: SettingPath,
  desk: Desk,
): Promise<PartnerClient['keys']> {
  if (typeof keys === 'string' && !keys.startsWith('file:')) {
    const url = URL.parse(keys);
    if (!url || !['https:', ...(allowPrivate ? ['http:'] : [])].includes(url.protocol))
      desk.refuse(
        path,
        'must be a JWK set, file:PATH or an https address. Plain http needs allowPrivate: true beside it.',
      );
    else if (isReachable(url.hostname, allowPrivate) === false) desk.refuse(path, notPublic);
    return { url: keys, ...(allowPrivate && { allowPrivate }) };
  }
  const set = typeof keys === 'string' ? parsed(await desk.publicText(keys, path)) : keys;
  if (!isKeySet(set)) {
    desk.refuse(
      path,
      'must be a JWK set of public keys, {"keys": [...]}, each with a kid; or file:PATH or the https address of one.',
    );
    return { keys: [] };
  }
  if (set.keys.some((key) => key.d !== undefined || key.k !== undefined))
    desk.refuse(path, 'holds a private key. Take only the public half of it, and have the partner change the key.');
  return set;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys)) return false;
  const areNamed = value.keys.every((key: unknown) => typeof key === 'object' && key !== null && 'kid' in key);
  return areNamed && value.keys.length > 0 && canBeRead(value);
}

function canBeRead(value: object): boolean {
  try {
    createLocalJWKSet({ keys: [], ...value });
    return true;
  } catch {
    return false;
  }
}

function checkApart(one: PartnerConfig, other: PartnerConfig, path: SettingPath, desk: Desk): void {
  if (isSame(one.organization, other.organization))
    desk.refuse([...path, 'organization'], `is the organization of the partner ${other.id} too. A Task has one home.`);
  if (one.client !== undefined && one.client.id === other.client?.id)
    desk.refuse([...path, 'client', 'id'], `is the client of the partner ${other.id} too.`);
}

type OrganizationName = NonNullable<ConnectionConfig['organization']>;

function isSame(one: OrganizationName, other: OrganizationName): boolean {
  return one.source === other.source && one.id === other.id;
}

/** The records, in any source, of the organization whose server this is. */
export function organizationsOf({
  organization,
  organizationElsewhere = [],
}: Pick<ConnectionConfig, 'organization' | 'organizationElsewhere'>): readonly OrganizationName[] {
  return organization === undefined ? organizationElsewhere : [organization, ...organizationElsewhere];
}

/** The connection that stands for a partner: nobody writes there without our knowing, and nothing is looked for that is not ours. */
export function homeConnection({ id, organization }: PartnerConfig): ConnectionConfig {
  return {
    id,
    vendor: 'standard',
    baseUrl: `http://${id}.home.invalid/fhir/R4`,
    auth: { type: 'none' },
    mode: 'live',
    organization,
    basis: 'consent',
    sources: [organization.source],
    inboundTo: organization.source,
    createPatients: true,
    identifierSystems: {},
    task: 'home',
    backfill: 'open-cases',
    pollEveryMs: 3_600_000,
    // What a partner does is told by itself.
    polls: { types: [], performers: [], referralCodes: [], documentTypes: [], lookBackMs: 0 },
    rateLimit: { requestsPerSecond: 1000, concurrency: 8 },
    settleMs: 0,
    documents: { quietMs: 4 * 3_600_000, atMostEveryMs: 24 * 3_600_000, encounter: 'none' },
    routes: {},
    share: 'referrals',
  };
}
