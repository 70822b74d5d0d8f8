// Sends one dependency level: intents first, then the requests, then their outcomes in one transaction (lanes.md 7 to 10).
// Whatever is not stored here is an unknown outcome for the next run; nothing is ever sent twice on a guess.

import {
  type Classified,
  classify,
  type Fault,
  type FhirReply,
  type ReplyClass,
} from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { type JsonObject, textAt } from '../../json.ts';
import { writesAtOnce } from '../budget/at-once.ts';
import { tellingOf } from '../desire/told.ts';
import type { Abilities, LaneConnection, Run } from '../lane-connection.ts';
import { nameOf } from '../lane-resource.ts';
import type { LaneState } from '../load/load.ts';
import { readOne } from '../look/read-one.ts';
import { ownIdentifierQuery } from '../own-identifier.ts';
import { saysMerged } from '../patients/merged.ts';
import type { Write } from '../plan.ts';
import { mayBeOurs } from './created-reply.ts';
import { readEntries } from './entry-reply.ts';
import { type Intent, storeIntents } from './operations.ts';
import { placeholdersIn } from './order.ts';
import { authorOf, provenanceEntries } from './provenance.ts';
import { type Learned, type Sending, sendPatch } from './send-patch.ts';

/** What one request did to one resource. */
export interface WriteOutcome {
  readonly intent: Intent;
  readonly class: ReplyClass;
  /** The connection is at fault, but the server may have done it. */
  readonly mayBeDone?: boolean;
  readonly status: number | undefined;
  readonly reason: Reason | undefined;
  readonly retryAfterMs: number | undefined;
  readonly remoteId: string | undefined;
  readonly versionTag: string | undefined;
  /** By what the server's support finds the request. */
  readonly requestId: string | undefined;
  readonly body: JsonObject | undefined;
  /** Placeholders of this send and the references that took their place. */
  readonly resolved: ReadonlyMap<string, string>;
  /** It was one of several in a refused transaction: it may be alone in what was wrong, or not wrong at all. */
  readonly inTransaction: boolean;
  /** Refused because the patient was merged into another one. */
  readonly isAboutMerged?: boolean;
}

/** FHIR servers refuse larger ones, and a larger one blocks its lane for longer than a lease. */
const mostEntries = 100;
const mostBytes = 1_000_000;
const sendLimitMs = 30_000;

export function sendMsFor(leaseMs: number): number {
  return Math.min(sendLimitMs, Math.floor(leaseMs * 0.8));
}

/** What the run has learned of how to send. */
export interface Manner {
  /** Nothing goes as a transaction: the server has refused one as a whole. */
  readonly singly: boolean;
  /** Version tags that were answered 412, by `Type/id`. */
  readonly refusedTags: ReadonlyMap<string, string | undefined>;
  /** `Type/id` of what a single write was answered to be gone: what is written again has been read since, and is there. */
  readonly saidGone: ReadonlySet<string>;
  /** By name, what a search has not found: under which match leases. */
  readonly notFound: ReadonlyMap<string, readonly string[]>;
}

/** Sends what can go now, and tells what came back. Stores the intents, but not the outcomes. */
export async function sendLevel(
  run: Run,
  abilities: Abilities,
  state: LaneState,
  writes: readonly Write[],
  manner: Manner,
): Promise<WriteOutcome[]> {
  const { deps, connection, lease } = run;
  const { singly, notFound } = manner;
  // A patch has no place in a Bundle of resources.
  const together = writes.filter((write) => !goesAsPatch(abilities, write));
  const asTransaction = abilities.transaction && !singly && together.length > 1;
  const sendId = deps.newId();
  const recorded = provenanceOf(run, abilities, state, sendId);
  const level = asTransaction
    ? firstBundle(together, recorded)
    : writes
        .filter(({ body }) => placeholdersIn(body).length === 0)
        .slice(0, writesAtOnce(connection.config.rateLimit));
  if (level.length === 0) return [];
  const sendMs = sendMsFor(deps.leaseMs);
  const sending: Sending = { requestId: sendId, sendBefore: deps.clock() + sendMs };
  const intents = await storeIntents(deps.store, {
    lease,
    leaseMs: deps.leaseMs,
    basis: state.basis,
    sendId,
    sendMs,
    writes: level,
    match: { keys: matchKeysOf(level, notFound), settleMs: connection.config.settleMs },
  });
  const server: Server = { connection, abilities, identifierSystem: deps.identifierSystem };
  if (asTransaction) return sendTransaction(server, intents, recorded(level), sending);
  return Promise.all(intents.map((intent) => sendSingle(server, intent, sending, learnedOf(intent.write, manner))));
}

interface Server {
  readonly connection: LaneConnection;
  readonly abilities: Abilities;
  readonly identifierSystem: string;
}

