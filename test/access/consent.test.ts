// May a record go to a receiver? What consents of the client say, by status, scope, receiver, record type, sensitivity and day.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ConsentQuestion, nextConsentDay, nextSignature, withheldBy } from '../../src/access/access.ts';
import type { JsonObject } from '../../src/json.ts';
import { aConsent } from '../builders.ts';

/** Rosa's consent for the pantry, 2 February 2026 to 1 February 2027, with what is overridden. */
const consent = (overrides: JsonObject = {}): JsonObject => ({ ...aConsent(), ...overrides });

const partner: ConsentQuestion = {
  basis: 'consent',
  organization: 'org-pantry',
  connection: 'pantry',
  recordType: 'referral',
  sensitivity: [],
  recipients: [{ organizationId: 'org-pantry' }],
  consents: [],
  today: '2026-06-15',
  now: Date.parse('2026-06-15T12:00:00-04:00'),
};

/** `permitted`, or the code of the rule that withholds. */
function answer(question: Partial<ConsentQuestion>): string {
  return withheldBy({ ...partner, ...question })?.code ?? 'permitted';
}

describe('to a community partner', () => {
  test('nothing goes without a consent', () => {
    expect(answer({})).toBe('consent-missing');
  });

  test('a consent in force that names receiver and record type permits', () => {
    expect(answer({ consents: [consent()] })).toBe('permitted');
  });

  test.each(['proposed', 'declined', 'revoked', 'expired', 'entered-in-error', 'Active', undefined])(
    'a consent with the status %p permits nothing',
    (status) => {
      expect(answer({ consents: [consent({ status: status ?? null })] })).toBe('consent-missing');
    },
  );

  test.each<[string, JsonObject]>([
    ['has been deleted', { deleted: true }],
    ['has a time of revocation, whatever its status says', { revokedAt: '2026-05-01T09:00:00-04:00' }],
    ['has no scope', { scope: [] }],
    ['has no receivers', { recipients: [] }],
    ['has receivers of the wrong form', { recipients: 'org-pantry' }],
    ['has a receiver without a name', { recipients: [{}, null] }],
  ])('a consent that %s permits nothing', (_what, change) => {
    expect(answer({ consents: [consent(change)] })).toBe('consent-missing');
  });

  test.each([
    ['share-care-plan', 'permitted'],
    ['referral', 'permitted'],
    ['treatment-payment-operations', 'permitted'],
    ['data-exchange', 'permitted'],
    ['research', 'consent-missing'],
    ['contact-by-text', 'consent-missing'],
    ['benefits-application', 'consent-missing'],
    ['something-new', 'consent-missing'],
  ])('the scope %s: %s', (scope, expected) => {
    expect(answer({ consents: [consent({ scope: [scope] })] })).toBe(expected);
  });
});

describe('days', () => {
  const period = { from: '2026-02-02', to: '2027-02-01' };

  test.each<[string, string, JsonObject, string]>([
    ['the day before it begins', '2026-02-01', period, 'consent-missing'],
    ['its first day', '2026-02-02', period, 'permitted'],
    ['its last day', '2027-02-01', period, 'permitted'],
    ['the day after it ends', '2027-02-02', period, 'consent-missing'],
    ['no first day', '2020-01-01', { to: '2027-02-01' }, 'permitted'],
    ['no last day', '2099-12-31', { from: '2026-02-02' }, 'permitted'],
    ['a single day, on it', '2026-02-02', { from: '2026-02-02', to: '2026-02-02' }, 'permitted'],
    ['a period that ends before it begins', '2026-02-02', { from: '2026-02-03', to: '2026-02-01' }, 'consent-missing'],
    ['the turn of the year', '2026-12-31', { from: '2027-01-01' }, 'consent-missing'],
  ])('%s (%s)', (_what, today, within, expected) => {
    expect(answer({ today, consents: [consent({ period: within })] })).toBe(expected);
  });

  test.each<[string, JsonObject[], string | undefined]>([
    ['the first day, of one to come', [{ period: { from: '2026-07-01', to: '2026-12-31' } }], '2026-07-01'],
    ['the day after the last, of one in force', [{ period }], '2027-02-02'],
    ['tomorrow, of one whose last day it is', [{ period: { to: '2026-06-15' } }], '2026-06-16'],
    ['the earliest, of several', [{ period }, { period: { to: '2026-06-30' } }], '2026-07-01'],
    ['none, of one that has ended', [{ period: { from: '2026-02-02', to: '2026-06-14' } }], undefined],
    ['none, of one without an end', [{ period: { from: '2026-02-02' } }, { period: null }], undefined],
    ['none, of one to somebody else', [{ period, recipients: [{ organizationId: 'org-shelter' }] }], undefined],
    ['none, of one revoked', [{ period, revokedAt: '2026-05-01T09:00:00-04:00' }], undefined],
    ['none, of a refusal', [{ period, status: 'declined' }], undefined],
  ])('another answer comes next on %s', (_what, changes, day) => {
    expect(nextConsentDay({ ...partner, consents: changes.map(consent) })).toBe(day);
  });

  test('a consent without a period has no end', () => {
    const { period: _period, ...endless } = consent();
    expect(answer({ today: '2099-12-31', consents: [endless] })).toBe('permitted');
  });
});

