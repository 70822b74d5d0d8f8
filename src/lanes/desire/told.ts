// Whom a lane tells: the receiver that its connection is, and a record as it is told to them. Pure.

import { type ConsentQuestion, questionAbout, type Telling, withLabels } from '../../access/access.ts';
import type { JsonObject } from '../../json.ts';
import type { RecordType } from '../../records/records.ts';
import { receiverFor } from '../lane-connection.ts';
import type { DesireInput } from './desire-input.ts';

/**
 * Whether a record may go to the receiver that this connection is. One that names another client than the lane's, as while a record is on its way from
 * one client to another, goes by no consent of the lane's client; what is refused is refused.
 */
export function consentQuestion(input: DesireInput, record: JsonObject, recordType: RecordType): ConsentQuestion {
  const { clientId } = record;
  const isOf = (consent: JsonObject) =>
    typeof clientId !== 'string' || consent.clientId === clientId || consent.status === 'declined';
  const consents = input.consents.filter(isOf);
  return questionAbout(recordType, record, { ...tellingOf(input), consents, today: input.today, now: input.now });
}

/** The receiver that this connection is, and what counts for what it may be told. */
export function tellingOf({ connection, lease, known }: Pick<DesireInput, 'connection' | 'lease' | 'known'>): Telling {
  return { ...receiverFor(connection.config, lease.source), find: (type, id) => known.heldRecord(type, id) };
}

/** The record as it is told to the receiver: with every label that counts for it. */
export function asTold(input: DesireInput, type: RecordType, record: JsonObject): JsonObject {
  return withLabels(type, record, tellingOf(input));
}

/** The receiving organization's record id in the lane's source, where the connection names one. */
export function receiverOf({ connection, lease }: DesireInput): string | undefined {
  return receiverFor(connection.config, lease.source).organization;
}
