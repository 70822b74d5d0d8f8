// Rows of a timeline in plain words: what happened, on which side, and why. Pure.

import { rules } from '../../clocks/clocks.ts';
import type { Reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject, numberAt, objectAt, objectsAt, textAt, textsAt } from '../../json.ts';
import type { TimelineKind, TimelineRow } from './timeline.ts';

/** Who acted: the source that keeps the records, Casebridge itself and its operators, or whoever is behind a connection. */
export interface Side {
  readonly kind: 'agency' | 'gateway' | OtherSide;
  /** Of the source, the operator or the connection; null: Casebridge by itself. */
  readonly name: string | null;
}

/** A connection to those who treat the client, or to a community partner. */
export type OtherSide = 'hospital' | 'partner';

/** Whose timeline it is. */
export interface Teller {
  readonly source: string;
  readonly sideOf: (connection: string) => OtherSide;
}

/** One step of a referral. */
export interface Move {
  readonly status: string;
  /** Nobody said so: it lies between the status before and the one that was told of. */
  readonly implied: boolean;
  readonly at: string | null;
  readonly by: string | null;
  readonly reason: string | null;
}

/** A field that the other side says otherwise, and the first version of the record that says the same. */
export interface OfferedField {
  readonly name: string;
  readonly value: Json;
  readonly takenOverIn: number | null;
}

export interface TimelineEntry {
  /** Stays the same for as long as what it tells of does. */
  readonly key: string;
  /** ISO instant. */
  readonly at: string;
  readonly kind: TimelineKind;
  readonly side: Side;
  readonly connection: string | null;
  readonly type: string | null;
  readonly id: string | null;
  readonly slot: string | null;
  readonly version: number | null;
  readonly what: string | null;
  /** What happened, as one sentence without values of records but statuses. */
  readonly text: string;
  readonly why: Reason | null;
  readonly by: string | null;
  readonly note: string | null;
  /** `Task/12` as the connection knows it. */
  readonly resource: string | null;
  /** When the server says that it was changed there. */
  readonly changedThereAt: string | null;
  /** Of a decision that it opens, answers or led to. */
  readonly decision: number | null;
  readonly moves: readonly Move[];
  readonly fields: readonly OfferedField[];
}

export function timelineEntry(teller: Teller, row: TimelineRow): TimelineEntry {
  const { key, at, kind, connection, type, id, slot, version, what, reason, by, note, detail } = row;
  const told = tellers[kind](row, teller);
  return {
    key,
    at: at.toISOString(),
    kind,
    side: told.side,
    connection,
    type,
    id,
    slot,
    version,
    what,
    text: told.text,
    why: reason ?? told.why ?? null,
    by,
    note,
    resource: resourceOf(detail),
    changedThereAt: textAt(detail, 'changedAt') ?? null,
    decision: numberAt(detail, 'decision') ?? numberAt(detail, 'refused') ?? null,
    moves: objectsAt(detail, 'steps').map(moveOf),
    fields: kind === 'change' ? objectsAt(detail, 'fields').map(offeredField) : [],
  };
}

interface Told {
  readonly side: Side;
  readonly text: string;
  readonly why?: Reason | null;
}

const tellers: Readonly<Record<TimelineKind, (row: TimelineRow, teller: Teller) => Told>> = {
  record: (row, { source }) => ({ side: { kind: 'agency', name: source }, text: versionText(row) }),
  change: (row, teller) => ({ side: thatOf(row, teller), text: changeText(row) }),
  sent: (row) => ({ side: gateway, text: sentText(row), why: routeReason(row.detail) }),
  partner: (row) => ({ side: { kind: 'partner', name: row.connection }, text: partnerText(row) }),
  seen: (row, teller) => ({ side: thatOf(row, teller), text: seenText(row) }),
  decision: (row) => ({ side: gateway, text: `Asks a person to decide about ${named(row)}: ${phrase(row.what)}.` }),
  decided: (row) => ({ side: { kind: 'gateway', name: row.by }, text: decidedText(row) }),
  clock: (row) => ({ side: gateway, text: clockText(row) }),
  withheld: (row) => ({ side: { kind: 'gateway', name: row.by }, text: withheldText(row) }),
  alert: (row) => ({ side: gateway, text: alertText(row) }),
};

const gateway: Side = { kind: 'gateway', name: null };

function thatOf({ connection }: TimelineRow, { sideOf }: Teller): Side {
  return { kind: sideOf(connection ?? ''), name: connection };
}

function versionText(row: TimelineRow): string {
  const { version, detail } = row;
  const record = named(row);
  if (detail.deleted === true) return `Withdrew ${record} (version ${version}).`;
  const { status, was } = detail;
  if (version === 1) return `Sent ${record}${typeof status === 'string' ? `, status ${status}` : ''}.`;
  const others = textsAt(detail, 'fields').filter((field) => field !== 'status');
  const parts = [
    ...(status !== was ? [`status from ${shown(was)} to ${shown(status)}`] : []),
    ...(others.length > 0 ? [listed(others)] : []),
  ];
  return `Changed ${record} (version ${version})${parts.length > 0 ? `: ${parts.join('; ')}` : ''}.`;
}

