// Records from a stream into the store: each line is checked, lines are accepted in batches, and each gets its answer in order. One bad
// line never stops the rest.

import { isObject, type Json } from '../json.ts';
import { didYouMean } from '../nearest.ts';
import {
  type Acceptance,
  type CheckedRecord,
  type FieldError,
  isRecordType,
  kindOf,
  type ParseOptions,
  parseRecord,
  type RecordLine,
  type RecordSchemas,
  readRecordLines,
  recordTypes,
  shownName,
} from '../records/records.ts';
import { batches } from './batches.ts';

/** One line of an answer to POST /api/records. */
export interface LineAnswer {
  /** Of the stream, from 1. */
  readonly line: number;
  /** Of a JSON array, from 1. */
  readonly element?: number;
  readonly type?: string;
  readonly id?: string;
  readonly outcome: Acceptance['outcome'];
  readonly version?: number;
  readonly lanes?: Acceptance['lanes'];
  readonly errors?: readonly FieldError[];
}

export interface IntakeCounts {
  accepted: number;
  unchanged: number;
  stale: number;
  refused: number;
}

export interface IntakeOptions {
  /** The source's time zone. */
  readonly timeZone?: string;
  /** What records are checked by; asked once for each batch. */
  readonly schemas: () => Promise<RecordSchemas>;
  readonly accept: (items: readonly CheckedRecord[]) => Promise<readonly Acceptance[]>;
}

export type CheckedLine = Pick<LineAnswer, 'line' | 'element' | 'type' | 'id'> &
  ({ readonly item: CheckedRecord } | { readonly errors: readonly FieldError[] });

// A transaction costs as much as some dozen records, and one of these takes about 50 ms.
const batchSize = 100;
const batchWaitMs = 20;

/** Takes in NDJSON or a JSON array of `{type, record}`; memory stays constant. Fails where the stream or `accept` fails. */
export async function* takeIn(
  stream: AsyncIterable<Uint8Array>,
  { timeZone, schemas: schemasOf, accept }: IntakeOptions,
): AsyncGenerator<LineAnswer[]> {
  for await (const batch of batches(readRecordLines(stream), batchSize, batchWaitMs)) {
    const now = new Date();
    const schemas = await schemasOf();
    const lines = batch.map((line) => checkLine(line, { now, timeZone, schemas }));
    const items = lines.flatMap((line) => ('item' in line ? [line.item] : []));
    const results = (items.length > 0 ? await accept(items) : []).values();
    yield lines.map((line) => answerOf(line, results));
  }
}

export function emptyCounts(): IntakeCounts {
  return { accepted: 0, unchanged: 0, stale: 0, refused: 0 };
}

/** One line of the stream as a record that may be accepted, or what is wrong with it. */
export function checkLine(line: RecordLine, options: ParseOptions): CheckedLine {
  const place = { line: line.line, element: line.element };
  if ('error' in line) return { ...place, errors: [line.error] };
  const shown = { ...place, ...nameOf(line.value) };
  const envelope = readEnvelope(line.value);
  if ('errors' in envelope) return { ...shown, errors: envelope.errors };
  const { type, record } = envelope;
  const parsed = parseRecord(type, record, options);
  return parsed.ok ? { ...shown, item: { type, record: parsed.record } } : { ...shown, errors: parsed.errors };
}

type Envelope = Pick<CheckedRecord, 'type'> & { readonly record: Json };

function readEnvelope(value: Json): Envelope | { errors: FieldError[] } {
  if (!isObject(value)) {
    return { errors: [fault('', 'type', value, 'A line must be an object {"type": …, "record": …}.')] };
  }
  const errors = Object.keys(value)
    .filter((name) => name !== 'type' && name !== 'record')
    .map((name) => unknownField(name));
  const { type, record } = value;
  if (typeof type !== 'string' || !isRecordType(type)) errors.push(unknownType(type));
  if (record === undefined) errors.push(fault('/record', 'required', record, '"record" is missing.'));
  return typeof type === 'string' && isRecordType(type) && record !== undefined && errors.length === 0
    ? { type, record }
    : { errors };
}

function unknownType(type: Json | undefined): FieldError {
  const hint = typeof type === 'string' ? didYouMean(type, recordTypes) : '';
  return fault('/type', 'enum', type, `"type" must be one of ${recordTypes.join(', ')}.${hint}`);
}

function unknownField(name: string): FieldError {
  const shown = shownName(name);
  const which = shown === undefined ? '' : `, not "${shown}"`;
  const message = `A line holds "type" and "record" only${which}.${didYouMean(name, ['type', 'record'])}`;
  return { pointer: shown === undefined ? '' : `/${shown}`, rule: 'unknown-property', found: 'unknown name', message };
}

function fault(pointer: string, rule: string, found: Json | undefined, message: string): FieldError {
  return { pointer, rule, found: kindOf(found), message };
}

/** Type and id, as far as the line has them. Only a type that there is and what looks like an id is repeated: else anything might stand there. */
function nameOf(value: Json): { readonly type?: string; readonly id?: string } {
  const { type, record = null } = isObject(value) ? value : {};
  return { ...(typeof type === 'string' && isRecordType(type) && { type }), id: idOf(record) };
}

function idOf(record: Json): string | undefined {
  const id = isObject(record) ? record.id : undefined;
  return typeof id === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(id) ? id : undefined;
}

function answerOf(line: CheckedLine, results: Iterator<Acceptance>): LineAnswer {
  const { line: number, element, type, id } = line;
  const place = { line: number, element, type, id };
  if ('errors' in line) return { ...place, outcome: 'refused', errors: line.errors };
  const result = results.next();
  if (result.done) throw new Error('acceptance answered fewer records than it was given');
  const { outcome, version, lanes, errors } = result.value;
  if (errors) return { ...place, outcome, errors };
  return { ...place, outcome, version, lanes };
}
