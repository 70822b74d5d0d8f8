// Which clinical note the server files (E26, E34), and the Binary in which it gives out what was filed.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import { codings, issue, missing } from './elements.ts';
import type { EpicIssue } from './outcome.ts';
import { localId, patientIdOf, type Site } from './site.ts';

/** What keeps a note from being filed, all of it at once; empty when nothing does. */
export function noteIssues(site: Site, note: JsonObject): EpicIssue[] {
  const { status, docStatus, type, subject, content, context } = note;
  const encounter = isObject(context) ? [context.encounter].flat()[0] : undefined;
  return [
    ...(status === 'current' ? [] : [issue('59111', 'status must be current.', 'status')]),
    ...(docStatus === 'final' || docStatus === 'preliminary'
      ? []
      : [issue('59108', 'docStatus must be final or preliminary.', 'docStatus')]),
    ...missing('subject', subject),
    ...(isNoteType(site, type) ? [] : [issue('59111', 'The site files no note of this type.', 'type')]),
    ...contentIssues(content),
    ...encounterIssues(site, note, encounter),
  ];
}

/** Whether a document is a clinical note, which nobody changes from outside once it is filed (E32). */
export function isNote(site: Site, { type, category }: JsonObject): boolean {
  return isNoteType(site, type) || codings(category).some(({ code }) => code === 'clinical-note');
}

function isNoteType({ settings }: Site, type: Json | undefined): boolean {
  const isListed = ({ system, code }: JsonObject) =>
    system === 'http://loinc.org' && settings.noteTypes.includes(String(code));
  return codings(type).some(isListed);
}

function contentIssues(content: Json | undefined): EpicIssue[] {
  const [only, ...more] = Array.isArray(content) ? content : [];
  const attachment = isObject(only) ? only.attachment : undefined;
  if (!isObject(attachment) || more.length > 0) {
    return [issue('59111', 'A note has exactly one attachment.', 'content')];
  }
  const [mediaType] = String(attachment.contentType).split(';');
  return [
    ...(mediaType === 'text/plain'
      ? []
      : [issue('59159', 'A note is filed as text/plain.', 'content.attachment.contentType')]),
    ...(isBase64(attachment.data)
      ? []
      : [issue('59108', 'The note is in the attachment, as base64.', 'content.attachment.data')]),
  ];
}

function isBase64(data: Json | undefined): data is string {
  return typeof data === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(data) && data.length % 4 === 0;
}

function encounterIssues(site: Site, note: JsonObject, encounter: Json | undefined): EpicIssue[] {
  const at = 'context.encounter';
  if (encounter === undefined) {
    return site.settings.encounterRequired ? [issue('59108', 'A note belongs to an encounter.', at)] : [];
  }
  const reference = isObject(encounter) && typeof encounter.reference === 'string' ? encounter.reference : '';
  const found = site.engine.store.newest('Encounter', localId(reference, 'Encounter', site.base) ?? '')?.resource;
  if (found === undefined) return [issue('59144', 'There is no such encounter.', at)];
  return patientIdOf(found, site.base) === patientIdOf(note, site.base)
    ? []
    : [issue('59159', 'The encounter is of another patient.', at)];
}

/** The Binary with this id: one of the store, or the attachment of a document. */
export function binaryResource(site: Site, id: string): { binary: JsonObject; document?: JsonObject } | undefined {
  const stored = site.engine.store.newest('Binary', id)?.resource;
  if (stored !== undefined) return { binary: stored };
  for (const { id: documentId, resource = {} } of site.engine.store.all('DocumentReference')) {
    const contents = Array.isArray(resource.content) ? resource.content : [];
    for (const [index, content] of contents.entries()) {
      if (site.binaryId(documentId, index) !== id || !isObject(content) || !isObject(content.attachment)) continue;
      const { contentType = 'text/plain', data = '' } = content.attachment;
      return { binary: { resourceType: 'Binary', id, contentType, data }, document: resource };
    }
  }
  return undefined;
}
