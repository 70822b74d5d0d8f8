// Is this patient our client? The matching table of the design, cell by cell: certain, for a person, or nobody. Never a guess.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Grade } from '../../../src/connections/connections.ts';
import { isObject, type Json, type JsonObject } from '../../../src/json.ts';
import {
  comparePatient,
  isSomebodyElse,
  matchKeys,
  matchPatient,
  strongIdentifiers,
} from '../../../src/lanes/patients/match.ts';
import { aClient } from '../../builders.ts';
import { rosa as aPatient, mrn } from '../../support/patients.ts';

const systems = { mrn: 'urn:oid:1.2.3', medicaid: 'urn:oid:4.5.6' };
const phone = { system: 'phone', value: '+1 518-555-0177' };

/** Rosa Delgado as the hospital would know her from our record, without any number. */
const rosa = (overrides: JsonObject = {}): JsonObject => aPatient('rosa', overrides);

function matchOf(patients: readonly JsonObject[], client: JsonObject = aClient()) {
  return matchPatient(client, strongIdentifiers(client, systems), patients, new Map(), 'https://h.example.org/r4');
}

const client = (overrides: JsonObject): JsonObject => ({ ...aClient(), ...overrides });

describe('one patient', () => {
  test.each<[string, JsonObject, string]>([
    // a number of ours
    ['our MRN, birth date, family name', { identifier: [mrn] }, 'certain'],
    ['our MRN, padded with space', { identifier: [{ ...mrn, value: ' MRN-20417 ' }] }, 'certain'],
    ['our MRN, birth date, family name, another sex', { identifier: [mrn], gender: 'male' }, 'certain'],
    [
      'our MRN, birth date, family name, another given name: a twin whose numbers were mixed up',
      { identifier: [mrn], name: [{ family: 'Delgado', given: ['Ines'] }] },
      'uncertain',
    ],
    [
      'our MRN, birth date, family name, a given name that begins alike only',
      { identifier: [mrn], name: [{ family: 'Delgado', given: ['Rita'] }] },
      'uncertain',
    ],
    [
      'our MRN, birth date, family name, the initial',
      { identifier: [mrn], name: [{ family: 'Delgado', given: ['R'] }] },
      'uncertain',
    ],
    [
      'our MRN, birth date, family name, all given names in one text',
      { identifier: [mrn], name: [{ family: 'Delgado', given: ['Rosa Maria'] }] },
      'certain',
    ],
    [
      'our MRN, birth date, family name, the middle name only',
      { identifier: [mrn], name: [{ family: 'Delgado', given: ['Ana', 'Rosa'] }] },
      'uncertain',
    ],
    [
      'our MRN, birth date, family name, no given name',
      { identifier: [mrn], name: [{ family: 'Delgado' }] },
      'certain',
    ],
    ['our MRN, another birth date', { identifier: [mrn], birthDate: '1991-01-01' }, 'uncertain'],
    ['our MRN, the year of birth only', { identifier: [mrn], birthDate: '1984' }, 'uncertain'],
    ['our MRN, no birth date', { identifier: [mrn], birthDate: null }, 'uncertain'],
    ['our MRN, another family name', { identifier: [mrn], name: [{ family: 'Baker', given: ['Rosa'] }] }, 'uncertain'],
    ['our MRN, no name', { identifier: [mrn], name: [] }, 'uncertain'],
    [
      'our MRN, replaced by another patient',
      { identifier: [mrn], link: [{ type: 'replaced-by', other: {} }] },
      'uncertain',
    ],
    [
      'our MRN, replaced by itself',
      { identifier: [mrn], link: [{ type: 'replaced-by', other: { reference: 'Patient/rosa' } }] },
      'uncertain',
    ],
    [
      'our MRN, and replaces another patient',
      { identifier: [mrn], link: [{ type: 'replaces', other: {} }] },
      'certain',
    ],
    ['our MRN, switched off', { identifier: [mrn], active: false }, 'uncertain'],
    ['our MRN in another system, nothing else', { identifier: [{ ...mrn, system: 'urn:oid:9' }] }, 'uncertain'],
    ['our MRN without a system, nothing else', { identifier: [{ value: mrn.value }] }, 'uncertain'],
    // names and facts
    ['full name, birth date, sex, phone', { telecom: [phone] }, 'certain'],
    ['… with the phone as one for messages', { telecom: [{ ...phone, system: 'sms' }] }, 'certain'],
    ['… and an address line', { address: [{ line: ['48 larch avenue '] }] }, 'certain'],
    ['… and nothing more', {}, 'uncertain'],
    ['… and a fax of the same number', { telecom: [{ ...phone, system: 'fax' }] }, 'uncertain'],
    ['… and another phone', { telecom: [{ ...phone, value: '518-555-0199' }] }, 'uncertain'],
    ['… and the city only', { address: [{ city: 'Albany' }] }, 'uncertain'],
    ['… and a second address line', { address: [{ line: ['c/o Baker', '48 Larch Avenue'] }] }, 'uncertain'],
    [
      'name in capitals, with accents, phone',
      { name: [{ family: 'DELGADÓ', given: ['ROSA'] }], telecom: [phone] },
      'certain',
    ],
    [
      'another given name that begins alike, phone',
      { name: [{ family: 'Delgado', given: ['Rita'] }], telecom: [phone] },
      'uncertain',
    ],
    ['no given name, phone', { name: [{ family: 'Delgado' }], telecom: [phone] }, 'uncertain'],
    [
      'the second given name only, phone',
      { name: [{ family: 'Delgado', given: ['Maria'] }], telecom: [phone] },
      'uncertain',
    ],
    ['another sex, phone', { gender: 'male', telecom: [phone] }, 'uncertain'],
    ['no sex, phone', { gender: null, telecom: [phone] }, 'uncertain'],
    ['the month of birth only, phone', { birthDate: '1984-06', telecom: [phone] }, 'uncertain'],
    ['switched off, phone', { active: false, telecom: [phone] }, 'uncertain'],
    // signs that contradict each other
    [
      'all facts, but another MRN in the same system',
      { identifier: [{ ...mrn, value: 'MRN-99999' }], telecom: [phone] },
      'uncertain',
    ],
    [
      'all facts, and a number in a system that we do not know',
      { identifier: [{ system: 'urn:oid:9', value: '7' }], telecom: [phone] },
      'certain',
    ],
    // somebody else
    ['another birth date, phone', { birthDate: '1984-06-18', telecom: [phone] }, 'none'],
    ['another family name, phone', { name: [{ family: 'Baker', given: ['Rosa'] }], telecom: [phone] }, 'none'],
    [
      'a twin with another initial, phone',
      { name: [{ family: 'Delgado', given: ['Ines'] }], telecom: [phone] },
      'none',
    ],
    ['no name', { name: [] }, 'none'],
    ['no birth date', { birthDate: null }, 'none'],
    ['a patient of the wrong form', { name: 'Rosa Delgado', identifier: 7, telecom: [null], address: {} }, 'none'],
  ])('%s: %s', (_what, facts, kind) => {
    expect(matchOf([rosa(facts)]).kind).toBe(kind);
  });

  test('certain names the patient', () => {
    const patient = rosa({ identifier: [mrn] });
    expect(matchOf([patient])).toEqual({ kind: 'certain', patient });
  });
});

