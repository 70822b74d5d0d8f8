// What a receiver concludes that reads a Consent as R4 has it is what we decide by its record: no more, and of the ordinary no less.

import { describe, expect, test } from '@jest/globals';
import { withheldBy } from '../../src/access/access.ts';
import { isObject, type JsonObject, objectAt, objectsAt } from '../../src/json.ts';
import { aConsent } from '../builders.ts';
import { context, mappingOf, resolve } from './fixtures.ts';

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** By what code content bears each of our labels. */
const codes = {
  'substance-use-part2': `${actCode}|42CFRPart2`,
  'mental-health': `${actCode}|PSY`,
  hiv: `${actCode}|HIV`,
  'domestic-violence': `${actCode}|SDV`,
  'reproductive-health': `${actCode}|SEX`,
  'minor-consented': `${context.identifierSystem}/CodeSystem/consent-sensitivity|minor-consented`,
};

type Label = keyof typeof codes;

const labels = Object.keys(codes).filter((label): label is Label => label in codes);

/** All 64. */
const subsets = Array.from({ length: 2 ** labels.length }, (_, bits) =>
  labels.filter((_label, at) => bits & (1 << at)),
);

function consentOf(overrides: JsonObject): JsonObject | undefined {
  return mappingOf('consent').project({ ...aConsent(), ...overrides }, context)[0]?.resource;
}

/** A rule without labels is about all content; one with labels about content that bears one of them. */
function isAbout(provision: JsonObject, label: Label | undefined): boolean {
  const named = objectsAt(provision, 'securityLabel').map(({ system, code }) => `${system}|${code}`);
  return named.length === 0 || (label !== undefined && named.includes(codes[label]));
}

/** R4 Consent: a provision within another is an exception from it. */
function says(consent: JsonObject | undefined, label: Label | undefined): 'permit' | 'deny' | 'nothing' {
  const root = objectAt(consent, 'provision');
  if (root === undefined || !isAbout(root, label)) return 'nothing';
  const exceptions = objectsAt(root, 'provision').filter((rule) => isAbout(rule, label));
  return (exceptions[0] ?? root).type === 'deny' ? 'deny' : 'permit';
}

function isPermitted(consent: JsonObject, label: Label | undefined): boolean {
  const withheld = withheldBy({
    basis: 'consent',
    organization: 'org-pantry',
    connection: 'pantry',
    recordType: 'referral',
    sensitivity: label === undefined ? [] : [label],
    consents: [consent],
    today: '2026-03-02',
    now: Date.parse('2026-03-02T12:00:00-05:00'),
  });
  return withheld === undefined;
}

describe('a consent that is given', () => {
  test('permits what it names and all that bears no label, whatever it names', () => {
    for (const sensitivity of subsets) {
      const record = { ...aConsent(), sensitivity };
      const told = [undefined, ...labels].map((label) => says(consentOf(record), label));
      const decided = [undefined, ...labels].map((label) => (isPermitted(record, label) ? 'permit' : 'deny'));
      expect([sensitivity, told]).toEqual([sensitivity, decided]);
    }
  });

  test.each(['contact-by-text', 'research', 'benefits-application'])('for %s alone is told to nobody', (scope) => {
    expect(isPermitted({ ...aConsent(), scope: [scope] }, undefined)).toBe(false);
    expect(consentOf({ scope: [scope] })).toBeUndefined();
    expect(says(consentOf({ scope: [scope, 'referral'] }), undefined)).toBe('permit');
  });
});

describe('a consent that is declined', () => {
  test('denies all', () => {
    const refused = consentOf({ status: 'declined' });
    expect([undefined, ...labels].map((label) => says(refused, label))).toEqual(Array(7).fill('deny'));
  });

  test('and names labels denies what bears those, and says nothing of the rest', () => {
    const refused = consentOf({ status: 'declined', sensitivity: ['hiv', 'minor-consented'] });
    const told = [undefined, ...labels].map((label) => [label, says(refused, label)]);
    expect(told.filter(([, said]) => said !== 'nothing')).toEqual([
      ['hiv', 'deny'],
      ['minor-consented', 'deny'],
    ]);
  });
});

test.each(['active', 'proposed', 'revoked', 'expired'])(
  'a consent that is %s and was revoked is in force no more',
  (status) => {
    const revoked = { status, revokedAt: '2026-02-20T10:00:00-05:00' };
    expect(isPermitted({ ...aConsent(), ...revoked }, undefined)).toBe(false);
    expect(consentOf(revoked)).toMatchObject({ status: 'inactive' });
  },
);

describe('what the other side makes of one', () => {
  const slot = mappingOf('consent').slot('consent');
  const keys = slot.elements.map(({ key }) => key);

  function absorbed(record: JsonObject, change: (provision: JsonObject) => JsonObject, status?: string) {
    const body = mappingOf('consent').project(record, context)[0]?.resource ?? {};
    const provision = isObject(body.provision) ? change(body.provision) : {};
    return slot.absorb(keys, { ...body, provision, ...(status !== undefined && { status }) }, record, { resolve });
  }

  test.each([
    ['drops the exceptions', ({ provision: _, ...rest }: JsonObject) => rest],
    ['names fewer exceptions', (all: JsonObject) => ({ ...all, provision: [{ type: 'deny', securityLabel: [] }] })],
    ['limits all to a label', (all: JsonObject) => ({ ...all, securityLabel: [{ system: actCode, code: 'HIV' }] })],
    ['turns it round', (all: JsonObject) => ({ ...all, type: 'deny' })],
  ])('which %s: the record names the same labels', (_title, change) => {
    const record = { ...aConsent(), sensitivity: ['mental-health'] };
    expect(absorbed(record, change).patch).toEqual({});
  });

  test.each(['active', 'proposed', 'inactive'])(
    'a refusal that is said to be %s does not become a consent',
    (status) => {
      const record = { ...aConsent(), status: 'declined', sensitivity: ['hiv'] };
      const { patch, issues } = absorbed(record, (provision) => provision, status);
      expect([patch, issues.map(({ code, element }) => [code, element])]).toEqual([{}, [['left-out', 'status']]]);
    },
  );
});
