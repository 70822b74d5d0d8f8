// What the server demands of a document (C19, C31): one attachment with its data and charset, a time of service, strict XHTML. Texts are
// kept without the elements that could do something.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import { refusal } from '../../engine/outcome.ts';
import { readXhtml } from './xhtml.ts';

const mediaTypes = [
  'application/pdf',
  'text/plain',
  'text/richtext',
  'text/rtf',
  'text/html',
  'application/xml',
  'application/xhtml+xml',
];
const attachmentElements = ['contentType', 'data', 'title', 'creation', 'language', 'id'];
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** Checks the body of a create or an update. @throws Refusal 422 */
export function checkDocument(document: JsonObject, isCreate: boolean): void {
  const { status, docStatus, type } = document;
  // The vendor says no more than this where docStatus is missing.
  if (docStatus === undefined) throw refusal(422, 'invalid', 'Unprocessable entity');
  const ended = isCreate ? [] : ['entered-in-error'];
  if (!['current', ...ended].includes(String(status))) throw invalid('The status must be current.', 'status');
  if (!['final', 'amended', ...ended].includes(String(docStatus))) {
    throw invalid('The docStatus must be final or amended.', 'docStatus');
  }
  if (!isObject(type) || !Array.isArray(type.coding)) throw invalid('The type must be coded.', 'type');
  checkContext(document.context);
  checkPeople(document);
  const [content, second] = Array.isArray(document.content) ? document.content : [];
  const attachment = isObject(content) ? content.attachment : undefined;
  if (!isObject(attachment) || second !== undefined) throw invalid('There must be exactly one attachment.', 'content');
  checkAttachment(attachment);
}

/** An update amends a signed document, or says that it was entered in error. [sim] @throws Refusal 422 */
export function checkAmendment(document: JsonObject): void {
  if (document.docStatus === 'amended' || document.status === 'entered-in-error') return;
  throw invalid('An update of a document must have the docStatus amended.', 'docStatus');
}

/** The document without the elements that the server takes out of XHTML. */
export function withoutActiveContent(document: JsonObject): JsonObject {
  if (!Array.isArray(document.content)) return document;
  const content = document.content.map((item) => {
    const attachment = isObject(item) ? item.attachment : undefined;
    if (!isObject(item) || !isObject(attachment) || !isXhtml(attachment)) return item;
    const read = readXhtml(decoded(attachment));
    if ('problem' in read) return item;
    return { ...item, attachment: { ...attachment, data: Buffer.from(read.kept, 'utf8').toString('base64') } };
  });
  return { ...document, content };
}

function checkContext(context: Json | undefined): void {
  const period = isObject(context) ? context.period : undefined;
  const end = isObject(period) ? period.end : undefined;
  if (!isObject(context) || typeof end !== 'string')
    throw invalid('context.period.end is required.', 'context.period.end');
  const other = Object.keys(context).find((name) => name !== 'period' && name !== 'encounter');
  if (other !== undefined) throw invalid(`The element context.${other} is not supported.`, `context.${other}`);
  const start = isObject(period) ? period.start : undefined;
  for (const [name, value] of Object.entries({ start, end })) {
    if (value !== undefined && !dateTime.test(String(value))) {
      throw invalid(`context.period.${name} must have a time component.`, `context.period.${name}`);
    }
  }
}

/** Authors are practitioners of this server; whether they are there is checked with the other references. */
function checkPeople({ author, authenticator }: JsonObject): void {
  for (const person of [author, authenticator].flat()) {
    if (person !== undefined && !(isObject(person) && String(person.reference).startsWith('Practitioner/'))) {
      throw invalid('Authors and authenticators must be practitioners of this server.', 'author');
    }
  }
}

function checkAttachment(attachment: JsonObject): void {
  const place = 'content[0].attachment';
  const other = Object.keys(attachment).find((name) => !attachmentElements.includes(name));
  if (other !== undefined) throw invalid(`The element ${place}.${other} is not supported.`, `${place}.${other}`);
  const { contentType, data, creation } = attachment;
  if (typeof contentType !== 'string' || typeof data !== 'string' || data === '') {
    throw invalid('An attachment needs a contentType and data.', place);
  }
  const [mediaType = ''] = contentType.toLowerCase().split(';');
  if (!mediaTypes.includes(mediaType.trim()))
    throw invalid('The contentType is not supported.', `${place}.contentType`);
  if (mediaType.trim() !== 'application/pdf' && !/;\s*charset=/i.test(contentType)) {
    throw invalid('The contentType must name the charset.', `${place}.contentType`);
  }
  if (creation !== undefined && !dateTime.test(String(creation))) {
    throw invalid('The creation must have a time component.', `${place}.creation`);
  }
  if (!isXhtml(attachment)) return;
  const read = readXhtml(decoded(attachment));
  if ('problem' in read) throw invalid(`The attachment is no strict XHTML. ${read.problem}`, `${place}.data`);
}

function isXhtml({ contentType }: JsonObject): boolean {
  return /^application\/xhtml\+xml\s*(;|$)/i.test(String(contentType));
}

function decoded({ data }: JsonObject): string {
  return Buffer.from(String(data), 'base64').toString('utf8');
}

function invalid(text: string, path: string) {
  return refusal(422, 'business-rule', text, `DocumentReference.${path}`);
}
