// What the server offers per resource type: interactions, search parameters, and the grammar of a search. From the vendor's
// CapabilityStatement and documentation; where both are silent our choice is marked [sim].

export type DateGrammar = {
  /** Prefixes of a parameter that comes once; '' is none. Empty: it must come twice. */
  readonly single: readonly string[];
  /** Prefixes of the two ends of a range. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** `required`: each has a time; `equal`: both or none; `pair`: two must have one; `free`. */
  readonly time: 'required' | 'equal' | 'pair' | 'free';
};

export interface SearchGrammar {
  readonly params: Readonly<Record<string, ParamKind>>;
  /** At least one of these must be there, each a parameter or several that belong together. */
  readonly oneOf: readonly string[];
  /** Parameters of which at most one may come. */
  readonly exclusive?: readonly (readonly string[])[];
  /** A parameter that needs another one of these. */
  readonly needs?: Readonly<Record<string, readonly string[]>>;
  /** Resources on a page without _count; absent: all on one page. */
  readonly page?: { readonly usual: number; readonly most: number };
  /** Values that `_include` and `_revinclude` take. */
  readonly includes?: readonly string[];
}

export type ParamKind = 'token' | 'reference' | 'string' | 'number' | 'uri' | DateGrammar;

export interface TypeRules {
  /** Letters of c r u d s p, with p for JSON Patch. */
  readonly interactions: string;
  readonly search?: SearchGrammar;
  /** Whether its version tags are composite, such as "1-1", and not a number. */
  readonly compositeTags?: true;
}

const closedRange = { from: ['ge', 'gt'], to: ['le', 'lt'] } as const;
const anyPrefix = ['', 'eq', 'ge', 'gt', 'le', 'lt'] as const;

/** One or two values; two make a closed range. */
const range: DateGrammar = { single: anyPrefix, ...closedRange, time: 'free' };
const oneDay: DateGrammar = { single: ['', 'eq'], from: [], to: [], time: 'free' };
const provenance = ['Provenance:target'];

