// Who is asked about on a connection beside the patients that clients are linked to.

import { isObject, type Json } from '../../json.ts';
import { didYouMean } from '../../nearest.ts';
import { type FieldError, kindOf } from '../../records/records.ts';
import { readJson } from '../body.ts';
import { limitOf } from '../parameters.ts';
import { FieldsRefused } from '../problem.ts';
import { listRoster } from '../queries/roster.ts';
import type { Call, Route } from '../route.ts';
import { workingConnection } from '../working-connection.ts';

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
      'A referral list: {patients: [id on the server, …]} takes the place of the one before. Answers {patients, added, removed}.',
    access: { source: false, operator: 'configure' },
    takes: ['application/json'],
    handle: upload,
  },
];

const mostPatients = 100_000;
const patientId = /^(?!\.+$)[A-Za-z0-9._-]{1,128}$/;

async function list({ gateway, path, query }: Call): Promise<object> {
  const { id } = workingConnection(gateway.config, path.connection);
  return listRoster(gateway.store, id, { limit: limitOf(query), after: query.after });
}

async function upload(call: Call): Promise<object> {
  const { id } = workingConnection(call.gateway.config, call.path.connection);
  const patients = readPatients(await readJson(call));
  return { patients: patients.length, ...(await call.gateway.uploadRoster(id, patients)) };
}

function readPatients(value: Json): string[] {
  const { patients, ...others } = isObject(value) ? value : {};
  const errors: FieldError[] = Object.keys(others).map((name) => ({
    pointer: '',
    rule: 'unknown-property',
    found: 'unknown name',
    message: `The body holds "patients" only.${didYouMean(name, ['patients'])}`,
  }));
  if (!Array.isArray(patients) || patients.length > mostPatients) {
    errors.push(refused('/patients', patients, `"patients" must be a list of at most ${mostPatients} ids.`));
    throw new FieldsRefused('request-refused', errors);
  }
  const ids = patients.flatMap((patient, index) => {
    if (typeof patient === 'string' && patientId.test(patient)) return [patient];
    errors.push(refused(`/patients/${index}`, patient, 'Must be the id of a Patient on the server.'));
    return [];
  });
  if (errors.length > 0) throw new FieldsRefused('request-refused', errors.slice(0, mostErrors));
  return [...new Set(ids)];
}

const mostErrors = 100;

function refused(pointer: string, found: Json | undefined, message: string): FieldError {
  return { pointer, rule: 'type', found: kindOf(found), message };
}
