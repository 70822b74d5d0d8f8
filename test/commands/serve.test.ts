// Gateway and sandbox as two programs, and what a second process on the same folder or port is told.

import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aNeed, anOrganization } from '../builders.ts';
import { freshFolder } from '../support/embedded.ts';
import { aFolder, casebridge, commandLine, lastLine, listening, type Running } from './program.ts';

const env = { COUNTY_TOKEN: 'county-secret' };
const headers = { authorization: 'Bearer county-secret', 'content-type': 'application/json' };
const record = '/api/records/organization/org-pantry';

function configuration(sandbox: string): string {
  return `server: { port: 0, host: 127.0.0.1 }
identifierSystem: https://agency.example.org/casebridge
overlay: ./overlay
sources:
  county: { token: env:COUNTY_TOKEN }
connections:
  general:
    vendor: standard
    baseUrl: ${sandbox}/standard/fhir/R4
    auth: { type: none }
    settle: 0s
`;
}

/** Fields of the agency's own for needs. */
function overlay(...fields: readonly string[]): string {
  const declared = fields.map((field) => `  ${field}: { kind: integer }\n`).join('');
  return `overlay: need\nfields:\n${declared}unused:\n${fields.map((field) => `  custom.${field}: told to nobody\n`).join('')}`;
}

let sandbox: Running;
let gateway: Running;
let folder = '';

beforeAll(async () => {
  sandbox = await listening(['sandbox', '--port', '0']);
  const { port } = new URL(sandbox.url);
  folder = await aFolder({
    'casebridge.yaml': configuration(sandbox.url),
    'taken.yaml': configuration(sandbox.url).replace('port: 0', `port: ${port}`),
  });
  await freshFolder(join(folder, 'data'));
  await mkdir(join(folder, 'overlay'));
  await writeFile(join(folder, 'overlay', 'need.yaml'), overlay('pets'));
  gateway = await listening(['serve', '--config', join(folder, 'casebridge.yaml')], { env });
});
afterAll(() => sandbox.stop());

test('a record that is sent to the one is soon on the other', async () => {
  const body = JSON.stringify(anOrganization({ id: 'org-pantry' }));
  const answer = await fetch(`${gateway.url}${record}`, { method: 'PUT', headers, body });
  expect(answer.status).toBe(202);
  const link = await until(async () => {
    const shown = JSON.parse(await (await fetch(`${gateway.url}${record}`, { headers })).text());
    return shown.links.find(({ state }: { state: string }) => state === 'current');
  });
  const found = await fetch(`${sandbox.url}/standard/fhir/R4/Organization/${link.id}`);
  expect(await found.json()).toMatchObject({ resourceType: 'Organization', name: 'Elm Street Pantry' });
});

test('SIGHUP takes new mapping files; wrong ones are told with their place, and the version before stays', async () => {
  const file = join(folder, 'overlay', 'need.yaml');
  const need = { ...aNeed(), custom: { pets: 2, rooms: 3 } };
  const send = (id: string) =>
    fetch(`${gateway.url}/api/records/need/${id}`, { method: 'PUT', headers, body: JSON.stringify({ ...need, id }) });
  const before = await send('n1');
  expect([before.status, await before.text()]).toEqual([400, expect.stringContaining('/custom/rooms')]);

  await writeFile(file, overlay('pets', 'rooms'));
  const taken = gateway.logged('the mappings that are there now are active');
  gateway.signal('SIGHUP');
  await taken;
  expect((await send('n2')).status).toBe(202);

  await writeFile(file, `${overlay('pets')}resources:\n  condition: { elements: { onset: none } }\n`);
  const refused = gateway.logged('overlay/need.yaml:7:28: ');
  gateway.signal('SIGHUP');
  await refused;
  expect((await send('n3')).status).toBe(202);
  // A start refuses it as well.
  await writeFile(file, overlay('pets', 'rooms'));
});

describe('beside it', () => {
  const config = () => ['--config', join(folder, 'casebridge.yaml')];

  test.each(['serve', 'doctor'])(
    '%s on the same folder ends with 2, names the holder, and harms nobody',
    async (name) => {
      const ended = await commandLine([name, ...config(), '--json'], { env });
      expect(ended.code).toBe(2);
      expect(ended.err).toMatch(
        /^The data folder \S+ is in use by process \d+ on \S+, since \S+Z\. Stop that process, /,
      );
      expect(lastLine(ended)).toMatchObject({ error: { code: 'store-locked' } });
      expect((await fetch(`${gateway.url}${record}`, { headers })).status).toBe(200);
    },
  );

  test('a sandbox on a port that is taken says which', async () => {
    const { port } = new URL(sandbox.url);
    expect(await commandLine(['sandbox', '--port', port])).toEqual({ code: 2, out: '', err: taken(port) });
  });

  test('an address that this machine does not have', async () => {
    const { code, err } = await commandLine(['sandbox', '--port', '0', '--host', '192.0.2.1']);
    expect(code).toBe(2);
    expect(err).toMatch(/^Casebridge cannot listen on port 0 of 192\.0\.2\.1 \(EADDRNOTAVAIL\)\. Choose an address/);
  });
});

describe('stopped and started', () => {
  test('SIGTERM ends it politely: one line of JSON was all its output, and its log holds no record', async () => {
    const { code, out, err } = await gateway.stop('SIGTERM');
    expect({ code, out }).toEqual({ code: 0, out: `${JSON.stringify({ url: gateway.url })}\n` });
    expect(err).toContain('"stopping"');
    expect(err).toContain('"msg":"sources.county.token has fewer than 16 characters');
    expect(err).not.toContain('Pantry');
  });

  test('on a port that is taken it says which', async () => {
    const { port } = new URL(sandbox.url);
    const { code, err } = await casebridge(['serve', '--config', join(folder, 'taken.yaml')], { env });
    expect({ code, err }).toEqual({ code: 2, err: taken(port) });
  });

  test('another start has all that was accepted, and SIGINT ends it as well; a signal on its heels is the same one', async () => {
    gateway = await listening(['serve', '--config', join(folder, 'casebridge.yaml')], { env });
    const answer = await fetch(`${gateway.url}${record}`, { headers });
    expect(await answer.json()).toMatchObject({ record: { name: 'Elm Street Pantry' }, version: 1 });
    const stopping = gateway.logged('"stopping"');
    const answered = Promise.withResolvers<number | undefined>();
    const slow = request(`${gateway.url}/api/records`, { method: 'POST', headers }, (reply) =>
      answered.resolve(reply.resume().statusCode),
    );
    slow.on('error', answered.reject);
    // Whoever is still sending keeps the gateway from ending before the second signal is there.
    await new Promise((sent) => slow.write('{"type":"organization"', sent));
    const ended = gateway.stop('SIGINT');
    await stopping;
    gateway.signal('SIGTERM');
    slow.end('}');
    expect(await answered.promise).toBe(200);
    expect(await ended).toMatchObject({ code: 0 });
  });
});

function taken(port: string): string {
  return `Port ${port} is taken by another program. Set another one, or 0 for any free port.\n`;
}

async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error('not within a minute');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
