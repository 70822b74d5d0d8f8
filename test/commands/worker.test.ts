// A worker that is given a port tells monitors of itself, and answers nothing else there.

import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { routes } from '../../src/http/routes.ts';
import { anOrganization } from '../builders.ts';
import { aSite, type Site, send, settled } from '../support/processes.ts';
import { eventually } from '../support/rig.ts';
import { describeOnPostgres } from '../support/servers.ts';
import { commandLine, type Running } from './program.ts';

describeOnPostgres('a worker with a port, beside serve --no-lanes', ({ freshDatabase }) => {
  let site: Site;
  let serve: Running;
  let worker: Running;
  beforeAll(async () => {
    site = await aSite({ databaseUrl: await freshDatabase() });
    serve = await site.serve('--no-lanes');
    worker = await site.worker('--port', '0');
  });
  afterAll(() => site?.stop());

  test('is alive, and ready once it has looked for due lanes', async () => {
    expect(await answer('GET', '/health/live')).toEqual({ status: 200, body: { live: true } });
    await eventually(async () => (await answer('GET', '/health/ready')).status === 200, 'it to be ready');
    expect(await answer('GET', '/health/ready')).toMatchObject({
      body: { ready: true, checks: [{ name: 'store' }, { name: 'feeder' }] },
    });
  });

  test('counts its runs and its requests, which nobody else does', async () => {
    await send(serve.url, [['organization', anOrganization()]]);
    await settled(serve.url);
    const created = 'casebridge_requests_total{connection="general",method="POST",status="2xx"} 1';
    const [ofWorker, ofServe] = await Promise.all([metrics(worker.url), metrics(serve.url)]);
    expect(ofWorker).toContain(created);
    expect(ofWorker).toContain('casebridge_lane_runs_total{connection="general"');
    expect(ofServe).not.toContain(created);
  });

  test('has no other address of serve', async () => {
    const monitors = ['/health/live', '/health/ready', '/metrics'];
    const others = routes.filter(({ path }) => !monitors.includes(path));
    expect(others).toHaveLength(routes.length - monitors.length);
    const asked = [...others, { method: 'GET', path: '/fhir/R4/metadata' }, { method: 'GET', path: '/p/link' }];
    const answers = await Promise.all(
      asked.map(async ({ method, path }) => [path, (await answer(method, path.replaceAll(/[{}]/g, ''))).status]),
    );
    expect(answers.filter(([, status]) => status !== 404)).toEqual([]);
  });

  test('refuses to write to what can only be read', async () => {
    expect(await answer('POST', '/metrics')).toMatchObject({ status: 405, body: { code: 'method-not-allowed' } });
  });

  test('says which port is taken, and lets go of everything', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = String(typeof address === 'object' && address?.port);
    const ended = await site.run('worker', '--port', port);
    other.close();
    expect(ended).toMatchObject({ code: 2, err: expect.stringContaining(`Port ${port} is taken`) });
  });

  test('ends politely', async () => {
    expect(await worker.stop('SIGTERM')).toMatchObject({ code: 0 });
  });

  async function answer(method: string, path: string) {
    const response = await fetch(`${worker.url}${path}`, { method });
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  async function metrics(url: string): Promise<string> {
    return (await fetch(`${url}/metrics`)).text();
  }
});

test.each(['70000', 'http'])('%s is no port', async (text) => {
  expect(await commandLine(['worker', '--port', text])).toMatchObject({
    code: 2,
    err: expect.stringContaining('A port is a whole number from 0 to 65535.'),
  });
});
