// How Oracle Health's (Cerner Millennium's) R4 servers behave, as far as public sources show. C1 to C31 and the sections are those of
// ehr-behaviour; what is marked [sim] is our assumption. Every customer's server differs: what it declares and grants narrows this.

import { escaped } from '../escaped.ts';
import type { Query } from '../url.ts';
import { type NotOffered, notOffered, type Offered, type PollGrammar, type Vendor } from './vendor.ts';

const pageSize = 100;

export const oracle: Vendor = {
  id: 'oracle',
  headers: {},
  clientIdHeader: notOffered('no such header is known (section 2)'),
  requestIds: ['x-request-id', 'opc-request-id', 'cerner-correlation-id'], // C6
  token: {
    scopeParameter: 'required', // C1: no wildcards; what is not registered is dropped in silence
    grantFilters: {},
  },
  interactions: {
    CarePlan: notOffered('it can be read and searched only (C:care-plan, C25)'),
    CareTeam: notOffered('it can be read and searched only (C-cap)'),
    Condition: notOffered(
      'a need has no place among problems and diagnoses of an encounter unless the site agrees (C:condition)',
    ),
    Consent: notOffered('it can be read and searched only (C-cap)'),
    EpisodeOfCare: notOffered('the type is absent (C-cap)'),
    Encounter: notOffered('stays begin there; create and patch exist and are not for us (section 0)'),
    Flag: notOffered('the type is absent (C-cap)'),
    Goal: notOffered('it can be read and searched only (C:goal, C25)'),
    Observation: notOffered('it takes vital signs and laboratory results only (C:observation)'),
    Procedure: notOffered('it can be created but never updated (C-cap)'),
    QuestionnaireResponse: notOffered('an existing social history can be updated, nothing else (C26)'),
    ServiceRequest: notOffered('it can be read and searched only (C:service-request, C25)'),
    Task: notOffered('the type is absent (C25)'),
  },
  defaults: {
    appointment: { route: 'document', why: 'a ride or a visit to a partner is no appointment of the hospital' },
    assessment: { route: 'document', why: 'scores go into the document' },
    client: { route: 'read', why: 'the hospital keeps its own patients' },
    coverage: { route: 'read', why: 'the hospital keeps its own coverages' },
    hospitalStay: { route: 'read', why: 'stays begin there' },
    improvementIdea: { route: 'withheld', why: 'it is internal' },
    incident: {
      route: 'document',
      why: 'one that is shared with the chart is a document of its own; others stay here',
    },
    need: { route: 'document', why: 'the problem list belongs to the clinicians; routes: need: native opts in' },
    note: { route: 'document', why: 'a signed note is a document of its own' },
    safetyPlan: { route: 'document', why: 'it is a document of its own' },
  },
  queries: {
    identifier: (system, value) => ({ identifier: `${escaped(system)}|${escaped(value.trim())}` }),
    // Each parameter once; sex is none of them (section 1).
    patient: ({ family, birthDate, given, phone, postalCode }) => ({
      family: escaped(family),
      birthdate: birthDate,
      ...(given !== undefined && { given: escaped(given) }),
      ...(phone !== undefined && { phone: escaped(phone) }),
      ...(postalCode !== undefined && { 'address-postalcode': escaped(postalCode) }),
    }),
    encounters: (patientId) => ({ patient: patientId }),
    documents: ({ patientId, type, from, to }) => ({
      patient: patientId,
      type: `http://loinc.org|${type}`,
      // A pair of ge and lt (section 1); our context.period ends at the document's time.
      period: [`ge${from.toISOString()}`, `lt${new Date(to.getTime() + 1).toISOString()}`],
      _count: String(pageSize),
    }),
    poll,
    probe: { path: 'Patient', query: { _id: 'casebridge-probe' } },
  },
  match: notOffered('there is no $match; search only (section 1)'),
  patients: {
    tooMany: { issues: [], statuses: [422] }, // C13: above 1,000
    merged: [], // C14: read as inactive, with a link of the kind replaced-by
    restricted: ['security', 'suppressed'],
  },
  create: {
    conditional: notOffered('it is not declared, and If-None-Exist is ignored (C20)'),
  },
  update: {
    ifMatch: { when: 'always' }, // C16
    patch: { when: 'declared' }, // C18
  },
  transaction: notOffered('batch is declared, transaction is not (C-cap)'),
  documents: {
    format: 'xhtml',
    contentType: 'application/xhtml+xml;charset=utf-8', // charset required (section 1)
    type: { code: '18776-5', display: 'Plan of care note' },
    encounter: 'optional',
    laterEdition: 'amend', // C31 [sim]
    retraction: 'entered-in-error', // C28
  },
  paging: {
    pageSize, // differs per type; DocumentReference takes 100 at most (section 4)
    partialIssues: ['suppressed', 'incomplete', 'too-costly'], // C11
    restartIssues: [],
  },
  issues: {},
  statuses: {
    412: { class: 'permanent', of: 'writes' }, // C16: the tag was missing, which is a fault of ours; a stale one answers 409
    422: { class: 'permanent', reason: 'search-too-many', of: 'searches' }, // C13
    424: { class: 'permanent', of: 'all' }, // C22
  },
  pages: {
    403: { class: 'config', reason: 'connection-tenant-unknown', of: 'all' }, // C3
  },
  rewrites: {
    DocumentReference: ['author', 'content', 'context'], // the note's XHTML becomes RTF (C:faq)
  },
  referralsBegin: 'ServiceRequest', // C25: there are no Tasks
  messages: notOffered('a Communication is mail among the staff (C:communication)'),
  taskMoves: notOffered('there are no Tasks (C25)'),
  fallback: 'document',
};