describe('the receiver', () => {
  test.each<[string, Partial<ConsentQuestion>, JsonObject, string]>([
    ['its organization', {}, { organizationId: 'org-pantry' }, 'permitted'],
    ['another organization', {}, { organizationId: 'org-shelter' }, 'consent-missing'],
    ['the name of the connection', {}, { name: 'pantry' }, 'permitted'],
    ['another name', {}, { name: 'shelter' }, 'consent-missing'],
    ['a name that only begins like it', {}, { name: 'pantry on Elm Street' }, 'consent-missing'],
    [
      'an organization, where the connection has none',
      { organization: undefined },
      { organizationId: 'x' },
      'consent-missing',
    ],
    ['neither, where the connection has none', { organization: undefined }, {}, 'consent-missing'],
    ['my treating providers, and it is none', {}, { class: 'my treating providers' }, 'consent-missing'],
    [
      'my treating providers, and it is one',
      { basis: 'treatment', sensitivity: ['hiv'] },
      { class: 'My treating providers' },
      'permitted',
    ],
    [
      'another class, at a hospital',
      { basis: 'treatment', sensitivity: ['hiv'] },
      { class: 'my landlords' },
      'consent-missing',
    ],
  ])('named as %s', (_what, question, recipient, expected) => {
    const named = consent({ recipients: [recipient], sensitivity: ['hiv'] });
    expect(answer({ ...question, consents: [named] })).toBe(expected);
  });

  const hospital = { basis: 'treatment', recordType: 'need', sensitivity: ['substance-use-part2'] } as const;
  const toClass = (name: string, more: JsonObject = {}) =>
    answer({
      ...hospital,
      consents: [consent({ recipients: [{ class: name, ...more }], sensitivity: ['substance-use-part2'] })],
    });

  test.each([
    'my treating providers',
    '  My  Treating Providers. ',
    'My treating clinicians',
    'treating healthcare providers',
    'all of my treating health care providers',
    'all of my past, present and future treating providers',
    'All of the client’s past, present, and future treating clinicians',
    "the patient's treating provider",
    // 42 CFR 2.31(a)(4), for treatment, payment and health care operations.
    'my treating providers, health plans, third-party payers, and people helping to operate this program',
  ])('whoever treats the client, as "%s"', (name) => {
    expect(toClass(name)).toBe('permitted');
  });

  test.each([
    'Methadone treatment programs in Albany County',
    'substance use disorder treatment programs',
    'my treatment team',
    'my parole officer and treatment court team',
    'health plans, for payment of treatment',
    'court-ordered treatment monitors',
    'all providers who are not treating me',
    'anyone except my treating providers',
    'not my treating providers',
    'my treating providers except the hospital',
    'my treating providers in Albany County',
    'my treating providers and my landlord',
    'my former treating providers',
    'one of my treating providers',
    'health plans, third-party payers, and people helping to operate this program',
    'providers',
    '',
  ])('anybody else, as "%s", permits no hospital anything', (name) => {
    expect(toClass(name)).toBe('consent-missing');
  });

  test.each<[string, JsonObject]>([
    ['a name', { name: 'Dr. Lee' }],
    ['an organization', { organizationId: 'org-shelter' }],
  ])('whoever treats the client, with %s beside it, is that one', (_what, more) => {
    expect(toClass('my treating providers', more)).toBe('consent-missing');
  });

  test('one of several is enough', () => {
    const named = consent({ recipients: [{ organizationId: 'org-shelter' }, { organizationId: 'org-pantry' }] });
    expect(answer({ consents: [named] })).toBe('permitted');
  });
});

