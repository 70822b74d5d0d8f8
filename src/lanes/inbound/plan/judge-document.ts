// A document of the hospital, offered as a note: judged by what it is, whether another stands in its place, and by its text. That is read once, when it is
// offered, and again when the document has changed. Pure.

import type { JsonObject } from '../../../json.ts';
import { localName } from '../about.ts';
import {
  attachmentToRead,
  documentDoubt,
  documentFields,
  documentTime,
  isOurText,
  replacedAmong,
} from './hospital-document.ts';
import { readableText } from './readable-text.ts';
import { tellRecord } from './tell-record.ts';
import { type Ground, isHistory, isOffered, notForSource, placeOf, type ReadRow, type Verdict } from './verdict.ts';
import type { View } from './view.ts';

export function judgeDocument(ground: Ground, { row, body, patient, look }: ReadRow): Verdict {
  const { view } = ground;
  const { now, connection, texts } = view.input;
  const why = documentDoubt(body, connection.config.polls.documentTypes);
  if (why !== undefined) return notForSource(row, why);
  if (replaced(view).has(row.remote_id)) return notForSource(row, 'inbound-superseded');
  if (isHistory(row, documentTime(body), now)) return notForSource(row, 'inbound-past');
  if (isOffered(row) && row.reason === null && row.look === look) return { kind: 'stands' };
  const found = attachmentToRead(body, view.baseUrl);
  const read = found?.binary && texts.get(localName(found.binary));
  if (found?.binary !== undefined && read === undefined) return { kind: 'read', named: found.binary };
  // It is tried again; what was offered before stands meanwhile.
  if (read === 'unread') return isOffered(row) ? { kind: 'stands' } : notForSource(row, 'inbound-text-unread');
  const held = typeof read === 'object' ? read.body : found?.attachment;
  const text = held && readableText(held);
  if (isOurText(text)) return notForSource(row, 'inbound-own-document');
  const { hospital } = view.input.around;
  const fields = documentFields({ document: body, text, hospital, replaces: editionsBefore(view, body) });
  const told = tellRecord(ground, placeOf(row), body, patient, fields);
  return told === undefined ? notForSource(row, 'inbound-unreadable') : { kind: 'offer', told };
}

/** Ids of the documents of the lane that another one of it stands in place of. */
function replaced(view: View): ReadonlySet<string> {
  const documents = view.input.rows
    .filter(({ type }) => type === 'note')
    .map((row) => view.body(placeOf(row)))
    .filter((body) => body !== undefined);
  return replacedAmong(documents, view.baseUrl);
}

/** The names of the notes that were offered of what this one takes the place of. */
function editionsBefore(view: View, document: JsonObject): string[] {
  const replaces = replacedAmong([document], view.baseUrl);
  return view.input.rows
    .filter(({ type, remote_id: id, offered }) => type === 'note' && offered && replaces.has(id))
    .map(({ record_id: recordId, id }) => recordId ?? id);
}
