// What became of the partner's edits: each that was committed is still on the server, or told to the source, or before a person
// (G9).

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { Evidence, ServerEvidence } from './evidence.ts';
import { partnerMark } from './partner.ts';
import { type Entry, oursOf, ownValue, writtenBy } from './simulated.ts';

interface Edit {
  readonly mark: string;
  readonly path: string;
  /** Of the journal. */
  readonly n: number;
  /** Our first write after it that is without it. */
  readonly wipedBy?: Entry;
}

/** Between a run's look at a resource and its write of it lie other looks and writes of that run, which all together take no longer. */
const longestRunMs = 60_000;

/** Committed edits of the partner of which nothing is left, but for those that no client can see (lanes.md 28). */
export function lostEdits(server: ServerEvidence, evidence: Evidence): string[] {
  return gone(server, evidence)
    .filter((edit) => !isInWindow(server, edit))
    .map(({ mark, path }) => `${server.name}: ${mark} in ${path} is gone`);
}

/** How many edits fell between our last read and our write on a server without version tags, and are gone. */
export function editsInWindow(server: ServerEvidence, evidence: Evidence): number {
  return gone(server, evidence).filter((edit) => isInWindow(server, edit)).length;
}

function gone({ journal, store }: ServerEvidence, { changes, decisions }: Evidence): Edit[] {
  const told = new Set(JSON.stringify([changes, decisions]).match(partnerMark));
  const held = new Map(
    Object.entries(store).flatMap(([type, all]) => all.map((one) => [`${type}/${one.id}`, JSON.stringify(one)])),
  );
  const isHeld = ({ mark, path }: Edit) => new Set(held.get(path)?.match(partnerMark)).has(mark);
  return lastEdits(journal).filter((edit) => !told.has(edit.mark) && !isHeld(edit));
}

/** Those that the partner itself has not replaced while they stood there. */
function lastEdits(journal: readonly Entry[]): Edit[] {
  const edits = new Map<string, Edit>();
  for (const entry of journal) {
    const { n, isPartner, method, path, body, writes } = entry;
    if (!isPartner) {
      for (const { write, resource } of writtenBy(entry)) {
        const left = new Set(JSON.stringify(resource).match(partnerMark));
        for (const [mark, edit] of edits) {
          const isWiped = edit.path === `${write.resourceType}/${write.id}` && !left.has(mark);
          if (isWiped && edit.wipedBy === undefined) edits.set(mark, { ...edit, wipedBy: entry });
        }
      }
      continue;
    }
    if (method !== 'PUT' || writes.length === 0) continue;
    const now = new Set(JSON.stringify(body).match(partnerMark));
    for (const [mark, edit] of edits) {
      if (edit.path === path && edit.wipedBy === undefined && !now.has(mark)) edits.delete(mark);
    }
    for (const mark of now) if (!edits.has(mark)) edits.set(mark, { mark, path, n });
  }
  return [...edits.values()];
}

/** The edit came after the read that directly precedes the write that wiped it, which could not carry a version tag. */
function isInWindow({ journal }: ServerEvidence, { path, n, wipedBy }: Edit): boolean {
  if (wipedBy === undefined || wipedBy.hasVersionTag) return false;
  const before = oursOf(journal).findLast((entry) => entry.n < wipedBy.n && isAbout(entry, path, wipedBy));
  if (before === undefined || before.n >= n || before.method !== 'GET') return false;
  return Date.parse(wipedBy.at) - Date.parse(before.at) <= longestRunMs;
}

/** A look at the resource, or a write of it in another send: what was read before that is not what this write was made from. */
function isAbout({ method, path: asked, status, sendId, writes }: Entry, path: string, wipedBy: Entry): boolean {
  if (method === 'GET') return asked === path && status === 200;
  return sendId !== wipedBy.sendId && writes.some(({ resourceType, id }) => `${resourceType}/${id}` === path);
}