describe('the record type', () => {
  test.each([
    ['a type that it names', 'need', 'permitted'],
    ['a type that it does not name', 'carePlan', 'consent-type'],
    ['a type that nobody knows', 'palmReading', 'consent-type'],
    ['who the client is', 'client', 'permitted'],
    ['that there is a case', 'case', 'permitted'],
    ['the consent itself', 'consent', 'permitted'],
  ])('%s (%s): %s', (_what, recordType, expected) => {
    expect(answer({ recordType, consents: [consent({ recordTypes: ['need', 'referral'] })] })).toBe(expected);
  });

  test.each(['client', 'case', 'consent'])('%s does not go alone', (recordType) => {
    expect(answer({ recordType })).toBe('consent-missing');
  });
});

describe('sensitive content', () => {
  test.each<[string, string[], JsonObject[], string]>([
    ['a label that the consent names', ['hiv'], [consent({ sensitivity: ['hiv'] })], 'permitted'],
    ['a label that it does not name', ['hiv'], [consent()], 'consent-sensitivity'],
    [
      'another label than the one it names',
      ['hiv'],
      [consent({ sensitivity: ['mental-health'] })],
      'consent-sensitivity',
    ],
    ['one of two labels', ['hiv', 'mental-health'], [consent({ sensitivity: ['hiv'] })], 'consent-sensitivity'],
    [
      'two labels, a consent for each',
      ['hiv', 'mental-health'],
      [consent({ sensitivity: ['hiv'] }), consent({ sensitivity: ['mental-health'] })],
      'permitted',
    ],
    ['a label that nobody knows', ['new-label'], [consent({ sensitivity: ['hiv'] })], 'consent-sensitivity'],
    [
      'the label named by a consent for another type',
      ['hiv'],
      [consent(), consent({ recordTypes: ['need'], sensitivity: ['hiv'] })],
      'consent-sensitivity',
    ],
    [
      'the label named by a consent for somebody else',
      ['hiv'],
      [consent(), consent({ recipients: [{ name: 'shelter' }], sensitivity: ['hiv'] })],
      'consent-sensitivity',
    ],
    [
      'the label named by a revoked consent',
      ['hiv'],
      [consent(), consent({ status: 'revoked', sensitivity: ['hiv'] })],
      'consent-sensitivity',
    ],
  ])('%s', (_what, sensitivity, consents, expected) => {
    expect(answer({ sensitivity, consents })).toBe(expected);
  });

  test('to the hospital that treats the client, what is not sensitive needs no consent', () => {
    expect(answer({ basis: 'treatment' })).toBe('permitted');
  });

  test('to the hospital that treats the client, a safety plan needs one that names it all the same', () => {
    const question = { basis: 'treatment', recordType: 'safetyPlan' } as const;
    expect(answer(question)).toBe('consent-missing');
    expect(answer({ ...question, consents: [consent()] })).toBe('consent-type');
    expect(answer({ ...question, consents: [consent({ recordTypes: ['safetyPlan'] })] })).toBe('permitted');
  });

  test('to the hospital that treats the client, what is sensitive needs one that names it', () => {
    const question = { basis: 'treatment', sensitivity: ['substance-use-part2'] } as const;
    expect(answer(question)).toBe('consent-missing');
    expect(answer({ ...question, consents: [consent()] })).toBe('consent-sensitivity');
    expect(answer({ ...question, consents: [consent({ sensitivity: ['substance-use-part2'] })] })).toBe('permitted');
  });
});

