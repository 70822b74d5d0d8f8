// Nothing that was written is lost: versions that a resource tells of never fall, and what the partner wrote stands or was told to people.

import { isTaskStatus, taskPath } from '../../src/referrals/referrals.ts';
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
    if (!site.hasVersions && !wasReadAfter(site, edit)) inWindow += 1;
    else violations.push(`(d) ${name} is lost`);
  }
  return { violations, inWindow };
}

/** Whether we read the resource after the edit and before the write that replaced it. */
function wasReadAfter({ server: { journal }, fhirPath }: Site, { entry, resourceType, id, token }: Edit): boolean {
  const path = `${fhirPath}/${resourceType}/${id}`;
  const later = journal.list(entry, Number.POSITIVE_INFINITY);
  const over = later.find(
    ({ writes, requestBody }) =>
      writes.some((write) => write.resourceType === resourceType && write.id === id) &&
      !JSON.stringify(requestBody ?? '').includes(token),
  );
  return over === undefined || later.some((one) => one.n < over.n && isRead(one) && one.url === path);
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
