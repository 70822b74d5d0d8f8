// How a stored version is shown: version tags that say nothing, care plans as narrative (C9), combined patients (C14), what is entered in
// error stripped (C28), attachments as absolute Binary URLs. The store keeps the truth, so that each of these can be switched off.

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Version } from '../../engine/store.ts';
import { typeRules } from './grammar.ts';
import type { OracleSettings } from './settings.ts';

export interface Oracle {
  readonly engine: Engine;
  readonly settings: OracleSettings;
}

/** The version tag, opaque to clients: a number for some types, composite for others. */
export function tagOf({ resourceType, number }: Version): string {
  return typeRules[resourceType]?.compositeTags === true ? `${number}-1` : String(number - 1);
}

/** The resource as a read or search gives it out. */
export function shown({ settings }: Oracle, version: Version, base: string): JsonObject {
  const stored = version.resource ?? {};
  const meta = isObject(stored.meta) ? stored.meta : {};
  const resource = withSurvivors(
    { ...withElementIds(stored), meta: { ...meta, versionId: tagOf(version) } },
    settings.combined,
  );
  if (settings.enteredInError !== 'whole' && isEnteredInError(resource)) {
    return stripped(resource, settings.enteredInError === 'sparse-with-space' ? ' ' : '');
  }
  if (version.resourceType === 'CarePlan' && settings.narrativeCarePlans) return asNarrative(resource);
  if (version.resourceType === 'DocumentReference') return withUrls(resource, version.id, base);
  return resource;
}

/** The attachment that a document holds as data. */
export function attachmentOf(document: JsonObject | undefined): { contentType: string; data: string } | undefined {
  const content = Array.isArray(document?.content) ? document.content[0] : undefined;
  const attachment = isObject(content) ? content.attachment : undefined;
  if (!isObject(attachment) || typeof attachment.data !== 'string') return undefined;
  return { contentType: String(attachment.contentType ?? 'application/octet-stream'), data: attachment.data };
}

/** The id of the Binary that stands for the attachment of a document. */
export const binaryPrefix = 'TR-';

const listsWithIds = ['identifier', 'name', 'telecom', 'address'];
const typesWithIds = new Set(['Patient', 'Encounter']);

/** Elements of the lists that a patch may change have ids. */
export function withElementIds(resource: JsonObject): JsonObject {
  if (!typesWithIds.has(String(resource.resourceType))) return resource;
  const lists = listsWithIds.flatMap((name): [string, Json][] => {
    const list = resource[name];
    if (!Array.isArray(list)) return [];
    return [
      [
        name,
        list.map((item, index) => (isObject(item) ? { id: `CI-${name}-${resource.id}-${index}`, ...item } : item)),
      ],
    ];
  });
  return { ...resource, ...Object.fromEntries(lists) };
}

function withSurvivors(resource: JsonObject, combined: Readonly<Record<string, string>>): JsonObject {
  if (Object.keys(combined).length === 0) return resource;
  const survivors = new Map(Object.entries(combined));
  const survivor = resource.resourceType === 'Patient' ? survivors.get(String(resource.id)) : undefined;
  if (survivor !== undefined) {
    return {
      ...resource,
      active: false,
      link: [{ other: { reference: `Patient/${survivor}` }, type: 'replaced-by' }],
    };
  }
  const replace = (key: string, value: Json): Json => {
    if (Array.isArray(value)) return value.map((item) => replace(key, item));
    if (isObject(value)) return replaceIn(value);
    const old = key === 'reference' && typeof value === 'string' ? /^Patient\/(.+)$/.exec(value)?.[1] : undefined;
    const other = old === undefined ? undefined : survivors.get(old);
    return other === undefined ? value : `Patient/${other}`;
  };
  const replaceIn = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, replace(key, value)]));
  return replaceIn(resource);
}

function isEnteredInError({ status, verificationStatus }: JsonObject): boolean {
  return status === 'entered-in-error' || JSON.stringify(verificationStatus ?? '').includes('"entered-in-error"');
}

/** What is left is who it is about and that it does not count. */
function stripped(resource: JsonObject, space: string): JsonObject {
  const kept = ['resourceType', 'id', 'meta', 'status', 'verificationStatus', 'subject', 'patient', 'beneficiary'];
  const { status, ...rest } = Object.fromEntries(Object.entries(resource).filter(([name]) => kept.includes(name)));
  return { ...rest, ...(typeof status === 'string' && { status: `${status}${space}` }) };
}

function asNarrative(plan: JsonObject): JsonObject {
  const { activity: _activity, description, ...rest } = plan;
  const text = typeof description === 'string' ? escaped(description) : undefined;
  return {
    ...rest,
    ...(text !== undefined && {
      text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${text}</p></div>` },
    }),
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function withUrls(document: JsonObject, id: string, base: string): JsonObject {
  if (!Array.isArray(document.content)) return document;
  const content = document.content.map((item) => {
    if (!isObject(item) || !isObject(item.attachment) || item.attachment.data === undefined) return item;
    const { data: _data, ...attachment } = item.attachment;
    return { ...item, attachment: { ...attachment, url: `${base}/Binary/${binaryPrefix}${id}` } };
  });
  return { ...document, content };
}
