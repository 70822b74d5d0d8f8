// In which form an answer goes out. XML unless JSON is asked for by name (E9); what the FHIR server does not know is answered by the web
// server, with a page of HTML (E10).

import { isObject, type Json, type JsonObject } from '../../../json.ts';
import { jsonReply, type Reply, type SandboxRequest } from '../../exchange.ts';
import { type EpicSettings, hasQuirk } from './settings.ts';

export type MediaType = 'json' | 'xml' | 'other';

/** What the client named in `_format` or Accept. */
export function wantedMedia(request: SandboxRequest): MediaType {
  const wanted = request.url.searchParams.get('_format') ?? request.headers.accept ?? '';
  if (/\bjson\b/i.test(wanted)) return 'json';
  return /\bxml\b/i.test(wanted) ? 'xml' : 'other';
}

/** A resource as JSON or XML, as the client asks and the quirk has it. */
export function resourceReply(
  request: SandboxRequest,
  settings: EpicSettings,
  { status, body, headers = {} }: { status: number; body: JsonObject; headers?: Readonly<Record<string, string>> },
): Reply {
  const media = wantedMedia(request);
  if (media === 'json' || (media === 'other' && !hasQuirk(settings, 'E9'))) {
    const reply = jsonReply(status, body, 'application/fhir+json');
    return { ...reply, headers: { ...reply.headers, ...headers } };
  }
  return {
    status,
    headers: { 'content-type': 'application/fhir+xml; charset=utf-8', ...headers },
    body: `<?xml version="1.0" encoding="utf-8"?>${resourceXml(body)}`,
  };
}

/** The page of the web server. */
export function htmlNotFound(): Reply {
  return {
    status: 404,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<!DOCTYPE html>\r\n<html>\r\n<head><title>404 - Not found</title></head>\r\n<body>\r\n<div id="header"><h1>Server Error</h1></div>\r\n<div id="content"><h2>404 - There is no such file or directory.</h2></div>\r\n</body>\r\n</html>\r\n',
  };
}

/** FHIR XML (https://hl7.org/fhir/R4/xml.html), elements in the order of the JSON. */
function resourceXml(resource: JsonObject): string {
  const { resourceType, ...elements } = resource;
  const name = String(resourceType);
  return `<${name} xmlns="http://hl7.org/fhir">${children(elements)}</${name}>`;
}

function children(elements: JsonObject): string {
  const names = new Set(Object.keys(elements).map((name) => name.replace(/^_/, '')));
  return [...names]
    .flatMap((name) => {
      const values = [elements[name]].flat();
      const extras = [elements[`_${name}`]].flat();
      const length = Math.max(values.length, extras.length);
      return Array.from({ length }, (_, index) => element(name, values[index], extras[index]));
    })
    .join('');
}

function element(name: string, value: Json | undefined, extra: Json | undefined): string {
  if (isObject(value)) {
    if (typeof value.resourceType === 'string') return `<${name}>${resourceXml(value)}</${name}>`;
    const { id, ...rest } = value;
    const isExtension = name === 'extension' || name === 'modifierExtension';
    const { url, ...content } = rest;
    const attributes = attribute('id', id) + (isExtension ? attribute('url', url) : '');
    return tag(name + attributes, name, children(isExtension ? content : rest));
  }
  if (name === 'div' && typeof value === 'string') return value;
  const inner = isObject(extra) ? children(extra) : '';
  if ((value === undefined || value === null) && inner === '') return '';
  return tag(name + attribute('value', value), name, inner);
}

function tag(start: string, name: string, inner: string): string {
  return inner === '' ? `<${start}/>` : `<${start}>${inner}</${name}>`;
}

function attribute(name: string, value: Json | undefined): string {
  if (value === undefined || value === null || typeof value === 'object') return '';
  const escaped = String(value).replace(/[&<>"\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);
  return ` ${name}="${escaped}"`;
}
