// The answer to a referral that began there, where no Task can carry it: one short note in the chart of the patient whom the hospital referred. It says
// what was asked, how it stands, and why, in the source's words; a later edition says what has become of it, and it is taken back like any document.

import { withheldBy } from '../../access/access.ts';
import { isOffered } from '../../connections/connections.ts';
import { noteFacts, noteHead, renderNote } from '../../documents/documents.ts';
import { type Reason, reason } from '../../errors.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import type { DesireInput } from '../desire/desire-input.ts';
import { isStanding, type RecordRow } from '../desire/known.ts';
import { asTold, consentQuestion } from '../desire/told.ts';
import { clientOf, findTold, isAboutWithheld, laneDocument, mrnOf, seriesOf } from '../documents/desire-document.ts';
import { documentSlot, takenBackAs } from '../documents/document.ts';
import type { Abilities } from '../lane-connection.ts';
import { type LaneResource, nameOf, type ResourceKey } from '../lane-resource.ts';
import { patientsOf } from './about.ts';
import { isRefusal } from './refuse.ts';

/** One for each refusal and each adopted referral of the lane that neither a Task nor the case's document carries, and for each that has to leave. */
export function answerNotes(input: DesireInput, resources: readonly LaneResource[]): LaneResource[] {
  return input.known.own.flatMap((row) => {
    if (row.type !== 'referral') return [];
    const leave = leaveCause(input, row);
    if (leave !== undefined) return noteOf(input, row, { leave }) ?? [];
    const linked = resources.filter(
      ({ key, link }) => key.type === row.type && key.id === row.id && link !== undefined,
    );
    const [patient] = linked.flatMap(({ observed }) =>
      observed === undefined ? [] : patientsOf(observed.body, input.connection.config.baseUrl),
    );
    const lines = isRefusal(row) ? refusal(row.content, linked) : answer(input, row.content, linked);
    return lines === undefined || patient === undefined ? [] : (noteOf(input, row, { patient, lines }) ?? []);
  });
}

/** Why nothing may be said of it any more. A refusal tells the hospital nothing but its own words. */
function leaveCause(input: DesireInput, row: RecordRow): Reason | undefined {
  if (row.deleted) return reason('deleted-record');
  if (isRefusal(row) || withheldBy(consentQuestion(input, row.content, 'referral')) === undefined) return undefined;
  return reason('consent-withdrawn', { recordType: row.type });
}

/** Whether the server takes a note at all. */
export function takesNotes({ routes }: Pick<Abilities, 'routes'>): boolean {
  return routes.some(
    ({ resourceType, route }) => resourceType === 'DocumentReference' && (route === 'native' || route === 'document'),
  );
}

function refusal(record: JsonObject, linked: readonly LaneResource[]): string[] | undefined {
  const isAnswered = linked.some(({ resourceType, route }) => resourceType === 'Task' && route.route !== 'off');
  if (isAnswered) return undefined;
  return ['Answer: declined. It is taken up by nobody here.', `Reason: ${textAt(record, 'declineText') ?? ''}`];
}

/** How each status answers; those that are none are not told. */
const answers: Readonly<Record<string, string>> = {
  accepted: 'accepted.',
  'in-progress': 'accepted; work has begun.',
  waitlisted: 'accepted; on the waiting list.',
  'on-hold': 'on hold.',
  completed: 'completed.',
  failed: 'ended without success.',
  declined: 'declined.',
  cancelled: 'cancelled.',
};

function answer(input: DesireInput, record: JsonObject, linked: readonly LaneResource[]): string[] | undefined {
  const isReadOnly = linked.some(
    ({ resourceType, link, route }) => resourceType === 'Task' && link?.origin === 'theirs' && route.route === 'off',
  );
  const isTold = linked.some(({ route }) => route.route === 'document');
  const status = textAt(record, 'status') ?? '';
  // What the hospital has cancelled itself is no news to it.
  if (status === 'cancelled' && linked.some(({ observed }) => observed?.body.status === 'cancelled')) return undefined;
  const says = answers[status];
  if (!isReadOnly || isTold || says === undefined || !takesNotes(input.abilities)) return undefined;
  const move = objectsAt(record, 'history').findLast((one) => one.status === status);
  const outcome = objectAt(record, 'outcome');
  const why = textAt(record, 'declineText') ?? textAt(move, 'reason');
  const [code, text] = [textAt(outcome, 'code')?.replaceAll('-', ' '), textAt(outcome, 'text')];
  return [
    `Answer: ${says}`,
    ...(why === undefined ? [] : [`Reason: ${why}`]),
    ...(code === undefined ? [] : [`Outcome: ${code}${text === undefined ? '' : `. ${text}`}`]),
  ];
}

/** Whom it is about, and who answers; of a refusal only the hospital's own words are told. */
function headOf(input: DesireInput, row: RecordRow): JsonObject {
  const { known, documents, connection } = input;
  const ofCase = isRefusal(row) ? undefined : known.own.find(({ type }) => type === 'case');
  const client = ofCase && clientOf(input, ofCase);
  const mayTell = ofCase !== undefined && client !== undefined && !isAboutWithheld(input, ofCase, client);
  return noteHead({
    caseRecord: mayTell ? asTold(input, 'case', ofCase.content) : {},
    client: mayTell ? client : {},
    record: row.content,
    authorId: undefined,
    find: mayTell ? findTold(input) : () => undefined,
    mrn: mayTell ? mrnOf(documents?.patient, client, connection.config.identifierSystems.mrn) : undefined,
  });
}

type Said = { readonly patient: string; readonly lines: readonly string[] };

/** @returns undefined also for a note that has to leave and does not stand */
function noteOf(input: DesireInput, row: RecordRow, note: Said | { readonly leave: Reason }): LaneResource | undefined {
  const { documents, connection, known, memory } = input;
  const rules = connection.vendor.documents;
  if (documents === undefined || !isOffered(rules)) return undefined;
  const key: ResourceKey = { type: 'referral', id: row.id, slot: documentSlot };
  const links = known.links.filter((link) => nameOf(link) === nameOf(key));
  const standing = links.find(isStanding);
  const leaves = 'leave' in note;
  const patientId = leaves ? undefined : note.patient;
  if (leaves && standing === undefined) return undefined;
  const asked = textAt(row.content, 'requestedText') ?? textAt(row.content, 'requestedService')?.replaceAll('-', ' ');
  const title = 'Answer to a referral';
  const head = headOf(input, row);
  const contentOf = ({ lines }: Said) => ({
    facts: noteFacts(title, [`Your referral: ${asked ?? 'not named'}`, ...lines].join('\n'), [
      asTold(input, 'referral', row.content),
    ]),
    records: [`referral/${row.id}`],
  });
  return laneDocument(input, row, key, standing, {
    leave: leaves ? note.leave : undefined,
    waits: [],
    parked: memory.refused.get(nameOf(key)),
    party: 'performer',
    document: {
      ...seriesOf(input, documents, rules, key, standing !== undefined, patientId),
      form: {
        type: rules.type,
        title,
        takenBackAs,
        render: (facts, frame) => renderNote(rules.format, facts, head, frame),
      },
      patientId,
      content: leaves ? undefined : contentOf(note),
      urgent: undefined,
      dueAt: documents.heldUntil ?? new Date(0),
    },
  });
}
