// How the page of a partner and the ways of its messages are configured.

import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../src/config.ts';

const whsec = `whsec_${Buffer.alloc(32, 'p').toString('base64')}`;
const env = { COUNTY: 'county-secret', PASSWORD: 'mail-secret', SMS: whsec };

const mail = 'mail: { from: "Casebridge <referrals@agency.example.org>", smtp: { host: mail.example.org } }';
const sms = 'sms: { webhook: { url: https://sms.example.org/send, secret: env:SMS } }';
const server = 'server: { publicUrl: https://casebridge.example.org }';

async function check(page: string, ...top: readonly string[]) {
  const source = [
    'identifierSystem: https://agency.example.org/casebridge',
    'sources: { county: { token: env:COUNTY } }',
    ...top,
    `partners: { pantry: { organization: county/org-pantry, page: { ${page} } } }`,
  ].join('\n');
  const checked = await checkConfig('casebridge.yaml', source, env);
  return 'config' in checked
    ? { config: checked.config, problems: [] }
    : { config: undefined, problems: checked.problems.map(({ problem }) => problem) };
}

test('a page needs an address, a way to it, and where it is reached', async () => {
  const { config } = await check('email: referrals@pantry.example.org', mail, server);
  expect(config?.partners.get('pantry')?.page).toEqual({
    contacts: new Map([['', { email: 'referrals@pantry.example.org' }]]),
    language: 'en',
    linkDays: 14,
  });
  expect(config?.mail?.smtp).toEqual({ host: 'mail.example.org', port: 587, security: 'starttls' });
  expect(config?.warnings).toEqual([]);
});

test('codes may go to a number, and all of it may be said otherwise', async () => {
  const smtp =
    'mail: { from: a@example.org, smtp: { host: localhost, security: none, port: 2525, user: casebridge, password: env:PASSWORD } }';
  const { config } = await check('sms: "+15185550100", language: es, linkDays: 3', smtp, sms, server);
  expect(config?.partners.get('pantry')?.page).toEqual({
    contacts: new Map([['', { sms: '+15185550100' }]]),
    language: 'es',
    linkDays: 3,
  });
  expect(config?.sms).toEqual({
    url: 'https://sms.example.org/send',
    secrets: [Buffer.alloc(32, 'p')],
    allowPrivate: false,
  });
  expect(config?.mail?.smtp).toEqual({
    host: 'localhost',
    port: 2525,
    security: 'none',
    user: 'casebridge',
    password: 'mail-secret',
  });
});

test('several contacts each have addresses of their own', async () => {
  const contacts =
    'contacts: { intake: { email: a@pantry.example.org, sms: "+15185550100" }, night: { sms: "+15185550101" } }';
  const { config } = await check(contacts, mail, sms, server);
  expect(config?.partners.get('pantry')?.page?.contacts).toEqual(
    new Map([
      ['intake', { email: 'a@pantry.example.org', sms: '+15185550100' }],
      ['night', { sms: '+15185550101' }],
    ]),
  );
});

test('mail that goes unencrypted to another machine is a warning', async () => {
  const open = 'mail: { from: a@example.org, smtp: { host: mail.example.org, security: none } }';
  const { config } = await check('email: a@pantry.example.org', open, server);
  expect(config?.warnings).toEqual([expect.stringContaining('mail.smtp is not encrypted')]);
});

describe('is told', () => {
  test.each([
    ['that there is no address', '', [mail, server], 'needs "email" or "sms"'],
    ['that a contact has no address', 'contacts: { intake: {} }', [mail, server], 'needs "email" or "sms"'],
    [
      'contacts beside an address',
      'email: a@example.org, contacts: { night: { email: b@example.org } }',
      [mail, server],
      'has both "contacts" and an address',
    ],
    ['that nothing sends e-mails', 'email: a@pantry.example.org', [server], 'needs "mail"'],
    ['that nothing sends text messages', 'sms: "+15185550100"', [mail, server], 'needs "sms" at the top'],
    ['that nobody can reach it', 'email: a@pantry.example.org', [mail], 'needs "server.publicUrl"'],
    ['an address that is two', 'email: "a@example.org, b@example.org"', [mail, server], 'email'],
    ['an address with a line break', '"email": "a@example.org\\nBcc: b@example.org"', [mail, server], 'email'],
    ['a number without a country', 'sms: "518 555 0100"', [sms, server], 'sms'],
    [
      'a language that the page does not speak',
      'email: a@pantry.example.org, language: fr',
      [mail, server],
      'language',
    ],
    ['a link that lasts for a year', 'email: a@pantry.example.org, linkDays: 365', [mail, server], 'linkDays'],
    [
      'a password in clear text',
      'email: a@pantry.example.org',
      ['mail: { from: a@example.org, smtp: { host: mail.example.org, user: x, password: hunter2 } }', server],
      'password',
    ],
    [
      'a user without a password',
      'email: a@pantry.example.org',
      ['mail: { from: a@example.org, smtp: { host: mail.example.org, user: x } }', server],
      'needs both "user" and "password"',
    ],
  ])('%s', async (_what, page, top, told) => {
    const { problems } = await check(page, ...top);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(told);
    expect(problems[0]).not.toContain('hunter2');
  });
});
