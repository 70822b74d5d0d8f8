// What the source of a referral is offered of the partner's contacts with the client: the first that reached the client as `firstContact`, each try as a
// follow-up. Worked out from all that is seen, so that it is offered once, and taken back when it stands no more. Pure.

import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import type { Contact } from './read-contact.ts';
import { proposedId } from './rows.ts';

/** One resource of the partner's, and what its source was offered of it. */
export interface HeardContact {
  readonly resourceType: string;
  readonly remoteId: string;
  /** What it tells now. */
  readonly contact: Contact | undefined;
  readonly note: string | undefined;
  /** `{firstContact}` or `{followUp}`; undefined: nothing. */
  readonly offered: JsonObject | undefined;
  readonly isRefused: boolean;
}

export interface ContactPlan {
  /** A merge patch on the referral; undefined: nothing is news. */
  readonly patch: JsonObject | undefined;
  /** What each of these stands for from now on. */
  readonly taken: readonly { readonly heard: HeardContact; readonly offered: JsonObject }[];
  /** The first contact that was offered stands no more, and the record has one of its own. */
  readonly isForgotten: boolean;
}

/**
 * @param byName the partner
 * @param untaken follow-ups that were offered and that the record has not taken over
 */
export function planContacts(
  connection: string,
  referral: JsonObject,
  heard: readonly HeardContact[],
  byName: string | undefined,
  untaken: readonly JsonObject[],
): ContactPlan {
  const first = planFirst(referral, heard, byName);
  const tries = planTries(connection, referral, heard, untaken);
  const patch = { ...first.patch, ...tries.patch };
  return {
    patch: Object.keys(patch).length === 0 ? undefined : patch,
    taken: [...first.taken, ...tries.taken],
    isForgotten: first.isForgotten,
  };
}

type Part = Omit<ContactPlan, 'patch'> & { readonly patch: JsonObject };
const nothing: Part = { patch: {}, taken: [], isForgotten: false };

function planFirst(referral: JsonObject, heard: readonly HeardContact[], byName: string | undefined): Part {
  const standing = heard.find(({ offered, isRefused }) => !isRefused && offered?.firstContact !== undefined);
  const offered = objectAt(standing?.offered, 'firstContact');
  const known = objectAt(referral, 'firstContact');
  const isReached = known?.outcome === 'reached';
  const isTheirs = offered !== undefined && timeOf(known) === timeOf(offered);
  const [first] = heard
    .filter(({ contact, isRefused }) => contact?.kind === 'reached' && !isRefused)
    .sort((one, other) => timeOf(one.contact) - timeOf(other.contact));
  const dropped = standing === undefined || standing === first ? [] : [{ heard: standing, offered: {} }];
  if (first?.contact === undefined) {
    if (standing === undefined) return nothing;
    const isOwn = isReached && !isTheirs;
    return { patch: isOwn ? {} : { firstContact: null }, taken: dropped, isForgotten: isOwn };
  }
  const { at, mode, outcome } = first.contact;
  const isSame = timeOf(offered) === Date.parse(at) && textAt(offered, 'mode') === mode;
  if (isSame || (isReached && !isTheirs)) return nothing;
  const firstContact = { at, outcome, ...(mode && { mode }), ...(byName !== undefined && { byName }) };
  return {
    patch: { firstContact },
    taken: [...dropped, { heard: first, offered: { firstContact } }],
    isForgotten: false,
  };
}

function timeOf(contact: { readonly at?: unknown } | undefined): number {
  return typeof contact?.at === 'string' ? Date.parse(contact.at) : Number.NaN;
}

/** An item of a list cannot be taken out by a patch: of a try that never was only the words are left. */
const takenBack = 'The partner has taken this back.';

function isTakenBack({ note, outcome }: JsonObject): boolean {
  return note === takenBack && outcome === undefined;
}

/** Whether what was offered of a contact has not been taken back. */
export function stands(offered: JsonObject | null): boolean {
  const followUp = objectAt(offered ?? undefined, 'followUp');
  return offered?.firstContact !== undefined || (followUp !== undefined && !isTakenBack(followUp));
}

interface Try {
  readonly heard: HeardContact;
  readonly offered: { readonly followUp: JsonObject };
}

function planTries(
  connection: string,
  referral: JsonObject,
  heard: readonly HeardContact[],
  untaken: readonly JsonObject[],
): Part {
  const news = heard.flatMap((one): Try[] => {
    const before = objectAt(one.offered, 'followUp');
    const followUp = one.contact?.kind === 'attempt' ? followUpOf(connection, one, one.contact) : undefined;
    const isOver = one.contact === undefined && before !== undefined;
    const now = followUp ?? (isOver ? { id: textAt(before, 'id') ?? '', note: takenBack } : undefined);
    const isNews = now !== undefined && !one.isRefused && !isSameTry(now, before);
    return isNews ? [{ heard: one, offered: { followUp: now } }] : [];
  });
  if (news.length === 0) return nothing;
  const standing = heard.flatMap(({ offered, isRefused }) => (isRefused ? [] : listOf(objectAt(offered, 'followUp'))));
  const now = news.map(({ offered: { followUp } }) => followUp);
  // One that was taken back may be another referral's by now.
  const left = untaken.filter(isTakenBack);
  const all: JsonObject[] = [...objectsAt(referral, 'followUps'), ...left, ...standing, ...now];
  const followUps = [...new Map(all.map((one) => [one.id, one])).values()];
  return { patch: { followUps }, taken: news, isForgotten: false };
}

function listOf(one: JsonObject | undefined): JsonObject[] {
  return one === undefined ? [] : [one];
}

function followUpOf(connection: string, { resourceType, remoteId, note }: HeardContact, contact: Contact): JsonObject {
  const { at, outcome, mode } = contact;
  return {
    id: proposedId(connection, 'followUp', resourceType, remoteId),
    doneAt: at,
    outcome,
    ...(mode && { mode }),
    ...(note !== undefined && { note }),
  };
}

function isSameTry(now: JsonObject, before: JsonObject | undefined): boolean {
  return (
    before !== undefined &&
    ['outcome', 'mode', 'note', 'doneAt'].every((name) => textAt(now, name) === textAt(before, name))
  );
}
