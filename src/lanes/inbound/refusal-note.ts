// A refused proposal where no Task can say so: one short note in the chart of the patient whom the hospital referred. It says what was asked, that it was
// declined, and why, in the source's words.

import { isOffered } from '../../connections/connections.ts';
import { noteFacts, noteHead, renderNote } from '../../documents/documents.ts';
import { textAt } from '../../json.ts';
import type { DesireInput } from '../desire.ts';
import { laneDocument, seriesOf } from '../desire-document.ts';
import { documentSlot } from '../document.ts';
import type { RecordRow } from '../known.ts';
import { type LaneResource, nameOf, type ResourceKey } from '../lane-resource.ts';
import { patientsOf } from './about.ts';
import { isRefusal } from './refuse.ts';

/** One for each refusal of the lane that no Task carries. */
export function refusalNotes(input: DesireInput, resources: readonly LaneResource[]): LaneResource[] {
  return input.known.own.flatMap((row) => {
    if (!isRefusal(row) || row.type !== 'referral') return [];
    const linked = resources.filter(({ key, link }) => key.id === row.id && link !== undefined);
    const isAnswered = linked.some(({ resourceType, route }) => resourceType === 'Task' && route.route !== 'off');
    const [patient] = linked.flatMap(({ observed }) =>
      observed === undefined ? [] : patientsOf(observed.body, input.connection.config.baseUrl),
    );
    return isAnswered || patient === undefined ? [] : (noteOf(input, row, patient) ?? []);
  });
}

function noteOf(input: DesireInput, row: RecordRow, patientId: string): LaneResource | undefined {
  const { documents, connection, known, memory } = input;
  const rules = connection.vendor.documents;
  if (documents === undefined || !isOffered(rules)) return undefined;
  const key: ResourceKey = { type: 'referral', id: row.id, slot: documentSlot };
  const links = known.links.filter((link) => nameOf(link) === nameOf(key));
  const standing = links.find(({ remote_id: id, retired_at: at }) => id !== null && at === null);
  const asked = textAt(row.content, 'requestedText') ?? textAt(row.content, 'requestedService')?.replaceAll('-', ' ');
  const words = textAt(row.content, 'declineText') ?? '';
  const text = [
    `Your referral: ${asked ?? 'not named'}`,
    'Answer: declined. It is taken up by nobody here.',
    `Reason: ${words}`,
  ];
  const title = 'Answer to a referral';
  const head = noteHead({
    caseRecord: {},
    client: {},
    record: row.content,
    authorId: undefined,
    find: () => undefined,
    mrn: undefined,
  });
  return laneDocument(input, row, key, standing, {
    leave: undefined,
    waits: [],
    parked: memory.refused.get(nameOf(key)),
    party: 'performer',
    document: {
      ...seriesOf(input, documents, rules, key, standing !== undefined),
      form: { type: rules.type, title, render: (facts, frame) => renderNote(rules.format, facts, head, frame) },
      patientId,
      content: { facts: noteFacts(title, text.join('\n'), [row.content]), records: [`referral/${row.id}`] },
      urgent: undefined,
      dueAt: documents.heldUntil ?? new Date(0),
    },
  });
}
