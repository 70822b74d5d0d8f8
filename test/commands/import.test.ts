// Records from files: what is good is stored, what is not is told by file and line, and a store that another process holds is left alone.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RecordType, recordTypes } from '../../src/records/records.ts';
import {
  aCarePlan,
  aCase,
  aClient,
  aConsent,
  aGoal,
  aNeed,
  aNote,
  anOrganization,
  aReferral,
  aService,
  aWorker,
} from '../builders.ts';
import { listen } from '../connections/fhir-server.ts';
import { freshFolder } from '../support/embedded.ts';
import { aFolder, casebridge, commandLine, type Ended, lastLine, listening, type Running } from './program.ts';

const env = { COUNTY_TOKEN: 'county-secret', TOWN_TOKEN: 'town-secret', OPS_TOKEN: 'ops-secret' };
const configuration = `server: { port: 0, host: 127.0.0.1 }
identifierSystem: https://agency.example.org/casebridge
operators:
  ops: { token: env:OPS_TOKEN, may: [read] }
sources:
  county: { token: env:COUNTY_TOKEN }
  town: { token: env:TOWN_TOKEN }
`;

const line = (type: string, record: object) => JSON.stringify({ type, record });
const mixed = [
  line('client', aClient()),
  '{"type": "case", "record": {"id": zqsecret',
  line('client', { ...aClient({ id: 'client-long' }), notes: 'x'.repeat(1_100_000) }),
  line('referal', aReferral()),
  line('case', { ...aCase(), nickname: 'zqsecret' }),
  line('case', { ...aCase(), openedOn: 7 }),
  line('case', { ...aCase(), id: undefined }),
  line('referral', aReferral({ updatedAt: '2026-02-04T10:00:00' })),
  line('referral', { ...aReferral(), urgency: 'zqsecret' }),
  line('case', aCase()),
  line('referral', aReferral()),
].join('\n');

// What each of the broken lines above is told: where, what is wrong, what to do.
const told = `mixed.ndjson:2: Line 2, column 35: a value should stand here. Send JSON by RFC 8259 in UTF-8.
mixed.ndjson:3: This record has more than 1048576 bytes. Make it smaller, or send it alone.
mixed.ndjson:4: referral-pantry: "type" must be one of ${recordTypes.join(', ')}. Did you mean "referral"?
mixed.ndjson:5: case case-rosa: The case record has no field "nickname". Leave it out.
mixed.ndjson:6: case case-rosa: /openedOn must be a day that exists, from 1850 on, written YYYY-MM-DD.
mixed.ndjson:7: case: /id is required. Add it.
mixed.ndjson:8: referral referral-pantry: /updatedAt has no offset and its source has no time zone. Write 2026-03-01T09:30:00-05:00 or Z, or set timeZone of the source.
mixed.ndjson:9: referral referral-pantry: /urgency must be one of routine, urgent, asap, emergency.
`;

let folder = '';

beforeAll(async () => {
  folder = await aFolder({
    'casebridge.yaml': configuration,
    'mixed.ndjson': mixed,
    'empty.ndjson': '',
    county: env.COUNTY_TOKEN,
    town: env.TOWN_TOKEN,
    ops: env.OPS_TOKEN,
    nobody: 'nobody-secret',
    'good.json': `[${line('client', aClient())},\n ${line('case', aCase())}]`,
  });
  await freshFolder(join(folder, 'data'));
});

function importing(...words: string[]): Promise<Ended> {
  return commandLine(['import', ...words], { cwd: folder, env });
}

test('a file with broken lines: each is told, the rest is stored, exit code 1; once more is unchanged', async () => {
  const { code, out, err } = await casebridge(['import', '--source', 'county', 'mixed.ndjson'], { cwd: folder, env });
  expect({ code, out, err }).toEqual({
    code: 1,
    out: '3 accepted, 0 unchanged, 0 stale, 8 refused\n',
    err: told,
  });
  const again = await importing('--source', 'county', '--json', 'mixed.ndjson', 'empty.ndjson', 'good.json');
  expect(again).toMatchObject({ code: 1, err: told });
  expect(lastLine(again)).toEqual({ files: 3, accepted: 0, unchanged: 5, stale: 0, refused: 8, cut: 0 });
});

