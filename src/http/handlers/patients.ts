// "Wrong patient": an operator says which patient of a connection a client is, or that it is none of them.

import { CasebridgeError } from '../../errors.ts';
import { isObject, type Json } from '../../json.ts';
import { didYouMean } from '../../nearest.ts';
import { type FieldError, kindOf } from '../../records/records.ts';
import { readJson } from '../body.ts';
import { FieldsRefused } from '../problem.ts';
import type { Call, Route } from '../route.ts';
import { workingConnection } from '../working-connection.ts';

export const patientRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/connections/{connection}/patients/{source}/{id}',
    summary:
      'Say who the client is there: {patient: id on the server, or null for nobody, note}. Answers {was, now, written}: what had been written to the other chart.',
    access: { source: false, operator: 'decide' },
    takes: ['application/json'],
    handle: linkPatient,
  },
];

const noteLength = 2000;
/** Ids are opaque, and longer at some servers than FHIR allows. */
const patientId = /^(?!\.+$)[A-Za-z0-9._-]{1,128}$/;

async function linkPatient(call: Call): Promise<object> {
  const { gateway, path, principal } = call;
  const { connection = '', source = '', id = '' } = path;
  const { sources } = workingConnection(gateway.config, connection);
  if (!gateway.config.sources.has(source)) throw new CasebridgeError('source-unknown');
  if (!sources.includes(source)) throw new CasebridgeError('source-not-sent', { source, connection });
  const asked = readAsked(await readJson(call));
  return gateway.linkPatient({ connection, source, clientId: id, ...asked, by: principal?.name ?? '' });
}

function readAsked(value: Json): { patient: string | null; note?: string } {
  const { patient, note, ...others } = isObject(value) ? value : {};
  const errors: FieldError[] = Object.keys(others).map((name) => ({
    pointer: '',
    rule: 'unknown-property',
    found: 'unknown name',
    message: `The body holds "patient" and "note" only.${didYouMean(name, ['patient', 'note'])}`,
  }));
  const isPatient = patient === null || (typeof patient === 'string' && patientId.test(patient));
  if (!isPatient) errors.push(refused('patient', patient, 'the id of a Patient on the server, or null for nobody'));
  if (note !== undefined && (typeof note !== 'string' || note.length > noteLength))
    errors.push(refused('note', note, `text of at most ${noteLength} characters`));
  if (errors.length > 0 || !isPatient) throw new FieldsRefused('request-refused', errors);
  return { patient, ...(typeof note === 'string' && { note }) };
}

function refused(field: string, found: Json | undefined, form: string): FieldError {
  return { pointer: `/${field}`, rule: 'type', found: kindOf(found), message: `"${field}" must be ${form}.` };
}