/** By when it was stored: a prefix and a whole instant, which every type takes, and never together with another date (section 4; C7, C8). */
const byStored: NonNullable<PollGrammar['stored']> = {
  parameter: '_lastUpdated',
  query: (since): Query => (since === undefined ? {} : { _lastUpdated: `ge${since.toISOString()}` }),
  between: (from, to) => ({ _lastUpdated: [`ge${from.toISOString()}`, `le${to.toISOString()}`] }),
};
/** Of what happens once, by when it was stored as well: what the site has not touched for long is left out. */
const stepwise: PollGrammar = {
  within: ofPatient(),
  stored: byStored,
  dated: { parameter: '_lastUpdated', query: byStored.query },
};
const farAhead = 'lt2200-01-01T00:00:00.000Z';

/** What is asked of a type within one patient, and whether a search can say since when. */
const polled: Readonly<Record<string, PollGrammar>> = {
  // A closed pair of ge and lt is required, and is about the visit.
  Appointment: {
    within: ofPatient({ date: ['ge1900-01-01T00:00:00.000Z', farAhead] }),
    dated: { parameter: 'date', query: (from) => ({ date: [`ge${from.toISOString()}`, farAhead] }) },
    planned: {
      parameter: 'date',
      between: (from, to) => ({ date: [`ge${from.toISOString()}`, `lt${to.toISOString()}`] }),
    },
  },
  CarePlan: {
    within: ofPatient({ category: 'assess-plan' }), // no other code is taken
    // A closed pair of ge and le, equally precise.
    planned: {
      parameter: 'date',
      between: (from, to) => ({ date: [`ge${dayOf(from)}`, `le${dayOf(new Date(to.getTime() - 1))}`] }),
    },
  },
  CareTeam: { within: ofPatient() },
  Condition: { within: ofPatient(), stored: byStored },
  Consent: { within: ofPatient() },
  Coverage: { within: ofPatient() },
  DocumentReference: stepwise,
  Encounter: stepwise,
  Goal: {
    within: ofPatient(),
    planned: {
      parameter: 'target-date',
      between: (from, to) => ({ 'target-date': [`ge${dayOf(from)}`, `lt${dayOf(to)}`] }),
    },
  },
  Observation: stepwise,
  Patient: { within: (id) => ({ _id: id }) },
  Procedure: stepwise,
  QuestionnaireResponse: { within: ofPatient() },
  ServiceRequest: { within: ofPatient(), stored: byStored },
};

function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function ofPatient(more: Query = {}): (patientId: string) => Query {
  return (patient) => ({ patient, ...more });
}

function poll(resourceType: string): Offered<PollGrammar> {
  return polled[resourceType] ?? noSearch;
}

const noSearch: NotOffered = notOffered('the type is absent, or cannot be searched for changes of one patient (C-cap)');