export const typeRules: Readonly<Record<string, TypeRules>> = {
  Appointment: {
    interactions: 'rscp',
    search: {
      params: {
        _id: 'token',
        patient: 'reference',
        practitioner: 'reference',
        location: 'reference',
        date: { single: ['ge', 'gt', 'le', 'lt', 'eq'], from: ['ge'], to: ['lt'], time: 'required' },
        '-date-or-req-period': { single: ['ge', 'gt', 'le', 'lt', 'eq'], from: ['ge'], to: ['lt'], time: 'required' },
        status: 'token',
        _count: 'number',
      },
      oneOf: ['_id', 'patient', 'practitioner', 'location'],
      exclusive: [
        ['patient', 'practitioner', 'location'],
        ['date', '-date-or-req-period'],
      ],
      needs: {
        patient: ['date', '-date-or-req-period'],
        practitioner: ['date', '-date-or-req-period'],
        location: ['date', '-date-or-req-period'],
      },
      page: { usual: 50, most: 200 },
    },
  },
  Binary: { interactions: 'r' },
  CarePlan: {
    interactions: 'rs',
    search: {
      params: {
        _id: 'token',
        patient: 'reference',
        category: 'token',
        date: { single: [], from: ['ge'], to: ['le'], time: 'equal' },
        _count: 'number',
      },
      oneOf: ['_id', 'patient'],
      needs: { patient: ['category'], category: ['patient'], date: ['patient'] },
      page: { usual: 50, most: 200 },
      includes: provenance,
    },
  },
  CareTeam: {
    interactions: 'rs',
    search: {
      params: { _id: 'token', patient: 'reference', encounter: 'reference', category: 'token', status: 'token' },
      oneOf: ['_id', 'patient', 'encounter'],
      includes: provenance,
    },
  },
  Communication: {
    interactions: 'rscp',
    search: {
      params: {
        _id: 'token',
        category: 'token',
        recipient: 'reference',
        received: { single: ['ge'], from: ['ge'], to: ['le'], time: 'required' },
        '-email-status': 'token',
      },
      oneOf: ['_id', 'category recipient received -email-status'],
    },
  },
  Condition: {
    interactions: 'rscu',
    search: {
      params: {
        _id: 'token',
        patient: 'reference',
        subject: 'reference',
        encounter: 'reference',
        category: 'token',
        'clinical-status': 'token',
        _lastUpdated: range,
      },
      oneOf: ['_id', 'patient', 'subject'],
      exclusive: [['patient', 'subject']],
      includes: provenance,
    },
    compositeTags: true,
  },
  Consent: {
    interactions: 'rs',
    search: {
      params: { _id: 'token', patient: 'reference', actor: 'reference' },
      oneOf: ['_id', 'patient', 'actor'],
      includes: ['Consent:actor', 'Consent:patient'],
    },
  },
  Coverage: {
    interactions: 'rscpd',
    search: {
      params: { _id: 'token', patient: 'reference', '-encounter': 'reference' },
      oneOf: ['_id', 'patient', '-encounter'],
      exclusive: [['patient', '-encounter']],
      includes: provenance,
    },
  },
  DocumentReference: {
    interactions: 'rscu',
    search: {
      params: {
        _id: 'token',
        patient: 'reference',
        encounter: 'reference',
        period: { single: [], from: ['ge'], to: ['lt'], time: 'equal' },
        date: { single: anyPrefix, ...closedRange, time: 'pair' },
        type: 'token',
        category: 'token',
        _lastUpdated: range,
        _count: 'number',
      },
      oneOf: ['_id', 'patient'],
      exclusive: [['date', 'period', '_lastUpdated']],
      page: { usual: 10, most: 100 },
      includes: provenance,
    },
    compositeTags: true,
  },
  Encounter: {
    interactions: 'rscp',
    search: {
      params: {
        _id: 'token',
        patient: 'reference',
        subject: 'reference',
        account: 'reference',
        identifier: 'token',
        status: 'token',
        date: { single: ['ge', 'gt', 'le', 'lt', 'eq'], ...closedRange, time: 'required' },
        _lastUpdated: range,
        _count: 'number',
      },
      oneOf: ['account', '_id', 'identifier', 'patient', 'subject'],
      exclusive: [
        ['patient', 'subject'],
        ['date', '_lastUpdated'],
      ],
      needs: { _count: ['patient'], status: ['patient'], date: ['patient', 'subject'] },
      page: { usual: 50, most: 200 },
      includes: provenance,
    },
  },
  Goal: {
    interactions: 'rs',
    search: {
      params: { _id: 'token', patient: 'reference', 'target-date': range },
      oneOf: ['_id', 'patient'],
      includes: provenance,
    },
  },
  Observation: {
    interactions: 'rscu',
    search: {
      params: {
        _id: 'token',
        patient: 'reference',
        subject: 'reference',
        category: 'token',
        code: 'token',
        date: range,
        _lastUpdated: range,
        _count: 'number',
      },
      oneOf: ['_id', 'patient', 'subject'],
      exclusive: [
        ['patient', 'subject'],
        ['date', '_lastUpdated'],
      ],
      page: { usual: 50, most: 200 },
      includes: provenance,
    },
    compositeTags: true,
  },
  Organization: {
    interactions: 'rsc',
    search: {
      params: {
        _id: 'token',
        identifier: 'token',
        type: 'token',
        name: 'string',
        address: 'string',
        _count: 'number',
      },
      oneOf: ['_id', 'identifier', 'type', 'name', 'address'],
      page: { usual: 100, most: 200 },
    },
  },
  Patient: {
    interactions: 'rscp',
    search: {
      params: {
        _id: 'token',
        identifier: 'token',
        name: 'string',
        family: 'string',
        given: 'string',
        birthdate: oneDay,
        phone: 'token',
        email: 'token',
        'address-postalcode': 'string',
        gender: 'token',
        _count: 'number',
      },
      oneOf: ['_id', 'identifier', 'name', 'family', 'given', 'birthdate', 'phone', 'email', 'address-postalcode'],
      page: { usual: 20, most: 200 },
      includes: provenance,
    },
  },
  Practitioner: {
    interactions: 'rsc',
    search: {
      params: {
        _id: 'token',
        identifier: 'token',
        name: 'string',
        family: 'string',
        given: 'string',
        active: 'token',
        _count: 'number',
      },
      oneOf: ['_id', 'identifier', 'name', 'active', 'family'],
      needs: { given: ['family'] },
      page: { usual: 50, most: 200 },
    },
  },
  Procedure: {
    interactions: 'rsc',
    search: {
      params: { _id: 'token', patient: 'reference', subject: 'reference', date: range, _lastUpdated: range },
      oneOf: ['_id', 'patient', 'subject'],
      exclusive: [
        ['patient', 'subject'],
        ['date', '_lastUpdated'],
      ],
      includes: provenance,
    },
  },
  Provenance: {
    interactions: 'rs',
    search: { params: { _id: 'token', target: 'reference' }, oneOf: ['_id', 'target'] },
  },
  QuestionnaireResponse: {
    interactions: 'rsu',
    search: { params: { _id: 'token', patient: 'reference' }, oneOf: ['_id', 'patient'] },
  },
  ServiceRequest: {
    interactions: 'rs',
    search: {
      params: {
        _id: 'token',
        patient: 'reference',
        subject: 'reference',
        code: 'token',
        _lastUpdated: { single: ['ge', 'le'], from: ['ge'], to: ['le'], time: 'required' },
        _count: 'number',
      },
      oneOf: ['_id', 'patient', 'subject'],
      exclusive: [['patient', 'subject']],
      page: { usual: 50, most: 200 },
      includes: provenance,
    },
  },
};

/** The letters of what a type offers under the settings; '' where there is no such type. */
export function interactionsOf(type: string, overrides: Readonly<Record<string, string>>): string {
  return overrides[type] ?? typeRules[type]?.interactions ?? '';
}

/** All types that are there under the settings. */
export function offeredTypes(overrides: Readonly<Record<string, string>>): string[] {
  const all = new Set([...Object.keys(typeRules), ...Object.keys(overrides)]);
  return [...all].filter((type) => interactionsOf(type, overrides) !== '').toSorted();
}
