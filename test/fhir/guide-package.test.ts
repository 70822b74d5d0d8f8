// Packages come from anywhere: what is no FHIR R4 package, or means harm, is refused by name, and nothing of it is used.

import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { guideFromPackage } from '../../src/fhir/fhir.ts';
import { readGuidePackage } from '../../src/fhir/make-facts/package.ts';
import { aPackage, tarEntry, tgz } from '../support/guide-package.ts';

const about = { name: 'org.example.local', version: '1.2.0', fhirVersions: ['4.0.1'] };
const manifest = tarEntry('package/package.json', Buffer.from(JSON.stringify(about)));
const file = (bytes: Uint8Array) => ({ name: 'local.tgz', bytes });
const element = (id: string, more: object = {}) => ({
  id,
  path: id.replaceAll(/:[^.]*/g, ''),
  min: 0,
  max: '1',
  ...more,
});

function aProfile(more: object = {}, elements: object[] = []): object {
  return {
    resourceType: 'StructureDefinition',
    id: 'local-flag',
    url: 'https://guide.example.org/StructureDefinition/local-flag',
    version: '1.2.0',
    kind: 'resource',
    type: 'Flag',
    derivation: 'constraint',
    baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Flag',
    snapshot: { element: [element('Flag', { max: '*' }), ...elements] },
    ...more,
  };
}

describe('an archive is refused', () => {
  const whole = tgz([manifest, tarEntry('package/a.json', Buffer.from('{}'))]);

  test.each<[string, Uint8Array, string]>([
    ['that is no gzip', Buffer.from('PK\x03\x04 a zip file'), 'it is not compressed with gzip, or it is damaged'],
    ['that is empty', Buffer.alloc(0), 'the archive is cut off'],
    ['that ends early', whole.subarray(0, whole.length - 20), 'the archive is cut off'],
    [
      'whose last file is cut off',
      gzipSync(gunzipSync(whole).subarray(0, manifest.length + 512 + 1)),
      'the archive is cut off',
    ],
    ['that holds no tar file', gzipSync(Buffer.alloc(2048, 'x')), 'it holds no tar archive, or the archive is damaged'],
    ['without a package.json', tgz([tarEntry('readme.json', Buffer.from('{}'))]), 'it holds no package/package.json'],
    [
      'whose names climb out of it',
      tgz([manifest, tarEntry('package/../../etc/passwd', Buffer.from('x'))]),
      'it holds a name that leads out of its folder',
    ],
    [
      'whose names begin at the root',
      tgz([manifest, tarEntry('/etc/passwd', Buffer.from('x'))]),
      'it holds a name that leads out of its folder',
    ],
    [
      'whose names climb out of it in a pax header',
      tgz([
        manifest,
        tarEntry('pax', Buffer.from('30 path=package/../../x.json\n'), 'pax'),
        tarEntry('x', Buffer.from('x')),
      ]),
      'it holds a name that leads out of its folder',
    ],
    [
      'with a symbolic link',
      tgz([manifest, tarEntry('package/x.json', Buffer.alloc(0), 'symbolicLink')]),
      'it holds a link or a device, which no guide needs',
    ],
    [
      'with a hard link',
      tgz([manifest, tarEntry('package/x.json', Buffer.alloc(0), 'hardLink')]),
      'it holds a link or a device, which no guide needs',
    ],
    [
      'with a device',
      tgz([manifest, tarEntry('package/x.json', Buffer.alloc(0), 'device')]),
      'it holds a link or a device, which no guide needs',
    ],
    [
      'with a file that is no JSON',
      tgz([manifest, tarEntry('package/Flag.json', Buffer.from('{"a":'))]),
      'package/Flag.json is no JSON',
    ],
    [
      'with a package.json that names nothing',
      tgz([tarEntry('package/package.json', Buffer.from('{}'))]),
      'package/package.json gives no name and version',
    ],
  ])('%s', (_what, bytes, problem) => {
    expect(() => readGuidePackage(file(bytes))).toThrow(
      `The file local.tgz is not a FHIR package: ${problem}. Give a package.tgz as its publisher made it.`,
    );
  });

  test('that unpacks to more than it may', () => {
    const bomb = tgz([manifest, tarEntry('package/x.json', Buffer.alloc(4_000_000, ' '))]);
    expect(bomb.length).toBeLessThan(10_000);
    expect(() => readGuidePackage(file(bomb), { bytes: 1_000_000, files: 100 })).toThrow(
      'it unpacks to more than 1000000 bytes',
    );
  });

  test('that holds more files than it may', () => {
    const many = Array.from({ length: 12 }, (_, at) => tarEntry(`package/${at}.json`, Buffer.from('{}')));
    expect(() => readGuidePackage(file(tgz([manifest, ...many])), { bytes: 1_000_000, files: 10 })).toThrow(
      'it holds more than 10 files',
    );
  });
});

