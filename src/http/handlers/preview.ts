// What records would become, without storing anything.

import { CasebridgeError } from '../../errors.ts';
import { type CheckedRecord, type FieldError, readRecordLines } from '../../records/records.ts';
import { readBody } from '../body.ts';
import { checkLine } from '../intake.ts';
import { keepCallersLooks } from '../looks.ts';
import { addressedSource } from '../principal.ts';
import { FieldsRefused } from '../problem.ts';
import type { Call, Route } from '../route.ts';
import { workingConnection } from '../working-connection.ts';
import { recordStreamTypes } from './records.ts';

export const previewRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/preview',
    summary: 'The FHIR resources that these records would become, with what is stored already. Stores nothing.',
    access: { source: true, operator: 'read' },
    query: ['connection', 'source'],
    takes: recordStreamTypes,
    takesRecords: true,
    handle: preview,
  },
];

async function preview(call: Call): Promise<object> {
  const { gateway, query, request, limits } = call;
  const source = addressedSource(call);
  const { connection } = query;
  if (connection !== undefined && !gateway.config.connections.get(connection)?.sources.includes(source)) {
    throw new CasebridgeError('connection-unknown', { connection });
  }
  if (connection !== undefined) workingConnection(gateway.config, connection);
  const timeZone = gateway.config.sources.get(source)?.timeZone;
  const options = { now: new Date(), timeZone, schemas: await gateway.schemas() };
  const items: CheckedRecord[] = [];
  const errors: FieldError[] = [];
  let refused = 0;
  for await (const line of readRecordLines(once(await readBody(request, limits)))) {
    const checked = checkLine(line, options);
    if ('item' in checked) items.push(checked.item);
    else {
      const { errors: broken, ...place } = checked;
      errors.push(...broken.map((error) => ({ ...place, ...error })));
      refused += 1;
    }
  }
  if (errors.length > 0) throw new FieldsRefused('records-refused', errors, refused);
  const { read, ...shown } = await gateway.preview(source, items, connection);
  await keepCallersLooks(
    call,
    read.map(({ type, id }) => [type, `${source}/${id}`]),
  );
  return shown;
}

async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
