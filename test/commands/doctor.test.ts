// What a person reads when a server cannot be reached, is not what it should be, or does not let us in: what, where, and what to do.
// The client's own rules are in test/connections; here is what comes out on the terminal.

import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKey } from '../../src/connections/connections.ts';
import { anOrganization } from '../builders.ts';
import { type Answer, bundle, listen, startServer, stopAll } from '../connections/fhir-server.ts';
import { untrustedCertificate } from '../connections/untrusted-certificate.ts';
import { freshFolder } from '../support/embedded.ts';
import { aFolder, casebridge, commandLine, type Ended, lastLine, listening, type Running } from './program.ts';

const env = { COUNTY_TOKEN: 'county-secret', OPS_TOKEN: 'ops-secret', SERVER_TOKEN: 'zqserver' };
const json = { 'content-type': 'application/json' };

let sandbox: Running;
let folder = '';
let hosts: Record<string, string> = {};
const secure = createServer(untrustedCertificate(), (_request, response) => response.end());

beforeAll(async () => {
  sandbox = await listening(['sandbox', '--port', '0']);
  const page: Answer = { headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' };
  const html = await startServer(() => page);
  const redirecting = await startServer(() => ({ status: 302, headers: { location: 'https://other.example.org/r4' } }));
  const mute = await startServer(({ url }) => (url.endsWith('/metadata') ? { status: 404 } : { body: bundle([]) }));
  const strict = await startServer(({ url, headers }) => {
    if (url === '/token') return { status: 401, headers: json, body: JSON.stringify({ error: 'invalid_client' }) };
    if (!url.endsWith('/smart-configuration'))
      return { body: { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' } };
    return { headers: json, body: JSON.stringify({ token_endpoint: `http://${headers.host}/token` }) };
  });
  const selfSigned = `https://127.0.0.1:${await listen(secure)}/r4`;
  const servers: Record<string, string> = {
    good: `${sandbox.url}/standard/fhir/R4`,
    html: html.url,
    redirecting: redirecting.url,
    'self-signed': selfSigned,
    strict: strict.url,
    mute: mute.url,
    nobody: 'http://127.0.0.1:1/r4',
    asleep: 'http://127.0.0.1:1/r4',
  };
  hosts = Object.fromEntries(Object.entries(servers).map(([name, url]) => [name, new URL(url).host]));
  const bearer = '{ type: bearer, token: env:SERVER_TOKEN }';
  const auths: Record<string, string> = {
    good: '{ type: none }',
    strict: '{ type: smart-backend, clientId: c1, key: file:key.jwk, scopes: [system/*.crus] }',
  };
  folder = await aFolder({
    'pantry.json': JSON.stringify([{ type: 'organization', record: anOrganization() }]),
    'key.jwk': JSON.stringify(await generateKey()),
    'casebridge.yaml': `server: { port: 0, host: 127.0.0.1 }
identifierSystem: https://agency.example.org/casebridge
operators:
  ops: { token: env:OPS_TOKEN, may: [read] }
sources:
  county: { token: env:COUNTY_TOKEN }
connections:
${Object.entries(servers)
  .map(
    ([name, url]) => `  ${name}:
    { vendor: standard, baseUrl: "${url}", auth: ${auths[name] ?? bearer}, mode: ${name === 'asleep' ? 'off' : 'live'}${name === 'good' ? ', organization: county/org-pantry' : ''} }`,
  )
  .join('\n')}
  hospital:
    { vendor: epic, baseUrl: "${sandbox.url}/epic/api/FHIR/R4", auth: { type: none }, basis: consent }
partners:
  pantry: { organization: county/org-pantri }
`,
  });
  await freshFolder(join(folder, 'data'));
});
async function letEpicIn(): Promise<void> {
  const init = { method: 'POST', body: JSON.stringify({ auth: 'none' }) };
  const response = await fetch(`${sandbox.url}/_control/epic/settings`, init);
  if (!response.ok) throw new Error(`the settings were answered ${response.status}`);
}

afterAll(async () => {
  stopAll();
  secure.close();
  secure.closeAllConnections();
  await sandbox.stop();
});

const doctor = (...words: string[]): Promise<Ended> => commandLine(['doctor', ...words], { cwd: folder, env });

describe('of a server that is as it should be', () => {
  let healthy: Ended;
  beforeAll(async () => {
    // So that there is something to send, and doctor looks at what it would be.
    await commandLine(['import', '--source', 'county', 'pantry.json'], { cwd: folder, env });
    healthy = await casebridge(['doctor', 'good'], { cwd: folder, env });
  });

  test('exit code 0, and nothing but the report', () => {
    expect({ code: healthy.code, err: healthy.err }).toEqual({ code: 0, err: '' });
  });

  test('tokens that are short enough to be guessed are warned of, without what they are', () => {
    const warned = healthy.out.split('\n').filter((line) => line.startsWith('Warning: '));
    expect(warned.map((line) => line.replace(/ has fewer than 16 characters .*/, ''))).toEqual([
      'Warning: sources.county.token',
      'Warning: operators.ops.token',
    ]);
    expect(healthy.out).not.toContain('-secret');
  });

  test('it is reached, we are signed in, and each record type has its route with the reason', () => {
    const lines = healthy.out.split('\n');
    expect(lines).toContain('good (standard, live): reachable, signed in');
    expect(lines).toContain(
      '  basis treatment: all of a client goes there but what is labelled sensitive and safety plans, which need a consent, and what the client has refused to it by name',
    );
    for (const type of [
      'organization',
      'worker',
      'service',
      'client',
      'case',
      'consent',
      'coverage',
      'assessment',
      'need',
      'goal',
      'referral',
      'intervention',
      'carePlan',
      'appointment',
    ]) {
      expect(lines.filter((line) => line.startsWith(`  ${type} `))).not.toEqual([]);
    }
    expect(healthy.out).toMatch(
      /^ {2}referral +Task +cruds +\? +native +The server declares all that Task needs, and the token allows it\.$/m,
    );
    expect(lines).toContain('  would write: 1 create, 0 update, 0 document');
    expect(healthy.out).not.toContain('without version tags');
    expect(healthy.out).not.toContain('no organization');
    expect(lines).toContain('  Provenance goes with each transaction; what goes as a single request has none.');
  });

  test('what "accepted" is worth on the embedded store is said first', () => {
    expect(healthy.out).toMatch(
      /^Store: Embedded database: what was answered "accepted" survives the end of the process at any time, but not a power cut/,
    );
  });
});

test('a partner whose organization no source has sent is told as a finding', async () => {
  const told = await doctor('pantry');
  expect(told.code).toBe(1);
  expect(told.out).toContain(
    '  ! No record organization/org-pantri of county is known yet, and it is the organization of pantry: is the id right? If so, have the source send it.',
  );
});

describe('of an Epic server before go-live', () => {
  let told: Ended;
  beforeAll(async () => {
    await letEpicIn();
    told = await doctor('hospital');
  });

  test('it is in shadow, and says what it would write', () => {
    expect({ code: told.code, err: told.err }).toEqual({ code: 0, err: '' });
    const lines = told.out.split('\n');
    expect(lines).toContain('hospital (epic, shadow): reachable, signed in');
    expect(lines).toContain(
      '  basis consent: nothing of a client goes there without a consent that names this connection',
    );
    expect(told.out).toMatch(
      /^ {2}Warning: no organization in county \(connections\.hospital\.organization, organizationElsewhere\): a consent that names it by its record permits nothing there/m,
    );
    expect(told.out).toMatch(/^ {2}without version tags: .*\bTask\b.* is overwritten unseen$/m);
    expect(told.out).toMatch(/^ {2}in shadow, nothing is written; live it would write: \d+ create, /m);
  });

  test.each([
    ['carePlan', 'CarePlan', 'rs', 'document', 'The server does not declare create, update for CarePlan.'],
    ['need', 'Condition', 'crs', 'document', 'Usual with servers of this vendor: the problem list belongs to'],
    ['assessment', 'QuestionnaireResponse', 'crs', 'document', 'Usual with servers of this vendor: scores go into'],
    ['coverage', 'Coverage', 'rs', 'read', 'Usual with servers of this vendor: the hospital keeps its own coverages.'],
    ['intervention', 'Procedure', 'crus', 'document', 'Procedure cannot be written on servers of this vendor: an SDOH'],
    ['client', 'Patient', 'crs', 'read', 'Usual with servers of this vendor: the hospital keeps its own patients.'],
    ['organization', 'Organization', 'rs', 'read', 'The server does not declare create, update for Organization.'],
    ['referral', 'Task', 'rus', 'answer', 'By its setting, or the default of its vendor (task: answer)'],
    ['consent', 'Consent', 'rs', 'manual', 'The server does not declare create, update for Consent.'],
  ])('the route of %s, with what is declared and why', (type, resource, declared, route, why) => {
    const row = told.out.split('\n').find((line) => line.startsWith(`  ${type} `) && line.includes(` ${resource} `));
    expect(row?.trim().split(/ {2,}/)).toEqual([type, resource, declared, '?', route, expect.stringContaining(why)]);
  });

  test.each([
    ['write CarePlan', 'no', 'it can be read and searched only (E-cap)'],
    ['conditional create', 'no', 'conditionalCreate is false on all types, and If-None-Exist is ignored (E-cap, E23)'],
    ['match', 'yes', 'Patient/$match'],
    ['changes of Task', 'yes', 'patient=<patient>&code=community-resource'],
    ['changes of DocumentReference', 'yes', 'patient=<patient>&_lastupdated=ge<time>'],
    [
      'document',
      'yes',
      'text/plain; LOINC 11506-3 Progress note; encounter required; later editions: new-note; taken back by: note',
    ],
  ])('what is known of servers of the vendor: %s', (topic, offered, detail) => {
    const rows = told.out.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(rows).toContainEqual([topic, offered, detail]);
  });
});

describe('of servers that are not', () => {
  let told: Ended;
  beforeAll(async () => {
    told = await doctor();
  });

  test('exit code 1, all connections are examined, and no secret is shown', () => {
    expect({ code: told.code, err: told.err }).toEqual({ code: 1, err: '' });
    expect(told.out.match(/^[a-z-]+ \(standard, (live|off)\): /gm)).toHaveLength(9);
    expect(told.out).not.toMatch(/zqserver|county-secret|"d"/);
  });

  const rows: [string, string, string, string][] = [
    [
      'one that answers with web pages',
      'html',
      'reachable, not signed in',
      'HOST answered 200 with text/html instead of FHIR JSON. A login or outage page looks like this; check baseUrl.',
    ],
    [
      'one that sends us to another host',
      'redirecting',
      'reachable, not signed in',
      'HOST redirects to https://other.example.org, which was not followed: credentials go only to the address in baseUrl, and writes are never redirected. Set baseUrl to the address that answers.',
    ],
    [
      'one whose certificate nobody vouches for',
      'self-signed',
      'not reachable, not signed in',
      'No safe connection to HOST: its certificate cannot be trusted, it is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT). Mend the certificate, or name its authority in NODE_EXTRA_CA_CERTS; the check cannot be turned off.',
    ],
    [
      'one whose token endpoint does not know us',
      'strict',
      'reachable, not signed in',
      'HOST does not accept this client (invalid_client). Check clientId; with a secret, that it is the one that was given for this client; with a key, that its public half from /.well-known/jwks.json is registered there, and that the server can reach that address or has fetched it again.',
    ],
    [
      'one that does not say what it can do',
      'mute',
      'reachable, signed in',
      'What HOST can do is not known: /metadata answers 404. No FHIR server may be there: check baseUrl.',
    ],
    [
      'one that is not there',
      'nobody',
      'not reachable, not signed in',
      'Nothing answers at HOST: the connection was refused. Check baseUrl, and that the server runs.',
    ],
  ];
  test.each(rows)('%s', (_what, name, state, finding) => {
    const [heading, first, ...routes] = sectionOf(name);
    expect(heading).toBe(`${name} (standard, live): ${state}`);
    expect(first).toBe(`  ! ${finding.replaceAll('HOST', hosts[name] ?? '')}`);
    expect(routes.filter((line) => line.includes(' native '))).toEqual([]);
  });

  test('one that is switched off is not asked, and is no fault', async () => {
    const text = 'Switched off in the configuration (mode: off): nothing is asked or sent there.';
    expect(sectionOf('asleep')).toEqual([`asleep (standard, off): ${text}`]);
    const ended = await doctor('asleep', '--json');
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(lastLine(ended)).toMatchObject({ connection: 'asleep', mode: 'off', reachable: false, findings: [] });
  });

  function sectionOf(name: string): string[] {
    const sections = told.out.trimEnd().split('\n\n');
    return sections.find((section) => section.startsWith(`${name} (`))?.split('\n') ?? [];
  }
});

test('a connection that is not configured is exit code 2', async () => {
  expect(await doctor('nowhere')).toEqual({
    code: 2,
    out: '',
    err: 'There is no connection nowhere here. The configuration names them under "connections".\n',
  });
});

test('an overlay that a start would not take is told, beside what is active', async () => {
  const text = await readFile(join(folder, 'casebridge.yaml'), 'utf8');
  const other = `${text.replace(/^connections:\n(.*\n)*/m, 'connections: {}')}\noverlay: ./none\n`;
  await writeFile(join(folder, 'other.yaml'), other);
  const { code, out } = await doctor('--config', 'other.yaml');
  expect({ code, out }).toEqual({
    code: 1,
    out: expect.stringMatching(
      /^ {2}! "overlay" in the configuration names \S+none, which could not be read \(ENOENT\)\.$/m,
    ),
  });
});

test.each([
  [null, 0, 'reachable, signed in'],
  ['2026-03-01T09:00:00.000Z', 1, 'another configuration of it has been in force since 2026-03-01T09:00:00.000Z'],
])(
  'a running gateway that does nothing there, for it is configured otherwise since %s, is exit code %i',
  async (since, code, told) => {
    const report = {
      connection: 'good',
      vendor: 'standard',
      mode: 'live',
      reachable: true,
      auth: { ok: true, reason: null },
      findings: [],
      otherConfigurationSince: since,
    };
    const gateway = await startServer(() => ({ headers: json, body: JSON.stringify(report) }));
    const ended = await doctor('--url', new URL(gateway.url).origin, '--token', 'env:OPS_TOKEN', 'good');
    expect(ended).toMatchObject({ code, err: '', out: expect.stringContaining(told) });
  },
);

test('--url asks a running gateway, and --json shows a connection as the API does', async () => {
  const gateway = await listening(['serve', '--no-lanes'], { cwd: folder, env });
  const ended = await doctor('--url', gateway.url, '--token', 'env:OPS_TOKEN', 'nobody', '--json');
  const headers = { authorization: `Bearer ${env.OPS_TOKEN}` };
  const answer = await fetch(`${gateway.url}/api/connections/nobody/capabilities`, { headers });
  await gateway.stop();
  expect(ended).toMatchObject({ code: 1, err: '' });
  // How many polls are late is another number a moment later.
  const withoutLate = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (name, part) => (name === 'late' ? undefined : part)));
  expect(withoutLate(lastLine(ended))).toEqual(withoutLate(await answer.json()));
  expect(lastLine(ended)).toMatchObject({
    connection: 'nobody',
    vendor: 'standard',
    mode: 'live',
    reachable: false,
    auth: { ok: false, reason: { code: 'connection-refused' } },
    scopes: [],
    routes: expect.arrayContaining([
      expect.objectContaining({ recordType: 'referral', resourceType: 'Task', route: 'off' }),
    ]),
    wouldWrite: { create: 0, update: 0, document: 0 },
  });
});