/** Tasks that are neither where the partner left them nor where we may take them from there. */
export function lostMoves(server: ServerEvidence, { records }: Evidence): string[] {
  const tasks = new Map((server.store.Task ?? []).map((task) => [`Task/${task.id}`, task]));
  const deleted = deletedOf(records);
  return [...lastMoves(server.journal)].flatMap(([path, { status, n }]) => {
    const held = tasks.get(path);
    const allowed = (now: Json | undefined) => isOurMove(status, now, deleted.has(referralOf(held)));
    if (allowed(held?.status)) return [];
    const wipedBy = server.journal.find(
      (entry) =>
        entry.n > n &&
        !entry.isPartner &&
        writtenBy(entry).some(
          ({ write, resource }) => `${write.resourceType}/${write.id}` === path && !allowed(resource.status),
        ),
    );
    const edit = { mark: '', path, n, ...(wipedBy && { wipedBy }) };
    return isInWindow(server, edit)
      ? []
      : [
          `${server.name}: ${path} became ${status} by the partner, and is ${held === undefined ? 'gone' : held.status}`,
        ];
  });
}

/** What we may do to a Task after a partner's answer: call it off while it is open; take it back with its record. */
function isOurMove(from: string, to: Json | undefined, isDeleted: boolean): boolean {
  if (to === from || (isDeleted && to === 'entered-in-error')) return true;
  return to === 'cancelled' && !['rejected', 'completed', 'failed', 'cancelled'].includes(from);
}

/** By Task, the status that the partner gave it last, and in which request. */
function lastMoves(journal: readonly Entry[]): Map<string, { readonly status: string; readonly n: number }> {
  const last = new Map<string, { status: string; n: number }>();
  for (const { n, isPartner, method, path, body, writes } of journal) {
    if (isPartner && method === 'PUT' && path.startsWith('Task/') && writes.length > 0 && isObject(body))
      last.set(path, { status: String(body.status), n });
  }
  return last;
}

function referralOf(task: JsonObject | undefined): string {
  return /county\/(referral\/[\w-]+)#/.exec(ownValue(task ?? {}) ?? '')?.[1] ?? '';
}

function deletedOf(records: Evidence['records']): Set<string> {
  return new Set(records.filter(({ record }) => record.deleted === true).map(({ type, id }) => `${type}/${id}`));
}

/**
 * Changes that say nothing of the partner's that was not offered before. What else they say they may say again, as long as it is not taken over
 * (docs/changes.md).
 */
export function toldTwice({ changes }: Evidence): string[] {
  const heard = new Map<string, ReadonlySet<string>>();
  return changes.flatMap(({ cursor, connection, op, type, id, patch, record }) => {
    const key = `${connection} ${type}/${id}`;
    const before = heard.get(key) ?? new Set();
    const said = JSON.stringify(patch ?? record ?? null).match(partnerMark) ?? [];
    const status = isObject(patch) && typeof patch.status === 'string' ? [`status ${patch.status}`] : [];
    const whole = JSON.stringify([op, patch, isObject(record) ? { ...record, updatedAt: undefined } : undefined]);
    const tokens = said.length + status.length > 0 ? [...said, ...status] : [whole];
    heard.set(key, new Set([...before, ...tokens]));
    return tokens.every((token) => before.has(token))
      ? [`change ${cursor} of ${type}/${id} at ${connection} says only what was said before: ${tokens.join(', ')}`]
      : [];
  });
}

/** Answers of the partner to referrals of which the source was told nothing. */
export function untoldAnswers({ name, journal, store }: ServerEvidence, { changes, records }: Evidence): string[] {
  const deleted = deletedOf(records);
  const tasks = new Map((store.Task ?? []).map((task) => [`Task/${task.id}`, task]));
  const toldOf = Map.groupBy(changes, ({ type, id }) => `${type}/${id}`);
  return [...lastMoves(journal)].flatMap(([path, { status }]) => {
    const referral = referralOf(tasks.get(path));
    const statuses = (toldOf.get(referral) ?? []).map(({ patch }) => (isObject(patch) ? patch.status : undefined));
    return deleted.has(referral) || statuses.includes(status)
      ? []
      : [`${name}: ${path} (${referral}) became ${status}; told: ${statuses.join(', ') || 'nothing'}`];
  });
}
