// What servers hold of the records that they keep or change, taken back into the record: as the vendors write it, with elements of their own
// beside ours. What has no place in the record is said once; nothing throws.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import type { Desired } from '../../src/mapping/mapping.ts';
import type { RecordType } from '../../src/records/records.ts';
import { aHospitalStay, aNote, anIncident, aSafetyPlan } from '../builders.ts';
import { mappingOf } from './fixtures.ts';
import { linkedSource, linkTo, targetOf } from './linked-source.ts';

/** What a lane would take back: of the elements that say something else than we did. */
function absorbed(type: RecordType, slotName: string, record: JsonObject, observed: JsonObject) {
  const slot = mappingOf(type).slot(slotName);
  const sent = projected(type, slotName, record).facts;
  const theirs = slot.facts(observed);
  const keys = slot.elements
    .map(({ key }) => key)
    .filter((key) => JSON.stringify(sent[key]) !== JSON.stringify(theirs[key]));
  const { patch, issues } = slot.absorb(keys, observed, record, { resolve: targetOf, linked: linkTo });
  return { patch, issues: issues.map(({ code, element }) => `${code} ${element}`) };
}

function projected(type: RecordType, slotName: string, record: JsonObject): Desired {
  const desired = mappingOf(type)
    .project(record, linkedSource)
    .find(({ slot }) => slot === slotName);
  if (!desired) throw new Error(`a ${type} makes no ${slotName}`);
  return desired;
}

const minimal = aHospitalStay({ hospitalId: undefined, hospitalName: 'General', cause: undefined });

/** The record's own stay as a hospital keeps it, with what is different there. */
const encounter = (changes: JsonObject): JsonObject => ({
  ...projected('hospitalStay', 'stay', minimal).resource,
  id: '97953477',
  identifier: [{ system: 'urn:oid:1.2.840.114350.1.13.0.1.7.3.698084.8', value: '29541' }],
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP', display: 'inpatient encounter' },
  period: { start: '2026-02-16T03:10:00Z' },
  ...changes,
});

describe('an encounter at the hospital', () => {
  test.each<[string, JsonObject, JsonObject, string[]]>([
    ['as the record has it', {}, {}, []],
    [
      'that has ended, with the reason and where the client went',
      {
        status: 'finished',
        period: { start: '2026-02-16T03:10:00Z', end: '2026-02-20T16:00:00Z' },
        type: [{ coding: [{ system: 'https://fhir.example/codeSet/71', code: '309308', userSelected: true }] }],
        reasonCode: [
          {
            coding: [
              { system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'S52.502A' },
              { system: 'http://snomed.info/sct', code: '263102004' },
              { system: 'urn:oid:1.2.840.114350', code: '77' },
            ],
            text: 'Fracture of the left wrist',
          },
        ],
        hospitalization: {
          dischargeDisposition: {
            coding: [{ system: 'https://www.nubc.org/CodeSystem/PatDischargeStatus', code: '01' }],
          },
        },
      },
      {
        dischargedAt: '2026-02-20T16:00:00Z',
        cause: 'Fracture of the left wrist',
        diagnosisCodes: [
          { system: 'snomed', code: '263102004' },
          { system: 'icd-10-cm', code: 'S52.502A' },
        ],
        disposition: 'home',
      },
      [],
    ],
    [
      'in the emergency department, with a disposition of R4',
      {
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'EMER' },
        hospitalization: {
          dischargeDisposition: {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/discharge-disposition', code: 'aadvice' }],
          },
        },
      },
      { kind: 'ed', disposition: 'left-against-advice' },
      [],
    ],
    [
      'with a class and a disposition of its own and a day for a time',
      {
        class: { system: 'urn:oid:1.2.840.114350.1.13.0.1.7.10.698084.10110', code: '4' },
        period: { start: '2026-02-15', end: '2026-02-20' },
        hospitalization: { dischargeDisposition: { coding: [{ system: 'urn:oid:1.2.3', code: '9' }], text: 'Home' } },
      },
      {},
      [
        'unmapped-code class',
        'does-not-fit period.start',
        'does-not-fit period.end',
        'unmapped-code hospitalization.dischargeDisposition',
      ],
    ],
    [
      'at a place that we have no record of',
      { serviceProvider: { reference: 'Organization/619848', display: 'Baseline West' } },
      {},
      ['unresolved-reference serviceProvider'],
    ],
    ['at another place by name', { serviceProvider: { display: 'Mercy' } }, { hospitalName: 'Mercy' }, []],
  ])('%s', (_title, changes, patch, issues) => {
    expect(absorbed('hospitalStay', 'stay', minimal, encounter(changes))).toEqual({ patch, issues });
  });

  test('is the hospital’s in every element', () => {
    const { elements } = mappingOf('hospitalStay').slot('stay');
    const ours = elements.filter(({ owner, derived }) => !derived && owner(minimal) !== 'remote');
    expect(ours.map(({ key }) => key)).toEqual([]);
  });
});

describe('a document there', () => {
  test('whose text was moved into a Binary, whose author was replaced and whose codings grew takes nothing back', () => {
    const record = aNote();
    const sent = projected('note', 'note', record).resource;
    const observed = {
      ...sent,
      content: [{ attachment: { contentType: 'text/rtf', url: 'Binary/XR-1' } }],
      author: [{ reference: 'Practitioner/12', display: 'User Interconnect' }],
      type: {
        coding: [
          { system: 'http://loinc.org', code: '11506-3' },
          { system: 'urn:oid:1.2.3', code: '1' },
        ],
      },
    };
    const { patch, issues } = absorbed('note', 'note', record, observed);
    expect(patch).toEqual({ kind: 'progress' });
    expect(issues).toEqual(['required-field author[authorId]']);
  });

  test('that was entered in error there says so of the record', () => {
    const observed = { ...projected('note', 'note', aNote()).resource, status: 'entered-in-error' };
    expect(absorbed('note', 'note', aNote(), observed).patch).toEqual({ status: 'entered-in-error' });
  });

  test('a flag that was ended there ends the plan; who said which kind of end it is, nobody can tell', () => {
    const record = aSafetyPlan();
    const flag = projected('safetyPlan', 'flag', record).resource;
    expect(absorbed('safetyPlan', 'flag', record, { ...flag, status: 'inactive' }).patch).toEqual({
      status: 'ended',
    });
  });

  test('an edited summary of an incident changes no incident', () => {
    const record = anIncident({ shareWithChart: true });
    const sent = projected('incident', 'summary', record).resource;
    const observed = { ...sent, status: 'superseded', content: [{ attachment: { title: 'Edited' } }] };
    expect(absorbed('incident', 'summary', record, observed).patch).toEqual({});
  });
});
