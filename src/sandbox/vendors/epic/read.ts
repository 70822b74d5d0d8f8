// read of one resource (E11, E20, E21), and of a Binary: as FHIR where JSON or XML is asked for, else the text itself.

import type { JsonObject } from '../../../json.ts';
import type { Reply, SandboxRequest } from '../../exchange.ts';
import { notGranted } from './access.ts';
import { resourceReply, wantedMedia } from './media.ts';
import { binaryResource } from './notes.ts';
import { refused } from './outcome.ts';
import { redirected } from './patients.ts';
import { checkAccess, patientIdOf, type Site, shownBy } from './site.ts';

/** @throws EpicRefusal 301, 403 or 404; BareRefusal 403 for a part of the type that is not granted */
export function readHere(site: Site, type: string, id: string): JsonObject {
  if (type === 'Patient') redirected(site, id, `Patient/${site.settings.merged[id] ?? id}`);
  const version = site.engine.store.newest(type, id);
  if (version?.resource === undefined) throw unknownId(type);
  if (!site.rights.covers(version.resource, 'r')) throw notGranted(site.settings);
  checkAccess(site, patientIdOf(version.resource, site.base));
  return shownBy(site, version);
}

/** @throws EpicRefusal 403 or 404 */
export function readBinary(site: Site, request: SandboxRequest, id: string): Reply {
  const found = binaryResource(site, id);
  if (found === undefined) throw unknownId('Binary');
  if (found.document !== undefined) checkAccess(site, patientIdOf(found.document, site.base));
  const { contentType, data } = found.binary;
  const isText = String(contentType).startsWith('text/') && typeof data === 'string';
  if (wantedMedia(request) !== 'other' || !isText) {
    return resourceReply(request, site.settings, { status: 200, body: found.binary });
  }
  const body = Buffer.from(data, 'base64').toString('utf8');
  return { status: 200, headers: { 'content-type': String(contentType) }, body };
}

function unknownId(type: string) {
  return refused(404, '59008', `There is no ${type} with this id.`, 'id');
}
