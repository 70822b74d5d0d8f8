// What is known of profiles when mappings load: guides of one's own, what they require and must be supported, and values that they refuse.

import { describe, expect, test } from '@jest/globals';
import type { GuideFacts } from '../../src/fhir/fhir.ts';
import { compileMappings, type MappingFile, type MappingSet } from '../../src/mapping/mapping.ts';
import { aClient } from '../builders.ts';
import { context, mappings, shippedMappings } from './fixtures.ts';

const profileUrl = 'https://guide.example.org/StructureDefinition/local-patient';

function localGuide(elements: GuideFacts['profiles'][string]['elements'], id = 'local-patient'): GuideFacts {
  const profile = {
    url: profileUrl,
    version: '1.0.0',
    type: 'Patient',
    base: 'http://hl7.org/fhir/StructureDefinition/Patient',
    elements,
  };
  return { guide: 'org.example.local', version: '1.0.0', profiles: { [id]: profile }, valueSets: {} };
}

const guideFile = (facts: object): MappingFile => ({ path: 'guides/local.json', text: JSON.stringify(facts) });

/** What the client's mapping needs: compiling all of them takes much longer. */
const ofClient = shippedMappings.filter(({ path }) => /^(client|systems)\.yaml$|\//.test(path));

/** The client's mapping with these texts exchanged, beside a guide. */
function withClient(changes: readonly (readonly [string, string])[], ...guides: MappingFile[]) {
  const change = ({ path, text }: MappingFile): MappingFile => ({
    path,
    text: path === 'client.yaml' ? changes.reduce((before, [from, to]) => before.replace(from, to), text) : text,
  });
  return compileMappings([...ofClient.map(change), ...guides]);
}

function compiled(result: ReturnType<typeof compileMappings>): MappingSet {
  if (!('set' in result)) throw new Error(JSON.stringify(result.problems));
  return result.set;
}

function clientWarnings(result: ReturnType<typeof compileMappings>): string[] {
  return compiled(result)
    .warnings.filter(({ path }) => path === 'client.yaml')
    .map(({ message }) => message);
}

const ladder = (profiles: string) => ['profile: [us-core-patient]', `profile: [${profiles}]`] as const;

describe('a guide of the user', () => {
  test('may be named: its profile is checked and claimed', () => {
    const set = compiled(
      withClient([ladder('local-patient, us-core-patient')], guideFile(localGuide({ gender: { min: 1 } }))),
    );
    const [patient] = set.mapping('client')?.project(aClient(), context) ?? [];
    expect(patient?.resource.meta).toMatchObject({ profile: [profileUrl] });
  });

  test('is stepped down from where the resource falls short of it', () => {
    const guide = guideFile(localGuide({ photo: { min: 1 } }));
    const set = compiled(withClient([ladder('local-patient, us-core-patient')], guide));
    const [patient] = set.mapping('client')?.project(aClient(), context) ?? [];
    expect(patient?.resource.meta).toMatchObject({
      profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient'],
    });
    expect(patient?.issues).toContainEqual(
      expect.objectContaining({
        code: 'profile-step-down',
        message: 'Not claimed as local-patient: cardinality: photo is required.',
      }),
    );
  });

  test('has its claims compared and taken over as those of the shipped guides are', () => {
    const set = compiled(withClient([ladder('local-patient')], guideFile(localGuide({}))));
    const slot = set.mapping('client')?.slot('patient');
    const claiming = { resourceType: 'Patient', meta: { profile: [profileUrl] } };
    expect(slot?.facts(claiming)['meta.profile']).toEqual([profileUrl]);
    expect(
      slot?.copy(['meta.profile'], claiming, { resourceType: 'Patient', meta: { profile: ['urn:theirs'] } }),
    ).toMatchObject({
      meta: { profile: [profileUrl, 'urn:theirs'] },
    });
  });

  test('is part of the version, so that whoever runs the mapping has the guide', () => {
    expect(compiled(withClient([], guideFile(localGuide({})))).version).not.toBe(compiled(withClient([])).version);
  });

  test('takes the place of a shipped one by the same package name', () => {
    const guide = guideFile({ ...localGuide({}, 'us-core-patient'), guide: 'hl7.fhir.us.core', version: '6.1.0' });
    const set = compiled(withClient([], guide));
    const [patient] = set.mapping('client')?.project(aClient(), context) ?? [];
    expect(patient?.resource.meta).toMatchObject({ profile: [profileUrl] });
    expect(withClient([ladder('us-core-practitioner')], guide)).toMatchObject({
      problems: [{ message: 'There is no profile "us-core-practitioner".' }],
    });
  });

  test.each([
    ['no JSON', '{', 'This is no JSON.'],
    [
      'an empty object',
      '{}',
      "These are no facts of a guide: the file must have required property 'guide'. Make them again.",
    ],
    [
      'a maximum that is no number',
      JSON.stringify({ ...localGuide({ gender: { min: 1 } }) }).replace('"min":1', '"max":"many"'),
      'These are no facts of a guide: /profiles/local-patient/elements/gender/max must match pattern "^\\*$". Make them again.',
    ],
    [
      'a word that facts do not have',
      JSON.stringify(localGuide({})).replace('"elements"', '"elemnts":{},"elements"'),
      'These are no facts of a guide: /profiles/local-patient must not have "elemnts". Make them again.',
    ],
    [
      'a profile id of another guide',
      JSON.stringify(localGuide({}, 'us-core-patient')),
      'The profile us-core-patient is in hl7.fhir.us.core 7.0.0 and in org.example.local 1.0.0; leave one of them out.',
    ],
  ])('with %s is refused', (_what, text, message) => {
    expect(compileMappings([...ofClient, { path: 'guides/local.json', text }])).toEqual({
      problems: [{ path: 'guides/local.json', line: 1, column: 1, message }],
    });
  });
});

describe('what a profile says must be supported and no rule fills is a warning', () => {
  test('of one line for each profile and slot, by name', () => {
    const guide = guideFile(
      localGuide({
        photo: { mustSupport: true },
        gender: { mustSupport: true },
        name: { mustSupport: true },
        'name.text': { mustSupport: true },
        'name.family': { mustSupport: true },
        'deceased[x]': { mustSupport: true },
        'multipleBirth[x]': { mustSupport: true },
        identifier: { mustSupport: true },
      }),
    );
    expect(clientWarnings(withClient([ladder('local-patient, us-core-patient')], guide))).toEqual([
      'No rule fills what must be supported by local-patient in "patient": photo, name.text, multipleBirth[x].',
    ]);
  });

  test('also for a slice that no rule can make', () => {
    const extension = (url: string) => ({ profiles: [url], mustSupport: true }) as const;
    const guide = guideFile(
      localGuide({
        extension: { slicing: { discriminators: [['value', 'url']], rules: 'open' } },
        'extension:race': extension('http://hl7.org/fhir/us/core/StructureDefinition/us-core-race'),
        'extension:tribe': extension('https://guide.example.org/StructureDefinition/tribe'),
      }),
    );
    expect(clientWarnings(withClient([ladder('local-patient')], guide))).toEqual([
      'No rule fills what must be supported by local-patient in "patient": extension:tribe.',
    ]);
  });

  test('but a slice that only the type of its value tells apart is seen, whatever the value will be', () => {
    const slicing = { discriminators: [['type', '$this']], rules: 'open' } as const;
    const guide = guideFile(
      localGuide({
        'deceased[x]': { slicing },
        'deceased[x]:deceasedDateTime': { types: ['dateTime'], mustSupport: true },
        'deceased[x]:deceasedBoolean': { types: ['boolean'], mustSupport: true },
      }),
    );
    expect(clientWarnings(withClient([ladder('local-patient')], guide))).toEqual([
      'No rule fills what must be supported by local-patient in "patient": deceased[x]:deceasedBoolean.',
    ]);
  });

  test('and that is all that the shipped mappings leave undone', () => {
    const others = mappings.warnings.filter(
      ({ message }) => !message.startsWith('No rule fills what must be supported by'),
    );
    expect(mappings.warnings.length).toBeGreaterThan(5);
    expect(others).toEqual([]);
  });
});

describe('a rule that can only break the profile is a warning', () => {
  const refused = (elements: GuideFacts['profiles'][string]['elements'], ...changes: (readonly [string, string])[]) =>
    clientWarnings(withClient([ladder('local-patient'), ...changes], guideFile(localGuide(elements))));

  test('where a fixed value or a pattern asks for another one', () => {
    expect(refused({ 'telecom.system': { fixed: 'email' } })).toEqual([
      expect.stringMatching(
        /^client\.yaml:\d+ makes what local-patient refuses at Patient\.telecom\.system: the profile fixes another value\.$/,
      ),
    ]);
  });

  test('where codes of a ConceptMap are outside a required value set', () => {
    const valueSet = 'https://guide.example.org/ValueSet/genders';
    const guide = localGuide({ gender: { binding: ['required', valueSet] } });
    const codes = { 'http://hl7.org/fhir/administrative-gender': ['female', 'male', 'unknown'] };
    const result = withClient([ladder('local-patient')], guideFile({ ...guide, valueSets: { [valueSet]: { codes } } }));
    expect(clientWarnings(result)).toEqual([
      expect.stringMatching(/ refuses at Patient\.gender: other is in no code of the required value set /),
    ]);
  });

  test('where a choice is made of a type that the profile does not allow', () => {
    expect(refused({ 'deceased[x]': { types: ['boolean'] } })).toEqual([
      expect.stringMatching(/ refuses at Patient\.deceased\[x\]: the profile allows only boolean\.$/),
    ]);
  });

  test('where no rule makes a slice that the profile requires', () => {
    const slicing = { discriminators: [['value', 'system']], rules: 'open' } as const;
    const elements = (system: string) => ({
      telecom: { slicing },
      'telecom:needed': { min: 1 },
      'telecom:needed.system': { min: 1, fixed: system },
    });
    expect(refused(elements('fax'))).toEqual(['No rule fills Patient.telecom:needed, which local-patient requires.']);
    expect(refused(elements('email'))).toEqual([]);
  });

  test('but what depends on the record is left to the check of the resource', () => {
    expect(refused({ 'name.family': { fixed: 'Delgado' }, 'identifier.system': { fixed: 'urn:x' } })).toEqual([]);
  });
});