function matchKeysOf(writes: readonly Write[], notFound: Manner['notFound']): string[] {
  const created = writes.filter(({ kind }) => kind === 'create');
  return [...new Set(created.flatMap(({ resource }) => notFound.get(nameOf(resource.key)) ?? []))];
}

/** Whether this very version was answered 412, or its resource to be gone, although it was read anew since. */
function learnedOf(write: Write, { refusedTags, saidGone }: Manner): Learned {
  if (write.kind === 'create') return {};
  const name = `${write.resource.resourceType}/${write.link.remoteId}`;
  const tagIsFresh = refusedTags.has(name) && refusedTags.get(name) === write.versionTag;
  return { tagIsFresh, isThere: saidGone.has(name) };
}

/** Entries that tell of writes in the same transaction. */
type Recording = (writes: readonly Write[]) => JsonObject[];

function provenanceOf(
  { deps: { identifierSystem, clock }, connection, lease }: Run,
  { provenance }: Abilities,
  state: LaneState,
  sendId: string,
): Recording {
  if (!provenance.sent) return () => [];
  const telling = tellingOf({ connection, lease, known: state.known });
  const author = authorOf(state, telling, lease.source, identifierSystem);
  const facts = { identifierSystem, author, recorded: clock(), sendId };
  return (writes) => provenanceEntries(writes, facts);
}

/**
 * As many as fit, in order; as what is pointed at comes first, the part that is cut off points into this one and not the other way. Each write
 * counts with all that would tell of it alone, which is never too little.
 */
function firstBundle(writes: readonly Write[], recorded: Recording): Write[] {
  const level: Write[] = [];
  let entries = 0;
  let bytes = 0;
  for (const write of writes) {
    const parts = [write.body, ...recorded([write])];
    entries += parts.length;
    bytes += Buffer.byteLength(JSON.stringify(parts));
    if (level.length > 0 && (entries > mostEntries || bytes > mostBytes)) break;
    level.push(write);
  }
  return level;
}

async function sendSingle(server: Server, intent: Intent, sending: Sending, learned: Learned): Promise<WriteOutcome> {
  const { connection, abilities } = server;
  const { write } = intent;
  const { resourceType } = write.resource;
  if (write.kind === 'create') {
    const ifNoneExist = conditionOf(server, write);
    const reply = await connection.client.send({
      method: 'POST',
      path: resourceType,
      body: write.body,
      ifNoneExist,
      ...sending,
    });
    const result = classify(connection.vendor, { method: 'POST', kind: 'create', target: { resourceType } }, reply);
    const outcome = {
      ...outcomeOf(intent, result, reply),
      isAboutMerged: saysMerged(connection, reply),
      remoteId: reply.fault === undefined ? (reply.location?.id ?? textAt(reply.body, 'id')) : undefined,
    };
    return checked(server, outcome, ifNoneExist !== undefined, sending);
  }
  const { remoteId } = write.link;
  if (abilities.patches(resourceType)) {
    const { reply, result } = await sendPatch(connection, write, sending, learned);
    return { ...outcomeOf(intent, result, reply), remoteId };
  }
  const reply = await connection.client.send({
    method: 'PUT',
    path: `${resourceType}/${remoteId}`,
    body: write.body,
    ifMatch: write.versionTag,
    ...sending,
  });
  const request = { method: 'PUT', kind: 'update', target: { resourceType, id: remoteId }, ...learned } as const;
  return { ...outcomeOf(intent, classify(connection.vendor, request, reply), reply), remoteId };
}

/** By what the server is to find an earlier one of ours; undefined: it makes a new one whatever it holds. */
function conditionOf({ abilities, identifierSystem }: Server, { resource, body }: Write): string | undefined {
  return abilities.conditionalCreate(resource.resourceType) ? ownIdentifierQuery(body, identifierSystem) : undefined;
}

/**
 * A create that was answered as done is believed where what the server shows may be ours. What it says to have found, and shows nothing of, is read first.
 *
 * @param isConditional whether the create asked for an earlier one
 */
async function checked(
  { connection, identifierSystem }: Server,
  outcome: WriteOutcome,
  isConditional: boolean,
  sending: Sending,
): Promise<WriteOutcome> {
  const { intent, remoteId, status } = outcome;
  const { kind, body: sent } = intent.write;
  if (outcome.class !== 'ok' || kind !== 'create' || remoteId === undefined) return outcome;
  const wasFound = isConditional && status === 200;
  const looked =
    wasFound && outcome.body === undefined ? await readBack(connection, outcome, remoteId, sending) : outcome;
  const { body: shown } = looked;
  if (shown === undefined) return looked;
  const own = { identifierSystem, baseUrl: connection.config.baseUrl };
  return mayBeOurs({ sent, shown, wasFound }, own) ? looked : disbelieved(looked, reason('server-wrong-resource'));
}

