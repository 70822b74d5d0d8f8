// Subscriptions of the `standard` server: it puts each that asks for it into service, and tells its endpoint of what is written
// (https://hl7.org/fhir/R4/subscription.html, rest-hook). One whose endpoint does not take a notification is set to `error`, as R4 allows.

import { type JsonObject, objectAt, textAt, textsAt } from '../../json.ts';
import type { Engine } from '../engine/engine.ts';
import { Refusal } from '../engine/outcome.ts';
import { allMatches } from '../engine/search.ts';
import type { Version } from '../engine/store.ts';

const resourceType = 'Subscription';
const patienceMs = 5_000;

/** After a request has written: what it asked of Subscriptions, and who is to be told of it. Answers at once; the telling goes on by itself. */
export function afterWrite(engine: Engine, written: readonly Version[], base: string): void {
  for (const version of written) if (version.resourceType === resourceType) putIntoService(engine, version);
  const others = written.filter((version) => version.resourceType !== resourceType);
  if (others.length === 0) return;
  for (const subscription of [...engine.store.all(resourceType)]) {
    const { resource } = subscription;
    if (resource?.status !== 'active') continue;
    if (isOver(engine, resource)) {
      setStatus(engine, subscription, 'off');
      continue;
    }
    for (const version of others)
      if (isMeant(engine, resource, version, base)) void tell(engine, subscription, resource, version);
  }
}

function putIntoService(engine: Engine, version: Version): void {
  const { resource } = version;
  if (resource?.status !== 'requested') return;
  const channel = objectAt(resource, 'channel');
  const isPossible = textAt(channel, 'type') === 'rest-hook' && /^https?:/.test(textAt(channel, 'endpoint') ?? '');
  if (isPossible && !isOver(engine, resource)) setStatus(engine, version, 'active');
  else setStatus(engine, version, 'error', 'Only rest-hook to http and https addresses, and until later than now.');
}

function isOver(engine: Engine, subscription: JsonObject): boolean {
  return Date.parse(textAt(subscription, 'end') ?? '') <= engine.clock.now();
}

/** Nothing is changed in what somebody else has changed meanwhile. */
function setStatus(engine: Engine, of: Version, status: string, error?: string): void {
  const { id, resource } = of;
  if (resource === undefined || engine.store.newest(resourceType, id) !== of) return;
  const { error: _before, ...rest } = resource;
  const now = engine.clock.now();
  const { written } = engine.store.transact(() =>
    engine.store.write(resourceType, id, { ...rest, status, ...(error !== undefined && { error }) }, 'PUT', now),
  );
  engine.view.publish(written, now, engine.settings.searchLagMs);
}

function isMeant(engine: Engine, subscription: JsonObject, { resourceType: type, id }: Version, base: string): boolean {
  const [wanted, query = ''] = (textAt(subscription, 'criteria') ?? '').split('?', 2);
  if (wanted !== type) return false;
  const criteria = [...new URLSearchParams(query)];
  if (criteria.length === 0) return true;
  try {
    return allMatches(engine, type, criteria, base).some((match) => match.id === id);
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

async function tell(engine: Engine, of: Version, subscription: JsonObject, version: Version): Promise<void> {
  const channel = objectAt(subscription, 'channel');
  const payload = textAt(channel, 'payload');
  const endpoint = textAt(channel, 'endpoint') ?? '';
  const headers = textsAt(channel, 'header').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  // A deleted resource is told of without it.
  const isShown = payload !== undefined && version.resource !== undefined;
  try {
    const { ok } = await fetch(isShown ? `${endpoint}/${version.resourceType}/${version.id}` : endpoint, {
      method: isShown ? 'PUT' : 'POST',
      headers: [...headers, ...(isShown ? [['content-type', payload] satisfies [string, string]] : [])],
      ...(isShown && { body: JSON.stringify(version.resource) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMs),
    });
    if (!ok) setStatus(engine, of, 'error', 'The endpoint refused a notification.');
  } catch {
    setStatus(engine, of, 'error', 'The endpoint could not be reached.');
  }
}
