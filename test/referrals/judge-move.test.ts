// What a party may change in a Task when it asks us to: the status by the diagram, a reason where one is needed, nothing that is not its own.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/json.ts';
import {
  isTaskStatus,
  judgeMove,
  legalMoves,
  type Party,
  patientTaskMoves,
  reasonedStatuses,
  referralTaskMoves,
  type TaskStatus,
  taskStatuses,
} from '../../src/referrals/referrals.ts';

/** Elements that are undefined are left out. */
type Changes = Readonly<Record<string, Json | undefined>>;

const without = (changes: Changes): JsonObject =>
  Object.fromEntries(Object.entries(changes).filter((entry): entry is [string, Json] => entry[1] !== undefined));

const referral = (changes: Changes = {}): JsonObject =>
  without({
    resourceType: 'Task',
    id: 't1',
    meta: { versionId: '1' },
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] },
    focus: { reference: 'ServiceRequest/s1' },
    for: { reference: 'Patient/p1' },
    ...changes,
  });

const temporaryCodes = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';
const typed = (code: string, value: JsonObject): JsonObject => ({
  type: { coding: [{ system: temporaryCodes, code }] },
  ...value,
});
const askedOfPatient = (code: string, changes: Changes): JsonObject =>
  referral({ status: 'ready', code: { coding: [{ system: temporaryCodes, code }] }, focus: undefined, ...changes });

const because = (text: string): JsonObject => ({ statusReason: { text } });
const judged = (before: JsonObject, after: JsonObject, party: Party = 'performer') =>
  judgeMove({ before, after, party });

describe('a referral', () => {
  test.each<[string, Party, TaskStatus, JsonObject]>([
    ['the performer accepts', 'performer', 'requested', { status: 'accepted' }],
    [
      'the performer declines, with a reason',
      'performer',
      'requested',
      { status: 'rejected', ...because('At capacity') },
    ],
    ['the performer completes, with what was done', 'performer', 'in-progress', { status: 'completed', output: [{}] }],
    [
      'the requester withdraws, with a reason',
      'requester',
      'accepted',
      { status: 'cancelled', ...because('Moved away') },
    ],
    ['the same status with a note', 'performer', 'accepted', { status: 'accepted', note: [{ text: 'Called.' }] }],
    ['a new version by the server', 'performer', 'accepted', { status: 'accepted', meta: { versionId: '2' } }],
  ])('%s: may', (_what, party, from, changes) => {
    expect(judged(referral({ status: from }), referral({ status: from, ...changes }), party)).toBeUndefined();
  });

  test.each<[string, Party, TaskStatus, Changes, string]>([
    [
      'the performer skips acceptance',
      'performer',
      'requested',
      { status: 'completed' },
      'The performer may not move this Task from requested to that status. From requested the performer may go to: accepted, rejected, cancelled.',
    ],
    [
      'the requester accepts for them',
      'requester',
      'requested',
      { status: 'accepted' },
      'The requester may not move this Task from requested to that status. From requested the requester may go to: cancelled, entered-in-error.',
    ],
    [
      'something goes on after its end',
      'performer',
      'completed',
      { status: 'in-progress' },
      'The performer may not move this Task from completed to that status. From completed the performer may go to: nothing.',
    ],
    [
      'the status is none',
      'performer',
      'requested',
      { status: '<b>done</b>' },
      'The performer may not move this Task from requested to that status. From requested the performer may go to: accepted, rejected, cancelled.',
    ],
    [
      'a refusal without a reason',
      'performer',
      'requested',
      { status: 'rejected' },
      'A Task that becomes rejected needs a reason in words: statusReason.text.',
    ],
    [
      'a refusal whose reason is blank',
      'performer',
      'requested',
      { status: 'rejected', ...because('  ') },
      'A Task that becomes rejected needs a reason in words: statusReason.text.',
    ],
    [
      'a performer who gives it to another patient and another owner',
      'performer',
      'requested',
      { status: 'accepted', for: { reference: 'Patient/p2' }, owner: { reference: 'Organization/o2' } },
      'A performer may not change for, owner of this Task, only status, statusReason, businessStatus, output, note, executionPeriod, lastModified.',
    ],
    [
      'a performer who takes an element out',
      'performer',
      'requested',
      { status: 'accepted', focus: undefined },
      'A performer may not change focus of this Task, only status, statusReason, businessStatus, output, note, executionPeriod, lastModified.',
    ],
  ])('%s: may not', (_what, party, from, changes, text) => {
    expect(judged(referral({ status: from }), referral({ status: from, ...changes }), party)?.text).toBe(text);
  });
});

