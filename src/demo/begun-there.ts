// What the staff of Larch Valley enter into their own record: a patient of theirs whom the agency does not know, her visit, an order for help with
// food, and the Task by which Epic asks a community organization to take it on.

import type { JsonObject } from '../json.ts';
import { places } from './places.ts';

export const ruth = { given: 'Ruth', family: 'Castellano', id: 'pt-ruth', birthDate: '1959-04-21' } as const;
export const order = 'order-ruth-food';
export const task = 'task-ruth-food';

const sdohCategories = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
const sdohCategory = { coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category', code: 'sdoh' }] };
const foodCategory = { coding: [{ system: sdohCategories, code: 'food-insecurity', display: 'Food Insecurity' }] };

/** @param at when the hospital asks, an ISO instant */
export function begunThere(at: string): JsonObject[] {
  const subject = { reference: `Patient/${ruth.id}` };
  return [
    {
      resourceType: 'Patient',
      id: ruth.id,
      active: true,
      identifier: [
        {
          use: 'usual',
          type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }], text: 'MRN' },
          system: places.larchValley.mrnSystem,
          value: 'LV-40112',
        },
      ],
      name: [{ use: 'official', family: ruth.family, given: [ruth.given] }],
      birthDate: ruth.birthDate,
      gender: 'female',
      telecom: [{ system: 'phone', value: '(518) 555-0166', use: 'home' }],
    },
    {
      resourceType: 'Encounter',
      id: 'visit-ruth',
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB', display: 'ambulatory' },
      subject,
      period: { start: at },
    },
    {
      resourceType: 'Condition',
      id: 'need-ruth-food',
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
      },
      verificationStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
      },
      category: [
        sdohCategory,
        {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }],
        },
        foodCategory,
      ],
      code: { coding: [{ system: 'http://snomed.info/sct', code: '733423003' }], text: 'Food insecurity' },
      subject,
    },
    {
      resourceType: 'ServiceRequest',
      id: order,
      status: 'active',
      intent: 'order',
      category: [sdohCategory, foodCategory],
      priority: 'urgent',
      code: {
        coding: [{ system: 'http://snomed.info/sct', code: '467771000124109' }],
        text: 'Help with applying for a food pantry',
      },
      subject,
      authoredOn: at,
      requester: { display: 'Dr. Lena Aster' },
      reasonReference: [{ reference: 'Condition/need-ruth-food' }],
    },
    {
      resourceType: 'Task',
      id: task,
      status: 'requested',
      intent: 'order',
      priority: 'urgent',
      code: { coding: [{ system: 'urn:oid:1.2.840.114350', code: 'community-resource' }] },
      focus: { reference: `ServiceRequest/${order}` },
      for: subject,
      authoredOn: at,
      requester: { display: places.larchValley.name },
    },
  ];
}
