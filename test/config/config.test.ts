import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { configPage } from '../../scripts/config-page.ts';
import { type Config, checkConfig, commandSecret, loadConfig, polledTypes } from '../../src/config.ts';
import { CasebridgeError } from '../../src/errors.ts';

const whsec = (letter: string) => `whsec_${Buffer.alloc(32, letter).toString('base64')}`;
const env = {
  COUNTY: 'county-secret',
  TOWN: 'town-secret',
  OPS: 'ops-secret',
  BASE: 'https://base.example.org/r4/',
  HOOK: whsec('h'),
  HOOK2: whsec('i'),
  HOOKKEY: 'key-of-the-general-hospital',
};
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casebridge-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('docs/configuration.md lists exactly the settings of the schema (else run: node scripts/make-config-page.ts)', async () => {
  const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'configuration.md'), 'utf8');
  expect(page).toBe(configPage());
  expect(page).toContain('| `connections.<name>.settle` | duration | ');
});

/** A configuration of one source and one connection with these settings of the connection, or with other parts replaced. */
function text(connection = '', parts: { top?: string; sources?: string } = {}): string {
  return [
    'identifierSystem: https://agency.example.org/casebridge',
    ...(parts.top ? [parts.top] : []),
    'sources:',
    parts.sources ?? '  county: { token: env:COUNTY }',
    'connections:',
    '  general:',
    '    vendor: standard',
    '    baseUrl: https://fhir.example.org/r4',
    '    auth: { type: none }',
    ...connection.split('\n').map((line) => `    ${line}`),
  ].join('\n');
}

async function read(source: string): Promise<Config> {
  const checked = await checkConfig(join(folder, 'casebridge.yaml'), source, env);
  if ('config' in checked) return checked.config;
  throw new Error(checked.problems.map(({ where, problem }) => `${where}: ${problem}`).join('\n'));
}

async function problems(source: string): Promise<string[]> {
  const checked = await checkConfig('casebridge.yaml', source, env);
  return 'problems' in checked ? checked.problems.map(({ where, problem }) => `${where} ${problem}`) : [];
}

async function connection(settings: string) {
  return (await read(text(settings))).connections.get('general');
}

test('a hook that subscribes says where the server notifies', async () => {
  const top = 'server: { publicUrl: https://casebridge.example.org/ }';
  const { connections } = await read(text('hook: { key: env:HOOKKEY, subscribe: [Task] }', { top }));
  expect(connections.get('general')?.hook?.subscribe).toEqual({
    types: ['Task'],
    address: 'https://casebridge.example.org/hooks/general/key-of-the-general-hospital',
  });
});

test('the audit is kept for six years, and a shorter time is a warning', async () => {
  const day = 86_400_000;
  expect((await read(text())).retention).toEqual({ auditMs: 2192 * day, versionsMs: 2192 * day, seenMs: 365 * day });
  const { retention, warnings } = await read(text('', { top: 'retention: { audit: 365d, seen: 30d }' }));
  expect(retention).toMatchObject({ auditMs: 365 * day, seenMs: 30 * day });
  expect(warnings).toEqual([expect.stringContaining('45 CFR 164.316')]);
});

test('business hours count for all limits in hours but that of an incident, which has to be written down at night too', async () => {
  const top = 'clocks: { businessHours: { days: [mo], from: "09:00", to: "17:00" } }';
  const { clocks } = await read(text('', { top }));
  expect(clocks.businessHours?.rules).toEqual([
    'referral-follow-up-48h',
    'first-contact-72h',
    'cancel-answer-48h',
    'note-24h',
  ]);
});