describe('what our record lacks, or knows beside', () => {
  const same = rosa({ telecom: [phone] });

  test.each<[string, JsonObject, JsonObject, string]>([
    ['no sex on either side is no agreement', { sex: null }, rosa({ gender: null, telecom: [phone] }), 'uncertain'],
    [
      'an unknown sex on both sides is none',
      { sex: 'unknown' },
      rosa({ gender: 'unknown', telecom: [phone] }),
      'uncertain',
    ],
    ['the year of birth only may be the same person', { birthDate: '1984' }, same, 'uncertain'],
    ['another year of birth is somebody else', { birthDate: '1985' }, same, 'none'],
    ['no birth date, nothing to compare', { birthDate: null }, same, 'none'],
    [
      'no legal name is no full name',
      { names: [{ use: 'alias', given: ['Rosa'], family: 'Delgado' }] },
      same,
      'uncertain',
    ],
    [
      'a former family name, no number',
      {
        names: [
          { use: 'legal', given: ['Rosa'], family: 'Baker' },
          { use: 'maiden', family: 'Delgado' },
        ],
      },
      same,
      'uncertain',
    ],
    [
      'a former family name, with our MRN',
      {
        names: [
          { use: 'legal', given: ['Rosa'], family: 'Baker' },
          { use: 'maiden', family: 'Delgado' },
        ],
      },
      rosa({ identifier: [mrn] }),
      'certain',
    ],
    [
      'a phone with fewer than ten digits',
      { phones: [{ id: 'p1', number: '555-0177' }] },
      rosa({ telecom: [{ ...phone, value: '555-0177' }] }),
      'uncertain',
    ],
  ])('%s', (_what, facts, patient, kind) => {
    expect(
      matchOf(
        [patient],
        client({
          identifiers: [],
          ...facts,
          ...(kind === 'certain' ? { identifiers: [{ kind: 'mrn', value: 'MRN-20417' }] } : {}),
        }),
      ).kind,
    ).toBe(kind);
  });

  const ssn = 'http://hl7.org/fhir/sid/us-ssn';

  test.each([
    ['the last four against the whole', 'ssn-last4', '6789', '123-45-6789', 'certain'],
    ['the whole against a masked one', 'ssn', '123456789', 'xxx-xx-6789', 'certain'],
    ['the last four against others', 'ssn-last4', '6789', '123-45-0000', 'uncertain'],
    ['too few digits', 'ssn-last4', '89', '89', 'uncertain'],
    ['no digits at all', 'ssn', 'unknown', 'unknown', 'uncertain'],
  ])('social security number, %s', (_what, kind, ours, theirs, expected) => {
    const patient = rosa({ identifier: [{ system: ssn, value: theirs }] });
    expect(matchOf([patient], client({ identifiers: [{ kind, value: ours }] })).kind).toBe(expected);
  });

  test('a social security number alone is nobody', () => {
    const stranger = rosa({ name: [{ family: 'Baker' }], identifier: [{ system: ssn, value: '123-45-6789' }] });
    expect(matchOf([stranger], client({ identifiers: [{ kind: 'ssn', value: '123456789' }] })).kind).toBe('none');
  });
});