describe('a guide is refused', () => {
  test.each<[string, object, string]>([
    [
      'for another FHIR version',
      { ...about, fhirVersions: ['5.0.0'] },
      'The guide org.example.local is for FHIR 5.0.0; Casebridge speaks R4 (4.0.1).',
    ],
    [
      'for R4B, which is not R4',
      { ...about, fhirVersions: ['4.3.0'] },
      'The guide org.example.local is for FHIR 4.3.0; Casebridge speaks R4 (4.0.1).',
    ],
  ])('%s', (_what, manifest, problem) => {
    expect(() => readGuidePackage(aPackage({ 'package/package.json': manifest }))).toThrow(problem);
  });

  test('whose definitions are for another FHIR version, where its manifest does not say', () => {
    const { fhirVersions: _left, ...silent } = about;
    const guide = aPackage({
      'package/package.json': silent,
      'package/local-flag.json': aProfile({ fhirVersion: '3.0.2' }),
    });
    expect(() => readGuidePackage(guide)).toThrow('is for FHIR 3.0.2');
  });

  test('that has no profile with a snapshot', () => {
    const guide = aPackage({
      'package/package.json': about,
      'package/local-flag.json': aProfile({ snapshot: undefined }),
    });
    expect(() => guideFromPackage(guide, [])).toThrow(
      'holds no profile that facts can be made of (1 have no snapshot)',
    );
  });

  test.each<[string, object, string]>([
    ['an id that is none', { id: '__proto__' }, '/id must match pattern "^[A-Za-z0-9.-]{1,64}$"'],
    ['no elements', { snapshot: {} }, "/snapshot must have required property 'element'"],
    [
      'an element without a path',
      { snapshot: { element: [{ id: 'Flag' }] } },
      "/snapshot/element/0 must have required property 'path'",
    ],
  ])('with a profile of %s', (_what, more, problem) => {
    const guide = aPackage({ 'package/package.json': about, 'package/local-flag.json': aProfile(more) });
    expect(() => readGuidePackage(guide)).toThrow(
      `package/local-flag.json is no StructureDefinition of R4: ${problem}.`,
    );
  });
});

describe('the report of a guide', () => {
  const valueSet = (url: string, include: object[]) => ({ resourceType: 'ValueSet', url, compose: { include } });
  const bound = (id: string, url: string) =>
    element(id, { type: [{ code: 'CodeableConcept' }], binding: { strength: 'required', valueSet: url } });
  const guide = aPackage({
    'package/package.json': about,
    // Files of a package may have any name.
    'package/fsh-flag.json': aProfile({}, [
      element('Flag', { max: '*', constraint: [{ key: 'local-1', severity: 'error', expression: 'code.exists()' }] }),
      bound('Flag.code', 'https://guide.example.org/ValueSet/some|1.2.0'),
      bound('Flag.category', 'https://guide.example.org/ValueSet/open'),
      element('Flag.subject', {
        type: [
          {
            code: 'Reference',
            targetProfile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|7.0.0'],
          },
        ],
      }),
      element('Flag.author', {
        type: [{ code: 'Reference', targetProfile: ['https://elsewhere.example.org/StructureDefinition/author'] }],
      }),
    ]),
    'package/bare.json': aProfile({ id: 'bare', snapshot: undefined }),
    'package/device.json': aProfile({
      id: 'local-device',
      url: 'https://guide.example.org/device',
      type: 'Device',
      snapshot: { element: [element('Device')] },
    }),
    'package/some.json': valueSet('https://guide.example.org/ValueSet/some', [
      { system: 'urn:a', concept: [{ code: '1' }, { code: '__proto__' }] },
    ]),
    'package/open.json': valueSet('https://guide.example.org/ValueSet/open', [{ system: 'urn:elsewhere' }]),
  });
  const made = guideFromPackage(guide, []);

  test('says what was made', () => {
    expect(made).toMatchObject({
      profiles: ['local-flag'],
      extensions: [],
      valueSets: {
        expanded: ['https://guide.example.org/ValueSet/some'],
        bySystem: ['https://guide.example.org/ValueSet/open'],
      },
    });
    expect(made.facts.profiles['local-flag']?.elements.subject).toEqual({ targets: ['Patient'] });
    expect(made.facts.valueSets['https://guide.example.org/ValueSet/some']).toEqual({
      codes: { 'urn:a': ['1', '__proto__'] },
    });
  });

  test('and what was left out', () => {
    expect(made.leftOut).toEqual({
      withoutSnapshot: ['bare'],
      otherTypes: ['Device: local-device'],
      unresolved: ['https://elsewhere.example.org/StructureDefinition/author (local-flag: Flag.author)'],
      notEvaluated: {
        'local-flag': [
          'codes of urn:elsewhere in value set https://guide.example.org/ValueSet/open of Flag.category',
          'invariant local-1 at Flag',
        ],
      },
    });
  });

  test('a value set that holds itself is not known, and ends', () => {
    const url = 'https://guide.example.org/ValueSet/round';
    const round = aPackage({
      'package/package.json': about,
      'package/flag.json': aProfile({}, [bound('Flag.code', url)]),
      'package/round.json': valueSet(url, [{ valueSet: [url] }]),
    });
    expect(guideFromPackage(round, []).facts.valueSets).toEqual({});
  });
});