describe('the webhook of a source', () => {
  const of = (settings: string) => text('', { sources: `  county: { token: env:COUNTY, webhook: { ${settings} } }` });

  test('is complete with an address and a secret', async () => {
    const { sources } = await read(of('url: "https://county.example.org/changes?at=1", secrets: [env:HOOK]'));
    expect(sources.get('county')?.webhook).toEqual({
      url: 'https://county.example.org/changes?at=1',
      secrets: [Buffer.alloc(32, 'h')],
      giveUpAfterMs: 259_200_000,
      allowPrivate: false,
    });
  });

  test('in a private network is said on purpose', async () => {
    const { sources } = await read(
      of('url: "http://10.0.0.7/x", secrets: [env:HOOK, env:HOOK2], giveUpAfter: 12h, allowPrivate: true'),
    );
    expect(sources.get('county')?.webhook).toMatchObject({ giveUpAfterMs: 43_200_000, allowPrivate: true });
  });

  test.each([
    ['url: "http://county.example.org", secrets: [env:HOOK]', 'must be an absolute https URL'],
    ['url: "file:///etc/passwd", secrets: [env:HOOK], allowPrivate: true', 'must be an absolute https URL'],
    ['url: "gopher://x", secrets: [env:HOOK], allowPrivate: true', 'must be an absolute https URL'],
    ['url: "https://127.0.0.1", secrets: [env:HOOK]', 'names an address that is not public'],
    ['url: "https://2130706433", secrets: [env:HOOK]', 'names an address that is not public'],
    ['url: "https://[::ffff:10.0.0.1]", secrets: [env:HOOK]', 'names an address that is not public'],
    ['url: "https://169.254.169.254", secrets: [env:HOOK], allowPrivate: true', 'names an address that is not public'],
    ['url: "https://a:b@county.example.org", secrets: [env:HOOK]', 'must be without fragment, user and password'],
    ['url: "https://county.example.org", secrets: [whsec_clear]', 'is a secret in clear text'],
    ['url: "https://county.example.org", secrets: [env:COUNTY]', 'must be whsec_ and 24 to 64 random bytes'],
    ['url: "https://county.example.org", secrets: []', 'must NOT have fewer than 1 items'],
    ['url: "https://county.example.org"', '"secrets" is missing'],
    ['url: "https://county.example.org", secrets: [env:HOOK], giveUpAfter: 3', 'must be a duration'],
  ])('%s: %s', async (settings, problem) => {
    expect(await problems(of(settings))).toEqual([expect.stringContaining(problem)]);
  });
});

describe('what is not said', () => {
  test('of a connection to a standard server', async () => {
    expect(await connection('')).toEqual({
      id: 'general',
      vendor: 'standard',
      baseUrl: 'https://fhir.example.org/r4',
      auth: { type: 'none' },
      mode: 'live',
      basis: 'treatment',
      sources: ['county'],
      otherConnections: [],
      otherOrganizations: [],
      inboundTo: 'county',
      createPatients: false,
      identifierSystems: {},
      task: 'home',
      backfill: 'open-cases',
      pollEveryMs: 60_000,
      polls: {
        types: polledTypes,
        performers: [],
        referralCodes: [],
        documentTypes: ['18842-5', '34111-5'],
        lookBackMs: 7_776_000_000,
      },
      rateLimit: { requestsPerSecond: 20, concurrency: 8 },
      settleMs: 90_000,
      documents: { quietMs: 14_400_000, atMostEveryMs: 86_400_000, encounter: 'latest-open' },
      routes: {},
    });
  });

  test.each([
    ['epic', { mode: 'shadow', task: 'answer', pollEveryMs: 900_000 }],
    ['oracle', { mode: 'shadow', task: 'off', pollEveryMs: 900_000 }],
  ])('depends on the vendor: %s', async (vendor, expected) => {
    const config = await read(text().replace('vendor: standard', `vendor: ${vendor}`));
    expect(config.connections.get('general')).toMatchObject(expected);
  });

  test('of scopes: Epic grants what was registered, in the spelling of version 2', async () => {
    const config = await read(
      text()
        .replace('vendor: standard', 'vendor: epic')
        .replace('type: none', 'type: smart-basic, clientId: a, secret: env:OPS'),
    );
    expect(config.connections.get('general')?.auth).toMatchObject({ scopes: [], scopeVersion: 'v2' });
  });

  test('of everything else', async () => {
    const config = await read('identifierSystem: urn:x\nsources: { county: { token: env:COUNTY } }');
    expect(config).toMatchObject({
      server: { port: 8080 },
      store: { folder: join(folder, 'data') },
      queue: {},
      lanes: { leaseMs: 60_000 },
      log: { level: 'info' },
      warnings: [],
    });
    expect(config.store.url).toBeUndefined();
    expect(config.connections.size).toBe(0);
  });

  test('two sources: nobody is offered what begins on the other side', async () => {
    const sources = '  county: { token: env:COUNTY }\n  town: { token: env:TOWN }';
    const config = await read(text('', { sources }));
    expect(config.connections.get('general')).toMatchObject({ sources: ['county', 'town'], inboundTo: undefined });
  });
});