describe('a signature', () => {
  const hospital = { basis: 'treatment', recordType: 'need', sensitivity: ['substance-use-part2'] } as const;
  const { signedAt: _signedAt, ...unsigned } = consent({ sensitivity: ['substance-use-part2'] });

  // 42 CFR 2.31(a)(8) and (9): the signature, and its date.
  test.each<[string, JsonObject, string]>([
    ['no time', {}, 'consent-unsigned'],
    ['a time that is none', { signedAt: 'last week' }, 'consent-unsigned'],
    ['a time that has not come', { signedAt: '2026-06-15T12:05:01-04:00' }, 'consent-unsigned'],
    ['a time within the error of clocks', { signedAt: '2026-06-15T12:05:00-04:00' }, 'permitted'],
    ['a time that has passed', { signedAt: '2026-06-15T11:59:00-04:00' }, 'permitted'],
  ])('with %s lets what is sensitive go: %s', (_what, change, expected) => {
    expect(answer({ ...hospital, consents: [{ ...unsigned, ...change }] })).toBe(expected);
    expect(answer({ sensitivity: ['substance-use-part2'], consents: [{ ...unsigned, ...change }] })).toBe(expected);
  });

  test('is not asked for where the consent does not name the label', () => {
    expect(answer({ ...hospital, sensitivity: ['hiv'], consents: [unsigned] })).toBe('consent-sensitivity');
  });

  test('is not asked for what bears no label', () => {
    expect(answer({ consents: [unsigned] })).toBe('permitted');
    const plan = { ...unsigned, recordTypes: ['safetyPlan'] };
    expect(answer({ basis: 'treatment', recordType: 'safetyPlan', consents: [plan] })).toBe('permitted');
  });

  test.each<[string, JsonObject[], string | undefined]>([
    [
      '5 minutes before the first that lies ahead',
      [{ signedAt: '2026-08-01T12:00:00Z' }, { signedAt: '2026-07-01T12:00:00Z' }],
      '2026-07-01T11:55:00Z',
    ],
    ['never, of one that counts', [{ signedAt: '2026-06-15T12:05:00-04:00' }, { signedAt: null }], undefined],
    ['never, of a time that is none', [{ signedAt: 'next week' }], undefined],
    [
      'never, of one to somebody else',
      [{ signedAt: '2026-08-01T12:00:00Z', recipients: [{ name: 'shelter' }] }],
      undefined,
    ],
    ['never, of one revoked', [{ signedAt: '2026-08-01T12:00:00Z', revokedAt: '2026-05-01T09:00:00Z' }], undefined],
    ['never, of a refusal', [{ signedAt: '2026-08-01T12:00:00Z', status: 'declined' }], undefined],
  ])('begins to count next %s', (_when, changes, at) => {
    const next = nextSignature({ ...partner, consents: changes.map(consent) });
    expect(next).toBe(at === undefined ? undefined : Date.parse(at));
  });

  test('of another consent is enough', () => {
    const signed = consent({ id: 'consent-signed', sensitivity: ['substance-use-part2'] });
    expect(answer({ ...hospital, consents: [unsigned, signed] })).toBe('permitted');
  });
});

