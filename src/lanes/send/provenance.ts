// Who wrote what, told in the transaction that writes it (US Core Provenance). Each create has one of its own, and the updates of a transaction
// share one. Each is created conditionally, by a tag in the place of the identifier that Provenance has not: where the server answers a
// conditional create with what it has, it has the Provenance too, and a transaction that arrives twice makes no second one. It says references,
// codes and labels, and nothing about a person. Pure.

import { mayName, type Telling } from '../../access/access.ts';
import { canonicalJson, contentHash, identifierValue } from '../../fhir/fhir.ts';
import { type JsonObject, objectAt, objectsAt } from '../../json.ts';
import { nameOf } from '../lane-resource.ts';
import type { LaneState } from '../load/load.ts';
import { ownIdentifier } from '../own-identifier.ts';
import type { Write } from '../plan.ts';

export interface ProvenanceFacts {
  readonly identifierSystem: string;
  /** A Reference to the organization in whose name the writes are made. */
  readonly author: JsonObject;
  /** Epoch ms. */
  readonly recorded: number;
  readonly sendId: string;
}

/** The entries that a transaction with these writes has besides theirs. */
export function provenanceEntries(writes: readonly Write[], facts: ProvenanceFacts): JsonObject[] {
  const creates = writes.filter(({ kind }) => kind === 'create');
  const updates = writes.filter(({ kind }) => kind !== 'create');
  return [
    // What has no identifier of ours is not created conditionally: with each send it comes into being anew.
    ...creates.map((write) =>
      entryOf([write], 'CREATE', ownIdentifier(write.body, facts.identifierSystem) ?? sentAs(write, facts), facts),
    ),
    ...(updates.length === 0 ? [] : [entryOf(updates, 'UPDATE', facts.sendId, facts)]),
  ];
}

function sentAs(write: Write, { sendId }: ProvenanceFacts): string {
  return `${sendId} ${nameOf(write.resource.key)}`;
}

/**
 * The organization that the lane's case, or else its first record, belongs to: by reference where it is linked, else by our identifier. What
 * belongs to none is its source's; so is what belongs to a labelled one, or to a part of one, which even a request that takes something back does not name.
 */
export function authorOf(
  { known }: Pick<LaneState, 'known'>,
  telling: Telling,
  source: string,
  identifierSystem: string,
): JsonObject {
  const record = known.own.find(({ type }) => type === 'case') ?? known.own[0];
  const id = record?.content.organizationId;
  if (typeof id !== 'string' || !mayName('organization', id, [], telling))
    return { type: 'Organization', identifier: { system: identifierSystem, value: source } };
  const link = known.link({ type: 'organization', id, slot: 'organization' });
  if (link !== undefined) return { reference: `Organization/${link.remote_id}` };
  const value = identifierValue({ source, type: 'organization', id }, 'organization');
  return { type: 'Organization', identifier: { system: identifierSystem, value } };
}

/** @param name what only these writes have, each time that they are sent */
function entryOf(
  writes: readonly Write[],
  activity: 'CREATE' | 'UPDATE',
  name: string,
  { identifierSystem, author, recorded }: ProvenanceFacts,
): JsonObject {
  const tag = { system: `${identifierSystem}/CodeSystem/provenance-of`, code: contentHash(name) };
  const security = labelsOf(writes);
  const resource: JsonObject = {
    resourceType: 'Provenance',
    meta: { profile: [profile], ...(security.length > 0 && { security }), tag: [tag] },
    target: writes.map((write) => ({ reference: targetOf(write) })),
    recorded: new Date(recorded).toISOString(),
    activity: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: activity }] },
    agent: [
      { type: { coding: [authorCode] }, who: author },
      // provenance-1: a Device acts on behalf of somebody.
      { type: { coding: [transmitterCode] }, who: { type: 'Device', display: 'Casebridge' }, onBehalfOf: author },
    ],
  };
  const ifNoneExist = `_tag=${encodeURIComponent(`${tag.system}|${tag.code}`)}`;
  return { resource, request: { method: 'POST', url: 'Provenance', ifNoneExist } };
}

const profile = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance';
const authorCode = { system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'author' };
const transmitterCode = {
  system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type',
  code: 'transmitter',
};

function targetOf(write: Write): string {
  const { resourceType, placeholder } = write.resource;
  return write.kind === 'create' ? placeholder : `${resourceType}/${write.link.remoteId}`;
}

/** Who may not see one of the targets may not see who wrote it. */
function labelsOf(writes: readonly Write[]): JsonObject[] {
  const all = writes.flatMap(({ body }) => objectsAt(objectAt(body, 'meta'), 'security'));
  return [...new Map(all.map((label) => [canonicalJson(label), label])).values()];
}