describe('what cannot be started is exit code 2', () => {
  test('a file that is not there, and a folder', async () => {
    for (const [file, code] of [
      [join(folder, 'other.ndjson'), 'ENOENT'],
      [folder, 'EISDIR'],
    ]) {
      const ended = await commandLine(['import', '--source', 'county', join(folder, 'good.json'), file ?? '']);
      expect(ended).toEqual({ code: 2, out: '', err: `The file ${file} could not be read (${code}).\n` });
    }
  });

  test('a source that is not configured', async () => {
    const ended = await importing('--source', 'countyy', 'good.json', '--json');
    const text = 'The source countyy is not in the configuration. Did you mean "county"?';
    expect(ended).toMatchObject({ code: 2, err: `${text}\n` });
    expect(lastLine(ended)).toEqual({ error: { code: 'source-not-configured', text } });
  });
});

describe('beside a gateway that holds the store', () => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await listening(['serve', '--no-lanes'], { cwd: folder, env });
  });
  afterAll(() => gateway.stop());

  const asOwnerOf = (token: string) =>
    commandLine([
      ...['import', '--url', gateway.url, '--token', `file:${join(folder, token)}`],
      ...['--source', 'town', join(folder, 'good.json')],
    ]);
  const kept = async () => {
    const headers = { authorization: 'Bearer ops-secret' };
    const answer = await fetch(`${gateway.url}/api/cases`, { headers });
    return JSON.stringify(await answer.json());
  };

  test('the folder is refused, and the process that holds it is named', async () => {
    const { code, out, err } = await importing('--source', 'county', 'good.json');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(
      /^The data folder \S+\/data is in use by process \d+ on \S+, since \S+Z\. Stop that process, work through its API \(import, replay and doctor take --url\), or give store\.url a PostgreSQL database, which several processes may use\.\n$/,
    );
  });

  test('--url does the same through its API', async () => {
    const ended = await importing(
      ...['--url', gateway.url, '--token', 'env:TOWN_TOKEN', '--source', 'town', '--json'],
      ...['good.json', 'empty.ndjson', 'mixed.ndjson'],
    );
    expect(ended).toMatchObject({ code: 1, err: told });
    expect(lastLine(ended)).toEqual({ files: 3, accepted: 3, unchanged: 2, stale: 0, refused: 8, cut: 0 });
  });

  test('the Bundle of a case holds all that its resources refer to, and nothing of other cases', async () => {
    const headers = { authorization: `Bearer ${env.COUNTY_TOKEN}` };
    const records: readonly (readonly [RecordType, object])[] = [
      ['organization', anOrganization()],
      ['organization', anOrganization({ id: 'org-riverside' })],
      ['service', aService()],
      ['worker', aWorker()],
      ['client', aClient()],
      ['case', aCase()],
      ['consent', aConsent()],
      ['need', aNeed()],
      ['goal', aGoal()],
      ['referral', aReferral()],
      ['carePlan', aCarePlan()],
      ['note', aNote()],
      ['client', aClient({ id: 'client-other' })],
      ['case', aCase({ id: 'case-other', clientId: 'client-other' })],
      ['organization', anOrganization({ id: 'org-other' })],
    ];
    const sent = await fetch(`${gateway.url}/api/records`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-ndjson' },
      body: records.map(([type, record]) => `${line(type, record)}\n`).join(''),
    });
    expect(await sent.text()).toContain('"refused":0');
    const answer = await fetch(`${gateway.url}/api/cases/case-rosa/bundle`, { headers });
    const { entry = [] }: { entry?: { fullUrl: string; resource: { resourceType: string } }[] } = Object(
      await answer.json(),
    );
    const urls = entry.map(({ fullUrl }) => fullUrl);
    const named = JSON.stringify(entry.map(({ resource }) => resource)).match(/urn:uuid:[0-9a-f-]+/g) ?? [];
    expect(named.filter((url) => !urls.includes(url))).toEqual([]);
    expect(new Set(urls).size).toBe(urls.length);
    const types = entry.map(({ resource }) => resource.resourceType);
    expect(types).toEqual(
      expect.arrayContaining(['Patient', 'Practitioner', 'Organization', 'HealthcareService', 'ServiceRequest']),
    );
    expect(types.filter((type) => type === 'Patient')).toHaveLength(1);
    expect(JSON.stringify(entry)).not.toMatch(/client-other|case-other|org-other/);
  });

  test("another source's token, an operator's and an unknown one change nothing", async () => {
    const before = await kept();
    expect(await asOwnerOf('county')).toEqual({
      code: 2,
      out: '',
      err: `At ${gateway.url} the token is not the one of the source town. Give --token its own, or check --source.\n`,
    });
    expect(await asOwnerOf('ops')).toEqual({
      code: 2,
      out: '',
      err: `The gateway at ${gateway.url} answered 403: An operator token never writes records. Use the token of their source.\n`,
    });
    expect(await asOwnerOf('nobody')).toEqual({
      code: 2,
      out: '',
      err: `The gateway at ${gateway.url} answered 401: The token is not one of this gateway. Check the configuration of sources and operators.\n`,
    });
    expect(await kept()).toBe(before);
  });
});

