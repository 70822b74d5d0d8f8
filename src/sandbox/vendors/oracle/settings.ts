// What `POST /_control/oracle/settings` can change. The defaults are the server as it is in a hospital; each setting names the quirk, C1 to
// C31, that it varies or switches off. The sandbox's tests have the same ids.

import { bodyReader } from '../../control/check-body.ts';

export interface OracleSettings {
  /** `none` takes every request, `token` wants an access token with a scope that covers it. */
  auth: 'none' | 'token';
  /** C1: life of an access token in seconds. */
  tokenSeconds: number;
  /** C1: which spelling of scopes is taken: `.read` and `.write`, letters such as `.rs`, or both. */
  scopeSpelling: 'v1' | 'v2' | 'both';
  /** C3: whether another tenant than ours is refused. */
  checkTenant: boolean;
  /** C4: how a missing scope is said. */
  forbiddenShape: 'alternate' | 'outcome' | 'gateway';
  /** C5: the media type of resources. */
  mediaType: 'application/fhir+json' | 'application/json+fhir' | 'alternate';
  /** C5: whether a client that wants no JSON is refused. */
  checkAccept: boolean;
  /** C6: whether answers also carry opc-request-id; X-Request-Id is always there. */
  opcRequestId: 'never' | 'sometimes' | 'always';
  /** C7: whether parameters outside the type's grammar, and missing ones, are refused; if not, unknown ones are ignored. */
  checkParameters: boolean;
  /** C8: whether date parameters follow the type's grammar. */
  checkDates: boolean;
  /** C9: whether care plans come without activities, their description in the narrative alone. */
  narrativeCarePlans: boolean;
  /** C10: in a search of several pages, whether the second is empty, whether one id comes twice, and whether there is a total. */
  paging: { empty: boolean; repeat: boolean; total: boolean };
  /** C11: records, as `Type/id`, that searches leave out, with an outcome that says so. */
  suppressed: readonly string[];
  /** C12: whether social history is all on the first page, whatever _count says. */
  socialHistoryFirst: boolean;
  /** C13: patient searches with more hits are refused. */
  patientSearchLimit: number;
  /** C14: combined patients, the old id to that of the survivor. */
  combined: Readonly<Record<string, string>>;
  /** C15: whether a create answers without a body. */
  emptyCreateReply: boolean;
  /** C16: whether updates, patches and deletes need If-Match. */
  requireIfMatch: boolean;
  /** C17: whether PUT removes what the body leaves out. */
  putReplaces: boolean;
  /** C18: whether a patch may touch the listed paths only, and lists only after a test. */
  checkPatches: boolean;
  /** C19: whether bodies may have the supported elements only. */
  checkBodies: boolean;
  /** C20: whether If-None-Exist counts. */
  conditionalCreate: boolean;
  /** C21: beyond this rate the answer is 429, with Retry-After in the named form. Null: no limit. */
  throttle: { requestsPerSecond: number; retryAfter: 'none' | 'seconds' | 'date'; retryAfterSeconds: number } | null;
  /** C22: the status that a write of `Type/id`, or a create of `Type`, gets. */
  locks: Readonly<Record<string, 423 | 424>>;
  /** C23: records, as `Type/id`, that break every search that finds them. */
  poisoned: readonly string[];
  /** C24: requests that time out at the gateway for ever, by their beginning: `GET Observation?patient=7`. */
  alwaysTimesOut: readonly string[];
  /** C25: interactions by type in the letters crudsp where they differ from the usual ones; '' is a type that is not there. */
  interactions: Readonly<Record<string, string>>;
  /** C26: whether an update of answers must bring back the item ids of the stored ones. */
  checkItemIds: boolean;
  /** C27: how a deleted resource is answered afterwards. */
  deletedStatus: 404 | 410;
  /** C28: how resources that are entered in error come. */
  enteredInError: 'whole' | 'sparse' | 'sparse-with-space';
  /** C29: whether Accept must name the attachment's type or FHIR JSON. */
  checkBinaryAccept: boolean;
  /** C30: date of the CapabilityStatement: the day on the server's clock, or this one. */
  statementDate: string;
  /** The CapabilityStatement where it is not the truth: types that it lacks, interactions that it claims, bytes that it is longer. */
  statement: { omit: readonly string[]; claim: Readonly<Record<string, string>>; padding: number };
  /** C31: whether an update of a document must be an amendment. */
  checkAmendments: boolean;
  /** System of the record numbers that the server gives to new patients. */
  mrnSystem: string;
  /** Milliseconds until a search sees a write. */
  searchLagMs: number;
  /** Real time that each answer takes. */
  latencyMs: number;
}