test('everything that can be said', async () => {
  const config = await read(
    text(
      [
        'mode: shadow',
        'organization: county/general-hospital',
        'basis: consent',
        'sources: [county]',
        'inboundTo: county',
        'createPatients: true',
        'identifierSystems: { mrn: "urn:oid:1.2.3" }',
        'task: copy',
        'backfill: none',
        'poll:',
        '  every: 1d',
        '  types: [Task, Goal]',
        '  roster: Group/panel-7',
        '  performers: [Organization/7]',
        '  referralCodes: ["http://example.org|a"]',
        '  documentTypes: ["18842-5", "69730-0"]',
        '  lookBack: 30d',
        'hook: { key: env:HOOKKEY, bearer: env:OPS, heartbeat: 10m }',
        'rateLimit: { requestsPerSecond: 0.5, concurrency: 1 }',
        'settle: 0s',
        'documents: { quiet: 5m, atMostEvery: 250ms, encounter: none }',
        'routes: { carePlan: document }',
      ].join('\n'),
      {
        top: [
          'server: { port: 0, host: 127.0.0.1 }',
          'store: { url: "postgres://casebridge@db.example.org/casebridge" }',
          'queue: { url: redis://queue.example.org:6379 }',
          'lanes: { lease: 10s }',
          'log: { level: warn }',
          'operators: { ops: { token: env:OPS, may: [read, run, decide, configure] } }',
        ].join('\n'),
        sources: '  county: { token: env:COUNTY, timeZone: America/New_York }',
      },
    ),
  );
  expect(config).toMatchObject({
    server: { port: 0, host: '127.0.0.1' },
    store: { url: 'postgres://casebridge@db.example.org/casebridge' },
    queue: { url: 'redis://queue.example.org:6379' },
    lanes: { leaseMs: 10_000 },
    log: { level: 'warn' },
  });
  expect(config.operators.get('ops')).toEqual({
    name: 'ops',
    token: 'ops-secret',
    may: ['read', 'run', 'decide', 'configure'],
  });
  expect(config.sources.get('county')).toEqual({ id: 'county', token: 'county-secret', timeZone: 'America/New_York' });
  expect(config.connections.get('general')).toMatchObject({
    organization: { source: 'county', id: 'general-hospital' },
    pollEveryMs: 86_400_000,
    polls: {
      types: ['Task', 'Goal'],
      roster: { resourceType: 'Group', id: 'panel-7' },
      performers: ['Organization/7'],
      referralCodes: ['http://example.org|a'],
      documentTypes: ['18842-5', '69730-0'],
      lookBackMs: 2_592_000_000,
    },
    hook: { key: 'key-of-the-general-hospital', bearer: 'ops-secret', heartbeatMs: 600_000 },
    settleMs: 0,
    documents: { quietMs: 300_000, atMostEveryMs: 250, encounter: 'none' },
    routes: { carePlan: 'document' },
  });
});

