// The readable documents of a world: what the server holds, as a clinician reads it, and the passing of time that an edition waits for.

import { findMarker } from '../../src/documents/documents.ts';
import { isObject, type JsonObject } from '../../src/json.ts';
import { sql } from '../../src/store/store.ts';
import { caseload } from './caseload.ts';
import type { World } from './world.ts';

/** An encounter of a patient, Rosa's by default; one that is finished ended when it started. */
export function anEncounter(id: string, status: string, start: string, patient = 'rosa'): JsonObject {
  return {
    resourceType: 'Encounter',
    id,
    status,
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: { reference: `Patient/${patient}` },
    period: { start, ...(status === 'finished' && { end: start }) },
  };
}

export interface Filed {
  readonly id: string;
  readonly status: string;
  readonly docStatus: string;
  readonly text: string;
  readonly edition: number;
}

/** What tests of documents do in a world. */
export function documentsOf(world: World) {
  return {
    /** A client and a case with a plan; the lanes run. */
    async sendCase(): Promise<void> {
      await world.send(...caseload());
    },

    /** The documents that the server holds, in the order of their editions. */
    async filed(): Promise<Filed[]> {
      const all = (await world.server.all('DocumentReference')).map(readFiled);
      return all.sort((one, other) => one.edition - other.edition);
    },

    /** All that the store knows happened so many hours earlier. */
    async timePasses(hours: number): Promise<void> {
      for (const [table, column] of instants) {
        const at = sql.ref(column);
        await sql`update ${sql.table(table)} set ${at} = ${at} - ${hours} * interval '1 hour'`.execute(world.store.db);
      }
      await sql`update lane set wanted = wanted + 1 where next_look_at <= now()`.execute(world.store.db);
    },

    /** Requests that changed something on the server, or tried to; a $match only asks. */
    async writes(): Promise<string[]> {
      const tried = (await world.server.journal()).filter(
        ({ method, url }) => method !== 'GET' && !String(url).endsWith('$match'),
      );
      return tried.map(({ method, url, status }) => `${method} ${typeIn(String(url))} ${status}`);
    },
  };
}

const instants = [
  ['record', 'accepted_at'],
  ['edition', 'sent_at'],
  ['lane', 'next_look_at'],
  ['connection', 'documents_held_until'],
] as const;

function readFiled(document: JsonObject): Filed {
  const text = textOf(document);
  return {
    id: String(document.id),
    status: String(document.status),
    docStatus: String(document.docStatus),
    text,
    edition: findMarker(text)?.edition ?? 0,
  };
}

function textOf({ content }: JsonObject): string {
  const [first] = Array.isArray(content) ? content : [];
  const attachment = isObject(first) ? first.attachment : undefined;
  return isObject(attachment) ? Buffer.from(String(attachment.data), 'base64').toString('utf8') : '';
}

function typeIn(url: string): string {
  return /\/([A-Z][a-z]\w*)(?:\/[^/]*)?$/.exec(url)?.[1] ?? url;
}
