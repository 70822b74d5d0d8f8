import { expect, test } from '@jest/globals';
import { aPatient, aTask, type Parsed, useSandbox } from './server.ts';

const server = useSandbox();

const faults = (...rules: unknown[]) => server.control('POST', 'faults', rules);
const stored = async () => (await server.control('GET', 'resources')).body;

test('a reply dropped after the commit leaves the resource there', async () => {
  await faults({ method: 'POST', path: 'Patient', nth: 1, fault: { drop: 'after-commit' } });
  await expect(server.fhir('POST', 'Patient', { body: aPatient() })).rejects.toThrow();

  expect(await stored()).toEqual({ Patient: 1 });
  const [entry] = await server.journal();
  expect(entry).toMatchObject({
    method: 'POST',
    status: 0,
    committed: true,
    writes: [{ resourceType: 'Patient', version: '1', kind: 'create' }],
  });
  expect((await server.fhir('POST', 'Patient', { body: aPatient() })).status).toBe(201);
});

test('a request dropped before the commit changes nothing', async () => {
  await faults({ method: 'POST', path: 'Patient', nth: 1, fault: { drop: 'before-commit' } });
  await expect(server.fhir('POST', 'Patient', { body: aPatient() })).rejects.toThrow();

  expect(await stored()).toEqual({});
  expect(await server.journal()).toEqual([expect.objectContaining({ status: 0, committed: false, writes: [] })]);
});

test('a status comes instead of the work, or after it', async () => {
  await faults(
    {
      method: 'POST',
      path: 'Patient',
      nth: 1,
      fault: { status: 503, body: '<h1>Sorry</h1>', headers: { 'content-type': 'text/html', 'retry-after': '7' } },
    },
    { method: 'POST', path: 'Patient', nth: 2, fault: { status: 502, at: 'after-commit' } },
  );
  const first = await server.fhir('POST', 'Patient', { body: aPatient() });
  expect(first).toMatchObject({ status: 503, body: '<h1>Sorry</h1>' });
  expect(first.headers.get('retry-after')).toBe('7');
  expect(await stored()).toEqual({});

  const second = await server.fhir('POST', 'Patient', { body: aPatient() });
  expect(second).toMatchObject({ status: 502, body: undefined });
  expect(await stored()).toEqual({ Patient: 1 });
  expect((await server.journal()).map(({ status, committed }) => [status, committed])).toEqual([
    [503, false],
    [502, true],
  ]);
});

test('a body of a fault that is no text is sent as JSON', async () => {
  await faults({ fault: { status: 429, body: { code: 429 } } });
  expect(await server.fhir('GET', 'Patient')).toMatchObject({ status: 429, body: { code: 429 } });
});

test('a late answer is journalled at once, a late commit only when it happens', async () => {
  await faults(
    { path: 'Patient', fault: { delayMs: 300, at: 'after-commit' } },
    { path: 'Task', fault: { delayMs: 300 } },
  );
  const patient = server.fhir('POST', 'Patient', { body: aPatient() });
  const task = server.fhir('POST', 'Task', { body: aTask('none', { for: undefined }) });
  const first = await Promise.race([patient.then(() => 'answer'), until(async () => (await stored()).Patient === 1)]);

  expect(first).toBe('seen');
  expect((await stored()).Task).toBeUndefined();
  expect((await patient).status).toBe(201);
  expect((await task).status).toBe(201);
});

async function until(condition: () => Promise<boolean>): Promise<'seen'> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) if (Date.now() > deadline) throw new Error('Not seen in time.');
  return 'seen';
}

test('a cut body is no JSON', async () => {
  const id = await server.created(aPatient());
  await faults({ method: 'GET', path: `Patient/${id}`, fault: { truncate: 40 } });
  await expect(server.fhir('GET', `Patient/${id}`)).rejects.toThrow(SyntaxError);
});

test.each([
  ['Task', ['POST Task', 'GET Task', 'GET Task/x', 'POST Task/_search']],
  ['Task$', ['POST Task', 'GET Task']],
  ['Task/*', ['GET Task/x', 'POST Task/_search']],
  ['*/_search', ['POST Task/_search']],
  ['$', ['POST ']],
  ['', ['POST ', 'POST Task', 'GET Task', 'GET Task/x', 'POST Task/_search', 'GET TaskX']],
  ['/Task', ['POST Task', 'GET Task', 'GET Task/x', 'POST Task/_search']],
  ['/standard/fhir/R4/Task', ['POST Task', 'GET Task', 'GET Task/x', 'POST Task/_search']],
  ['/standard/oauth2', []],
])('the path "%s" strikes %j', async (path, struck) => {
  await faults({ path, fault: { status: 418 } });
  const hit: string[] = [];
  for (const request of ['POST ', 'POST Task', 'GET Task', 'GET Task/x', 'POST Task/_search', 'GET TaskX']) {
    const [method = '', target = ''] = request.split(' ');
    if ((await server.fhir(method, target)).status === 418) hit.push(request);
  }
  expect(hit).toEqual(struck);
});

test('nth counts matching requests, times limits the strikes, and the list shows both', async () => {
  await faults(
    { method: 'GET', path: 'Task', nth: 3, times: 2, fault: { status: 500 } },
    { method: 'GET', fault: { status: 503 }, times: 1 },
  );
  const statuses: number[] = [];
  for (let request = 0; request < 6; request += 1) statuses.push((await server.fhir('GET', 'Task')).status);
  expect(statuses).toEqual([503, 200, 500, 500, 200, 200]);
  const { body } = await server.control('GET', 'faults');
  expect(body.map(({ matched, fired }: Parsed) => [matched, fired])).toEqual([
    [6, 2],
    [6, 1],
  ]);
});

test('probability strikes the same requests for the same seed', async () => {
  const run = async (seed: number) => {
    await faults({ method: 'GET', path: 'Task', probability: 0.3, seed, fault: { status: 500 } });
    const statuses: number[] = [];
    for (let request = 0; request < 40; request += 1) statuses.push((await server.fhir('GET', 'Task')).status);
    return statuses;
  };
  const first = await run(7);
  expect(await run(7)).toEqual(first);
  expect(await run(8)).not.toEqual(first);
  expect(first.filter((status) => status === 500).length).toBeGreaterThan(3);
  expect(first.filter((status) => status === 500).length).toBeLessThan(25);
});

test('faults are cleared by an empty list and by DELETE, and never strike /_control', async () => {
  await faults({ fault: { status: 500 } });
  expect((await server.fhir('GET', 'Task')).status).toBe(500);
  await faults();
  expect((await server.fhir('GET', 'Task')).status).toBe(200);
  await faults({ fault: { status: 500 } });
  expect((await server.control('DELETE', 'faults')).body).toEqual([]);
  expect((await server.fhir('GET', 'Task')).status).toBe(200);
});

test.each([
  ['a misspelt key', [{ fault: { staus: 500 } }], 'staus'],
  ['no fault', [{ method: 'GET' }], 'fault'],
  ['an empty fault', [{ fault: {} }], '/0/fault'],
  [
    'an unknown moment',
    [{ fault: { drop: 'later' } }],
    '/0/fault/drop must be equal to one of the allowed values (before-commit, after-commit)',
  ],
  ['no list', { fault: { status: 500 } }, 'array'],
])('%s is refused by name', async (_name, body, named) => {
  const answer = await server.control('POST', 'faults', body);
  expect(answer.status).toBe(400);
  expect(answer.body.detail).toContain(named);
  expect((await server.control('GET', 'faults')).body).toEqual([]);
});
