// A hospital's server that is set up wrongly, or whose statement is not the truth: what doctor says, and what a lane does about it.

import { describe, expect, test } from '@jest/globals';
import {
  type Capabilities,
  type Connection,
  classify,
  generateKey,
  publicKeySet,
  type RequestFacts,
  routeTable,
} from '../../src/connections/connections.ts';
import { CasebridgeError } from '../../src/errors.ts';
import type { JsonObject } from '../../src/json.ts';
import { oracleTenant } from '../../src/sandbox/vendors/oracle/tenant.ts';
import { connectTo, startServer } from './fhir-server.ts';
import { useHospital } from './hospital.ts';

const reading: RequestFacts = { method: 'GET', kind: 'read' };
const read = { method: 'GET', path: 'Patient/p1' } as const;

async function whatIsWrong(connection: Connection): Promise<{ doctor: string[]; lane: string }> {
  const { findings } = await connection.diagnose();
  const reply = await connection.client.send(read);
  return { doctor: findings.map(({ code }) => code), lane: classify(connection.vendor, reading, reply).class };
}

const slots = [
  { recordType: 'carePlan', resourceType: 'CarePlan' },
  { recordType: 'goal', resourceType: 'Goal' },
  { recordType: 'client', resourceType: 'Patient' },
] as const;

function routesOf({ vendor }: Connection, capabilities: Capabilities): string[] {
  return routeTable({ capabilities, vendor, overrides: {}, task: 'off', slots }).map(({ route }) => route);
}

describe('credentials', () => {
  const epic = useHospital('epic', '/epic/api/FHIR/R4');
  const scopes = ['system/Patient.rs'];

  async function withKeySet(client: object, auth: { kid?: string } = {}): Promise<Connection> {
    await epic.set({ auth: 'token' });
    await epic.register(scopes, client);
    const key = { ...epic.key, ...auth };
    return epic.connect({ auth: { type: 'smart-backend', clientId: 'casebridge', key, scopes } });
  }

  test.each<[string, () => Promise<Connection>]>([
    [
      'a key that the server does not know any more',
      async () => withKeySet({ jwks: await publicKeySet([await generateKey()]) }),
    ],
    [
      'a key set that the server cannot reach',
      async () => withKeySet({ jwks: undefined, jwksUrl: 'http://127.0.0.1:1/jwks.json' }),
    ],
    ['a kid that the server does not know', () => withKeySet({}, { kid: 'another' })],
    [
      'a client that is not there',
      async () => {
        await epic.set({ auth: 'token' });
        return epic.connect({ auth: { type: 'smart-backend', clientId: 'nobody', key: epic.key, scopes } });
      },
    ],
  ])('%s: doctor says what to compare, the connection pauses', async (_name, connect) => {
    const connection = await connect();
    expect(await whatIsWrong(connection)).toEqual({ doctor: ['connection-client-unknown'], lane: 'config' });
    const { auth } = await connection.diagnose();
    expect(auth.reason?.text).toContain('that the server can reach that address or has fetched it again');
  });

  test('scopes that are missing are named, and the routes follow', async () => {
    await epic.set({ auth: 'token' });
    await epic.register(['system/Patient.r']);
    const wanted = ['system/Patient.rs', 'system/DocumentReference.crs'];
    const auth = { type: 'smart-backend', clientId: 'casebridge', key: epic.key, scopes: wanted } as const;
    const connection = epic.connect({ auth });
    const { findings, scopes: granted } = await connection.diagnose();
    expect(findings).toMatchObject([
      { code: 'connection-scopes-missing', text: expect.stringContaining(wanted.join(' ')) },
    ]);
    const rows = routeTable({
      capabilities: await connection.capabilities(),
      ...(granted && { scopes: granted }),
      vendor: connection.vendor,
      overrides: {},
      task: 'off',
      slots,
    });
    expect(rows.map(({ route, reason }) => [route, reason.code])).toEqual([
      ['manual', 'route-no-document'],
      ['manual', 'route-no-document'],
      ['manual', 'route-scopes-missing'],
    ]);
  });
});

describe('a base URL', () => {
  test.each([
    ['epic', 200],
    ['epic', 404],
    ['oracle', 200],
    ['oracle', 404],
  ] as const)('that shows a login page (%s, %d) is told as such; nothing is concluded', async (vendor, status) => {
    const page = { status, headers: { 'content-type': 'text/html' }, body: '<html><form>Password</form></html>' };
    const connection = connectTo(await startServer(() => page), { vendor });
    expect(await whatIsWrong(connection)).toEqual({ doctor: ['connection-not-fhir'], lane: 'retry-backoff' });
    await expect(connection.capabilities()).rejects.toThrow(CasebridgeError);
    await expect(connection.capabilities()).rejects.toThrow('A login or outage page looks like this; check baseUrl.');
  });
});

describe('a statement', () => {
  const oracle = useHospital('oracle', `/oracle/r4/${oracleTenant}`);

  test('of 5 MB is read', async () => {
    await oracle.set({ statement: { omit: [], claim: {}, padding: 5 * 1024 * 1024 } });
    const connection = oracle.connect();
    expect((await connection.diagnose()).findings).toEqual([]);
    expect(routesOf(connection, await connection.capabilities())).toEqual(['document', 'document', 'read']);
  });

  test('above what is read is told as such', async () => {
    await oracle.set({ statement: { omit: [], claim: {}, padding: 5 * 1024 * 1024 } });
    const connection = oracle.connect({}, { limits: { replyBytes: 1024 * 1024 } });
    expect((await connection.diagnose()).findings).toMatchObject([{ code: 'connection-reply-too-large' }]);
  });

  test('that lacks types is taken at its word', async () => {
    await oracle.set({ statement: { omit: ['DocumentReference', 'Patient', 'Goal'], claim: {}, padding: 0 } });
    const connection = oracle.connect();
    expect(routesOf(connection, await connection.capabilities())).toEqual(['manual', 'manual', 'manual']);
  });

  test('that claims what these servers never do is not believed', async () => {
    await oracle.set({ statement: { omit: [], claim: { CarePlan: 'crus', Goal: 'crus' }, padding: 0 } });
    const connection = oracle.connect();
    const capabilities = await connection.capabilities();
    expect(capabilities.interactions.CarePlan).toContain('create');
    expect(routesOf(connection, capabilities)).toEqual(['document', 'document', 'read']);
  });

  test('that claims too much of a type that can be written parks what is refused, and says so', async () => {
    await oracle.set({ statement: { omit: [], claim: { Organization: 'crus' }, padding: 0 } });
    await oracle.seed({ resourceType: 'Organization', id: 'o1', name: 'Harbor' });
    const { client, vendor } = oracle.connect();
    const body: JsonObject = { resourceType: 'Organization', id: 'o1', name: 'Harbor Clinic' };
    const reply = await client.send({ method: 'PUT', path: 'Organization/o1', body, ifMatch: 'W/"0"' });
    const update: RequestFacts = { method: 'PUT', kind: 'update', target: { resourceType: 'Organization', id: 'o1' } };
    expect(classify(vendor, update, reply)).toMatchObject({ class: 'denied', reason: { code: 'server-denied' } });
  });
});
