// HL7 v2 ADT messages (admit, discharge, transfer): which patient they are about, and the visit that they tell of. HL7 v2.5.1 chapters 2 and 3. Pure,
// but for the parser, which is loaded with the first message.

import { DateTime } from 'luxon';
import { contentHash } from '../fhir/fhir.ts';
import type { JsonObject } from '../json.ts';

type Hl7 = typeof import('@medplum/core');
type Segment = NonNullable<ReturnType<InstanceType<Hl7['Hl7Message']>['getSegment']>>;

/** What may be told back to an interface engine: taken, not usable as it is, or not meant for us. */
export type AckCode = 'AA' | 'AE' | 'AR';

export interface AdtIdentifier {
  readonly value: string;
  /** Assigning authority, as a URI, where it is an OID. */
  readonly system?: string;
  /** HL7 table 0203, as in MR. */
  readonly type?: string;
}

export interface AdtMessage {
  /** As in A01. */
  readonly event: string;
  /** When it happened, ISO. */
  readonly at: string;
  readonly identifiers: readonly AdtIdentifier[];
  /** YYYY-MM-DD. */
  readonly birthDate?: string;
  /** As an Encounter without its subject; absent where the message tells of none. */
  readonly visit?: JsonObject;
}

/** What of the header goes into the answer. */
export interface AdtHeader {
  readonly sender: readonly string[];
  readonly receiver: readonly string[];
  readonly event: string;
  readonly controlId: string;
  readonly version: string;
}

export type ReadAdt =
  | { readonly message: AdtMessage; readonly header: AdtHeader }
  | { readonly refused: 'AE' | 'AR'; readonly why: string; readonly header: AdtHeader };

const noHeader: AdtHeader = { sender: [], receiver: [], event: '', controlId: '', version: '2.5.1' };

export function isHl7(text: string): boolean {
  return text.trimStart().startsWith('MSH');
}

/** @param timeZone in which times without an offset are told */
export async function readAdt(text: string, timeZone: string): Promise<ReadAdt> {
  const { Hl7Message } = await import('@medplum/core');
  // What frames a message on a wire (MLLP) may have come with it: \v is white space, the other end is not.
  const bare = text.replaceAll('\u001c', '').trim().replace(/\r?\n/g, '\r');
  if (!/^MSH[^A-Za-z0-9\s]{5}/.test(bare)) return { refused: 'AR', why: 'MSH is not readable', header: noHeader };
  const parsed = Hl7Message.parse(bare);
  const { header: msh } = parsed;
  const header: AdtHeader = {
    sender: [fieldOf(msh, 3), fieldOf(msh, 4)],
    receiver: [fieldOf(msh, 5), fieldOf(msh, 6)],
    event: componentOf(msh, 9, 2),
    controlId: fieldOf(msh, 10),
    version: componentOf(msh, 12, 1) || '2.5.1',
  };
  const refuse = (refused: 'AE' | 'AR', why: string): ReadAdt => ({ refused, why, header });
  if (componentOf(msh, 9, 1) !== 'ADT') return refuse('AR', 'MSH-9: only ADT messages are taken');
  if (!/^A\d\d$/.test(header.event)) return refuse('AR', 'MSH-9.2: the event is not readable');
  if (!/^2(\.\d)*$/.test(header.version)) return refuse('AR', 'MSH-12: only version 2 is taken');
  if (header.controlId === '') return refuse('AE', 'MSH-10: the control id is missing');
  const pid = parsed.getSegment('PID');
  const identifiers = pid === undefined ? [] : identifiersIn(pid, 3);
  if (pid === undefined || identifiers.length === 0) return refuse('AE', 'PID-3: an identifier is needed');
  const evn = parsed.getSegment('EVN');
  const at = instantOf(fieldOf(evn, 6) || fieldOf(evn, 2) || fieldOf(msh, 7), timeZone);
  if (at === undefined) return refuse('AE', 'EVN-2: the time is missing or not readable');
  const visit = visitIn(parsed.getSegment('PV1'), header.event, at, timeZone);
  if (typeof visit === 'string') return refuse('AE', visit);
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)/.exec(fieldOf(pid, 7)) ?? [];
  return {
    header,
    message: {
      event: header.event,
      at,
      identifiers,
      ...(day !== undefined && { birthDate: `${year}-${month}-${day}` }),
      ...(visit && { visit }),
    },
  };
}

/** The acknowledgement, HL7 v2.5.1 section 2.9. `why` holds nothing of the message. */
export function acknowledge(
  { sender, receiver, event, controlId, version }: AdtHeader,
  code: AckCode,
  why: string,
  now: Date,
  id: string,
): string {
  const time = now.toISOString().replace(/[-:T]|\.\d+Z$/g, '');
  const msh = [
    'MSH',
    '^~\\&',
    ...padded(receiver),
    ...padded(sender),
    `${time}+0000`,
    '',
    event === '' ? 'ACK' : `ACK^${event}^ACK`,
    id,
    'P',
    version,
  ];
  return `${[msh.join('|'), ['MSA', code, controlId, why].join('|')].join('\r')}\r`;
}

function padded(names: readonly string[]): string[] {
  return [names[0] ?? '', names[1] ?? ''];
}