describe('several patients', () => {
  const certain = rosa({ id: 'a', identifier: [mrn] });

  test.each<[string, JsonObject[]]>([
    ['two who are alike', [rosa({ id: 'a' }), rosa({ id: 'b' })]],
    ['two with our MRN', [certain, rosa({ id: 'b', identifier: [mrn] })]],
    ['one with our MRN, another with all other facts', [certain, rosa({ id: 'b', telecom: [phone] })]],
    [
      'one with all facts, another with our MRN and another birth date',
      [rosa({ id: 'a', telecom: [phone] }), rosa({ id: 'b', identifier: [mrn], birthDate: '1991-01-01' })],
    ],
    [
      'our MRN on one, our Medicaid number on another',
      [certain, rosa({ id: 'b', identifier: [{ system: systems.medicaid, value: 'MD-1' }] })],
    ],
  ])('%s: both are shown to a person', (_what, patients) => {
    const identifiers = [
      { kind: 'mrn', value: mrn.value },
      { kind: 'medicaid', value: 'MD-1' },
    ];
    expect(matchOf(patients, client({ identifiers }))).toEqual({ kind: 'uncertain', patients });
  });

  test('those who are somebody else do not count', () => {
    const others = [rosa({ id: 'b', birthDate: '1984-06-18' }), rosa({ id: 'c', name: [{ family: 'Baker' }] })];
    expect(matchOf([...others, certain])).toEqual({ kind: 'certain', patient: certain });
  });

  test('nobody', () => {
    expect(matchOf([])).toEqual({ kind: 'none' });
  });
});

describe('strong identifiers', () => {
  test.each<[string, JsonObject, boolean]>([
    ['an MRN without a system', { kind: 'mrn', value: 'M1' }, true],
    ['an MRN of the configured system', { kind: 'mrn', value: 'M1', system: systems.mrn }, true],
    ['an MRN of another hospital', { kind: 'mrn', value: 'M1', system: 'urn:oid:9' }, false],
    ['a kind without a configured system', { kind: 'medicare-mbi', value: 'B1' }, false],
    ['a social security number', { kind: 'ssn', value: '123456789', system: systems.mrn }, false],
    ['a number without a value', { kind: 'mrn' }, false],
  ])('%s: %p', (_what, identifier, counts) => {
    expect(strongIdentifiers({ identifiers: [identifier] }, systems)).toHaveLength(counts ? 1 : 0);
  });

  test('are locked against a twin, with family name and birth date', () => {
    expect(matchKeys(aClient(), strongIdentifiers(aClient(), systems))).toEqual([
      'identifier|urn:oid:1.2.3|MRN-20417',
      'name|delgado|1984-06-17',
    ]);
  });

  test('a spelling with capitals or accents takes the same lock', () => {
    const names = [{ use: 'legal', given: ['Rosa'], family: ' DELGÁDO' }];
    expect(matchKeys(client({ names }), [])).toEqual(matchKeys(aClient(), []));
  });
});

