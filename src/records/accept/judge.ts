// Which version a record becomes, by source time and content (lanes.md 24). Pure.

import { CasebridgeError } from '../../errors.ts';
import type { FieldError } from '../field-error.ts';
import type { StoredRecord } from '../parse-record.ts';
import type { RecordType } from '../record-type.ts';
import { subjectOf } from '../subject.ts';
import { changedSignedText, type Signed, signedTypes, signedWith } from './signed-text.ts';

export interface Received {
  readonly type: RecordType;
  readonly id: string;
  readonly record: StoredRecord;
  /** Source time in microseconds. */
  readonly micros: number;
  /** Of the content without `updatedAt`. */
  readonly hash: string;
  /** Why it may not stand beside another record that is here; absent: it may. */
  readonly errors?: readonly FieldError[];
}

/** What a record belongs to. A deletion may name nothing: then it stays where it was. */
export interface Place {
  /** Empty for a deletion of something that was never here. */
  readonly subject: string;
  readonly clientId: string | null;
  readonly caseId: string | null;
}

export interface Stored extends Place {
  readonly version: number;
  readonly micros: number;
  readonly hash: string;
  /** Only of a type whose versions are held against those before. */
  readonly signed?: Signed;
}

export interface Judged {
  readonly received: Received;
  readonly outcome: 'accepted' | 'unchanged' | 'stale' | 'refused';
  /** The version that holds after it. */
  readonly version: number;
  readonly place: Place;
  /** What it replaces, when accepted. */
  readonly before?: Stored;
  /** Why it may not follow the version that holds, or stand beside another record, when refused. */
  readonly errors?: readonly FieldError[];
}

/**
 * Judges records of one (type, id) in the order in which they came.
 * `knownHashes` are contents of stored versions; the same content at an older time is a repetition, not stale.
 */
export function judge(
  source: string,
  received: readonly Received[],
  stored: Stored | undefined,
  knownHashes: ReadonlySet<string>,
): Judged[] {
  const hashes = new Set(knownHashes);
  let current = stored;
  return received.map((one) => {
    const outcome = outcomeOf(one, current, hashes);
    if (current && outcome !== 'accepted') {
      return { received: one, outcome, version: current.version, place: current };
    }
    const errors = [...changedSignedText(current?.signed, one.record), ...(one.errors ?? [])];
    if (errors.length > 0)
      return { received: one, outcome: 'refused', version: current?.version ?? 0, place: current ?? nowhere, errors };
    const before = current;
    const place = placeOf(source, one, before);
    const signed = signedTypes.includes(one.type) ? signedWith(before?.signed, one.record) : undefined;
    current = {
      version: (before?.version ?? 0) + 1,
      micros: one.micros,
      hash: one.hash,
      ...place,
      ...(signed && { signed }),
    };
    hashes.add(one.hash);
    return { received: one, outcome: 'accepted', version: current.version, place, before };
  });
}

const nowhere: Place = { subject: '', clientId: null, caseId: null };

function outcomeOf(one: Received, current: Stored | undefined, hashes: ReadonlySet<string>): Judged['outcome'] {
  if (!current) return 'accepted';
  if (one.micros === current.micros && one.hash === current.hash) return 'unchanged';
  if (one.micros >= current.micros) return 'accepted';
  return one.hash === current.hash || hashes.has(one.hash) ? 'unchanged' : 'stale';
}

function placeOf(source: string, { type, record }: Received, before: Stored | undefined): Place {
  const kept = record.deleted ? before : undefined;
  const clientId = textOf(record.clientId) ?? kept?.clientId ?? null;
  const caseId = textOf(record.caseId) ?? kept?.caseId ?? null;
  return {
    subject: subjectWhere(source, type, { id: record.id, clientId, caseId }, record.deleted === true),
    clientId,
    caseId,
  };
}

function subjectWhere(
  source: string,
  type: RecordType,
  record: { readonly id: string; readonly clientId: string | null; readonly caseId: string | null },
  deleted: boolean,
): string {
  try {
    return subjectOf(source, type, record);
  } catch (error) {
    if (deleted && error instanceof CasebridgeError && error.code === 'record-without-subject') return '';
    throw error;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
