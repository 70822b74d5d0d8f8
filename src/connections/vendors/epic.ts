// How Epic's R4 servers behave, as far as public sources show. E1 to E34 and the sections are those of ehr-behaviour; what is
// marked [sim] is our assumption. Every customer's server differs: what it declares and grants narrows this further.

import { escaped } from '../escaped.ts';
import type { Query } from '../url.ts';
import { type NotOffered, notOffered, type Offered, type PollGrammar, type Vendor } from './vendor.ts';

const conditionCategory = 'http://terminology.hl7.org/CodeSystem/condition-category';
const documentCategory = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category';

export const epic: Vendor = {
  id: 'epic',
  headers: {},
  clientIdHeader: { name: 'epic-client-id' }, // needed for metadata without a token, harmless otherwise (section 2)
  requestIds: ['x-request-id'], // no other is known
  token: {
    scopeParameter: 'optional', // granted scopes follow the APIs chosen at registration (E6)
    grantFilters: {
      Condition: `category=${conditionCategory}|problem-list-item`,
      DocumentReference: `category=${documentCategory}|clinical-note`,
    },
  },
  interactions: {
    CarePlan: notOffered('it can be read and searched only (E-cap)'),
    CareTeam: notOffered('it can be read and searched only (E-cap)'),
    Condition: notOffered('it can be created but never updated, and only as an item of the problem list (E-cap, E25)'),
    Consent: notOffered('it can be read and searched only (E-cap)'),
    EpisodeOfCare: notOffered('it can be read and searched only (E-cap)'),
    Encounter: notOffered('it can be read and searched only (E-cap)'),
    Flag: notOffered('it can be read and searched only (E-cap)'),
    Goal: notOffered('Goal.Create exists in STU3 only (E-api)'),
    Observation: notOffered('it takes vital signs and flowsheet rows of this site only (E-api, 59188)'),
    Patient: notOffered('it can be created but never updated (E-cap)'),
    Procedure: notOffered('an SDOH intervention can be read and searched only (E-cap)'),
    QuestionnaireResponse: notOffered('it takes questionnaires that the patient fills in only (E-api)'),
    ServiceRequest: notOffered('it takes unsigned orders, radiotherapy and prior authorizations only (E-api)'),
    Task: notOffered('a Task that began there can be answered, none can be made (E24)'),
  },
  defaults: {
    appointment: { route: 'document', why: 'appointments cannot be written (E-cap)' },
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
    // A value may be stored with leading spaces and is matched without them (E18).
    identifier: (system, value) => ({ identifier: `${escaped(system)}|${escaped(value.trim())}` }),
    patient: ({ family, birthDate, given, sex, phone, postalCode }) => ({
      family: escaped(family),
      birthdate: birthDate,
      ...(given !== undefined && { given: escaped(given) }),
      ...(sex !== undefined && { gender: sex }),
      ...(phone !== undefined && { telecom: escaped(phone) }),
      ...(postalCode !== undefined && { 'address-postalcode': escaped(postalCode) }),
    }),
    encounters: (patientId) => ({ patient: patientId }),
    documents: ({ patientId, type, from, to }) => ({
      patient: patientId,
      type: `http://loinc.org|${type}`,
      // Whole seconds, which may not cut off the end.
      date: [`ge${seconds(from)}`, `le${seconds(new Date(to.getTime() + 999))}`],
    }),
    poll,
    probe: { path: 'Patient', query: { _id: 'casebridge-probe' } },
  },
  match: { operation: 'Patient/$match' }, // E19
  patients: {
    tooMany: { issues: ['4127', '59133'], statuses: [] }, // E18: above 100
    merged: ['4107'], // E20
    restricted: ['4118', '4130', '4131', '4134'], // E21; the last where a search left one out
  },
  create: {
    conditional: notOffered('conditionalCreate is false on all types, and If-None-Exist is ignored (E-cap, E23)'),
  },
  update: {
    ifMatch: notOffered('resources carry no version, and If-Match is ignored (E17, E24)'),
    patch: notOffered('no type declares PATCH (E-cap, E10)'),
  },
  transaction: notOffered('no interaction of the whole system is declared (E-cap)'),
  documents: {
    format: 'text',
    contentType: 'text/plain', // E26
    type: { code: '11506-3', display: 'Progress note' }, // of the short list that it takes; 18776-5 is not on it (section 1)
    encounter: 'required', // E34; a site on a release from February 2025 may allow none (documents.encounter: none)
    laterEdition: 'new-note', // E32 [sim]
    retraction: 'note', // E32 [sim]: a clinical note cannot be updated
  },
  paging: {
    pageSize: 1000, // the most it gives; a shorter page may still have a next (E16)
    partialIssues: ['59204', '59205', '4119', 'suppressed', 'incomplete', 'too-costly'], // E15
    restartIssues: ['4113'], // E16: a next link lives 60 s and is good for one use
  },
  issues: {
    // Section 3, the table of codes; matched by code, since their system differs per site (E31).
    4100: { class: 'permanent' },
    4102: { class: 'permanent' },
    4103: { class: 'gone' },
    4107: { class: 'gone' }, // E20: merged; a read is redirected to the survivor
    4110: { class: 'permanent' },
    4111: { class: 'permanent' },
    4112: { class: 'permanent' },
    4113: { class: 'retry-backoff', reason: 'search-session-over' }, // E16
    4115: { class: 'permanent' },
    4118: { class: 'denied' },
    4127: { class: 'permanent', reason: 'search-too-many' }, // E18
    4130: { class: 'denied' },
    4131: { class: 'denied' }, // E21
    4135: { class: 'retry-backoff', reason: 'server-daily-cap', wait: 'next-day' }, // E30
    40000: { class: 'permanent' },
    59008: { class: 'gone' }, // E11
    59102: { class: 'permanent' },
    59105: { class: 'permanent' },
    59108: { class: 'permanent' }, // E13
    59111: { class: 'permanent' },
    59133: { class: 'permanent', reason: 'search-too-many' },
    59141: { class: 'unknown-outcome', reason: 'server-duplicate' }, // E23: it exists; search and link
    59144: { class: 'permanent' },
    59159: { class: 'permanent' }, // E24, E26
    59177: { class: 'retry-backoff' },
    59187: { class: 'permanent' },
    59188: { class: 'permanent' },
    59189: { class: 'permanent' },
  },
  statuses: {},
  pages: {
    404: { class: 'permanent', reason: 'server-not-offered', of: 'writes' }, // E10
  },
  rewrites: {
    // E25; MAP write-probe.
    Condition: ['category', 'code', 'encounter', 'onsetDateTime', 'recordedDate'],
    DocumentReference: ['author', 'category', 'content', 'context', 'type'],
    Observation: ['code', 'effectiveDateTime', 'issued', 'performer'],
    Patient: ['identifier', 'meta', 'telecom'],
  },
  referralsBegin: 'Task',
  messages: { search: (patientId) => ({ patient: patientId }) }, // create, read and search of Community Resource (E-cap); no identifier is searched
  taskMoves: {
    // E24; one that keeps the status is taken too [sim].
    requested: ['accepted', 'rejected'],
    accepted: ['in-progress'],
    'in-progress': ['completed', 'failed', 'cancelled'],
  },
  fallback: 'document',
};