const anyPatient: fc.Arbitrary<JsonObject> = fc.record({
  id: fc.uuid(),
  name: fc.constantFrom<Json>(
    [{ family: 'Delgado', given: ['Rosa'] }],
    [{ family: 'Delgado', given: ['Ines'] }],
    [{ family: 'Baker' }],
  ),
  birthDate: fc.constantFrom('1984-06-17', '1984', '1991-01-01'),
  gender: fc.constantFrom('female', 'male', 'unknown'),
  identifier: fc.constantFrom<Json>([], [mrn], [{ ...mrn, value: 'other' }]),
  telecom: fc.constantFrom<Json>([], [phone]),
  active: fc.constantFrom(true, false),
});

describe('laws', () => {
  const some = fc.uniqueArray(anyPatient, { maxLength: 4, selector: ({ id }) => id });

  test('the order of the hits does not matter', () => {
    fc.assert(
      fc.property(some, (patients) => {
        const idsOf = (result: ReturnType<typeof matchOf>) =>
          result.kind === 'certain'
            ? [result.patient.id]
            : result.kind === 'none'
              ? []
              : result.patients.map(({ id }) => id).toSorted();
        const back = matchOf([...patients].reverse());
        expect([back.kind, idsOf(back)]).toEqual([matchOf(patients).kind, idsOf(matchOf(patients))]);
      }),
      { seed: 10, numRuns: 300 },
    );
  });

  test('who is certain has our day of birth and our family name, and is the only one alike', () => {
    fc.assert(
      fc.property(some, (patients) => {
        const result = matchOf(patients);
        if (result.kind !== 'certain') return;
        expect(result.patient).toMatchObject({ birthDate: '1984-06-17', active: true });
        const names = Array.isArray(result.patient.name) ? result.patient.name.filter(isObject) : [];
        expect(names.map(({ family }) => family)).toContain('Delgado');
        const others = patients.filter((patient) => patient !== result.patient);
        expect(matchOf(others).kind).toBe('none');
      }),
      { seed: 11, numRuns: 500 },
    );
  });

  test('one more look-alike never makes anybody certain', () => {
    fc.assert(
      fc.property(some, anyPatient, (patients, more) => {
        if (matchOf(patients).kind === 'none') return;
        const all = matchOf([...patients, more]);
        if (matchOf(patients).kind === 'uncertain') expect(all.kind).toBe('uncertain');
      }),
      { seed: 12, numRuns: 300 },
    );
  });
});

describe('patients whom the server has merged', () => {
  const into = (id: string, survivor: string) =>
    rosa({
      id,
      identifier: [mrn],
      link: [{ type: 'replaced-by', other: { reference: `https://h.example.org/r4/Patient/${survivor}` } }],
    });

  test.each<[string, JsonObject[], string]>([
    ['the survivor is among the hits: only they count', [into('old', 'rosa'), rosa({ identifier: [mrn] })], 'certain'],
    ['the survivor is not among the hits', [into('old', 'rosa')], 'uncertain'],
    [
      'into one of another server who has the number of a hit',
      [
        { ...into('old', 'rosa'), link: [{ type: 'replaced-by', other: { reference: 'https://other/Patient/rosa' } }] },
        rosa({ identifier: [mrn] }),
      ],
      'uncertain',
    ],
    ['each into the other', [into('a', 'b'), into('b', 'a')], 'uncertain'],
  ])('%s: %#', (_what, patients, kind) => {
    expect(matchOf(patients).kind).toBe(kind);
  });
});

