// What became of the partner's edits: each that was committed is still on the server, or told to the source, or before a person
// (G9).

import { isObject } from '../../src/json.ts';
import type { Evidence, ServerEvidence } from './evidence.ts';
import { partnerMark } from './partner.ts';
import { type Entry, oursOf, ownValue } from './simulated.ts';

interface Edit {
  readonly mark: string;
  readonly path: string;
  /** Of the journal. */
  readonly n: number;
}

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

/** Those that the partner itself has not replaced. */
function lastEdits(journal: readonly Entry[]): Edit[] {
  const edits = new Map<string, Edit>();
  for (const { n, isPartner, method, path, body, writes } of journal) {
    if (!isPartner || method !== 'PUT' || writes.length === 0) continue;
    const now = new Set(JSON.stringify(body).match(partnerMark));
    for (const [mark, edit] of edits) if (edit.path === path && !now.has(mark)) edits.delete(mark);
    for (const mark of now) if (!edits.has(mark)) edits.set(mark, { mark, path, n });
  }
  return [...edits.values()];
}

/** The edit came after the read that directly precedes our next write, and that write could not carry a version tag. */
function isInWindow({ journal }: ServerEvidence, { path, n }: Edit): boolean {
  const ours = oursOf(journal);
  const write = ours.find(
    (entry) => entry.n > n && entry.writes.some(({ resourceType, id }) => `${resourceType}/${id}` === path),
  );
  if (write === undefined || write.hasVersionTag) return false;
  const read = ours.findLast((entry) => entry.n < write.n && entry.method === 'GET' && entry.path === path);
  return read !== undefined && read.n < n;
}

/** Answers of the partner to referrals of which the source was told nothing. */
export function untoldAnswers({ name, journal, store }: ServerEvidence, { changes, records }: Evidence): string[] {
  const last = new Map<string, string>();
  for (const { isPartner, method, path, body, writes } of journal) {
    if (isPartner && method === 'PUT' && path.startsWith('Task/') && writes.length > 0 && isObject(body))
      last.set(path, String(body.status));
  }
  const deleted = new Set(
    records.filter(({ record }) => record.deleted === true).map(({ type, id }) => `${type}/${id}`),
  );
  const tasks = new Map((store.Task ?? []).map((task) => [`Task/${task.id}`, task]));
  const toldOf = Map.groupBy(changes, ({ type, id }) => `${type}/${id}`);
  return [...last].flatMap(([path, status]) => {
    const [, referral = ''] = /county\/(referral\/[\w-]+)#/.exec(ownValue(tasks.get(path) ?? {}) ?? '') ?? [];
    const statuses = (toldOf.get(referral) ?? []).map(({ patch }) => (isObject(patch) ? patch.status : undefined));
    return deleted.has(referral) || statuses.includes(status)
      ? []
      : [`${name}: ${path} (${referral}) became ${status}; told: ${statuses.join(', ') || 'nothing'}`];
  });
}
