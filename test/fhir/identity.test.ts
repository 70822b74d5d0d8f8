// Equal content has an equal hash; a record's key gives the same identity in every process.

import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, contentHash, fullUrl, identifierValue, parseReference } from '../../src/fhir/fhir.ts';
import type { Json } from '../../src/json.ts';

test('canonical JSON sorts keys at every depth and has no white space', () => {
  expect(canonicalJson({ b: [{ z: 1, a: null }], a: 'x "y" é', c: true })).toBe(
    '{"a":"x \\"y\\" é","b":[{"a":null,"z":1}],"c":true}',
  );
});

test('canonical JSON is JSON of the same value, whatever the order of keys', () => {
  const json = fc.jsonValue().map((value): Json => JSON.parse(JSON.stringify(value)));
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(value);
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
    }),
  );
});

test('the hash is SHA-256 of the canonical JSON, in hex', () => {
  expect(contentHash({ b: 1, a: 2 })).toBe(createHash('sha256').update('{"a":2,"b":1}').digest('hex'));
  expect(contentHash({ a: [1, 2] })).not.toBe(contentHash({ a: [2, 1] }));
});

test('the identifier value is source/type/id#slot', () => {
  expect(identifierValue({ source: 'county', type: 'referral', id: 'r-1' }, 'request')).toBe(
    'county/referral/r-1#request',
  );
});

test('the fullUrl is a fixed UUIDv5 of system and value', () => {
  const system = 'https://agency.example.org/casebridge';
  expect(fullUrl(system, 'county/referral/r-1#request')).toBe(fullUrl(system, 'county/referral/r-1#request'));
  expect(fullUrl(system, 'county/referral/r-1#request')).toMatch(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(fullUrl(`${system}/2`, 'county/referral/r-1#request')).not.toBe(
    fullUrl(system, 'county/referral/r-1#request'),
  );
});

test('literal references are read, and nothing else is taken for one', () => {
  const base = 'https://fhir.example.org/r4/';
  expect(parseReference('Patient/123')).toEqual({ resourceType: 'Patient', id: '123' });
  expect(parseReference('Patient/123/_history/4')).toEqual({ resourceType: 'Patient', id: '123', version: '4' });
  expect(parseReference('https://fhir.example.org/r4/Patient/123', base)).toEqual({
    resourceType: 'Patient',
    id: '123',
  });
  expect(parseReference('https://other.example.org/r4/Patient/123', base)).toBeUndefined();
  for (const text of [
    '',
    '#a',
    'urn:uuid:00000000-0000-4000-8000-000000000000',
    'Pacient/1',
    'Patient/',
    'Patient/a b',
    'Patient?identifier=1',
    '/Patient/1',
  ]) {
    expect(parseReference(text)).toBeUndefined();
  }
});

function reversed(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(reversed);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, part]) => [key, reversed(part)]),
    );
  }
  return value;
}
