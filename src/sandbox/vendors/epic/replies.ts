// The answer to a write, and what a refusal looks like on the wire.

import type { JsonObject } from '../../../json.ts';
import type { Answer } from '../../engine/engine.ts';
import { Refusal } from '../../engine/outcome.ts';
import type { Reply, SandboxRequest } from '../../exchange.ts';
import { htmlNotFound, resourceReply } from './media.ts';
import { BareRefusal, type EpicIssue, EpicRefusal, epicOutcome, NoSuchEndpoint } from './outcome.ts';
import { type EpicSettings, hasQuirk } from './settings.ts';
import { type Site, shownBy } from './site.ts';

/** No body, no ETag, and for a new resource a Location relative to the base (E22). */
export function writeReply(request: SandboxRequest, site: Site, { status, version }: Answer): Reply {
  if (version === undefined) throw new Error('A write without a version.');
  const path = `${version.resourceType}/${version.id}`;
  const location = hasQuirk(site.settings, 'E22') ? path : `${site.base}/${path}`;
  const headers: Record<string, string> = status === 201 ? { location } : {};
  if (hasQuirk(site.settings, 'E22')) return { status, headers };
  return resourceReply(request, site.settings, { status, body: shownBy(site, version), headers });
}

/** @throws what is no refusal */
export function refusalReply(request: SandboxRequest, settings: EpicSettings, error: unknown): Reply {
  if (error instanceof BareRefusal) return error.reply;
  if (error instanceof NoSuchEndpoint) {
    if (hasQuirk(settings, 'E10')) return htmlNotFound();
    const issue: EpicIssue = { number: '59008', diagnostics: error.message };
    return resourceReply(request, settings, { status: 404, body: epicOutcome(settings, [issue]) });
  }
  const { status, issues, headers } = error instanceof Refusal ? translated(error) : asRefusal(error);
  const body: JsonObject = status === 404 && !hasQuirk(settings, 'E11') ? plainNotFound : epicOutcome(settings, issues);
  return resourceReply(request, settings, { status, body, headers });
}

const plainNotFound: JsonObject = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'not-found', details: { text: 'There is no such resource.' } }],
};

function asRefusal(error: unknown): EpicRefusal {
  if (error instanceof EpicRefusal) return error;
  throw error;
}

/** What the engine refuses by the specification, in the vendor's numbers; nothing of it is answered by 412 or 422 here. */
function translated({ status, issues }: Refusal): EpicRefusal {
  return new EpicRefusal(
    status === 404 || status === 410 ? 404 : 400,
    issues.map(({ code, text, expression }) => ({
      number: code === 'not-found' ? '59144' : code === 'invalid' || code === 'not-supported' ? '59102' : '59105',
      diagnostics: text,
      ...(expression !== undefined && { expression }),
    })),
  );
}