describe('E19: what the server grades', () => {
  const graded = (patients: readonly JsonObject[], grades: readonly (Grade | undefined)[]) =>
    matchPatient(
      aClient(),
      strongIdentifiers(aClient(), systems),
      patients,
      new Map(
        patients.flatMap(({ id }, at) => {
          const grade = grades[at];
          return grade === undefined ? [] : [[String(id), { grade }] as const];
        }),
      ),
    ).kind;
  const alike = rosa();
  const other = rosa({ id: 'other', name: [{ family: 'Delgado', given: ['Ines'] }] });

  test.each<[string, JsonObject[], (Grade | undefined)[], string]>([
    ['one certain, whose name and birth date alone we would not trust', [alike], ['certain'], 'certain'],
    ['one probable', [alike], ['probable'], 'uncertain'],
    ['one probable with our MRN: the server knows why', [rosa({ identifier: [mrn] })], ['probable'], 'uncertain'],
    ['one possible who is not alike', [other], ['possible'], 'uncertain'],
    ['one certainly not, not alike', [other], ['certainly-not'], 'none'],
    ['one certainly not, alike', [alike], ['certainly-not'], 'uncertain'],
    ['two certain', [alike, rosa({ id: 'r2' })], ['certain', 'certain'], 'uncertain'],
    ['one certain, and a possible one who is not alike', [alike, other], ['certain', 'possible'], 'certain'],
    ['one certain, and a possible one who is alike', [alike, rosa({ id: 'r2' })], ['certain', 'possible'], 'uncertain'],
    [
      'one certain, and one found by our number',
      [alike, rosa({ id: 'r2', identifier: [mrn] })],
      ['certain', undefined],
      'uncertain',
    ],
    ['certain, another birth date', [rosa({ birthDate: '1984-06-18' })], ['certain'], 'uncertain'],
    ['certain, the year of birth only', [rosa({ birthDate: '1984' })], ['certain'], 'certain'],
    [
      'certain, another family name',
      [rosa({ name: [{ family: 'Baker', given: ['Rosa'] }] })],
      ['certain'],
      'uncertain',
    ],
    ['certain, another MRN', [rosa({ identifier: [{ ...mrn, value: 'MRN-9' }] })], ['certain'], 'uncertain'],
    ['certain, a twin with another given name', [other], ['certain'], 'uncertain'],
    ['certain, our MRN, another given name', [{ ...other, identifier: [mrn] }], ['certain'], 'uncertain'],
    ['certain, switched off', [rosa({ active: false })], ['certain'], 'uncertain'],
    ['certain, another sex', [rosa({ gender: 'male' })], ['certain'], 'certain'],
  ])('%s: %s %s: %s', (_what, patients, grades, kind) => {
    expect(graded(patients, grades)).toBe(kind);
  });
});

describe('what a person is told of a candidate', () => {
  const told = (overrides: JsonObject) =>
    comparePatient(aClient(), strongIdentifiers(aClient(), systems), rosa(overrides));

  test('which facts agree and which differ; what one side does not say is in neither', () => {
    expect(told({ identifier: [mrn], gender: 'male', telecom: [phone], address: [{ line: ['5 Elm Court'] }] })).toEqual(
      {
        agree: ['identifier', 'birth date', 'family name', 'given name', 'phone'],
        differ: ['sex', 'address line'],
      },
    );
    expect(told({ name: [{ text: 'Rosa Delgado' }], birthDate: null, gender: null })).toEqual({
      agree: [],
      differ: [],
    });
    expect(told({ identifier: [{ ...mrn, value: 'MRN-9' }] }).differ).toEqual(['identifier']);
  });

  test('no values', () => {
    expect(JSON.stringify(told({ identifier: [mrn], telecom: [phone] }))).not.toMatch(/Delgado|20417|555|1984/);
  });
});

test.each<[string, JsonObject, boolean]>([
  ['another birth date and family name', { birthDate: '1950-01-01', name: [{ family: 'Baker' }] }, true],
  [
    'another birth date and given name',
    { birthDate: '1986-01-01', name: [{ family: 'Delgado', given: ['Ana'] }] },
    true,
  ],
  ['another birth date', { birthDate: '1950-01-01' }, false],
  ['another given name', { name: [{ family: 'Delgado', given: ['Ana'] }] }, false],
  ['another family name', { name: [{ family: 'Baker' }] }, false],
  ['no birth date, another family name', { birthDate: null, name: [{ family: 'Baker' }] }, false],
])('a survivor of a merge with %s is somebody else: %s %s', (_what, facts, expected) => {
  expect(isSomebodyElse(aClient(), rosa(facts))).toBe(expected);
});
