import { describe, expect, test } from '@jest/globals';
import { aPatient, type Parsed, useOracle } from './server.ts';

const server = useOracle();

const statement = async () => (await server.fhir('GET', 'metadata')).body;
const interactionsOf = ({ rest }: Parsed, type: string): string[] | undefined =>
  rest[0].resource
    .find((resource: Parsed) => resource.type === type)
    ?.interaction.map(({ code }: Parsed) => code)
    .toSorted();

test('the CapabilityStatement has the shape of the vendor’s and needs no token', async () => {
  await server.set({ auth: 'token' });
  const found = await statement();
  expect(found).toMatchObject({
    publisher: 'Oracle Health',
    fhirVersion: '4.0.1',
    patchFormat: ['application/json-patch+json'],
    implementation: { url: server.base },
  });
  expect(found.software).toBeUndefined();
  expect(found.rest[0].interaction.map(({ code }: Parsed) => code)).toEqual(['batch']);
  expect(JSON.stringify(found)).not.toMatch(/"(conditional\w+|versioning|readHistory)"/);
  expect(JSON.stringify(found.rest[0].security)).toContain(server.tokenUrl);
});

test.each<[string, string[] | undefined]>([
  ['Patient', ['create', 'patch', 'read', 'search-type']],
  ['Encounter', ['create', 'patch', 'read', 'search-type']],
  ['DocumentReference', ['create', 'read', 'search-type', 'update']],
  ['Binary', ['read']],
  ['CarePlan', ['read', 'search-type']],
  ['Goal', ['read', 'search-type']],
  ['Condition', ['create', 'read', 'search-type', 'update']],
  ['Coverage', ['create', 'delete', 'patch', 'read', 'search-type']],
  ['ServiceRequest', ['read', 'search-type']],
  ['QuestionnaireResponse', ['read', 'search-type', 'update']],
  ['Task', undefined],
])('it declares for %s %j', async (type, interactions) => {
  expect(interactionsOf(await statement(), type)).toEqual(interactions);
});

test('C30 of the statement only the date differs from yesterday’s', async () => {
  await server.control('POST', 'clock', { now: '2026-03-01T12:00:00Z' });
  const { date: first, ...before } = await statement();
  await server.control('POST', 'clock', { advance: '1d' });
  const { date: second, ...after } = await statement();
  expect([first, second]).toEqual(['2026-03-01', '2026-03-02']);
  expect(after).toEqual(before);
  await server.set({ statementDate: '2025-12-31' });
  expect((await statement()).date).toBe('2025-12-31');
});

describe('a statement can', () => {
  test('follow what is offered', async () => {
    await server.set({ interactions: { Task: 'rsu', Condition: '' } });
    const found = await statement();
    expect(interactionsOf(found, 'Task')).toEqual(['read', 'search-type', 'update']);
    expect(interactionsOf(found, 'Condition')).toBeUndefined();
  });

  test('lack types, claim what is not there, and be 5 MB long', async () => {
    await server.set({
      statement: { omit: ['Condition'], claim: { CarePlan: 'rsc', Task: 'rscu' }, padding: 5_000_000 },
    });
    const found = await statement();
    expect(interactionsOf(found, 'Condition')).toBeUndefined();
    expect(interactionsOf(found, 'CarePlan')).toEqual(['create', 'read', 'search-type']);
    expect(interactionsOf(found, 'Task')).toContain('create');
    expect(JSON.stringify(found).length).toBeGreaterThan(5_000_000);
    await server.seed(aPatient());
    expect((await server.fhir('GET', 'Condition?patient=p1')).status).toBe(200);
    expect((await server.fhir('POST', 'CarePlan', { body: { resourceType: 'CarePlan' } })).status).toBe(403);
  });
});

describe('beyond its request rate the server answers 429', () => {
  const refusals = async (retryAfter: string) => {
    await server.set({ throttle: { requestsPerSecond: 3, retryAfter, retryAfterSeconds: 7 } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.fhir('GET', 'Patient/none')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(10);
    expect(refused[0]?.body.issue[0]).toMatchObject({ severity: 'error', code: 'throttled' });
    return refused[0]?.headers.get('retry-after') ?? null;
  };

  test('C21 without Retry-After', async () => {
    expect(await refusals('none')).toBeNull();
  });

  test('C21 with Retry-After in seconds', async () => {
    expect(await refusals('seconds')).toBe('7');
  });

  test('C21 with Retry-After as a date', async () => {
    const wait = Date.parse((await refusals('date')) ?? '') - Date.now();
    expect(wait).toBeGreaterThan(2_000);
    expect(wait).toBeLessThan(8_000);
  });

  test('C21 and not without a limit', async () => {
    await refusals('none');
    await server.set({ throttle: null });
    expect((await server.fhir('GET', 'Patient/none')).status).toBe(404);
  });
});

describe('the settings', () => {
  test('keep what a change does not name, and a reset brings all back', async () => {
    const before = (await server.control('GET', 'settings')).body;
    await server.set({ tokenSeconds: 5 });
    await server.set({ checkDates: false });
    expect((await server.control('GET', 'settings')).body).toEqual({ ...before, tokenSeconds: 5, checkDates: false });
    await server.control('POST', 'reset');
    expect((await server.control('GET', 'settings')).body).toEqual({ ...before, auth: 'token' });
  });

  test.each<[Parsed, string]>([
    [{ colour: 'red' }, 'colour'],
    [{ scopeSpelling: 'v3' }, '/scopeSpelling'],
    [{ poisoned: ['Observation'] }, '/poisoned/0'],
    [{ locks: { 'Appointment/1': 500 } }, '/locks'],
    [{ interactions: { Task: 'xyz' } }, '/interactions/Task'],
    [{ throttle: { requestsPerSecond: 0 } }, '/throttle'],
    [{ paging: { empty: true } }, '/paging'],
    [{ statementDate: 'weekly' }, '/statementDate'],
    [[], 'body'],
  ])('%j is refused by name', async (body, named) => {
    const answer = await server.control('POST', 'settings', body);
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining(named)]);
  });
});
