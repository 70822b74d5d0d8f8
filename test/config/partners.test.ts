import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Config, checkConfig, partnerScopes } from '../../src/config.ts';
import { partnerKey } from '../support/partner-client.ts';

let folder: string;
let published: string;
let kept: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casebridge-partners-'));
  const pair = await partnerKey();
  published = JSON.stringify({ keys: [pair.published] });
  kept = JSON.stringify({ keys: [pair.key] });
  await writeFile(join(folder, 'pantry.jwks.json'), published, { mode: 0o644 });
});
afterAll(() => rm(folder, { recursive: true }));

function text(partners: string, more = ''): string {
  return [
    'identifierSystem: https://agency.example.org/casebridge',
    'server: { publicUrl: https://casebridge.example.org/ }',
    'sources: { county: { token: env:COUNTY } }',
    more,
    'partners:',
    ...partners.split('\n').map((line) => `  ${line}`),
  ].join('\n');
}

async function check(source: string): Promise<{ config: Config | undefined; problems: string[] }> {
  const checked = await checkConfig(join(folder, 'casebridge.yaml'), source, { COUNTY: 'county-secret' });
  if ('config' in checked) return { config: checked.config, problems: [] };
  return { config: undefined, problems: checked.problems.map(({ problem }) => problem) };
}

const pantry = 'pantry: { organization: county/org-pantry }';
const withClient = (client: string) =>
  `pantry: { organization: county/org-pantry, client: { id: pantry-app, ${client} } }`;

test('a partner knows the names of all others, those of connections too, and each connection the organizations', async () => {
  const { config } = await check(
    text(
      `${pantry}\nshelter: { organization: county/org-shelter }`,
      'connections: { st-anna: { vendor: standard, baseUrl: https://a.example.org, auth: { type: none }, organizationElsewhere: [county/st-anna] } }',
    ),
  );
  expect(config?.partners.get('pantry')?.otherConnections).toEqual(['st-anna', 'shelter']);
  expect(config?.connections.get('st-anna')?.otherConnections).toEqual(['pantry', 'shelter']);
  const [toPantry, toShelter] = ['org-pantry', 'org-shelter'].map((id) => ({ source: 'county', id }));
  expect(config?.connections.get('st-anna')?.otherOrganizations).toEqual([toPantry, toShelter]);
  expect(config?.connections.get('pantry')?.otherOrganizations).toEqual([
    { source: 'county', id: 'st-anna' },
    toShelter,
  ]);
});

test('a partner is a connection whose server is Casebridge itself, for its referrals alone', async () => {
  const { config } = await check(text(pantry));
  expect(config?.server.publicUrl).toBe('https://casebridge.example.org');
  expect(config?.partners.get('pantry')).toEqual({
    id: 'pantry',
    organization: { source: 'county', id: 'org-pantry' },
    otherConnections: [],
  });
  expect(config?.connections.get('pantry')).toMatchObject({
    vendor: 'standard',
    mode: 'live',
    task: 'home',
    basis: 'consent',
    share: 'referrals',
    sources: ['county'],
    inboundTo: 'county',
    organization: { source: 'county', id: 'org-pantry' },
  });
});

describe('the keys of its system are', () => {
  test('a file, which anybody may read', async () => {
    const { config } = await check(text(withClient('keys: file:pantry.jwks.json')));
    expect(config?.partners.get('pantry')?.client).toEqual({
      id: 'pantry-app',
      keys: JSON.parse(published),
      scopes: partnerScopes,
    });
    expect(config?.warnings).toEqual([]);
  });

  test('or inline', async () => {
    const { config } = await check(text(withClient(`keys: ${published}, scopes: [system/Task.rus]`)));
    expect(config?.partners.get('pantry')?.client).toMatchObject({
      keys: JSON.parse(published),
      scopes: ['system/Task.rus'],
    });
  });

  test('or where it publishes them', async () => {
    const { config } = await check(text(withClient('keys: https://pantry.example.org/jwks.json')));
    expect(config?.partners.get('pantry')?.client?.keys).toEqual({ url: 'https://pantry.example.org/jwks.json' });
    const inside = await check(text(withClient('keys: http://10.0.0.7/jwks.json, allowPrivate: true')));
    expect(inside.config?.partners.get('pantry')?.client?.keys).toEqual({
      url: 'http://10.0.0.7/jwks.json',
      allowPrivate: true,
    });
  });
});

describe('is refused', () => {
  const client = () => withClient(`keys: ${published}`);

  test.each<[string, () => string, string]>([
    ['a source that is not there', () => text('pantry: { organization: town/org }'), 'names the source "town"'],
    [
      'an organization that is no record',
      () => text('pantry: { organization: org }'),
      'source/id of an organization record',
    ],
    ['a name that is none', () => text('Pantry: { organization: county/org }'), 'must be a name'],
    ['a setting that is none', () => text('pantry: { organization: county/org, api: true }'), '"api" is not a setting'],
    [
      'the name of a connection',
      () =>
        text(
          pantry,
          'connections: { pantry: { vendor: standard, baseUrl: https://a.example.org, auth: { type: none } } }',
        ),
      'share one name space',
    ],
    [
      'the organization of a server that holds its Tasks',
      () =>
        text(
          pantry,
          'connections: { hub: { vendor: standard, baseUrl: https://a.example.org, auth: { type: none }, organization: county/org-pantry } }',
        ),
      'A Task has one home',
    ],
    [
      'the organization of another partner',
      () => text(`${pantry}\nelm: { organization: county/org-pantry }`),
      'partner pantry too',
    ],
    [
      'the client of another partner',
      () => text(`${client()}\nelm: { organization: county/org-elm, client: { id: pantry-app, keys: ${published} } }`),
      'client of the partner pantry too',
    ],
    ['a private key', () => text(withClient(`keys: ${kept}`)), 'holds a private key'],
    ['keys without names', () => text(withClient('keys: { keys: [{ kty: EC }] }')), 'each with a kid'],
    [
      'an address that is not encrypted',
      () => text(withClient('keys: http://pantry.example.org/jwks.json')),
      'https address',
    ],
    [
      'an address that is not public',
      () => text(withClient('keys: https://10.0.0.7/jwks.json')),
      'an address that is not public',
    ],
    ['a file that is not there', () => text(withClient('keys: file:none.json')), 'could not be read'],
    [
      'a scope of a person',
      () => text(withClient(`keys: ${published}, scopes: [user/Task.rs]`)),
      'must be a system scope',
    ],
    [
      'a client where nobody knows where we are',
      () => text(client()).replace(/^server.*$/m, ''),
      'needs server.publicUrl',
    ],
  ])('%s', async (_what, source, problem) => {
    const found = (await check(source())).problems.join('\n');
    expect(found).toContain(problem);
    expect(found).not.toContain(JSON.parse(kept).keys[0].d);
  });
});
