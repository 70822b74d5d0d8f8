// "Wrong patient": an operator says which patient of a connection a client is, or that it is none of them.

import { CasebridgeError } from '../../errors.ts';
import { type FieldRules, note, readFields, signatureOf, textOf } from '../answer-fields.ts';
import { readJson } from '../body.ts';
import type { Call, Route } from '../route.ts';
import { workingConnection } from '../working-connection.ts';

/** Ids are opaque, and longer at some servers than FHIR allows. */
const patientId = /^(?!\.+$)[A-Za-z0-9._-]{1,128}$/;

const asked = {
  patient: {
    fits: (value) => value === null || (typeof value === 'string' && patientId.test(value)),
    form: 'the id of a Patient on the server, or null for nobody',
    required: true,
  },
  note,
} satisfies FieldRules;

export const patientRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/connections/{connection}/patients/{source}/{id}',
    summary:
      'Say who the client is there: {patient: id on the server, or null for nobody, note}. Answers {was, now, written}: what had been written to the other chart.',
    access: { source: false, operator: 'decide' },
    act: { action: 'link', on: 'client' },
    takes: ['application/json'],
    fields: asked,
    handle: linkPatient,
  },
];

async function linkPatient(call: Call): Promise<object> {
  const { gateway, path } = call;
  const { connection = '', source = '', id = '' } = path;
  const { sources } = workingConnection(gateway.config, connection);
  if (!gateway.config.sources.has(source)) throw new CasebridgeError('source-unknown');
  if (!sources.includes(source)) throw new CasebridgeError('source-not-sent', { source, connection });
  const fields = readFields(await readJson(call), asked);
  const patient = textOf(fields.patient) ?? null;
  return gateway.linkPatient({ connection, source, clientId: id, patient, ...signatureOf(call, fields) });
}
