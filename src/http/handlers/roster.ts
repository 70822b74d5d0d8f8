// Who is asked about on a connection beside the patients that clients are linked to.

import type { ConnectionConfig } from '../../config.ts';
import type { Json } from '../../json.ts';
import { type NumberSought, numberSought } from '../../lanes/lanes.ts';
import { type FieldError, kindOf } from '../../records/records.ts';
import { type FieldRules, readFields } from '../answer-fields.ts';
import { readJson } from '../body.ts';
import { limitOf } from '../parameters.ts';
import { FieldsRefused } from '../problem.ts';
import { listRoster } from '../queries/roster.ts';
import type { Call, Route } from '../route.ts';
import { workingConnection } from '../working-connection.ts';

const mostPatients = 100_000;

const listing = {
  patients: {
    fits: (value) => Array.isArray(value) && value.length <= mostPatients,
    form: `a list of at most ${mostPatients} ids`,
    required: true,
  },
} satisfies FieldRules;

export const rosterRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/connections/{connection}/roster',
    summary: 'Patients who are asked about though no client is linked to them, and why.',
    access: { source: false, operator: 'read' },
    query: ['limit', 'after'],
    handle: list,
  },
  {
    method: 'PUT',
    path: '/api/connections/{connection}/roster',
    summary:
      'A referral list: {patients: [id on the server, or a number as system|value or kind|value, …]} takes the place of the one before. Answers {patients, added, removed, sought}.',
    access: { source: false, operator: 'configure' },
    act: { action: 'upload', on: 'roster' },
    takes: ['application/json'],
    fields: listing,
    handle: upload,
  },
];

const patientId = /^(?!\.+$)[A-Za-z0-9._-]{1,128}$/;

async function list({ gateway, path, query }: Call): Promise<object> {
  const { id } = workingConnection(gateway.config, path.connection);
  return listRoster(gateway.store, id, { limit: limitOf(query), after: query.after });
}

async function upload(call: Call): Promise<object> {
  const { id, identifierSystems } = workingConnection(call.gateway.config, call.path.connection);
  const { ids, numbers } = readPatients(await readJson(call), identifierSystems);
  const changed = await call.gateway.uploadRoster(id, ids, numbers);
  return { patients: ids.length + numbers.length, ...changed, sought: numbers.length };
}

interface Listed {
  readonly ids: readonly string[];
  readonly numbers: readonly NumberSought[];
}

function readPatients(value: Json, identifierSystems: ConnectionConfig['identifierSystems']): Listed {
  const { patients } = readFields(value, listing);
  const errors: FieldError[] = [];
  const numbers = new Map<string, NumberSought>();
  const ids = (Array.isArray(patients) ? patients : []).flatMap((patient, index) => {
    if (typeof patient === 'string' && patientId.test(patient)) return [patient];
    const sought =
      typeof patient === 'string' && patient.length <= longestNumber
        ? numberSought(patient, identifierSystems)
        : undefined;
    if (sought === undefined) errors.push(refused(`/patients/${index}`, patient, wantedName));
    else numbers.set(`${sought.system}|${sought.value}`, sought);
    return [];
  });
  if (errors.length > 0) throw new FieldsRefused('request-refused', errors.slice(0, mostErrors));
  return { ids: [...new Set(ids)], numbers: [...numbers.values()] };
}

const longestNumber = 512;
const wantedName =
  'Must be the id of a Patient on the server, or a number as system|value, the system a URI or a kind of identifierSystems.';
const mostErrors = 100;

function refused(pointer: string, found: Json | undefined, message: string): FieldError {
  return { pointer, rule: 'type', found: kindOf(found), message };
}
