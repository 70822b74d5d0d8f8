// At a hospital: one document for each edition, and the newest says what the newest records say.

import { findMarker } from '../../src/documents/documents.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import { type Evidence, resourcesOf, type Told } from './evidence.ts';
import { personOf, told } from './source.ts';

/** (l) */
export function filedDocuments({ server, newest, promised }: Evidence, said: Told): string[] {
  const documents = resourcesOf(server)
    .filter(({ resourceType }) => resourceType === 'DocumentReference')
    .map((document) => ({ document, text: textOf(document) }));
  const editions = Map.groupBy(documents, ({ text }) => {
    const found = findMarker(text);
    return found === undefined ? 'no edition' : `${found.marker} v${found.edition}`;
  });
  const isRevoked = [...newest.values()].some(({ type, record }) => type === 'consent' && record.status !== 'active');
  const doubles = [...editions]
    .filter(([edition, all]) => all.length > 1 || edition === 'no edition')
    .map(
      ([edition, all]) =>
        `(l) ${edition} is there ${all.length} times: ${all.map(({ document }) => String(document.id)).join(', ')}`,
    );
  // That something was taken back is told, and asks for nothing.
  if (isRevoked || [...said.topics].some((topic) => !topic.startsWith('recalled'))) return doubles;
  const standing = newestOfEach(documents);
  const standingIn = (chart: string) =>
    standing.filter(({ document }) => JSON.stringify(document.subject).includes(`Patient/${chart}"`));
  const differing = [...newest.values()].flatMap(({ type, record, version }) => {
    if (!carried.includes(type)) return [];
    const chart = personOf(clientNumber(record)).id;
    const isThere = standingIn(chart).some(({ text }) => text.includes(told(version)));
    return isThere === (record.deleted !== true)
      ? []
      : [`(l) The newest document and v${version} of ${type}/${record.id} differ`];
  });
  const misfiled = promised.flatMap(({ type, record, version }) => {
    const now = newest.get(`${type}/${record.id}`)?.record;
    if (!carried.includes(type) || now === undefined || now.clientId === record.clientId) return [];
    const isThere = standingIn(personOf(clientNumber(record)).id).some(({ text }) => text.includes(told(version)));
    return isThere ? [`(l) ${type}/${record.id} is still told in the chart of ${String(record.clientId)}`] : [];
  });
  return [...doubles, ...differing, ...misfiled];
}

/** Of each series of documents. */
function newestOfEach<Filed extends { readonly text: string }>(documents: readonly Filed[]): Filed[] {
  const series = Map.groupBy(documents, ({ text }) => findMarker(text)?.marker);
  return [...series.values()].flatMap(
    (all) => all.toSorted((one, other) => edition(other.text) - edition(one.text))[0] ?? [],
  );
}

function clientNumber({ clientId }: JsonObject): number {
  return Number(String(clientId).slice(1));
}

/** Records whose texts a document repeats. */
const carried: readonly RecordType[] = ['need', 'goal', 'carePlan'];

function edition(text: string): number {
  return findMarker(text)?.edition ?? 0;
}

/** What a document says. */
export function textOf({ content }: JsonObject): string {
  return objects(content)
    .map(({ attachment }) =>
      isObject(attachment) ? Buffer.from(String(attachment.data), 'base64').toString('utf8') : '',
    )
    .join('\n');
}

function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