test('a gateway that is not there', async () => {
  const words = ['--url', 'http://127.0.0.1:1', '--token', `file:${join(folder, 'county')}`, '--source', 'county'];
  expect(await commandLine(['import', ...words, join(folder, 'good.json')])).toEqual({
    code: 2,
    out: '',
    err: 'No gateway answers at http://127.0.0.1:1 (ECONNREFUSED).\n',
  });
});

test('an answer that is cut off is no success: exit code 1, with what was answered and what to do', async () => {
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return response.end('{"items":[],"next":null}');
    request.resume();
    response.write('{"line":1,"type":"client","id":"client-rosa","outcome":"accepted","version":1,"lanes":[]}\n');
    return setImmediate(() => response.destroy());
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  const file = join(folder, 'good.json');
  const words = ['--url', url, '--token', `file:${join(folder, 'county')}`, '--source', 'county', '--json', file];
  const ended = await commandLine(['import', ...words]);
  server.close();
  expect(ended).toMatchObject({
    code: 1,
    err: `${file}: the answer was cut off. Import the file again: what was accepted is answered as unchanged.\n`,
  });
  expect(lastLine(ended)).toEqual({ files: 1, accepted: 1, unchanged: 0, stale: 0, refused: 0, cut: 1 });
});

describe('a gateway that refuses a file', () => {
  /** Its answers to records, in order; after the last, it is gone. */
  async function answering(statuses: readonly number[], files: readonly string[]): Promise<Ended> {
    const left = [...statuses];
    const server = createServer(async (request, response) => {
      if (request.method === 'GET') return response.end('{"items":[],"next":null}');
      request.resume();
      await once(request, 'end');
      const status = left.shift();
      if (status === undefined) return response.destroy();
      if (status !== 200) return response.writeHead(status).end('{"detail":"The store does not answer."}');
      return response.end(
        '{"line":1,"type":"case","id":"c","outcome":"accepted","version":1,"lanes":[]}\n{"done":true}\n',
      );
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    const words = ['--url', url, '--token', `file:${join(folder, 'county')}`, '--source', 'county', '--json'];
    const ended = await commandLine(['import', ...words, ...files.map((file) => join(folder, file))]);
    server.close();
    return { ...ended, err: ended.err.replaceAll(url, 'URL').replaceAll(`${folder}/`, '') };
  }

  test('after another was taken: it is named, those after it are sent, and the exit code is 1 with the totals', async () => {
    const again = 'Import the file again: what was accepted is answered as unchanged.';
    const ended = await answering([200, 503, 200], ['good.json', 'mixed.ndjson', 'good.json', 'mixed.ndjson']);
    expect(ended).toMatchObject({
      code: 1,
      err: `mixed.ndjson: The gateway at URL answered 503: The store does not answer. ${again}
mixed.ndjson: No gateway answers at URL (ECONNRESET). ${again}
`,
    });
    expect(lastLine(ended)).toEqual({ files: 4, accepted: 2, unchanged: 0, stale: 0, refused: 0, cut: 2 });
  });

  test('the first: nothing has begun, and the exit code is 2', async () => {
    const ended = await answering([503, 200], ['good.json', 'mixed.ndjson']);
    expect(ended).toMatchObject({ code: 2, err: 'The gateway at URL answered 503: The store does not answer.\n' });
  });
});