/** What is asked of a type. No parameter says when something was stored, DocumentReference excepted (E17). */
const polled: Readonly<Record<string, PollGrammar>> = {
  Appointment: { within: ofPatient(), dated: dated() },
  CarePlan: { within: ofPatient({ category: 'assess-plan' }) }, // E13; the longitudinal plan
  CareTeam: { within: ofPatient() },
  Communication: { within: ofPatient() },
  Condition: { within: ofPatient({ category: 'problem-list-item' }) },
  Consent: { within: ofPatient() },
  Coverage: { within: ofPatient() },
  DocumentReference: {
    within: ofPatient(),
    stored: {
      parameter: '_lastupdated',
      query: (since): Query => (since === undefined ? {} : { _lastupdated: `ge${seconds(since)}` }),
      // Whole seconds, which may not cut off the end.
      between: (from, to) => ({ _lastupdated: [`ge${seconds(from)}`, `le${seconds(new Date(to.getTime() + 999))}`] }),
    },
    dated: dated(),
  },
  Encounter: { within: ofPatient(), dated: dated() },
  EpisodeOfCare: { within: ofPatient() },
  Flag: { within: ofPatient() },
  Goal: { within: ofPatient() },
  Observation: { within: ofPatient({ category: 'sdoh' }) }, // E13; `survey` alone fails on older releases (pitfall 19)
  Patient: { within: (id) => ({ _id: id }) },
  Procedure: { within: ofPatient(), dated: dated() },
  QuestionnaireResponse: { within: ofPatient() },
  ServiceRequest: { within: ofPatient() },
  Task: {
    within: ofPatient({ code: 'community-resource' }),
    // Not every site answers it (E33).
    all: { query: { code: 'community-resource', status: 'requested' }, refusedBy: ['59108'] },
  },
};

function ofPatient(more: Query = {}): (patientId: string) => Query {
  return (patient) => ({ patient, ...more });
}

function dated(): NonNullable<PollGrammar['dated']> {
  return { parameter: 'date', query: (from) => ({ date: `ge${seconds(from)}` }) };
}

/** Read again within one patient: comparing with what was seen finds the changes. */
function poll(resourceType: string): Offered<PollGrammar> {
  return polled[resourceType] ?? noSearch;
}

const noSearch: NotOffered = notOffered('the type cannot be searched for changes (E-cap)');

/** UTC without fractions, as it shows times itself (section 4). */
function seconds(at: Date): string {
  return at.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