describe('several consents', () => {
  const refusal = (overrides: JsonObject = {}) => consent({ id: 'consent-no', status: 'declined', ...overrides });

  test('a revoked one takes nothing from the one that took its place', () => {
    const revoked = consent({ id: 'consent-old', status: 'revoked', revokedAt: '2026-01-31T09:00:00-05:00' });
    expect(answer({ consents: [revoked, consent()] })).toBe('permitted');
  });

  test('a refusal of somebody else, or of another type, takes nothing away', () => {
    const elsewhere = refusal({ recipients: [{ organizationId: 'org-shelter' }] });
    expect(answer({ consents: [consent(), elsewhere, refusal({ recordTypes: ['carePlan'] })] })).toBe('permitted');
  });

  // The client said yes in February and no in May.
  const may = '2026-05-04T10:00:00-04:00';
  const june = '2026-06-01T10:00:00-04:00';

  test('a later refusal of the same receiver and type beats an earlier consent, in any order', () => {
    const consents = [consent(), refusal({ signedAt: may })];
    expect([answer({ consents }), answer({ consents: consents.toReversed() })]).toEqual([
      'consent-refused',
      'consent-refused',
    ]);
  });

  test('a consent after the refusal permits again', () => {
    const again = consent({ id: 'consent-again', signedAt: june });
    expect(answer({ consents: [consent(), refusal({ signedAt: may }), again] })).toBe('permitted');
  });

  test('a refusal at the same moment as the consent, as in one packet of forms, is heard', () => {
    const both = [consent({ signedAt: may }), refusal({ signedAt: may })];
    expect(answer({ consents: both })).toBe('consent-refused');
    expect(answer({ basis: 'treatment', consents: both })).toBe('consent-refused');
    const labelled = [
      consent({ signedAt: may, sensitivity: ['hiv'] }),
      refusal({ signedAt: '2026-05-04T14:00:00Z', sensitivity: ['hiv'] }),
    ];
    expect(answer({ sensitivity: ['hiv'], consents: labelled })).toBe('consent-sensitivity');
  });

  test('a consent said to be signed in the future is not later than a refusal', () => {
    const typed = consent({ id: 'consent-typed', signedAt: '2062-03-02T09:00:00-05:00' });
    expect(answer({ consents: [typed, refusal({ signedAt: may })] })).toBe('consent-refused');
    expect(answer({ basis: 'treatment', consents: [typed, refusal({ signedAt: may })] })).toBe('consent-refused');
  });

  test('who the client is goes as long as anything else may', () => {
    const some = consent({ recordTypes: ['referral', 'need'] });
    const no = (...recordTypes: string[]) => refusal({ signedAt: may, recordTypes });
    expect(answer({ recordType: 'client', consents: [some, no('referral')] })).toBe('permitted');
    expect(answer({ recordType: 'client', consents: [some, no('referral', 'need')] })).toBe('consent-refused');
  });

  test('a refusal without a signature, as by word of mouth, is as late as its record', () => {
    const { signedAt: _signedAt, createdAt: _createdAt, updatedAt: _updatedAt, ...unsigned } = refusal();
    const kept = (times: JsonObject) => answer({ consents: [consent(), { ...unsigned, ...times }] });
    const january = '2026-01-05T10:00:00-05:00';
    expect([kept({ updatedAt: may }), kept({ updatedAt: january }), kept({ createdAt: may }), kept({})]).toEqual([
      'consent-refused',
      'permitted',
      'consent-refused',
      'consent-refused',
    ]);
  });

  test.each<[string, JsonObject, string]>([
    ['a name that nobody has here', { name: 'the pantry on Elm Street' }, 'consent-refused'],
    ['a class', { class: 'all community partners' }, 'consent-refused'],
    ['the name of this connection', { name: 'pantry' }, 'consent-refused'],
    ['the name of another connection', { name: 'shelter' }, 'permitted'],
    ['another organization', { organizationId: 'org-shelter' }, 'permitted'],
    ['another organization, with its name', { organizationId: 'org-shelter', name: 'Shelter' }, 'permitted'],
  ])('a refusal of %s', (_what, recipient, expected) => {
    const no = refusal({ signedAt: may, recipients: [recipient] });
    expect(answer({ otherConnections: ['shelter'], consents: [consent(), no] })).toBe(expected);
  });

  test('at the hospital that treats the client, a refusal that names it and the type is heard until a later consent', () => {
    const atHospital = (...consents: JsonObject[]) => answer({ basis: 'treatment', consents });
    const no = refusal({ signedAt: may });
    const again = consent({ id: 'consent-again', signedAt: june });
    expect([atHospital(no), atHospital(consent(), no), atHospital(no, again)]).toEqual([
      'consent-refused',
      'consent-refused',
      'permitted',
    ]);
    expect(answer({ basis: 'treatment', recordType: 'appointment', consents: [no] })).toBe('permitted');
  });

  test.each<[string, JsonObject]>([
    ['of another organization', { recipients: [{ organizationId: 'org-shelter' }] }],
    ['of a class that may be anybody', { recipients: [{ class: 'everybody' }] }],
    ['of a label alone', { sensitivity: ['hiv'] }],
    ['that was revoked', { status: 'revoked' }],
  ])('at the hospital that treats the client, one %s takes nothing away that needs no consent', (_what, change) => {
    expect(answer({ basis: 'treatment', consents: [refusal({ signedAt: may, ...change })] })).toBe('permitted');
  });

  test.each(['my treating providers', 'treatment programs', 'anyone who is treating me'])(
    'at the hospital that treats the client, a refusal of those who treat, as "%s", is heard',
    (name) => {
      const no = refusal({ signedAt: may, recipients: [{ class: name }] });
      expect(answer({ basis: 'treatment', consents: [no] })).toBe('consent-refused');
      expect(answer({ consents: [consent(), no] })).toBe('consent-refused');
    },
  );

  test.each<[string, JsonObject, string]>([
    ['what it is a part of', { organizationId: 'org-county' }, 'consent-refused'],
    ['what that is a part of', { organizationId: 'org-state' }, 'consent-refused'],
    ['another part of the same', { organizationId: 'org-shelter' }, 'permitted'],
    ['its name', { name: 'Elm Street Pantry' }, 'consent-refused'],
    ['its name in other letters and spaces', { name: ' ELM  street\tpantry' }, 'consent-refused'],
    ['the name of what it is a part of', { name: 'county relief' }, 'consent-refused'],
    ['its name beside the record of another', { name: 'Elm Street Pantry', organizationId: 'x' }, 'consent-refused'],
    ['a name that only begins like it', { name: 'Elm Street Pantry Annex' }, 'permitted'],
  ])('at the hospital that treats the client, a refusal of %s', (_what, recipient, expected) => {
    const partOf = ['org-county', 'org-state'];
    const names = ['Elm Street Pantry', 'County Relief'];
    const no = refusal({ signedAt: may, recipients: [recipient] });
    expect(answer({ basis: 'treatment', partOf, names, consents: [no] })).toBe(expected);
  });

  test('a refusal of what a partner is a part of beats an earlier consent, and a consent to that permits nothing', () => {
    const recipients = [{ organizationId: 'org-county' }];
    const partOf = ['org-county'];
    expect(answer({ partOf, consents: [consent(), refusal({ signedAt: may, recipients })] })).toBe('consent-refused');
    expect(answer({ partOf, consents: [consent({ recipients })] })).toBe('consent-missing');
    const names = ['Elm Street Pantry'];
    expect(answer({ names, consents: [consent({ recipients: [{ name: 'Elm Street Pantry' }] })] })).toBe(
      'consent-missing',
    );
  });

  describe('where the record of the receiver is not known in the source', () => {
    const unknown = {
      organization: undefined,
      otherConnections: ['shelter'],
      otherOrganizations: ['org-shelter'],
    };
    const may27 = '2026-05-27T10:00:00-04:00';

    test.each<[string, JsonObject, string]>([
      ['an organization that may be it', { organizationId: 'org-mercy' }, 'consent-refused'],
      ['one with a name that may be it', { organizationId: 'org-mercy', name: 'Mercy General' }, 'consent-refused'],
      ['the organization of another connection', { organizationId: 'org-shelter' }, 'permitted'],
      ['the name of another connection', { organizationId: 'org-mercy', name: 'shelter' }, 'permitted'],
    ])('a refusal of %s', (_what, recipient, expected) => {
      const no = refusal({ signedAt: may27, recipients: [recipient] });
      expect(answer({ ...unknown, basis: 'treatment', consents: [no] })).toBe(expected);
      const yes = consent({ recipients: [{ name: 'pantry' }] });
      expect(answer({ ...unknown, consents: [yes, no] })).toBe(expected);
    });

    test('a consent that names an organization is for nobody known', () => {
      const yes = consent({ recipients: [{ organizationId: 'org-mercy' }] });
      expect(answer({ ...unknown, consents: [yes] })).toBe('consent-missing');
    });

    test('a later consent that names the connection permits again', () => {
      const no = refusal({ signedAt: may27, recipients: [{ organizationId: 'org-mercy' }] });
      const again = consent({ id: 'consent-again', signedAt: june, recipients: [{ name: 'pantry' }] });
      expect(answer({ ...unknown, basis: 'treatment', consents: [no, again] })).toBe('permitted');
    });
  });

  test('a refusal of a class of receivers counts at the hospital that treats the client too, for what needs consent there', () => {
    const question = { basis: 'treatment', recordType: 'safetyPlan' } as const;
    const yes = consent({ recordTypes: ['safetyPlan'] });
    const no = refusal({ signedAt: may, recordTypes: ['safetyPlan'], recipients: [{ class: 'everybody' }] });
    expect(answer({ ...question, consents: [yes, no] })).toBe('consent-refused');
  });

  test('a refusal that names a label takes back that alone', () => {
    const both = consent({ sensitivity: ['hiv', 'mental-health'] });
    const no = refusal({ signedAt: may, sensitivity: ['hiv'] });
    const about = (...sensitivity: string[]) => answer({ sensitivity, consents: [both, no] });
    expect([about(), about('mental-health'), about('hiv')]).toEqual(['permitted', 'permitted', 'consent-sensitivity']);
  });
});

