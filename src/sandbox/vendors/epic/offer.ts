// What the server offers per type: interactions, search parameters, and what a search must name. The facts are those of the vendor's public
// CapabilityStatement of May 2026, for the types that a community partner meets.

import type { Action } from '../../engine/engine.ts';
import type { EpicSettings } from './settings.ts';

export interface Offer {
  actions: readonly Action[];
  /** Search parameters beside `_id` and `_count`, with their type. */
  search: Readonly<Record<string, SearchKind>>;
  /** A search names one of each group, or `_id`. */
  required: readonly (readonly string[])[];
}

type SearchKind = 'date' | 'reference' | 'string' | 'token';

const byPatient = { patient: 'reference', subject: 'reference' } as const;
const onePatient = [['patient', 'subject']] as const;
const readSearch = ['r', 's'] as const;
const address = {
  address: 'string',
  'address-city': 'string',
  'address-postalcode': 'string',
  'address-state': 'string',
} as const;

const offers: Readonly<Record<string, Offer>> = {
  Appointment: {
    actions: readSearch,
    search: { date: 'date', identifier: 'token', patient: 'reference', 'service-category': 'token', status: 'token' },
    required: [['patient', 'identifier']],
  },
  // Declared as searchable by the vendor too; it is reached by the URL in a document only.
  Binary: { actions: ['r'], search: {}, required: [] },
  CarePlan: {
    actions: readSearch,
    search: {
      'activity-date': 'date',
      category: 'token',
      encounter: 'reference',
      'part-of': 'reference',
      status: 'token',
      ...byPatient,
    },
    required: [...onePatient, ['category']],
  },
  CareTeam: { actions: readSearch, search: { status: 'token', ...byPatient }, required: onePatient },
  Communication: {
    actions: ['c', 'r', 's'],
    search: {
      'based-on': 'reference',
      category: 'token',
      encounter: 'reference',
      'part-of': 'reference',
      ...byPatient,
    },
    required: onePatient,
  },
  Condition: {
    actions: ['c', 'r', 's'],
    search: {
      'abatement-date': 'date',
      category: 'token',
      'clinical-status': 'token',
      code: 'token',
      encounter: 'reference',
      'onset-date': 'date',
      'recorded-date': 'date',
      ...byPatient,
    },
    required: onePatient,
  },
  Consent: {
    actions: readSearch,
    search: { category: 'token', status: 'token', ...byPatient },
    required: onePatient,
  },
  Coverage: {
    actions: readSearch,
    search: { beneficiary: 'reference', patient: 'reference' },
    required: [['patient', 'beneficiary']],
  },
  DocumentReference: {
    actions: ['c', 'r', 's', 'u'],
    search: {
      _lastupdated: 'date',
      author: 'reference',
      category: 'token',
      date: 'date',
      docstatus: 'token',
      encounter: 'reference',
      period: 'date',
      status: 'token',
      type: 'token',
      ...byPatient,
    },
    required: onePatient,
  },
  Encounter: {
    actions: readSearch,
    search: { class: 'token', date: 'date', identifier: 'token', ...byPatient },
    required: [['patient', 'subject', 'identifier']],
  },
  EpisodeOfCare: {
    actions: readSearch,
    search: { patient: 'reference', status: 'token', type: 'token' },
    required: [['patient']],
  },
  Flag: { actions: readSearch, search: { encounter: 'reference', ...byPatient }, required: onePatient },
  Goal: {
    actions: readSearch,
    search: { category: 'token', 'lifecycle-status': 'token', 'start-date': 'date', ...byPatient },
    required: onePatient,
  },
  Observation: {
    actions: ['c', 'r', 's', 'u'],
    search: {
      'based-on': 'reference',
      category: 'token',
      code: 'token',
      date: 'date',
      focus: 'reference',
      ...byPatient,
    },
    required: [...onePatient, ['category', 'code']],
  },
  Organization: { actions: readSearch, search: {}, required: [['_id']] },
  Patient: {
    actions: ['c', 'r', 's'],
    search: {
      ...address,
      birthdate: 'date',
      family: 'string',
      gender: 'token',
      given: 'string',
      identifier: 'token',
      'legal-sex': 'token',
      name: 'string',
      telecom: 'token',
    },
    // A combination of demographics, which criteria.ts judges.
    required: [],
  },
  Practitioner: {
    actions: readSearch,
    search: { ...address, family: 'string', given: 'string', identifier: 'token', name: 'string' },
    required: [['family', 'identifier', 'name']],
  },
  Procedure: {
    actions: ['c', 'r', 's', 'u'],
    search: { category: 'token', code: 'token', date: 'date', identifier: 'token', ...byPatient },
    required: onePatient,
  },
  QuestionnaireResponse: {
    actions: ['c', 'r', 's'],
    search: { encounter: 'reference', ...byPatient },
    required: onePatient,
  },
  ServiceRequest: {
    actions: ['c', 'r', 's', 'u'],
    search: {
      authored: 'date',
      category: 'token',
      code: 'token',
      encounter: 'reference',
      identifier: 'token',
      requester: 'reference',
      status: 'token',
      ...byPatient,
    },
    required: onePatient,
  },
  Task: {
    actions: ['r', 's', 'u'],
    search: { code: 'token', encounter: 'reference', focus: 'reference', status: 'token', ...byPatient },
    required: onePatient,
  },
};

const actionNames = { c: 'create', r: 'read', u: 'update', d: 'delete', s: 'search' } as const;

/** What the site declares, by type in alphabetical order. */
export function declaredOffers({ undeclaredTypes, undeclaredInteractions }: EpicSettings): [type: string, Offer][] {
  return Object.entries(offers)
    .filter(([type]) => !undeclaredTypes.includes(type))
    .map(([type, offer]) => {
      const actions = offer.actions.filter(
        (action) => !undeclaredInteractions.includes(`${type}.${actionNames[action]}`),
      );
      return [type, { ...offer, actions }];
    });
}

/** What the site serves of a type, undefined when nothing. */
export function servedOffer(settings: EpicSettings, type: string): Offer | undefined {
  if (settings.unservedTypes.includes(type)) return undefined;
  return declaredOffers(settings).find(([name]) => name === type)?.[1];
}