async function readBack(
  connection: LaneConnection,
  outcome: WriteOutcome,
  id: string,
  sending: Sending,
): Promise<WriteOutcome> {
  const { resourceType } = outcome.intent.write.resource;
  const { reply, body, failed } = await readOne(connection, { resourceType, id }, sending);
  if (failed !== undefined) return disbelieved(outcome, reason('create-not-shown'));
  return { ...outcome, body, versionTag: reply.versionTag };
}

function disbelieved(outcome: WriteOutcome, why: Reason): WriteOutcome {
  const nothing = { remoteId: undefined, versionTag: undefined, body: undefined };
  return { ...outcome, ...nothing, class: 'unknown-outcome', reason: why };
}

function goesAsPatch(abilities: Abilities, { kind, resource }: Write): boolean {
  return kind !== 'create' && abilities.patches(resource.resourceType);
}

function outcomeOf(
  intent: Intent,
  result: Pick<Classified, 'class' | 'reason' | 'mayBeDone' | 'retryAfterMs'>,
  reply: FhirReply | Fault,
): Omit<WriteOutcome, 'remoteId'> {
  return {
    intent,
    class: result.class,
    mayBeDone: result.mayBeDone === true,
    status: reply.status,
    reason: result.reason,
    retryAfterMs: result.retryAfterMs,
    versionTag: reply.fault === undefined ? reply.versionTag : undefined,
    requestId: reply.fault === undefined ? reply.requestId : undefined,
    body: reply.fault === undefined ? shown(intent, reply) : undefined,
    resolved: new Map(),
    inTransaction: false,
  };
}

/** The resource that was written, where the reply shows it: notes and somebody else's resource are no look at it. */
function shown({ write }: Intent, { body, location }: FhirReply): JsonObject | undefined {
  const id = write.kind === 'create' ? (location?.id ?? body?.id) : write.link.remoteId;
  return body?.resourceType === write.resource.resourceType && body.id === id ? body : undefined;
}

async function sendTransaction(
  server: Server,
  intents: readonly Intent[],
  provenance: readonly JsonObject[],
  sending: Sending,
): Promise<WriteOutcome[]> {
  const { connection } = server;
  // After the writes, so that their replies come first.
  const entry = [...intents.map(({ write }) => transactionEntry(server, write)), ...provenance];
  const body: JsonObject = { resourceType: 'Bundle', type: 'transaction', entry };
  const reply = await connection.client.send({ method: 'POST', path: '', body, ...sending });
  const result = classify(connection.vendor, { method: 'POST', kind: 'transaction' }, reply);
  const entries = reply.fault === undefined && Array.isArray(reply.body?.entry) ? reply.body.entry : [];
  const isOdd = result.class === 'ok' && entries.length !== entry.length;
  const told = isOdd ? ({ class: 'unknown-outcome', reason: reason('outcome-unknown') } as const) : result;
  if (told.class !== 'ok') {
    return intents.map((intent) => ({
      ...outcomeOf(intent, told, reply),
      body: undefined,
      remoteId: undefined,
      inTransaction: true,
    }));
  }
  const writes = intents.map(({ write }) => write);
  const replies = readEntries(writes, entries, new URL(connection.config.baseUrl));
  const answers = await Promise.all(
    intents.flatMap((intent, at) => {
      const read = replies[at];
      if (read === undefined) return [];
      const answer = { ...outcomeOf(intent, read, reply), ...read, inTransaction: true };
      return [checked(server, answer, conditionOf(server, intent.write) !== undefined, sending)];
    }),
  );
  // Where the others point now, also where that is not believed to be ours.
  const resolved = new Map(
    writes.flatMap(({ kind, resource: { placeholder, resourceType } }, at) => {
      const remoteId = replies[at]?.remoteId;
      return kind === 'create' && remoteId !== undefined ? [[placeholder, `${resourceType}/${remoteId}`] as const] : [];
    }),
  );
  const requestId = reply.fault === undefined ? reply.requestId : undefined;
  return answers.map((answer) => ({ ...answer, resolved, requestId }));
}

function transactionEntry(server: Server, write: Write): JsonObject {
  const { resourceType, placeholder } = write.resource;
  if (write.kind === 'create') {
    const ifNoneExist = conditionOf(server, write);
    const request: JsonObject = {
      method: 'POST',
      url: resourceType,
      ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
    };
    return { fullUrl: placeholder, resource: write.body, request };
  }
  const url = `${resourceType}/${write.link.remoteId}`;
  const request: JsonObject = {
    method: 'PUT',
    url,
    ...(write.versionTag === undefined ? {} : { ifMatch: write.versionTag }),
  };
  return { resource: write.body, request };
}