/** What an event says of a visit; of others, that they are new is all. */
const statusOf: Readonly<Record<string, string>> = {
  A01: 'in-progress',
  A03: 'finished',
  A04: 'in-progress',
  A11: 'cancelled',
  A13: 'in-progress',
};
const needVisit = ['A01', 'A03', 'A04'];

const classes: Readonly<Record<string, readonly [code: string, display: string]>> = {
  E: ['EMER', 'emergency'],
  I: ['IMP', 'inpatient encounter'],
  O: ['AMB', 'ambulatory'],
  P: ['PRENC', 'pre-admission'],
  B: ['IMP', 'inpatient encounter'],
};

/** The visit, nothing where the message tells of none, or what is wrong with it. */
function visitIn(
  pv1: Segment | undefined,
  event: string,
  at: string,
  timeZone: string,
): JsonObject | string | undefined {
  const isNeeded = needVisit.includes(event);
  if (pv1 === undefined) return isNeeded ? 'PV1 is missing' : undefined;
  const [number] = identifiersIn(pv1, 19);
  if (number === undefined) return isNeeded ? 'PV1-19: the visit number is needed' : undefined;
  const [code, display] = classes[fieldOf(pv1, 2).toUpperCase()] ?? [];
  if (code === undefined && isNeeded) return 'PV1-2: the class of the patient is missing or unknown';
  const start = timeIn(pv1, 44, timeZone, event === 'A01' || event === 'A04' ? at : undefined);
  const end = timeIn(pv1, 45, timeZone, event === 'A03' ? at : undefined);
  const status = statusOf[event] ?? (end === undefined ? undefined : 'finished');
  const period = {
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
  };
  const disposition = fieldOf(pv1, 36);
  return {
    resourceType: 'Encounter',
    id: `adt-${contentHash(`${number.system ?? ''}|${number.value}`).slice(0, 32)}`,
    meta: { lastUpdated: at },
    identifier: [{ ...(number.system !== undefined && { system: number.system }), value: number.value }],
    ...(status !== undefined && { status }),
    ...(code !== undefined && {
      class: {
        system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
        code,
        ...(display !== undefined && { display }),
      },
    }),
    ...(Object.keys(period).length > 0 && { period }),
    ...(disposition !== '' && {
      hospitalization: {
        dischargeDisposition: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0112', code: disposition }],
        },
      },
    }),
  };
}

/**
 * An instant, or a date where the field tells no more. `at`, the time of the event, where the event is the one that the field is about and the field
 * tells nothing, or nothing that is nearer. Undefined: nothing that can be read.
 */
function timeIn(segment: Segment, field: number, timeZone: string, at: string | undefined): string | undefined {
  const text = fieldOf(segment, field);
  if (text === '') return at;
  const exact = instantOf(text, timeZone);
  if (exact !== undefined) return exact;
  const [, digits, hours, minutes] = /^(\d{4}(?:\d\d){0,3})(?:([+-]\d\d)(\d\d))?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const zone = hours === undefined ? timeZone : `UTC${hours}:${minutes}`;
  if (at !== undefined && DateTime.fromISO(at, { zone }).toFormat('yyyyMMddHH').startsWith(digits)) return at;
  return DateTime.fromFormat(digits.slice(0, 8), 'yyyyMMdd').toISODate() ?? undefined;
}

/** HL7's TS: YYYYMMDDHHMM, with seconds and offset where they are told. */
function instantOf(text: string, timeZone: string): string | undefined {
  const [, day, hour, minute, second = '00', offset] =
    /^(\d{8})(\d\d)(\d\d)(\d\d)?(?:\.\d{1,4})?([+-]\d{4})?$/.exec(text) ?? [];
  if (day === undefined) return undefined;
  const local = `${day}T${hour}${minute}${second}${offset ?? ''}`;
  const time = DateTime.fromFormat(local, offset === undefined ? "yyyyMMdd'T'HHmmss" : "yyyyMMdd'T'HHmmssZZZ", {
    zone: timeZone,
    setZone: true,
  });
  return time.isValid ? (time.toUTC().toISO() ?? undefined) : undefined;
}

function identifiersIn(segment: Segment, field: number): AdtIdentifier[] {
  const repeats = segment.getField(field)?.components.length ?? 0;
  return Array.from({ length: repeats }, (_, repeat): AdtIdentifier => {
    const part = (component: number, sub = 0) => segment.getComponent(field, component, sub, repeat)?.trim() ?? '';
    const oid = part(4, 1);
    const type = part(5);
    return {
      value: part(1),
      ...(/^[0-2](\.\d+)+$/.test(oid) && { system: `urn:oid:${oid}` }),
      ...(type !== '' && { type }),
    };
  }).filter(({ value }) => value !== '' && value !== '""' && value.length <= longestValue);
}

const longestValue = 64;

function fieldOf(segment: Segment | undefined, field: number): string {
  return fieldText(segment?.getField(field)?.toString());
}

function componentOf(segment: Segment | undefined, field: number, component: number): string {
  return fieldText(segment?.getComponent(field, component));
}

/** HL7's explicit null, two quotes (v2.5.1 section 2.5.3), is no value. */
function fieldText(text = ''): string {
  const value = text.trim();
  return value === '""' ? '' : value;
}