function changeText(row: TimelineRow): string {
  return `${offerText(row)} ${answerText(row)}`;
}

function offerText(row: TimelineRow): string {
  const { what, detail } = row;
  if (what === 'propose') return `Began ${named(row)}, which is offered to the source.`;
  if (what === 'withdraw') return `Withdrew ${named(row)}.`;
  const fields = objectsAt(detail, 'fields');
  const status = fields.find(({ name }) => name === 'status')?.value;
  const others = fields.flatMap(({ name }) => (typeof name === 'string' && name !== 'status' ? [name] : []));
  const implied = objectsAt(detail, 'steps').flatMap((step) => (isImplied(step) ? [shown(step.status)] : []));
  const parts = [
    ...(status !== undefined
      ? [`status to ${shown(status)}${implied.length > 0 ? ` (${listed(implied)} implied)` : ''}`]
      : []),
    ...(others.length > 0 ? [listed(others)] : []),
  ];
  return `Changed ${named(row)}: ${parts.join('; ')}.`;
}

/** What the source has made of it. */
function answerText({ what, detail }: TimelineRow): string {
  const proposal = textAt(detail, 'proposal');
  if (numberAt(detail, 'refused') !== undefined || proposal === 'refused') return 'The source refused it.';
  if (what !== 'patch') {
    const adopted = objectAt(detail, 'adopted');
    if (adopted === undefined)
      return proposal === 'withdrawn' ? 'It was withdrawn since.' : 'The source has not taken it over.';
    return `The source has taken it over: ${wordOf(textAt(adopted, 'type') ?? '')} ${textAt(adopted, 'id')}.`;
  }
  const fields = objectsAt(detail, 'fields').map(offeredField);
  const open = fields.filter(({ takenOverIn }) => takenOverIn === null);
  if (open.length === 0) {
    const version = Math.max(0, ...fields.map(({ takenOverIn }) => takenOverIn ?? 0));
    return `The source has taken it over in version ${version}.`;
  }
  if (open.length === fields.length) return 'The source has not taken it over.';
  return `The source has taken over all but ${listed(open.map(({ name }) => name))}.`;
}

const sentWords: Readonly<Record<string, string>> = {
  create: 'Created',
  update: 'Updated',
  move: 'Moved',
  ask: 'Asked to cancel',
  unask: 'Asked no longer to cancel',
  retire: 'Took back',
};

function sentText(row: TimelineRow): string {
  const { what, connection, detail } = row;
  const to = textAt(detail, 'to');
  const resource = resourceOf(detail) ?? textAt(detail, 'resourceType');
  if (what === 'message') {
    const about = `${resource} for ${named(row)}: ${phrase(textAt(detail, 'event') ?? null)}`;
    return `A message to ${connection} about ${about}. ${messageStates[textAt(detail, 'state') ?? ''] ?? ''}`;
  }
  const act = `${sentWords[what ?? ''] ?? 'Wrote'} ${resource}${to === undefined ? '' : ` to ${to}`} at ${connection} for ${named(row)}`;
  return `${act}${row.version === null ? '' : ` (version ${row.version})`}. ${outcomeText(detail)}`;
}

/** Of a message that leads a partner to its page. */
const messageStates: Readonly<Record<string, string>> = {
  waiting: 'It is still to be sent.',
  sent: 'It was sent.',
  failed: 'It was given up.',
};

function outcomeText(detail: JsonObject): string {
  const status = numberAt(detail, 'status');
  const answered = status === undefined ? '' : `, HTTP ${status}`;
  switch (textAt(detail, 'outcome')) {
    case undefined:
      return 'No answer is known yet.';
    case 'ok':
      return `Done${answered}.`;
    case 'found':
      return 'The answer was lost; a later look found it done.';
    case 'not-done':
      return `Not done${answered}.`;
    case 'conflict':
      return `The server had a newer version${answered}; it is read again and merged.`;
    default:
      return `Refused${answered}.`;
  }
}

/** What a partner has done with what Casebridge holds for it. */
function partnerText(row: TimelineRow): string {
  const { what, detail } = row;
  const resource = resourceOf(detail);
  const was = textAt(detail, 'was');
  if (was === undefined) return `Wrote ${resource} for ${named(row)}.`;
  return was === what
    ? `Changed ${resource} for ${named(row)}.`
    : `Moved ${resource} from ${was} to ${what} for ${named(row)}.`;
}