const types = ['client', 'case', 'need', 'goal', 'referral', 'carePlan'];
const labels = ['hiv', 'mental-health', 'substance-use-part2'];
const anyConsent: fc.Arbitrary<JsonObject> = fc.record({
  status: fc.constantFrom('active', 'active', 'active', 'proposed', 'declined', 'revoked', 'expired'),
  scope: fc.subarray(['referral', 'research', 'data-exchange'], { minLength: 1 }),
  recipients: fc.array(
    fc.constantFrom<JsonObject>(
      { organizationId: 'org-pantry' },
      { organizationId: 'org-x' },
      { name: 'pantry' },
      { class: 'my treating providers' },
    ),
    { minLength: 1, maxLength: 2 },
  ),
  recordTypes: fc.subarray(types, { minLength: 1 }),
  sensitivity: fc.subarray(labels),
  period: fc.constantFrom<JsonObject>({}, { from: '2026-06-16' }, { to: '2026-06-15' }, { to: '2026-06-14' }),
  signedAt: fc.constantFrom('2026-05-04T10:00:00-04:00', '2026-06-01T10:00:00-04:00', '2062-05-04T10:00:00-04:00'),
});
const anyQuestion: fc.Arbitrary<ConsentQuestion> = fc.record({
  basis: fc.constantFrom('treatment', 'consent'),
  organization: fc.constantFrom('org-pantry', undefined),
  connection: fc.constant('pantry'),
  recordType: fc.constantFrom(...types),
  sensitivity: fc.subarray(labels),
  consents: fc.array(anyConsent, { maxLength: 4 }),
  today: fc.constant('2026-06-15'),
  now: fc.constant(partner.now),
});

