// Whether what a look shows under the id of a link is still what the link is to. A server that was restored may give an id once more, and a person may
// write one thing over another: what stands there then is somebody else's, and is neither read for our records nor written (lanes.md 16). Pure.

import { isDirectoryType } from '../../access/access.ts';
import { type Reason, reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { type CompiledSlot, type Desired, type Facts, isEnteredInError, type Owner } from '../../mapping/mapping.ts';
import { type LinkState, nameOf, type ResourceKey, type Stranger } from '../lane-resource.ts';
import { sameFact } from '../merge.ts';
import { ownIdentifiers, ownValue } from '../own-identifier.ts';
import { chartOf, isPatientOf } from '../patients/chart.ts';
import { directoryIdentifiers, isSomebodyElse } from '../patients/match.ts';
import { carries } from '../patients/match-facts.ts';
import { patientId, patientOf, patientsIn } from '../patients/patient-of.ts';
import { mayBeOurs, type OwnServer } from '../send/created-reply.ts';
import type { DesireInput } from './desire-input.ts';
import type { RecordRow, SeenRow } from './known.ts';

/** The fact of a slot that holds our own identifier. */
export const ownIdentifierFact = 'identifier[casebridge]';

export interface LookedAt {
  readonly key: ResourceKey;
  readonly link: LinkState;
  readonly record: JsonObject;
  readonly slot: CompiledSlot | undefined;
  readonly desired: Desired | undefined;
  readonly shown: JsonObject;
  /** Of `shown`. */
  readonly hash: string;
  /** Our identifier for it, without its generation. */
  readonly own: string;
  /** It bears a number by which the directory entry was found. */
  readonly bearsItsNumber: boolean;
  /** The server's id of the patient in whose chart it should be, where its facts do not tell. */
  readonly chart: string | undefined;
  /** The client is this patient there, or has been. */
  readonly isOfClient: (patientId: string) => boolean;
  readonly server: OwnServer;
}

/** Undefined: it is what the link is to, or nothing says that it is not. What has been taken in once is not doubted. */
function strangerIn(look: LookedAt): Stranger | undefined {
  const { key, link, record, shown, hash } = look;
  if (link.retired || link.seenHash === hash) return undefined;
  const isClient = key.type === 'client';
  if (isClient && isNewThere(look) && isSomebodyElse(record, shown))
    return { evidence: 'other-person', reason: reason('patient-replaced'), shown, hash };
  const evidence = evidenceIn(look);
  if (evidence === undefined) return undefined;
  const was = evidence === 'other-patient' ? chartsOf(look)[0] : undefined;
  const why = isClient ? reason('patient-replaced') : replaced(key, evidence);
  return { evidence, reason: why, shown, hash, ...(was !== undefined && { was }) };
}

const words: Readonly<Record<Exclude<Stranger['evidence'], 'other-person'>, string>> = {
  'other-record': 'it bears the identifier of another record of ours',
  'other-patient': 'it is about another patient',
  'other-content': 'it bears our identifier no more, and says something else',
};

function replaced(key: ResourceKey, evidence: keyof typeof words): Reason {
  return reason('remote-replaced', { target: nameOf(key), why: words[evidence] });
}

function evidenceIn(look: LookedAt): keyof typeof words | undefined {
  const { key, link, shown, own, server } = look;
  const held = ownIdentifiers(shown, server.identifierSystem);
  if (link.origin === 'created' && held.length > 0 && !held.some((value) => value.replace(/~\d+$/, '') === own))
    return 'other-record';
  if (key.type !== 'client' && isOfAnother(look)) return 'other-patient';
  if (held.length > 0) return undefined;
  const isOther =
    link.origin === 'created'
      ? saysOtherwise(look)
      : link.origin === 'found' && key.type !== 'client' && isOtherEntry(look);
  return isOther ? 'other-content' : undefined;
}

/** A name or a birth date there is not as it was when the patient was linked, or looked at last. */
function isNewThere({ link: { seen, seenHash }, slot, shown }: LookedAt): boolean {
  if (seen === undefined || slot === undefined) return seenHash !== undefined;
  return contradicts(slot, seen, slot.facts(shown), (key) => /^(?:name|birthDate)\b/.test(key));
}

/** Whoever else takes part in it. */
function isOfAnother(look: LookedAt): boolean {
  const there = patientsIn(look.shown, look.server.baseUrl);
  const charts = chartsOf(look);
  const isOurs = (id: string): boolean => charts.includes(id) || look.isOfClient(id);
  return there.length > 0 && charts.length > 0 && !there.some(isOurs);
}

/** Whom it was about when we saw it last, and when we wrote it. */
function chartsOf({ link, chart }: LookedAt): string[] {
  const told = [chartOf(link.seen), chartOf(link.sent)].flatMap((one) => patientId(one) ?? []);
  return told.length > 0 || chart === undefined ? told : [chart];
}

/**
 * Somebody may merely have taken our identifier off, or the server may keep none: then the rest is as it was. Where no look has shown what the server
 * keeps of ours yet, only what a create would not be believed for tells.
 */
function saysOtherwise({ link: { seen }, record, slot, desired, shown, server }: LookedAt): boolean {
  if (isEnteredInError(shown) || slot === undefined || desired === undefined) return false;
  if (seen === undefined) return !mayBeOurs({ sent: desired.resource, shown, wasFound: false }, server);
  if (seen[ownIdentifierFact] === undefined) return false;
  const owners = new Map(slot.elements.map((element) => [element.key, isTold(element, element.owner(record))]));
  const facts = slot.facts(shown);
  return contradicts(slot, seen, facts, (key) => owners.get(key) === true && !sameFact(facts[key], desired.facts[key]));
}

/** What a record says: nothing that the engine adds, and nothing that is for the other side to move. */
function isTold({ converter, moves, goesWith }: CompiledSlot['elements'][number], owner: Owner): boolean {
  return converter !== 'engine' && (moves ?? goesWith) === undefined && owner !== 'remote';
}

/** An element is there with another value than before; one that is not there says nothing. */
function contradicts(slot: CompiledSlot, before: Facts, now: Facts, counts: (key: string) => boolean): boolean {
  return slot.elements.some(({ key }) => now[key] !== undefined && !sameFact(now[key], before[key]) && counts(key));
}

/** A directory entry that was found by a number, which it bears no more, under another name. */
function isOtherEntry({ link, desired, shown, bearsItsNumber, server }: LookedAt): boolean {
  if (link.seenHash === undefined || bearsItsNumber || desired === undefined) return false;
  return !mayBeOurs({ sent: desired.resource, shown, wasFound: false }, server);
}

/** The same of what the store holds. Undefined also while nothing has been looked at. */
export function strangerAt(
  { lease, identifierSystem, connection: { config }, known, documents }: DesireInput,
  { content }: RecordRow,
  { key, seen, ...own }: Pick<LookedAt, 'key' | 'link' | 'slot' | 'desired'> & { readonly seen: SeenRow },
): Stranger | undefined {
  const shown = seen.body;
  if (shown === null || seen.gone) return undefined;
  const numbers = isDirectoryType(key.type) ? directoryIdentifiers(content, config.identifierSystems) : [];
  const filed = documents?.editions.findLast(({ of, retracts }) => of === nameOf(key) && !retracts);
  return strangerIn({
    ...own,
    // What is filed is never compared element by element, only held to its chart.
    ...(filed && { slot: undefined, desired: undefined }),
    key,
    record: content,
    shown,
    hash: seen.hash ?? '',
    own: ownValue(lease.source, key, 1),
    bearsItsNumber: carries(shown, numbers),
    chart: filed?.patientId ?? (own.desired && patientOf(own.desired.resource, config.baseUrl)),
    isOfClient: (id) => isPatientOf(known, content, id),
    server: { identifierSystem, baseUrl: config.baseUrl },
  });
}
