// Front door of hooks/: messages by which the other side says that something is new, by FHIR notifications and HL7 v2 ADT messages. They wake polls
// and change nothing else, but for a visit that no poll can read: there the message itself is kept as what was seen.

import type { ConnectionConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { isObject, type JsonObject } from '../json.ts';
import {
  heardFrom,
  heardFromOwn,
  type IdentifierSought,
  keepVisit,
  type LaneKey,
  patientsWith,
  readsVisits,
  wakePolls,
} from '../lanes/lanes.ts';
import { parseJson } from '../records/records.ts';
import type { Store } from '../store/store.ts';
import {
  type AckCode,
  type AdtHeader,
  type AdtIdentifier,
  type AdtMessage,
  acknowledge,
  isHl7,
  readAdt,
} from './adt.ts';
import { readNotification } from './notification.ts';

export interface HookDeps {
  readonly store: Store;
  /** The system of our own identifiers. */
  readonly identifierSystem: string;
  /** IANA name of the zone in which a source tells times. */
  readonly timeZone: (source: string) => string;
  readonly newId: () => string;
  /** Called after commit with lanes that have work now. */
  readonly wake: (lanes: readonly LaneKey[]) => void;
}

export interface HookMessage {
  readonly body: Uint8Array;
  /** In the address, where a server puts the resource itself there. */
  readonly resourceType?: string;
  /** In the address: what the Subscription of ours that it comes from is about. */
  readonly subscribed?: string;
}

export interface HookAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/**
 * Takes one message whose sender has shown the connection's key.
 * @throws CasebridgeError `json-invalid` for what is neither JSON nor HL7; then nothing was changed
 */
export async function takeMessage(deps: HookDeps, config: ConnectionConfig, message: HookMessage): Promise<HookAnswer> {
  const text = textOf(message.body);
  if (isHl7(text)) return takeAdt(deps, config, text);
  const parsed = message.body.length === 0 ? undefined : parseJson(message.body);
  if (parsed !== undefined && !isObject(parsed)) throw new CasebridgeError('hook-message-unreadable');
  const { subscribed } = message;
  const { news, subscription } = readNotification(parsed, config.baseUrl, message.resourceType ?? subscribed);
  if (subscribed !== undefined) await heardFromOwn(deps.store, config.id, subscribed);
  if (subscription !== undefined) await heardFrom(deps.store, config.id, subscription);
  if (news.length > 0) await wakePolls(deps.store, config.id, news);
  return { status: 200, type: 'application/json', text: '{}' };
}

function textOf(body: Uint8Array): string {
  // HL7 is read as it comes; what is no UTF-8 in a JSON body is refused where that is parsed.
  return Buffer.from(body).toString('utf8');
}

async function takeAdt(deps: HookDeps, config: ConnectionConfig, text: string): Promise<HookAnswer> {
  const read = await readAdt(text, deps.timeZone(config.inboundTo ?? config.sources[0] ?? ''));
  const answer = async (header: AdtHeader, code: AckCode, why: string): Promise<HookAnswer> => ({
    status: code === 'AA' ? 200 : 400,
    type: 'application/hl7-v2',
    text: acknowledge(header, code, why, await deps.store.now(), deps.newId()),
  });
  if ('refused' in read) return answer(read.header, read.refused, read.why);
  const problem = await actOn(deps, config, read.message);
  return problem === undefined ? answer(read.header, 'AA', '') : answer(read.header, 'AE', problem);
}

/** @returns what is wrong with the message; a patient who is nobody of ours is nothing wrong */
async function actOn(deps: HookDeps, config: ConnectionConfig, message: AdtMessage): Promise<string | undefined> {
  const sought = message.identifiers.flatMap((identifier) => identifierSought(identifier, config.identifierSystems));
  const [found, other] = sought.length === 0 ? [] : await patientsWith(deps.store, config.id, sought);
  if (found === undefined) return undefined;
  if (other !== undefined) return 'PID-3: the identifiers belong to several patients';
  const { patient, birthDate } = found;
  // The number alone may be another hospital's.
  const isNamed = message.identifiers.some(({ system }) => sought.some((one) => one.system === system));
  if (!isNamed && (birthDate === null || message.birthDate === undefined))
    return 'PID-7: the birth date is needed, as PID-3 names no authority by its OID';
  if (birthDate !== null && message.birthDate !== undefined && birthDate !== message.birthDate)
    return 'PID-7: the identifiers belong to a patient with another birth date';
  await wakePolls(deps.store, config.id, [
    { resourceType: 'Encounter', patient },
    { resourceType: 'Patient', patient },
  ]);
  if (message.visit === undefined || (await readsVisits(deps.store, config.id, patient))) return undefined;
  const visit: JsonObject = { ...message.visit, subject: { reference: `Patient/${patient}` } };
  deps.wake(await keepVisit(deps.store, { config, identifierSystem: deps.identifierSystem }, patient, visit));
  return undefined;
}

/** HL7 table 0203, by our kinds. */
const kindsByType: Readonly<Record<string, string>> = { MR: 'mrn', MA: 'medicaid', MC: 'medicare-mbi' };

/** An identifier counts only in the system that is configured for its kind. */
function identifierSought(
  { value, system, type }: AdtIdentifier,
  systems: ConnectionConfig['identifierSystems'],
): IdentifierSought[] {
  const byType = type === undefined ? undefined : kindsByType[type];
  return Object.entries(systems).flatMap(([kind, known]) => {
    const isMeant =
      system === undefined ? kind === (byType ?? (type === undefined ? 'mrn' : undefined)) : system === known;
    return isMeant ? [{ kind, system: known, value }] : [];
  });
}