describe('what is refused, with its place', () => {
  const rows: [string, string, string][] = [
    [
      'an unknown key',
      text('setle: 90s'),
      'casebridge.yaml:9:5 "setle" is not a setting under connections.general. Did you mean "settle"?',
    ],
    ['a key at the wrong depth', text('every: 15m'), '"every" is not a setting under connections.general.'],
    ['a doubled key', text('mode: live\nmode: off'), 'casebridge.yaml:10:5 Map keys must be unique.'],
    ['a tab', text('mode:\tlive\n\tbasis: consent'), 'casebridge.yaml:10:'],
    ['a custom tag', text('mode: !!js live'), 'casebridge.yaml:9:'],
    [
      'a duration without a unit',
      text('settle: 90'),
      'casebridge.yaml:9:5 connections.general.settle must be a duration such as 90s',
    ],
    ['a type that is not asked for', text('poll: { types: [Observation] }'), 'must be one of Appointment, CarePlan,'],
    [
      'a roster that is neither Group nor List',
      text('poll: { roster: Patient/7 }'),
      'connections.general.poll.roster must be Group/<id> or List/<id>.',
    ],
    [
      'a referral code without its system',
      text('poll: { referralCodes: ["9876"] }'),
      'connections.general.poll.referralCodes.0 must be system|code.',
    ],
    [
      'a type of document that is no LOINC code',
      text('poll: { documentTypes: ["discharge"] }'),
      'connections.general.poll.documentTypes.0 must be a LOINC code such as 18842-5.',
    ],
    ['a hook without key', text('hook: { heartbeat: 10m }'), '"key" is missing under connections.general.hook'],
    [
      'the key of a hook in clear text',
      text('hook: { key: key-of-the-general-hospital }'),
      'is a secret in clear text',
    ],
    [
      'a key of a hook that can be guessed',
      text('hook: { key: env:OPS }'),
      'connections.general.hook.key must be 16 to 128 letters',
    ],
    [
      'a Subscription to nowhere',
      text('hook: { key: env:HOOKKEY, subscribe: [Task] }'),
      'connections.general.hook.subscribe needs "server.publicUrl"',
    ],
    [
      'a Subscription to what is not polled',
      text('poll: { types: [Task] }\nhook: { key: env:HOOKKEY, subscribe: [Goal] }', {
        top: 'server: { publicUrl: https://casebridge.example.org }',
      }),
      'connections.general.hook.subscribe.0 must be one of "poll.types"',
    ],
    [
      'polls without a pause',
      text('poll: { every: 0s }'),
      'connections.general.poll.every must be at least 100ms: a server is not asked without a pause.',
    ],
    ['a duration of another unit', text('poll: { every: 2w }'), 'connections.general.poll.every must be a duration'],
    [
      'a word that is no boolean',
      text('createPatients: no'),
      'connections.general.createPatients must be true or false.',
    ],
    [
      'a number for a text',
      text('identifierSystems: { mrn: 1.2 }'),
      'connections.general.identifierSystems.mrn must be an absolute URI (https://… or urn:…).',
    ],
    [
      'a system that is no URI',
      text('identifierSystems: { mrn: not a uri }'),
      'connections.general.identifierSystems.mrn must be an absolute URI (https://… or urn:…).',
    ],
    [
      'a kind of identifier that no record has',
      text('identifierSystems: { medicad: "urn:oid:1.2.3" }'),
      'casebridge.yaml:9:26 "medicad" under connections.general.identifierSystems must be one of medicaid, medicare-mbi, mrn, ssn, ssn-last4, state-id, hmis, program, other, npi, tax-id, ccn, state-license. Did you mean "medicaid"?',
    ],
    [
      'a performer that is no reference',
      text('poll: { performers: [Riverside] }'),
      'connections.general.poll.performers.0 must be a reference such as Organization/7.',
    ],
    [
      'a sender who is nobody',
      text('', { top: 'mail: { from: nobody, smtp: { host: mail.example.org } }' }),
      'mail.from must be an e-mail address, or Name <address>.',
    ],
    [
      'business hours that begin at no time of day',
      text('', { top: 'clocks: { businessHours: { days: [mo], from: 9, to: "17:00" } }' }),
      'clocks.businessHours.from must be a time of day such as 09:00, in quotes.',
    ],
    [
      'asking to cancel where nobody answers',
      text('cancellation: bser').replace('vendor: standard', 'vendor: epic'),
      'casebridge.yaml:9:5 connections.general.cancellation must be "set" on a server of the vendor epic',
    ],
    [
      'asking to cancel in a mirror',
      text('task: copy\ncancellation: bser'),
      'connections.general.cancellation must be "set" where "task" is "copy"',
    ],
    ['a word outside its list', text('mode: shdow'), 'must be one of off, shadow, live. Did you mean "shadow"?'],
    [
      'an unknown vendor',
      text().replace('vendor: standard', 'vendor: cerner'),
      'connections.general.vendor must be one of epic, oracle, standard.',
    ],
    [
      'an unknown route',
      text('routes: { carePlan: fax }'),
      'connections.general.routes.carePlan must be one of native,',
    ],
    ...(
      [
        ['client: document', 'client must be one of native, read, manual, withheld, off.'],
        ['goal: answer', 'goal must be one of native, document, manual, withheld, off.'],
        ['need: read', 'need must be one of native, document, manual, withheld, off.'],
        ['consent: document', 'consent must be one of native, manual, withheld, off.'],
        ['hospitalStay: native', 'hospitalStay must be one of read, manual, withheld, off.'],
        ['improvementIdea: native', 'improvementIdea must be one of manual, withheld, off.'],
      ] as const
    ).map(([route, expected]): [string, string, string] => [
      `a route that means nothing for its type (${route})`,
      text(`routes: { ${route} }`),
      `connections.general.routes.${expected}`,
    ]),
    [
      'a route of an unknown record type',
      text('routes: { careplan: document }'),
      '"careplan" under connections.general.routes must be one of organization, worker,',
    ],
    [
      'an unknown source',
      text('sources: [conty]'),
      'names the source "conty", which is not one of county. Did you mean "county"?',
    ],
    [
      'an organization without its source',
      text('organization: general'),
      'connections.general.organization must be source/id',
    ],
    [
      'two records of the organization in one source',
      text('organization: county/general\norganizationElsewhere: [county/general-2]'),
      'connections.general.organizationElsewhere names a second record of the source county',
    ],
    [
      'a record elsewhere of an unknown source',
      text('organizationElsewhere: [town/general]'),
      'connections.general.organizationElsewhere.0 names the source "town"',
    ],
    ['an organization of an unknown source', text('organization: town/general'), 'names the source "town"'],
    [
      'an unknown auth',
      text().replace('type: none', 'type: oauth'),
      'connections.general.auth.type must be one of none, bearer, basic, smart-backend, smart-basic.',
    ],
    [
      'an auth without its parts',
      text().replace('type: none', 'type: bearer'),
      '"token" is missing under connections.general.auth.',
    ],
    [
      'a spelling of scopes that is none',
      text().replace('type: none', 'type: smart-basic, clientId: a, secret: env:OPS, scopes: [a], scopeVersion: v3'),
      'connections.general.auth.scopeVersion must be one of v1, v2.',
    ],
    [
      'no scopes where a server grants nothing without',
      text()
        .replace('vendor: standard', 'vendor: oracle')
        .replace('type: none', 'type: smart-basic, clientId: a, secret: env:OPS'),
      'casebridge.yaml:8:5 connections.general.auth needs "scopes": a server of the vendor oracle grants nothing that is not asked for.',
    ],
    [
      'a base URL that is none',
      text().replace('https://fhir', 'fhir'),
      'connections.general.baseUrl must be an absolute http or https URL.',
    ],
    [
      'a base URL with a user',
      text().replace('https://fhir', 'https://a:b@fhir'),
      'connections.general.baseUrl must be without query, fragment, user and password.',
    ],
    ['a lease in which no request fits', `lanes: { lease: 500ms }\n${text()}`, 'lanes.lease must be at least 2s'],
    ['no identifierSystem', 'sources: { county: { token: env:COUNTY } }', '"identifierSystem" is missing.'],
    ['no sources', 'identifierSystem: urn:x', '"sources" is missing.'],
    [
      'a bad name',
      text('', { sources: '  County: { token: env:COUNTY }' }),
      'casebridge.yaml:3:3 "County" under sources must be a name of small letters',
    ],
    [
      'an unknown time zone',
      text('', { sources: '  county: { token: env:COUNTY, timeZone: Mars/Base }' }),
      'sources.county.timeZone must be an IANA time zone',
    ],
    [
      'a missing environment variable',
      text('', { sources: '  county: { token: env:NOPE }' }),
      'casebridge.yaml:3:13 sources.county.token needs the environment variable NOPE, which is not set.',
    ],
    [
      'a missing secret file',
      text('', { sources: '  county: { token: file:nope }' }),
      'which could not be read (ENOENT)',
    ],
    [
      'an unknown permission',
      text('', { top: 'operators: { ops: { token: env:OPS, may: [write] } }' }),
      'operators.ops.may.0 must be one of read, run, decide, configure.',
    ],
    [
      'the same token twice',
      text('', { top: 'operators: { ops: { token: env:COUNTY } }' }),
      'sources.county.token is the same secret as operators.ops.token.',
    ],
    [
      'a store that is no PostgreSQL',
      text('', { top: 'store: { url: mysql://db }' }),
      'store.url must begin with postgres:// or postgresql://.',
    ],
    ['an empty file', '', 'The file must be a group of settings.'],
  ];
  test.each(rows)('%s', async (_what, source, expected) => {
    expect((await problems(source)).join('\n')).toContain(expected);
  });

  test('an alias bomb', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]`;
    expect(await problems(bomb)).toEqual(['casebridge.yaml More than 100 aliases are used. Write the settings out.']);
  });

  test.each([
    [
      'a token',
      text('', { sources: '  county: { token: zqsecret }' }),
      'sources.county.token is a secret in clear text',
    ],
    [
      'a password',
      text().replace('type: none', 'type: basic, user: u, password: zqsecret'),
      'auth.password is a secret in clear text',
    ],
    [
      'a database password',
      text('', { top: 'store: { url: "postgres://u:zqsecret@db/x" }' }),
      'store.url holds a password in clear text',
    ],
    [
      'a key',
      text().replace('type: none', 'type: smart-backend, clientId: a, key: zqsecret, scopes: [a]'),
      'auth.key is a secret in clear text',
    ],
  ])('%s in clear text, without repeating it', async (_what, source, expected) => {
    const found = (await problems(source)).join('\n');
    expect(found).toContain(expected);
    expect(found).not.toContain('zqsecret');
  });

  test('all problems at once', async () => {
    expect(await problems(text('setle: 90s\nmode: on\ntask: nowhere'))).toHaveLength(3);
    expect(
      await problems(text('sources: [a]\ninboundTo: b', { sources: '  county: { token: env:NOPE }' })),
    ).toHaveLength(3);
  });
});

describe('secrets', () => {
  test('a file counts from the configuration, and loses its last line break', async () => {
    await writeFile(join(folder, 'token.txt'), 'from-a-file\n', { mode: 0o600 });
    const config = await read(text('', { sources: '  county: { token: file:token.txt }' }));
    expect(config.sources.get('county')?.token).toBe('from-a-file');
    expect(config.warnings).toEqual([]);
  });

  test('a file that others can read is a warning', async () => {
    await writeFile(join(folder, 'open.txt'), 'x');
    await chmod(join(folder, 'open.txt'), 0o644);
    const config = await read(text('', { sources: '  county: { token: file:open.txt }' }));
    expect(config.warnings).toEqual([expect.stringContaining('can be read by others')]);
  });

  test('a key is one private JWK', async () => {
    const backend = (key: string) =>
      text().replace('type: none', `type: smart-backend, clientId: env:OPS, key: file:${key}, scopes: [system/*.crus]`);
    await writeFile(join(folder, 'key.jwk'), '{"kty":"EC","crv":"P-384","d":"zqprivate","x":"1","y":"2"}', {
      mode: 0o600,
    });
    await writeFile(join(folder, 'public.jwk'), '{"kty":"EC","crv":"P-384","x":"zqpublic"}', { mode: 0o600 });
    const config = await read(backend('key.jwk'));
    expect(config.connections.get('general')?.auth).toMatchObject({
      clientId: 'ops-secret',
      key: { kty: 'EC', d: 'zqprivate' },
    });
    await expect(read(backend('public.jwk'))).rejects.toThrow('must be one private key as JWK');
    await expect(read(backend('public.jwk'))).rejects.not.toThrow('zqpublic');
  });

  test('further keys are read like the first, each fault named by its place in the list', async () => {
    await writeFile(join(folder, 'next.jwk'), '{"kty":"EC","crv":"P-384","d":"zqnext","x":"3","y":"4"}', {
      mode: 0o600,
    });
    const rotating = (other: string) =>
      text().replace(
        'type: none',
        `type: smart-backend, clientId: a, key: file:next.jwk, otherKeys: [file:next.jwk, ${other}], scopes: [system/*.crus]`,
      );
    const config = await read(rotating('file:./next.jwk'));
    expect(config.connections.get('general')?.auth).toMatchObject({ otherKeys: [{ d: 'zqnext' }, { d: 'zqnext' }] });
    const place = 'casebridge.yaml:8:94 connections.general.auth.otherKeys.1';
    expect(await problems(rotating('zqsecret'))).toEqual(
      expect.arrayContaining([
        `${place} is a secret in clear text. Write env:NAME or file:PATH instead, and change the secret.`,
      ]),
    );
    expect((await problems(rotating('env:NOPE'))).join()).toContain(
      `${place} needs the environment variable NOPE, which is not set.`,
    );
  });

  test('a system account has a secret instead of a key', async () => {
    const account = (rest: string) => text().replace('type: none', `type: smart-basic, clientId: account, ${rest}`);
    const config = await read(account('secret: env:OPS, scopes: [system/Patient.read], scopeVersion: v1'));
    expect(config.connections.get('general')?.auth).toEqual({
      type: 'smart-basic',
      clientId: 'account',
      secret: 'ops-secret',
      scopes: ['system/Patient.read'],
      scopeVersion: 'v1',
    });
    expect(await problems(account('secret: zqsecret, scopes: [a]'))).toEqual([
      'casebridge.yaml:8:51 connections.general.auth.secret is a secret in clear text. Write env:NAME or file:PATH instead, and change the secret.',
    ]);
  });

  test('a base URL may be given by the environment', async () => {
    const config = await read(text().replace('https://fhir.example.org/r4', 'env:BASE'));
    expect(config.connections.get('general')?.baseUrl).toBe('https://base.example.org/r4');
  });

  test('patients that are to be made where a hospital keeps its own are a warning', async () => {
    const warnings = async (vendor: string, more = '') =>
      (await read(text(`createPatients: true\n${more}`).replace('vendor: standard', `vendor: ${vendor}`))).warnings;
    expect(await warnings('epic')).toEqual([expect.stringContaining('createPatients has no effect on epic')]);
    expect(await warnings('oracle')).toEqual([expect.stringContaining('createPatients has no effect on oracle')]);
    expect(await warnings('epic', 'routes: { client: native }')).toEqual([]);
    expect(await warnings('standard')).toEqual([]);
  });

  test('http to another machine is a warning', async () => {
    const warnings = async (url: string) => (await read(text().replace('https://fhir.example.org', url))).warnings;
    expect(await warnings('http://fhir.example.org')).toEqual([expect.stringContaining('is not encrypted')]);
    expect(await warnings('http://127.0.0.1:9000')).toEqual([]);
  });

  test("a command's secret is a reference too", async () => {
    expect(await commandSecret('--token', 'env:OPS', env)).toBe('ops-secret');
    await expect(commandSecret('--token', 'zqsecret', env)).rejects.toThrow('--token: is a secret in clear text');
  });
});

describe('the file', () => {
  test('that is not there is named', async () => {
    const missing = join(folder, 'missing.yaml');
    await expect(loadConfig(missing, env)).rejects.toThrow(`The configuration ${missing} could not be read (ENOENT).`);
  });

  test('with problems throws them one a line', async () => {
    const file = join(folder, 'bad.yaml');
    await writeFile(file, text('setle: 90s\nmode: on'));
    const error: unknown = await loadConfig(file, env).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CasebridgeError);
    expect(String(error).split('\n')).toEqual([
      `CasebridgeError: ${file}:9:5: "setle" is not a setting under connections.general. Did you mean "settle"?`,
      `${file}:10:5: connections.general.mode must be one of off, shadow, live.`,
    ]);
  });

  test('is remembered by its absolute path', async () => {
    const file = join(folder, 'casebridge.yaml');
    await writeFile(file, text());
    expect((await loadConfig(file, env)).file).toBe(file);
  });
});