describe('what is asked of the patient', () => {
  const questionnaire = [
    typed('questionnaire', { valueCanonical: 'https://example.org/q' }),
    typed('questionnaire-category', {}),
  ];
  const answer = typed('questionnaire-response', { valueReference: { reference: 'QuestionnaireResponse/r1' } });

  test.each<[string, JsonObject, JsonObject]>([
    [
      'a questionnaire that is answered',
      askedOfPatient('complete-questionnaire', { input: questionnaire }),
      { status: 'completed', output: [answer] },
    ],
    [
      'a question that is answered at once',
      askedOfPatient('general-information', { description: 'When can you come?' }),
      { status: 'completed', output: [typed('general-information-response', { valueMarkdown: 'On Monday' })] },
    ],
    [
      'a contact to choose',
      askedOfPatient('make-contact', { description: 'Choose one.', input: [typed('contact-entity', {})] }),
      { status: 'in-progress' },
    ],
    [
      'a paper to read',
      askedOfPatient('decision-material', { focus: { reference: 'DocumentReference/d1' } }),
      { status: 'completed' },
    ],
  ])('%s: may', (_what, task, changes) => {
    expect(judged(task, { ...task, ...changes })).toBeUndefined();
  });

  test.each<[string, JsonObject, JsonObject, string]>([
    [
      'two questionnaires in one',
      askedOfPatient('complete-questionnaire', { input: [...questionnaire, typed('questionnaire-url', {})] }),
      { status: 'in-progress' },
      'A Task of kind complete-questionnaire needs in input: exactly one of questionnaire, questionnaire-pdf, questionnaire-url.',
    ],
    [
      'a questionnaire of no category',
      askedOfPatient('complete-questionnaire', { input: questionnaire.slice(0, 1) }),
      { status: 'in-progress' },
      'A Task of kind complete-questionnaire needs in input: one of questionnaire-category.',
    ],
    [
      'a question without words',
      askedOfPatient('general-information', {}),
      { status: 'in-progress' },
      'A Task of kind general-information needs in description: a value.',
    ],
    [
      'a paper that is none',
      askedOfPatient('decision-material', {}),
      { status: 'in-progress' },
      'A Task of kind decision-material needs in focus: a value.',
    ],
    [
      'an answer to something else',
      askedOfPatient('general-information', { description: 'When?' }),
      { status: 'completed', output: [answer] },
      'A Task of kind general-information needs in output: only general-information-response.',
    ],
    [
      'an application that writes a note',
      askedOfPatient('general-information', { description: 'When?' }),
      { note: [{ text: 'x' }] },
      'A performer may not change note of this Task, only status, statusReason, output, lastModified.',
    ],
    [
      'an acceptance, which such a Task does not know',
      askedOfPatient('general-information', { description: 'When?' }),
      { status: 'accepted' },
      'The performer may not move this Task from ready to that status. From ready the performer may go to: cancelled, in-progress, on-hold, failed, completed.',
    ],
  ])('%s: may not', (_what, task, changes, text) => {
    expect(judged(task, { ...task, ...changes })?.text).toBe(text);
  });

  test('no sequence of its moves touches the diagram of a referral', () => {
    for (const from of taskStatuses)
      for (const to of legalMoves(from, undefined, patientTaskMoves))
        expect(['requested', 'received', 'accepted', 'rejected']).not.toContain(to);
  });
});

describe('any sequence of moves that parties ask for', () => {
  const asked = fc.record({
    party: fc.constantFrom<Party>('requester', 'performer'),
    to: fc.oneof(fc.constantFrom<string>(...taskStatuses), fc.constantFrom('done', '')),
    text: fc.option(fc.constantFrom('A reason', ' ')),
  });

  test.each([
    ['a referral', referral({ status: 'draft' }), referralTaskMoves],
    [
      'a patient Task',
      askedOfPatient('general-information', { status: 'draft', description: 'When?' }),
      patientTaskMoves,
    ],
  ] as const)(
    '%s: what is allowed is an arrow of the diagram for that party; what is refused names the arrows',
    (_what, start, moves) => {
      fc.assert(
        fc.property(fc.array(asked, { maxLength: 12 }), (sequence) => {
          let task: JsonObject = start;
          for (const { party, to, text } of sequence) {
            const after: JsonObject = { ...task, status: to, ...(text !== null && because(text)) };
            const refusal = judged(task, after, party);
            const from = task.status;
            if (!isTaskStatus(from)) throw new Error('an illegal status got in');
            const legal = legalMoves(from, party, moves);
            const isArrow = from === to || legal.some((one) => one === to);
            const needsReason = from !== to && reasonedStatuses.some((one) => one === to);
            const hasReason = String(Object(after.statusReason).text ?? '').trim() !== '';
            expect(refusal === undefined).toBe(isArrow && (!needsReason || hasReason));
            if (!isArrow) for (const one of legal) expect(refusal?.text).toContain(one);
            if (refusal === undefined) task = after;
          }
        }),
        { seed: 3, numRuns: 500 },
      );
    },
  );
});
