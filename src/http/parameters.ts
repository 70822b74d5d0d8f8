// Path and query parameters: what each must look like. Checked before any handler runs; OpenAPI shows the same rows.

import { namePattern } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { didYouMean } from '../nearest.ts';
import { isRecordType, recordTypes } from '../records/records.ts';
import { laneStates } from './queries/lane-state.ts';
import type { QueryName, Route } from './route.ts';

interface Parameter {
  readonly schema: JsonObject;
  readonly description: string;
  /** What it must be, as the end of "{name} must be …". */
  readonly form: string;
}

const name = { schema: { type: 'string', pattern: namePattern }, form: 'a name such as county' };
const number = { schema: { type: 'string', pattern: '^[1-9][0-9]{0,14}$' }, form: 'a number' };
const idPattern = '^(?!\\.+$)[A-Za-z0-9._-]{1,64}$';

/** By the name that stands in a route's path. */
export const pathParameters: Readonly<Record<string, Parameter>> = {
  type: {
    schema: { type: 'string', enum: [...recordTypes] },
    description: 'Record type.',
    form: 'a record type',
  },
  id: {
    schema: { type: 'string', pattern: idPattern },
    description: "The source's own id of the record.",
    form: '1 to 64 letters, digits, dots, underscores and dashes',
  },
  connection: { ...name, description: 'Connection.' },
  source: { ...name, description: 'Source of the record, or of the webhook.' },
  cursor: {
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,128}$' },
    description: '`cursor` of the change.',
    form: 'the cursor of a change',
  },
  subject: {
    schema: {
      type: 'string',
      pattern: '^[a-z][a-z0-9-]{0,31}\\.(case|client|organization|service|worker)\\.(?!\\.+$)[A-Za-z0-9._-]{1,64}$',
    },
    description: '<source>.<case|client|organization|service|worker>.<id>',
    form: '<source>.<case|client|organization|service|worker>.<id>',
  },
  decision: { ...number, description: 'Decision.' },
  message: { ...number, description: 'Message.' },
  replay: { ...number, description: 'Replay.' },
  stale: {
    schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    description: '`key` of the older record.',
    form: 'the key of an older record, as its list shows it',
  },
  link: {
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{12}$' },
    description: '`id` of the link.',
    form: 'the id of a link, as the list shows it',
  },
  resource: {
    schema: { type: 'string', pattern: '^[A-Z][A-Za-z]{1,63}$' },
    description: 'FHIR resource type.',
    form: 'a FHIR resource type',
  },
  subscribed: {
    schema: { type: 'string', pattern: '^[A-Z][A-Za-z]{1,63}$' },
    description: 'FHIR resource type that the Subscription is about.',
    form: 'a FHIR resource type',
  },
  resourceId: {
    schema: { type: 'string', pattern: '^(?!\\.+$)[A-Za-z0-9._-]{1,128}$' },
    description: "The server's id of the resource.",
    form: 'the id of a resource',
  },
  key: {
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,128}$' },
    description: 'The secret key of the hook.',
    form: 'the key of the hook',
  },
};

/** What may become of a lane in a replay. */
export const replayOutcomes = ['done', 'skipped', 'refused', 'left'] as const;

const queryParameters: Readonly<Record<QueryName, Parameter>> = {
  limit: {
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    description: 'Items on a page.',
    form: 'a whole number from 1 to 1000',
  },
  after: {
    schema: { type: 'string', maxLength: 1024 },
    description: 'Opaque: `next` of the page before.',
    form: 'the `next` of the page before',
  },
  source: { ...name, description: 'Whose records; only operators need it.' },
  state: {
    schema: { type: 'string', enum: [...laneStates] },
    description: 'Lanes in this state only.',
    form: `one of ${laneStates.join(', ')}`,
  },
  dryRun: {
    schema: { type: 'string', enum: ['true', 'false'], default: 'false' },
    description: 'Answers the plan and changes nothing.',
    form: 'true or false',
  },
  lineage: {
    schema: { type: 'string', enum: ['true', 'false'], default: 'false' },
    description: 'Answers with where each element comes from, and what of the records is sent nowhere and why.',
    form: 'true or false',
  },
  connection: { ...name, description: 'Of this connection only; in a preview, the one whose routes are shown.' },
  reason: {
    schema: { type: 'string', pattern: '^[a-z][a-z-]{1,63}$' },
    description: 'Lanes that show a reason of this code only.',
    form: 'the code of a reason, such as server-refused',
  },
  worker: {
    schema: { type: 'string', pattern: idPattern },
    description: 'Of this worker only, by the id of its record.',
    form: 'the id of a worker record',
  },
  kind: { schema: { type: 'string' }, description: 'Of this kind only.', form: 'a kind' },
  outcome: {
    schema: { type: 'string', enum: [...replayOutcomes] },
    description: 'Lanes that ended so only; `left` has not ended yet.',
    form: `one of ${replayOutcomes.join(', ')}`,
  },
};

/** A query parameter as it is on this route. */
export function queryParameter(route: Route, name: QueryName): Parameter {
  const values = name === 'state' ? route.states : name === 'kind' ? route.kinds : undefined;
  if (values === undefined) return queryParameters[name];
  return {
    schema: { type: 'string', enum: [...values] },
    description: name === 'state' ? 'In this state only.' : 'Of this kind only.',
    form: `one of ${values.join(', ')}`,
  };
}

/**
 * @throws CasebridgeError `record-type-unknown`, `connection-unknown` never; `parameter-invalid` for a part of the path that is malformed
 */
export function checkPath(parameters: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    const parameter = pathParameters[name];
    if (name === 'type' && !isRecordType(value)) {
      throw new CasebridgeError('record-type-unknown', { hint: didYouMean(value, recordTypes) });
    }
    if (parameter && !fits(value, parameter.schema)) {
      throw new CasebridgeError('parameter-invalid', { name: `{${name}} in the address`, form: parameter.form });
    }
  }
}

/** The query of a request. @throws CasebridgeError `parameter-unknown`, `parameter-doubled`, `parameter-invalid` */
export function readQuery(route: Route, search: URLSearchParams): Partial<Record<QueryName, string>> {
  const allowed = route.query ?? [];
  const query: Partial<Record<QueryName, string>> = {};
  for (const [given, value] of search) {
    const known = allowed.find((name) => name === given);
    if (!known)
      throw new CasebridgeError('parameter-unknown', { name: shown(given), hint: didYouMean(given, allowed) });
    if (query[known] !== undefined) throw new CasebridgeError('parameter-doubled', { name: known });
    const { schema, form } = queryParameter(route, known);
    if (!fits(value, schema)) throw new CasebridgeError('parameter-invalid', { name: known, form });
    query[known] = value;
  }
  return query;
}

/** `limit` of a list; 100 when not given. */
export function limitOf(query: Partial<Record<QueryName, string>>): number {
  return Number(query.limit ?? 100);
}

function fits(value: string, schema: JsonObject): boolean {
  if (schema.type === 'integer') {
    return (
      /^[0-9]{1,9}$/.test(value) && Number(value) >= Number(schema.minimum) && Number(value) <= Number(schema.maximum)
    );
  }
  if (Array.isArray(schema.enum)) return schema.enum.includes(value);
  if (typeof schema.maxLength === 'number') return value.length <= schema.maxLength;
  return typeof schema.pattern === 'string' && new RegExp(schema.pattern).test(value);
}

// A name that somebody typed could be anything, a patient's name included.
function shown(name: string): string {
  return /^[A-Za-z_-]{1,20}$/.test(name) ? name : 'This';
}
