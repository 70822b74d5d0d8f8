// The shipped facts are what the generators make, and every rule written by hand belongs to an invariant of the facts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { baseInvariants } from '../../src/fhir/base-invariants.ts';
import { baseFacts, shippedGuides } from '../../src/fhir/facts.ts';
import { makeBaseFacts } from '../../src/fhir/make-facts/base.ts';
import { readBaseDefinitions } from '../../src/fhir/make-facts/base-definitions.ts';
import { makeGuideFacts } from '../../src/fhir/make-facts/guide.ts';
import { readGuidePackage } from '../../src/fhir/make-facts/package.ts';
import { profileInvariants } from '../../src/fhir/profile-invariants.ts';
import { aPackage } from '../support/guide-package.ts';

const library = readBaseDefinitions();

test('r4.json is what the definitions give, byte for byte', () => {
  const resources = Object.keys(baseFacts.types).filter((type) => baseFacts.types[type]?.kind === 'resource');
  const shipped = readFileSync(new URL('../../src/fhir/facts/r4.json', import.meta.url), 'utf8');
  expect(`${JSON.stringify(makeBaseFacts(library, resources))}\n` === shipped).toBe(true);
});

test('each base rule written by hand is an invariant of R4 at that place, with its severity', () => {
  // R4 states these on every extension and every resource, not at one place: the facts do not repeat them.
  const everywhere = new Set(['Extension', 'DomainResource']);
  for (const [place, invariants] of Object.entries(baseInvariants).filter(([name]) => !everywhere.has(name))) {
    const [type = '', ...path] = place.split('.');
    const known = baseFacts.types[type]?.elements[path.join('.')]?.constraints?.map(([key, severity]) => ({
      key,
      severity,
    }));
    expect({ place, known }).toEqual({
      place,
      known: expect.arrayContaining(invariants.map(({ key, severity }) => ({ key, severity }))),
    });
  }
});

test('each profile rule written by hand is an invariant of a guide for that type', () => {
  const known = new Set(
    shippedGuides
      .flatMap(({ profiles }) => Object.values(profiles))
      .flatMap(({ type, elements }) =>
        Object.values(elements).flatMap(({ constraints }) =>
          (constraints ?? []).map(([key, severity]) => `${type} ${key} ${severity}`),
        ),
      ),
  );
  const written = Object.entries(profileInvariants).flatMap(([type, invariants]) =>
    invariants.map(({ key, severity }) => `${type} ${key} ${severity}`),
  );
  expect(written.filter((rule) => !known.has(rule))).toEqual([]);
});

test('a value set with codes that nobody ships keeps the systems, and those of others are whole', () => {
  const [, sdohcc] = shippedGuides;
  expect(sdohcc?.valueSets['http://hl7.org/fhir/us/core/ValueSet/us-core-condition-code']?.systems).toContain(
    'http://snomed.info/sct',
  );
  const statuses =
    sdohcc?.valueSets['http://hl7.org/fhir/us/sdoh-clinicalcare/ValueSet/SDOHCC-ValueSetReferralTaskStatus'];
  expect(Object.values(statuses?.codes ?? {}).flat()).toHaveLength(10);
  expect(statuses?.systems).toBeUndefined();
});

test('the facts of a guide are what its profiles say beyond R4, read from its package', () => {
  const guide = readGuidePackage(
    aPackage({
      'package/package.json': about,
      'package/StructureDefinition-local-flag.json': localFlag,
      'package/example/Flag-1.json': {},
    }),
  );
  for (const definition of guide.definitions) {
    library.add(definition);
  }
  const unresolved: string[] = [];
  const facts = makeGuideFacts(library, guide, (canonical) => unresolved.push(canonical));
  expect(facts).toEqual({
    guide: 'org.example.local',
    version: '1.2.0',
    profiles: {
      'local-flag': {
        url: 'https://guide.example.org/StructureDefinition/local-flag',
        version: '1.2.0',
        type: 'Flag',
        base: 'http://hl7.org/fhir/StructureDefinition/Flag',
        elements: {
          '': { constraints: [['local-1', 'error', 'code.exists()']] },
          identifier: { min: 1, max: 3, mustSupport: true },
          status: { fixed: 'active' },
          category: { slicing: { discriminators: [['pattern', '$this']], rules: 'open' } },
          'category:safety': { min: 1, max: 1, pattern: { coding: [{ code: 'safety' }] } },
          subject: { targets: ['Patient'] },
        },
      },
    },
    valueSets: {},
  });
  expect(unresolved).toEqual(['https://elsewhere.example.org/StructureDefinition/author']);
});

const packages = process.env.CASEBRIDGE_TEST_GUIDES;

// The packages are not shipped. The variable names a folder that holds them as published, such as hl7.fhir.us.core-7.0.0.tgz.
(packages === undefined ? test.skip : test)('the shipped guide facts are what the packages give, byte for byte', () => {
  const core = 'hl7.fhir.us.core-7.0.0';
  const sdohcc = 'hl7.fhir.us.sdoh-clinicalcare-2.3.0';
  const read = (name: string) => readGuidePackage({ name, bytes: readFileSync(join(packages ?? '', `${name}.tgz`)) });
  const whole = readBaseDefinitions();
  for (const [name, file] of [
    [core, 'us-core-7.0.0.json'],
    [sdohcc, 'sdohcc-2.3.0.json'],
  ] as const) {
    const guide = read(name);
    for (const definition of guide.definitions) {
      whole.add(definition);
    }
    const facts = `${JSON.stringify(makeGuideFacts(whole, guide, () => undefined))}\n`;
    const shipped = readFileSync(new URL(`../../src/fhir/facts/${file}`, import.meta.url), 'utf8');
    expect({ file, isSame: facts === shipped }).toEqual({ file, isSame: true });
  }
});

const about = { name: 'org.example.local', version: '1.2.0' };

const localFlag = {
  resourceType: 'StructureDefinition',
  id: 'local-flag',
  url: 'https://guide.example.org/StructureDefinition/local-flag',
  version: '1.2.0',
  kind: 'resource',
  type: 'Flag',
  derivation: 'constraint',
  baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Flag|4.0.1',
  snapshot: {
    element: [
      {
        id: 'Flag',
        path: 'Flag',
        min: 0,
        max: '*',
        constraint: [{ key: 'local-1', severity: 'error', expression: 'code.exists()' }],
      },
      {
        id: 'Flag.identifier',
        path: 'Flag.identifier',
        min: 1,
        max: '3',
        mustSupport: true,
        type: [{ code: 'Identifier' }],
      },
      { id: 'Flag.status', path: 'Flag.status', min: 1, max: '1', fixedCode: 'active', type: [{ code: 'code' }] },
      {
        id: 'Flag.category',
        path: 'Flag.category',
        min: 0,
        max: '*',
        slicing: { discriminator: [{ type: 'pattern', path: '$this' }], rules: 'open' },
        type: [{ code: 'CodeableConcept' }],
      },
      {
        id: 'Flag.category:safety',
        path: 'Flag.category',
        sliceName: 'safety',
        min: 1,
        max: '1',
        patternCodeableConcept: { coding: [{ code: 'safety' }] },
        type: [{ code: 'CodeableConcept' }],
      },
      {
        id: 'Flag.subject',
        path: 'Flag.subject',
        min: 1,
        max: '1',
        type: [{ code: 'Reference', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Patient|4.0.1'] }],
      },
      {
        id: 'Flag.author',
        path: 'Flag.author',
        min: 0,
        max: '1',
        type: [{ code: 'Reference', targetProfile: ['https://elsewhere.example.org/StructureDefinition/author'] }],
      },
    ],
  },
};