function seenText(row: TimelineRow): string {
  const { what, connection, detail } = row;
  const resource = resourceOf(detail);
  if (what === 'passed-on') return passedOnText(row);
  if (what === 'kept') return `${resource}, which began at ${connection}, is not offered to the source.`;
  if (what === 'gone') return `${resource} of ${named(row)} was gone when ${connection} was last asked.`;
  return `${resource} of ${named(row)} was last read at ${connection}.`;
}

/** Of a part of a referral: on to whom, and how that part stands. */
function passedOnText(row: TimelineRow): string {
  const { id, detail } = row;
  const part = `a part of ${id === null ? 'a referral' : named(row)}`;
  const owner = objectAt(detail, 'owner');
  const ours = textAt(detail, 'ownerId');
  const told = [textAt(owner, 'display'), textAt(owner, 'reference')].find((text) => text !== undefined);
  const to = ours === undefined ? told : `${wordOf(textAt(detail, 'ownerType') ?? '')} ${ours}`;
  const act = owner === undefined ? `Offers ${part} to whoever takes it` : `Passed ${part} on to ${to ?? 'somebody'}`;
  return `${act}: ${resourceOf(detail)} is ${shown(detail.status)} there.`;
}

function decidedText({ what, by, detail }: TimelineRow): string {
  const decision = `Decision ${numberAt(detail, 'decision')}`;
  if (textAt(detail, 'state') === 'obsolete')
    return `${decision} needs no answer any more: what it asked about is no longer so.`;
  const effect = textAt(detail, 'effect');
  return `${decision} was answered by ${by}: ${what}.${effect === undefined ? '' : ` ${effect}`}`;
}

function clockText(row: TimelineRow): string {
  const { what, detail } = row;
  const rule = textAt(detail, 'rule');
  const title = rules.find(({ name }) => name === rule)?.title ?? rule;
  const clock = `The clock "${title}" of ${named(row)}`;
  switch (what) {
    case 'started':
      return `${clock} started.`;
    case 'met':
      return `${clock} was met.`;
    case 'breached':
      return `${clock} was breached.`;
    case 'paused':
      return `${clock} paused.`;
    default:
      return `${clock} was stopped, after its limit.`;
  }
}

function withheldText(row: TimelineRow): string {
  const { what, connection, by, version, detail } = row;
  if (what === 'stopped') return `${by} stopped the work on this case for ${connection}.`;
  const of = `${textAt(detail, 'resourceType')} of ${named(row)}`;
  if (what === 'set-aside') return `${by} set version ${version} aside: ${of} is not tried at ${connection} any more.`;
  return what === 'withheld' ? `${of} is withheld from ${connection}.` : `${of} cannot be sent to ${connection}.`;
}

function alertText({ detail }: TimelineRow): string {
  const to = objectsAt(detail, 'recipients').map(({ role, id }) => `${shown(role)} ${shown(id)}`);
  const ended = objectAt(detail, 'resolution');
  const isOver = textAt(detail, 'resolvedAt') !== undefined;
  return [
    `Raised an alert${to.length > 0 ? ` for ${listed(to)}` : ''}.`,
    isOver ? `It is over${ended === undefined ? '.' : `: ${textAt(ended, 'text')}`}` : 'It is open.',
  ].join(' ');
}

function moveOf(step: JsonObject): Move {
  return {
    status: textAt(step, 'status') ?? '',
    implied: isImplied(step),
    at: textAt(step, 'at') ?? null,
    by: textAt(step, 'byName') ?? textAt(step, 'byId') ?? null,
    reason: isImplied(step) ? null : (textAt(step, 'reason') ?? null),
  };
}

function isImplied(step: JsonObject): boolean {
  return step.reason === 'implied';
}

function offeredField(field: JsonObject): OfferedField {
  return {
    name: textAt(field, 'name') ?? '',
    value: field.value ?? null,
    takenOverIn: numberAt(field, 'version') ?? null,
  };
}

function resourceOf(detail: JsonObject): string | null {
  const id = textAt(detail, 'resourceId');
  return id === undefined ? null : `${textAt(detail, 'resourceType')}/${id}`;
}

/** Why by another route than its own resources. */
function routeReason({ route, routeReason: found }: JsonObject): Reason | null {
  return route !== 'native' && isReason(found) ? found : null;
}

function isReason(value: unknown): value is Reason {
  return typeof value === 'object' && value !== null && 'code' in value && 'text' in value;
}

/** The record that a row is about. */
function named({ type, id }: TimelineRow): string {
  if (type === null) return 'the connection';
  return id === null ? wordOf(type) : `${wordOf(type)} ${id}`;
}

/** `carePlan` as `care plan`. */
function wordOf(type: string): string {
  return type.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** `patient-match` as `patient match`. */
function phrase(code: string | null): string {
  return (code ?? '').replaceAll('-', ' ');
}

function shown(value: Json | undefined): string {
  if (value === undefined || value === null) return 'none';
  return isObject(value) || Array.isArray(value) ? 'another value' : String(value);
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