describe('laws', () => {
  test('consents count in any order', () => {
    fc.assert(
      fc.property(anyQuestion, (question) => {
        expect(answer({ ...question, consents: [...question.consents].reverse() })).toBe(answer(question));
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  test('without a consent in force only what a hospital needs for treatment goes, and nothing sensitive', () => {
    fc.assert(
      fc.property(anyQuestion, (question) => {
        const consents = question.consents.map((one) => ({ ...one, status: 'revoked' }));
        const isTreatment = question.basis === 'treatment' && question.sensitivity.length === 0;
        expect(answer({ ...question, consents })).toBe(isTreatment ? 'permitted' : 'consent-missing');
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  test('another label never permits what was withheld', () => {
    fc.assert(
      fc.property(anyQuestion, fc.constantFrom(...labels), (question, label) => {
        if (answer(question) === 'permitted') return;
        expect(answer({ ...question, sensitivity: [...question.sensitivity, label] })).not.toBe('permitted');
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('each label that goes is named by a consent in force for this receiver and type', () => {
    fc.assert(
      fc.property(anyQuestion, (question) => {
        if (answer(question) !== 'permitted') return;
        for (const label of question.sensitivity) {
          const alone = question.consents.filter(
            (one) => Array.isArray(one.sensitivity) && one.sensitivity.includes(label),
          );
          expect(answer({ ...question, sensitivity: [label], consents: alone })).toBe('permitted');
        }
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  test('a reason names the record type and no person', () => {
    fc.assert(
      fc.property(anyQuestion, (question) => {
        const reason = withheldBy(question);
        if (reason === undefined) return;
        expect(reason.text).toContain(question.recordType);
        expect(reason.text).not.toMatch(/hiv|mental|substance|Rosa/);
      }),
      { seed: 9, numRuns: 300 },
    );
  });
});