export const defaultSettings: OracleSettings = {
  auth: 'token',
  tokenSeconds: 570,
  scopeSpelling: 'both',
  checkTenant: true,
  forbiddenShape: 'alternate',
  mediaType: 'alternate',
  checkAccept: true,
  opcRequestId: 'sometimes',
  checkParameters: true,
  checkDates: true,
  narrativeCarePlans: true,
  paging: { empty: true, repeat: true, total: false },
  suppressed: [],
  socialHistoryFirst: true,
  patientSearchLimit: 1000,
  combined: {},
  emptyCreateReply: true,
  requireIfMatch: true,
  putReplaces: true,
  checkPatches: true,
  checkBodies: true,
  conditionalCreate: false,
  throttle: null,
  locks: {},
  poisoned: [],
  alwaysTimesOut: [],
  interactions: {},
  checkItemIds: true,
  deletedStatus: 404,
  enteredInError: 'sparse-with-space',
  checkBinaryAccept: true,
  statementDate: 'daily',
  statement: { omit: [], claim: {}, padding: 0 },
  checkAmendments: true,
  mrnSystem: 'urn:oid:2.16.840.1.113883.3.9999.2.1',
  searchLagMs: 0,
  latencyMs: 0,
};

const flag = { type: 'boolean' };
const amount = { type: 'integer', minimum: 0 };
const positive = { type: 'integer', minimum: 1 };
const text = { type: 'string', minLength: 1 };
const typeName = '[A-Z][A-Za-z]+';
const record = { type: 'string', pattern: `^${typeName}/[A-Za-z0-9.-]{1,64}$` };
const interactions = {
  type: 'object',
  propertyNames: { pattern: `^${typeName}$` },
  additionalProperties: { type: 'string', pattern: '^[crudsp]*$' },
};

function closed(properties: Record<string, object>, required: readonly string[] = Object.keys(properties)) {
  return { type: 'object', additionalProperties: false, required, properties };
}

/** @throws InvalidControl for an unknown setting or a wrong value */
export const parseSettings = bodyReader<Partial<OracleSettings>>(
  closed(
    {
      auth: { enum: ['none', 'token'] },
      tokenSeconds: positive,
      scopeSpelling: { enum: ['v1', 'v2', 'both'] },
      checkTenant: flag,
      forbiddenShape: { enum: ['alternate', 'outcome', 'gateway'] },
      mediaType: { enum: ['application/fhir+json', 'application/json+fhir', 'alternate'] },
      checkAccept: flag,
      opcRequestId: { enum: ['never', 'sometimes', 'always'] },
      checkParameters: flag,
      checkDates: flag,
      narrativeCarePlans: flag,
      paging: closed({ empty: flag, repeat: flag, total: flag }),
      suppressed: { type: 'array', items: record },
      socialHistoryFirst: flag,
      patientSearchLimit: amount,
      combined: { type: 'object', additionalProperties: text },
      emptyCreateReply: flag,
      requireIfMatch: flag,
      putReplaces: flag,
      checkPatches: flag,
      checkBodies: flag,
      conditionalCreate: flag,
      throttle: {
        ...closed({
          requestsPerSecond: positive,
          retryAfter: { enum: ['none', 'seconds', 'date'] },
          retryAfterSeconds: positive,
        }),
        type: ['object', 'null'],
      },
      locks: {
        type: 'object',
        propertyNames: { pattern: `^${typeName}(/[A-Za-z0-9.-]{1,64})?$` },
        additionalProperties: { enum: [423, 424] },
      },
      poisoned: { type: 'array', items: record },
      alwaysTimesOut: { type: 'array', items: { type: 'string', pattern: '^(GET|POST|PUT|PATCH|DELETE) ' } },
      interactions,
      checkItemIds: flag,
      deletedStatus: { enum: [404, 410] },
      enteredInError: { enum: ['whole', 'sparse', 'sparse-with-space'] },
      checkBinaryAccept: flag,
      statementDate: { type: 'string', pattern: '^(daily|\\d{4}-\\d\\d-\\d\\d)$' },
      statement: closed({ omit: { type: 'array', items: text }, claim: interactions, padding: amount }),
      checkAmendments: flag,
      mrnSystem: text,
      searchLagMs: amount,
      latencyMs: amount,
    },
    [],
  ),
);
