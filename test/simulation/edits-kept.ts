// Nothing that was written is lost: versions that a resource tells of never fall, and what the partner wrote stands or was told to people.

import { isTaskStatus, taskPath } from '../../src/referrals/referrals.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import { type Evidence, isRead, isRetired, type Told } from './evidence.ts';
import type { Edit } from './partner.ts';
import type { Site } from './site.ts';

/** (c) The version that a resource tells of never falls (G3). */
export function versionsFall({ server, edits }: Evidence): string[] {
  const { store } = server.engine;
  return store.resourceTypes.flatMap((type) =>
    [...store.all(type)].flatMap(({ id }) => {
      let highest = 0;
      return store.versions(type, id).flatMap(({ resource, number }) => {
        const text = JSON.stringify(resource ?? {});
        const version = Math.max(0, ...[...text.matchAll(/\(v(\d+)\)/g)].map(([, digits]) => Number(digits)));
        const isTheirs =
          version === 0 ||
          edits.some((edit) => edit.resourceType === type && edit.id === id && text.includes(edit.token));
        const before = highest;
        highest = Math.max(highest, version);
        return version < before && !isTheirs
          ? [`(c) ${type}/${id} fell from v${before} to v${version} in its version ${number}`]
          : [];
      });
    }),
  );
}

/** (d) A write that carries no version tag follows a look of the same run: an edit is invisible only between the two (lanes.md 28). */
export function unreadWrites({ site }: Evidence): string[] {
  if (site.hasVersions) return [];
  return requestsTo(site).flatMap((entry) =>
    isOurs(entry)
      ? entry.writes
          .filter(
            ({ kind, resourceType, id }) =>
              kind === 'update' && lookBefore(site, entry, resourceType, id) === undefined,
          )
          .map(({ resourceType, id }) => `(d) ${resourceType}/${id} was not read right before our write ${entry.n}`)
      : [],
  );
}

/** (d) What the partner wrote stands there, was replaced by the partner, or was told to people (G9). */
export function lostEdits(evidence: Evidence, said: Told): { violations: string[]; inWindow: number } {
  const { site, server, edits } = evidence;
  const violations: string[] = [];
  let inWindow = 0;
  for (const edit of edits) {
    const { token, resourceType, id, element, isMapped } = edit;
    const name = `${resourceType}/${id}.${element} (${token})`;
    const versions = server.engine.store.versions(resourceType, id);
    const stands = JSON.stringify(versions.at(-1)?.resource ?? {}).includes(token);
    const isHeard = said.text.includes(token);
    const isPolled = resourceType === 'Task' || resourceType === 'ServiceRequest';
    if (isUndone(evidence, edit))
      violations.push(`(d) ${resourceType}/${id} was moved to ${edit.status} (${token}), and is not any more`);
    const isReplaced = edits.some(
      (later) =>
        later !== edit &&
        later.entry > edit.entry &&
        later.id === id &&
        later.resourceType === resourceType &&
        later.element === element &&
        element !== 'note',
    );
    if (isReplaced) continue;
    const isLost = !stands && !(isMapped && isHeard);
    const isUnheard = stands && isMapped && isPolled && !isHeard && !isRetired(versions.at(-1)?.resource ?? {});
    if (isUnheard) violations.push(`(d) Nobody was told of ${name}`);
    if (!isLost) continue;
    if (!site.hasVersions && isInWindow(site, edit)) inWindow += 1;
    else violations.push(`(d) ${name} is lost`);
  }
  return { violations, inWindow };
}

/** Whether the edit came after the look of the run that wrote over it. */
function isInWindow(site: Site, { entry, resourceType, id, token }: Edit): boolean {
  const over = requestsTo(site).find(
    ({ n, writes, requestBody }) =>
      n > entry &&
      writes.some((write) => write.resourceType === resourceType && write.id === id) &&
      !JSON.stringify(requestBody ?? '').includes(token),
  );
  const look = over && lookBefore(site, over, resourceType, id);
  return look !== undefined && look.n <= entry;
}

/** The last look at the resource before this write of ours; undefined: it belongs to an earlier write or an earlier run. */
function lookBefore(site: Site, over: JournalEntry, resourceType: string, id: string): JournalEntry | undefined {
  const send = sendOf(over);
  const before = requestsTo(site).findLast(
    (one) =>
      one.n < over.n &&
      (isLookAt(site, one, `${resourceType}/${id}`) ||
        // One that the network delivers twice is one write.
        (isOurs(one) &&
          sendOf(one) !== send &&
          one.writes.some((write) => write.resourceType === resourceType && write.id === id))),
  );
  const isLook = before !== undefined && isRead(before) && Date.parse(over.at) - Date.parse(before.at) <= site.windowMs;
  return isLook ? before : undefined;
}

function isLookAt({ fhirPath }: Site, entry: JournalEntry, path: string): boolean {
  return isRead(entry) && entry.url === `${fhirPath}/${path}`;
}

function requestsTo({ server: { journal } }: Site): readonly JournalEntry[] {
  return journal.list(0, Number.POSITIVE_INFINITY);
}

/** The partner's requests belong to no send. */
function isOurs(entry: JournalEntry): boolean {
  return sendOf(entry) !== undefined;
}

function sendOf({ requestHeaders }: JournalEntry): string | undefined {
  return requestHeaders['x-request-id'];
}

/** The partner's last move of a Task, unless its note was overwritten too: it is not where they moved it to, nor where we may move it from there. */
function isUndone({ server, edits }: Evidence, { resourceType, id, token, status }: Edit): boolean {
  const held = server.engine.store.newest(resourceType, id)?.resource;
  if (status === undefined || held === undefined || !JSON.stringify(held).includes(token)) return false;
  const last = edits.findLast(
    (edit) => edit.status !== undefined && edit.resourceType === resourceType && edit.id === id,
  );
  return (
    last?.token === token && !(isTaskStatus(held.status) && taskPath(status, held.status, 'requester') !== undefined)
  );
}
