// The shipped facts are what the generators make, and every rule written by hand belongs to an invariant of the facts.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { readBaseDefinitions } from '../../scripts/base-definitions.ts';
import { baseInvariants } from '../../src/fhir/base-invariants.ts';
import { baseFacts, guides } from '../../src/fhir/facts.ts';
import { makeBaseFacts } from '../../src/fhir/make-facts/base.ts';
import { makeGuideFacts, readGuidePackage } from '../../src/fhir/make-facts/guide.ts';
import { profileInvariants } from '../../src/fhir/profile-invariants.ts';

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
    guides
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
  const [, sdohcc] = guides;
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
    gzipSync(
      tar({
        'package/package.json': about,
        'package/StructureDefinition-local-flag.json': localFlag,
        'package/example/Flag-1.json': {},
      }),
    ),
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

test('what is no package is refused', () => {
  expect(() => readGuidePackage(gzipSync(tar({ 'readme.json': {} })))).toThrow('not a FHIR package');
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

/** A tar file of JSON files; the second name stands in a pax header, as long names do. */
function tar(files: { [name: string]: object }): Buffer {
  const parts = Object.entries(files).flatMap(([name, content], at) => {
    const entry = (path: string, kind: string, body: Buffer) => {
      const header = Buffer.alloc(512);
      header.write(path, 0);
      header.write(body.length.toString(8).padStart(11, '0'), 124);
      header.write(kind, 156);
      return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
    };
    const body = Buffer.from(JSON.stringify(content));
    const record = ` path=${name}\n`;
    const pax = Buffer.from(`${record.length + 2}${record}`);
    return at === 1 ? [...entry('pax', 'x', pax), ...entry('short-name', '0', body)] : entry(name, '0', body);
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
