// The answer to a referral that began there, where no Task can carry it: one short note in the chart of the patient whom the hospital referred. It says
// what was asked, how it stands, and why, in the source's words; a later edition says what has become of it.

import { withheldBy } from '../../access/access.ts';
import { isOffered } from '../../connections/connections.ts';
import { noteFacts, noteHead, renderNote } from '../../documents/documents.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import type { DesireInput } from '../desire-input.ts';
import { clientOf, findTold, isAboutWithheld, laneDocument, mrnOf, seriesOf } from '../documents/desire-document.ts';
import { documentSlot } from '../documents/document.ts';
import { isStanding, type RecordRow } from '../known.ts';
import type { Abilities } from '../lane-connection.ts';
import { type LaneResource, nameOf, type ResourceKey } from '../lane-resource.ts';
import { asTold, consentQuestion } from '../told.ts';
import { patientsOf } from './about.ts';
import { isRefusal } from './refuse.ts';

/** One for each refusal and each adopted referral of the lane that neither a Task nor the case's document carries. */
export function answerNotes(input: DesireInput, resources: readonly LaneResource[]): LaneResource[] {
  return input.known.own.flatMap((row) => {
    if (row.type !== 'referral' || row.deleted) return [];
    const linked = resources.filter(
      ({ key, link }) => key.type === row.type && key.id === row.id && link !== undefined,
    );
    const [patient] = linked.flatMap(({ observed }) =>
      observed === undefined ? [] : patientsOf(observed.body, input.connection.config.baseUrl),
    );
    const lines = isRefusal(row) ? refusal(row.content, linked) : answer(input, row.content, linked);
    return lines === undefined || patient === undefined ? [] : (noteOf(input, row, patient, lines) ?? []);
  });
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
  if (withheldBy(consentQuestion(input, record, 'referral')) !== undefined) return undefined;
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

function noteOf(
  input: DesireInput,
  row: RecordRow,
  patientId: string,
  lines: readonly string[],
): LaneResource | undefined {
  const { documents, connection, known, memory } = input;
  const rules = connection.vendor.documents;
  if (documents === undefined || !isOffered(rules)) return undefined;
  const key: ResourceKey = { type: 'referral', id: row.id, slot: documentSlot };
  const links = known.links.filter((link) => nameOf(link) === nameOf(key));
  const standing = links.find(isStanding);
  const asked = textAt(row.content, 'requestedText') ?? textAt(row.content, 'requestedService')?.replaceAll('-', ' ');
  const text = [`Your referral: ${asked ?? 'not named'}`, ...lines];
  const title = 'Answer to a referral';
  const head = headOf(input, row);
  return laneDocument(input, row, key, standing, {
    leave: undefined,
    waits: [],
    parked: memory.refused.get(nameOf(key)),
    party: 'performer',
    document: {
      ...seriesOf(input, documents, rules, key, standing !== undefined),
      form: { type: rules.type, title, render: (facts, frame) => renderNote(rules.format, facts, head, frame) },
      patientId,
      content: {
        facts: noteFacts(title, text.join('\n'), [asTold(input, 'referral', row.content)]),
        records: [`referral/${row.id}`],
      },
      urgent: undefined,
      dueAt: documents.heldUntil ?? new Date(0),
    },
  });
}
