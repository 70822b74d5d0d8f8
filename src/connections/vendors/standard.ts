// Servers that do what the FHIR R4 specification says: HAPI, Medplum, the servers of health information exchanges.
// Numbers like 3141 are issues of hapifhir/hapi-fhir.

import { escaped } from '../escaped.ts';
import { notOffered, type PollGrammar, type Vendor } from './vendor.ts';

const pageSize = 200;

export const standard: Vendor = {
  id: 'standard',
  // HAPI answers a repeated search from its cache unless told otherwise.
  headers: { 'cache-control': 'no-cache' },
  clientIdHeader: notOffered('FHIR knows no such header.'),
  requestIds: ['x-request-id'],
  token: {
    scopeParameter: 'required',
    grantFilters: {},
  },
  interactions: {},
  defaults: {
    hospitalStay: { route: 'read', why: 'stays begin there' },
  },
  queries: {
    identifier: (system, value) => ({ identifier: `${escaped(system)}|${escaped(value)}` }),
    patient: ({ family, birthDate, given, sex, phone, postalCode }) => ({
      family: escaped(family),
      birthdate: birthDate,
      ...(given !== undefined && { given: escaped(given) }),
      ...(sex !== undefined && { gender: sex }),
      ...(phone !== undefined && { phone: escaped(phone) }),
      ...(postalCode !== undefined && { 'address-postalcode': escaped(postalCode) }),
      _count: String(pageSize),
    }),
    encounters: (patientId) => ({ patient: patientId, _count: String(pageSize) }),
    documents: ({ patientId, type, from, to }) => ({
      patient: patientId,
      type: `http://loinc.org|${type}`,
      date: [`ge${from.toISOString()}`, `le${to.toISOString()}`],
      _count: String(pageSize),
    }),
    poll,
    probe: { path: 'Patient', query: { _summary: 'count' } },
  },
  match: notOffered('FHIR does not ask a server for $match, and HAPI and Medplum differ in what theirs means.'),
  patients: {
    tooMany: { issues: ['too-costly'], statuses: [] },
    // A server that follows R4 tells by Patient.link that it replaced one.
    merged: [],
    restricted: ['security', 'suppressed'],
  },
  create: {
    // Not atomic under concurrency (3141): the intent and the search before it are what prevents a double.
    conditional: { when: 'declared' },
  },
  update: {
    ifMatch: { when: 'known' },
    patch: { when: 'declared' },
  },
  transaction: { when: 'declared' },
  documents: {
    format: 'xhtml',
    contentType: 'application/xhtml+xml;charset=utf-8',
    type: { code: '18776-5', display: 'Plan of care note' },
    encounter: 'optional',
    laterEdition: 'amend',
    retraction: 'entered-in-error',
  },
  paging: {
    pageSize,
    partialIssues: ['suppressed', 'incomplete', 'too-costly'],
    restartIssues: [],
  },
  issues: {},
  statuses: {},
  pages: {},
  rewrites: {},
  referralsBegin: 'Task',
  messages: notOffered('notes of a Task are for this in SDOHCC'),
  taskMoves: notOffered('R4 knows no rule of its own for the moves of a Task'),
  fallback: 'document',
};

/** What begins there begins with these; of everything else only what is about patients whom we ask about is read. */
const readWhole = ['ServiceRequest', 'Task'];
const happensOnce = ['Appointment', 'DocumentReference', 'Encounter', 'Procedure'];

/**
 * Newest first: what changes while we page moves to the front and shifts the rest back, so that a resource is seen twice rather than
 * never. A server that does not declare `_lastUpdated` is read whole; comparing with what was seen finds the changes.
 */
function poll(resourceType: string): PollGrammar {
  const count = { _count: String(pageSize) };
  const patient = resourceType === 'Patient' ? '_id' : 'patient';
  return {
    within: (patientId) => ({ [patient]: patientId, ...count }),
    ...(readWhole.includes(resourceType) && { all: { query: count } }),
    stored: {
      parameter: '_lastUpdated',
      query: (since) => ({ _sort: '-_lastUpdated', ...(since && { _lastUpdated: `ge${since.toISOString()}` }) }),
      between: (from, to) => ({
        _sort: '-_lastUpdated',
        _lastUpdated: [`ge${from.toISOString()}`, `le${to.toISOString()}`],
      }),
    },
    ...(happensOnce.includes(resourceType) && {
      dated: { parameter: 'date', query: (from) => ({ date: `ge${from.toISOString()}` }) },
    }),
  };
}
