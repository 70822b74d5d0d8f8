// docs/referral-states.md, made from the tables and the rules of src/referrals.

import type { JsonObject } from '../src/json.ts';
import {
  type CancelAnswer,
  legalMoves,
  patientTaskKinds,
  patientTaskMoves,
  patientTaskRules,
  type ReferralStatus,
  readCancellation,
  readTask,
  reasonedStatuses,
  referralTaskMoves,
  type TaskMoves,
  type TaskReading,
  type TaskStatus,
  taskStatuses,
} from '../src/referrals/referrals.ts';

export function referralPage(): string {
  return `# Referral states

This page is made from \`src/referrals\` (\`node scripts/make-referral-page.ts\`).

## Who may move a referral Task

From the row to the column: R the requester, P the performer, a dash nobody. With ${reasonedStatuses.map((status) => `\`${status}\``).join(', ')} goes a reason
in words (\`statusReason.text\`). The way from one status to another is the shortest one by these moves, one write for each step.

${movesTable(referralTaskMoves)}

## Who may move what is asked of the patient

The patient's application is the performer. It may change the status, its reason and the output, and nothing else; never the referral Task.

${movesTable(patientTaskMoves)}

| kind | needs | is answered by |
|---|---|---|
${patientTaskKinds.map(kindRow).join('\n')}

## What the other side's move means for our record

The Task said the row when both sides last agreed, and says the column now. An outgoing referral is one that we ask for, an incoming one is one that
we perform. The cell is the record's new status that its source is offered, with the steps in between that nobody told us in brackets; a dash: nothing
new; otherwise why a person must decide. What is only our own word come back is nothing new. A \`completed\` Task without an output of
\`resulting-activity\` has the outcome "outcome unknown"; with one it is what the Procedures say that it names: received, received in part, or not done (\`other\`, with their
words), and received where the server does not show them to us. \`in-progress\` with the business status 5.2 of BSeR asks to cancel, whichever side the requester is: both
sides stand where they stood before it, and where we perform the source is offered it as \`cancelRequest\`. An answer to a \`cancelRequest\` of ours is noted there, and \`cancelled\` is then
never read as a late refusal. A Task that is part of the referral's own Task moves nothing ([incoming.md](incoming.md), "Through a coordination platform").

### Outgoing

${readingTable('outgoing')}

### Incoming

${readingTable('incoming')}

## What a Task that asks to cancel is answered by

Where a Task of its own asks (\`cancellation: abort-task\`), its status is read so, while \`cancelRequest\` is open:

${answersTable()}

Where we perform, the Task that asks is answered by what becomes of the referral, once the record says \`cancelRequest\`: \`completed\` when it is cancelled or declined,
\`rejected\` when it has been completed or has failed.
`;
}

function movesTable(moves: TaskMoves): string {
  const from = taskStatuses.filter((status) => moves[status] !== undefined);
  const to = taskStatuses.filter((status) => from.some((one) => legalMoves(one, undefined, moves).includes(status)));
  return table(
    ['from', ...to],
    from.map((row) => [row, ...to.map((column) => partiesOf(moves, row, column))]),
  );
}

function partiesOf(moves: TaskMoves, from: TaskStatus, to: TaskStatus): string {
  const parties = moves[from]?.[to] ?? [];
  const letters = parties.map((party) => (party === 'requester' ? 'R' : 'P'));
  return letters.length === 0 ? '-' : letters.join(' ');
}

function kindRow(kind: (typeof patientTaskKinds)[number]): string {
  const { elements, inputs, outputs } = patientTaskRules[kind];
  const needs = [
    ...elements.map((element) => `\`${element}\``),
    ...inputs.map(({ anyOf, exactly }) => `input, ${exactly ? 'exactly one' : 'one'} of ${anyOf.join(', ')}`),
  ];
  return `| ${kind} | ${needs.join('; ')} | ${outputs.length === 0 ? 'its status' : outputs.join(', ')} |`;
}

/** What the record says while the Task says so. */
const inStep: readonly [TaskStatus, ReferralStatus][] = [
  ['requested', 'received'],
  ['accepted', 'accepted'],
  ['in-progress', 'in-progress'],
  ['on-hold', 'on-hold'],
  ['rejected', 'declined'],
  ['completed', 'completed'],
  ['failed', 'failed'],
  ['cancelled', 'cancelled'],
];

function readingTable(direction: 'outgoing' | 'incoming'): string {
  return table(
    ['was', ...taskStatuses],
    inStep.map(([before, known]) => [
      before,
      ...taskStatuses.map((status) =>
        status === before ? '-' : words(readTask(observation({ direction, status: known }, before, status))),
      ),
    ]),
  );
}

function answersTable(): string {
  const asked = { direction: 'outgoing', status: 'accepted', cancelRequest: { at: '2026-03-02T15:00:00Z' } };
  return table(
    ['status', 'is'],
    taskStatuses.map((status) => [status, answerWords(readCancellation(asked, status, '2026-03-03T15:00:00Z'))]),
  );
}

function answerWords(answer: CancelAnswer | undefined): string {
  if (answer === undefined) return 'no answer yet';
  return answer.isRefused ? 'answered: the referral goes on, and a person is told' : 'answered: `cancelled`';
}

function observation(referral: JsonObject, before: TaskStatus, status: TaskStatus) {
  const task = { status, meta: { lastUpdated: '2026-03-02T15:00:00Z' } };
  return { referral, task, before, by: undefined, itemId: (text: string) => text };
}

function words(reading: TaskReading): string {
  if (reading.kind === 'unchanged' || reading.kind === 'asked') return '-';
  if (reading.kind === 'decision') return `*${reading.why}*`;
  const { implied } = reading;
  return `${String(reading.patch.status)}${implied.length === 0 ? '' : ` (${implied.join(', ')})`}`;
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...body.map(line)].join('\n');
}
