// The documents in a patient's chart, as the server's store has them.

import { DemoProblem } from './problem.ts';
import { objectsAt, textAt } from './reading.ts';
import type { Server } from './server.ts';
import { decoded } from './told.ts';

export interface Filed {
  readonly id: string;
  readonly docStatus: string;
  /** As filed: plain text, or XHTML. */
  readonly text: string;
  readonly edition: number;
  /** `DocumentReference/id` of the one that it replaces; '' for none. */
  readonly replaces: string;
}

/** In the order of their editions. */
export async function filedFor(server: Server, patientId: string): Promise<Filed[]> {
  const all = await server.resources('DocumentReference');
  const own = all.filter((document) => textAt(document, 'subject', 'reference') === `Patient/${patientId}`);
  const filed = own.map((document) => {
    const text = decoded(textAt(objectsAt(document, 'content')[0], 'attachment', 'data'));
    return {
      id: textAt(document, 'id'),
      docStatus: textAt(document, 'docStatus'),
      text,
      edition: Number(/Ref CB-\w+ v(\d+)/.exec(text)?.[1]),
      replaces: textAt(objectsAt(document, 'relatesTo')[0], 'target', 'reference'),
    };
  });
  return filed.sort((one, other) => one.edition - other.edition);
}

/** `DocumentReference/` and the id, as short as a reader needs it: some servers' ids are 60 characters long. */
export function shortName({ id }: Pick<Filed, 'id'>): string {
  return `DocumentReference/${id.length > 12 ? `${id.slice(0, 12)}...` : id}`;
}

/** The last edition. @throws DemoProblem when there is none */
export async function lastFiledFor(server: Server, patientId: string): Promise<Filed> {
  const last = (await filedFor(server, patientId)).at(-1);
  if (last === undefined) throw new DemoProblem(`No document was filed for Patient/${patientId}.`);
  return last;
}
