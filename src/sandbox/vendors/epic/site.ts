// What the parts of this server share while one request is handled.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Version } from '../../engine/store.ts';
import type { Rights } from './grants.ts';
import { EpicRefusal } from './outcome.ts';
import { type EpicSettings, hasQuirk } from './settings.ts';

export interface Site {
  readonly engine: Engine;
  readonly settings: EpicSettings;
  /** URL of the server as the client sees it, without a slash at the end. */
  readonly base: string;
  readonly rights: Rights;
  /** An id for a new resource. */
  newId(type: string): string;
  /** The id under which an attachment that is stored as data is given out. */
  binaryId(documentId: string, index: number): string;
}

/** Where each type names its patient. */
const patientElements: Readonly<Record<string, string>> = {
  Task: 'for',
  Coverage: 'beneficiary',
  Consent: 'patient',
  EpisodeOfCare: 'patient',
  Immunization: 'patient',
};

/** Id of the patient that a resource is about; of a Patient its own. */
export function patientIdOf(resource: JsonObject, base: string): string | undefined {
  if (resource.resourceType === 'Patient') return typeof resource.id === 'string' ? resource.id : undefined;
  const element = resource[patientElements[String(resource.resourceType)] ?? 'subject'];
  const reference = isObject(element) ? element.reference : undefined;
  return typeof reference === 'string' ? localId(reference, 'Patient', base) : undefined;
}

/** Id in `Type/id`, also with the server's own URL before it; undefined for another type or another server. */
export function localId(reference: string, type: string, base: string): string | undefined {
  const relative = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  return relative.startsWith(`${type}/`) ? relative.slice(type.length + 1) : undefined;
}

/** The newest version in the form in which this server gives it out: no version and time (E17), attachments as URLs of a Binary. */
export function shownBy(site: Site, { resource = {}, id }: Version): JsonObject {
  const clean = hasQuirk(site.settings, 'E17') ? withoutStamp(resource) : resource;
  if (clean.resourceType !== 'DocumentReference' || !Array.isArray(clean.content)) return clean;
  return { ...clean, content: clean.content.map((content, index) => withUrl(content, site.binaryId(id, index))) };
}

function withoutStamp(resource: JsonObject): JsonObject {
  const { meta, ...rest } = resource;
  if (!isObject(meta)) return resource;
  const { versionId: _versionId, lastUpdated: _lastUpdated, ...own } = meta;
  return Object.keys(own).length === 0 ? rest : { ...resource, meta: own };
}

function withUrl(content: Json, binaryId: string): Json {
  if (!isObject(content) || !isObject(content.attachment) || content.attachment.data === undefined) return content;
  const { data: _data, ...attachment } = content.attachment;
  return { ...content, attachment: { ...attachment, url: `Binary/${binaryId}` } };
}

/** @throws EpicRefusal 403 for a patient behind the glass (E21) */
export function checkAccess(site: Site, patientId: string | undefined): void {
  if (patientId === undefined || !site.settings.restricted.includes(patientId)) return;
  throw new EpicRefusal(403, [{ number: '4131', diagnostics: 'Break the glass to see this patient.' }]);
}
