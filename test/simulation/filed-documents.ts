// At a hospital: one document for each edition, and the newest says what the newest records say.

import { findMarker } from '../../src/documents/documents.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import { type Evidence, resourcesOf, type Told } from './evidence.ts';
import { personOf, told } from './source.ts';

/** (l) */
export function filedDocuments({ server, newest }: Evidence, said: Told): string[] {
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
  if (isRevoked || said.topics.size > 0) return doubles;
  const differing = [...newest.values()].flatMap((sent) => {
    const [, at] = /(\d+)$/.exec(sent.record.id) ?? [];
    if (at === undefined || !carried.includes(sent.type)) return [];
    const ofCase = documents.filter(({ document }) =>
      JSON.stringify(document.subject).includes(`Patient/${personOf(Number(at)).id}"`),
    );
    const [last = ''] = ofCase.map(({ text }) => text).sort((one, other) => edition(other) - edition(one));
    const isThere = last.includes(told(sent.version));
    const name = `${sent.type}/${sent.record.id}`;
    return isThere === (sent.record.deleted !== true)
      ? []
      : [`(l) The newest document and v${sent.version} of ${name} differ`];
  });
  return [...doubles, ...differing];
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
