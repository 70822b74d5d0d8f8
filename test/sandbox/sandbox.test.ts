import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';

let sandbox: Sandbox | undefined;
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 });
});
afterAll(() => sandbox?.stop());

test('each simulated server is at the base URL that the sandbox names', async () => {
  const bases = Object.entries(sandbox?.fhirBases ?? {});
  expect(bases.map(([name]) => name)).toEqual(expect.arrayContaining(['standard', 'oracle']));
  for (const [name, base] of bases) {
    const response = await fetch(`${base}/metadata`, { headers: { accept: 'application/fhir+json' } });
    expect([name, response.status]).toEqual([name, 200]);
    expect(await response.json()).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' });
  }
});

test('what belongs to no simulated server is 404 with the names of those that there are', async () => {
  const response = await fetch(`${sandbox?.url}/nobody/fhir`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining('standard') });
});
