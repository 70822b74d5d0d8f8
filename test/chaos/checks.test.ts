// The judge on small evidence written by hand: none of its checks finds anything in it, and each harm that is done to it is found by its check, and by that one alone
// unless the harm is two.

import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import { inventedPeople } from '../../src/sandbox/hospital-seed.ts';
import { type CheckName, judge } from './checks.ts';
import type { Evidence, ServerEvidence } from './evidence.ts';
import { unrefused } from './experiments/outage.ts';
import { type Entry, identifierSystem, type VendorName } from './simulated.ts';
import { type CaseType, changeOf, mrnSystem } from './workload.ts';

const people = inventedPeople(2);
const types: readonly CaseType[] = ['client', 'need', 'goal', 'carePlan', 'referral'];
const numbers = [0, 1];

const own = (type: string, id: string, slot: string) => [
  { system: identifierSystem, value: `county/${type}/${id}#${slot}` },
];
const chart = (n: number) => ({ reference: `Patient/p${n}` });
const patient = (n: number): JsonObject => ({
  resourceType: 'Patient',
  id: `p${n}`,
  identifier: [...own('client', `client-${n}`, 'patient'), { system: mrnSystem, value: people[n]?.mrn ?? '' }],
  address: [{ line: [`client-${n}.v1`] }],
});
const condition = (n: number): JsonObject => ({
  resourceType: 'Condition',
  id: `c${n}`,
  identifier: own('need', `need-${n}`, 'condition'),
  code: { text: `need-${n}.v1` },
  subject: chart(n),
});
const goal = (n: number, ...notes: string[]): JsonObject => ({
  resourceType: 'Goal',
  id: `g${n}`,
  identifier: own('goal', `goal-${n}`, 'goal'),
  lifecycleStatus: 'active',
  description: { text: `goal-${n}.v1` },
  subject: chart(n),
  addresses: [{ reference: `Condition/c${n}` }],
  ...(notes.length > 0 && { note: notes.map((text) => ({ text })) }),
});
const plan = (n: number): JsonObject => ({
  resourceType: 'CarePlan',
  id: `l${n}`,
  identifier: own('carePlan', `plan-${n}`, 'plan'),
  status: 'active',
  intent: 'plan',
  title: `plan-${n}.v1`,
  subject: chart(n),
  goal: [{ reference: `Goal/g${n}` }],
  addresses: [{ reference: `Condition/c${n}` }],
});
const request = (n: number): JsonObject => ({
  resourceType: 'ServiceRequest',
  id: `r${n}`,
  identifier: own('referral', `referral-${n}`, 'request'),
  status: 'active',
  intent: 'order',
  code: { text: `referral-${n}.v1` },
  subject: chart(n),
  reasonReference: [{ reference: `Condition/c${n}` }],
  supportingInfo: [{ reference: `Goal/g${n}` }],
});
const task = (n: number, status: string): JsonObject => ({
  resourceType: 'Task',
  id: `t${n}`,
  identifier: own('referral', `referral-${n}`, 'fulfilment'),
  status,
  intent: 'order',
  focus: { reference: `ServiceRequest/r${n}` },
  for: chart(n),
});
const document = (n: number, says = wordsOf(n)): JsonObject => ({
  resourceType: 'DocumentReference',
  id: `d${n}`,
  status: 'current',
  subject: chart(n),
  content: [{ attachment: { data: Buffer.from(says).toString('base64') } }],
});
const wordsOf = (n: number) =>
  `Your MRN: ${people[n]?.mrn}\nNeed-${n}.v1. Goal-${n}.v1. Plan-${n}.v1. Ref CB-${n}AB v1`;

const partnerPut = (path: string, body: JsonObject): Partial<Entry> => ({
  ...ourPut(path, body),
  isPartner: true,
});
const ourPut = (path: string, body: JsonObject): Partial<Entry> => {
  const [resourceType = '', id = ''] = path.split('/');
  return { method: 'PUT', path, body, writes: [{ resourceType, id, kind: 'update' }] };
};
const transaction = (resource: JsonObject, request: JsonObject): Partial<Entry> => ({
  method: 'POST',
  body: { resourceType: 'Bundle', type: 'transaction', entry: [{ resource, request }] },
  writes: [{ resourceType: String(resource.resourceType), id: String(resource.id), kind: 'update' }],
});

const journal: readonly Partial<Entry>[] = [
  transaction(goal(0), { method: 'PUT', url: 'Goal/g0' }),
  partnerPut('Goal/g0', goal(0, 'partner-1')),
  ourPut('Goal/g0', goal(0, 'partner-1')),
  partnerPut('Goal/g0', goal(0, 'partner-1', 'partner-2')),
  partnerPut('Task/t0', task(0, 'accepted')),
];
const told = (cursor: string, type: string, id: string, patch: JsonObject): JsonObject => ({
  cursor,
  connection: 'standard',
  op: 'patch',
  type,
  id,
  patch,
});
const changes: readonly JsonObject[] = [
  told('1', 'goal', 'goal-0', { note: 'partner-1' }),
  told('2', 'goal', 'goal-0', { note: 'partner-1 partner-2' }),
  told('3', 'referral', 'referral-0', { status: 'accepted' }),
];

const clean: Evidence = {
  answers: [],
  records: numbers.flatMap((n) =>
    types.map((type) => {
      const { id, record } = changeOf(type, n, people[n], 1);
      return { type, id, record, links: [] };
    }),
  ),
  servers: [
    aServer('standard', journal, {
      Patient: numbers.map(patient),
      Condition: numbers.map(condition),
      Goal: [goal(0, 'partner-1', 'partner-2'), goal(1)],
      CarePlan: numbers.map(plan),
      ServiceRequest: numbers.map(request),
      Task: [task(0, 'accepted'), task(1, 'requested')],
    }),
    aServer('epic', [], { Patient: numbers.map(patient), DocumentReference: numbers.map((n) => document(n)) }),
  ],
  changes,
  decisions: [],
  lanes: [],
  ownEnds: [],
};

function aServer(
  name: VendorName,
  requests: readonly Partial<Entry>[],
  store: ServerEvidence['store'],
): ServerEvidence {
  const declared = { '': ['transaction'], Goal: ['update'], Condition: ['update', 'create', 'conditional-create'] };
  const entries = requests.map(entryAt);
  return { name, journal: entries, quietAfter: 100, store, declared, takesProvenance: false };
}

function entryAt(entry: Partial<Entry>, at: number): Entry {
  const none = {
    at: '2026-06-01T12:00:00Z',
    method: 'GET',
    path: '',
    status: 200,
    isPartner: false,
    sendId: '',
    body: undefined,
  };
  return { ...none, n: at + 1, hasVersionTag: true, isConditional: false, writes: [], ...entry };
}

/** Other resources of these types on a server. */
const holding = (name: VendorName, others: Readonly<Record<string, readonly JsonObject[]>>) =>
  onServer(name, ({ store }) => ({ store: { ...store, ...others } }));
/** These requests after the others. */
const after = (...requests: readonly Partial<Entry>[]) =>
  onServer('standard', (server) => ({ journal: [...server.journal, ...requests].map(entryAt) }));
const telling = (...more: readonly JsonObject[]): Evidence => ({ ...clean, changes: [...changes, ...more] });

function onServer(
  name: VendorName,
  change: (server: ServerEvidence) => Partial<ServerEvidence>,
  evidence: Evidence = clean,
): Evidence {
  const servers = evidence.servers.map((server) => (server.name === name ? { ...server, ...change(server) } : server));
  return { ...evidence, servers };
}

function found(evidence: Evidence): string[] {
  return Object.entries(judge(evidence)).flatMap(([name, findings]) => (findings.length > 0 ? [name] : []));
}

const inChart = (resource: JsonObject, n: number): JsonObject => ({ ...resource, subject: chart(n) });
const swapped = (make: (n: number) => JsonObject) => numbers.map((n) => inChart(make(n), 1 - n));
const storeGoals = (first: JsonObject) => ({ Goal: [first, goal(1)] });
const edited = goal(0, 'partner-1', 'partner-2');

test('nothing is found where nothing is wrong', () => {
  expect(judge(clean)).toEqual(Object.fromEntries(Object.keys(judge(clean)).map((name) => [name, []])));
});

test.each<[string, Evidence]>([
  [
    'a Task that we call off after the partner took it on',
    holding('standard', { Task: [task(0, 'cancelled'), task(1, 'requested')] }),
  ],
  [
    'an edit that the partner itself replaced',
    onServer(
      'standard',
      ({ store }) => ({ store: { ...store, ...storeGoals(goal(0, 'partner-9')) } }),
      after(partnerPut('Goal/g0', goal(0, 'partner-9'))),
    ),
  ],
  ['an edit that we wiped and told', after(ourPut('Goal/g0', goal(0)))],
  [
    'a transaction that creates on the condition that the server takes',
    after(transaction(condition(0), { method: 'POST', url: 'Condition', ifNoneExist: '_tag=1' })),
  ],
])('nothing is found in %s', (_, evidence) => {
  expect(found(evidence)).toEqual([]);
});

const harms: readonly (readonly [CheckName, string, Evidence])[] = [
  [
    'misfiled',
    'two goals in each other’s charts',
    holding('standard', { Goal: [inChart(edited, 1), inChart(goal(1), 0)] }),
  ],
  ['misfiled', 'two conditions in each other’s charts', holding('standard', { Condition: swapped(condition) })],
  ['misfiled', 'two requests in each other’s charts', holding('standard', { ServiceRequest: swapped(request) })],
  [
    'misfiled',
    'a Task for the other patient',
    holding('standard', { Task: [{ ...task(0, 'accepted'), for: chart(1) }, task(1, 'requested')] }),
  ],
  [
    'misfiled',
    'a goal in nobody’s chart',
    holding('standard', storeGoals({ ...edited, subject: { reference: 'Patient/none' } })),
  ],
  [
    'misfiled',
    'two patients’ documents in each other’s charts',
    holding('epic', { DocumentReference: swapped(document) }),
  ],
  [
    'misfiled',
    'a document that also tells the other patient’s goal and need',
    holding('epic', { DocumentReference: [document(0), document(1, `${wordsOf(1)} Need-0.v1. Goal-0.v1.`)] }),
  ],
  [
    'misfiled',
    'a document with the other patient’s number',
    holding('epic', {
      DocumentReference: [document(0), document(1, wordsOf(1).replace(people[1]?.mrn ?? '', people[0]?.mrn ?? ''))],
    }),
  ],
  [
    'misfiled',
    'a document of before that told the other patient’s goal',
    holding('epic', {
      DocumentReference: [
        document(0),
        { ...document(1, 'Goal-0.v1. Ref CB-1AB v0'), id: 'before' },
        { ...document(1), relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/before' } }] },
      ],
    }),
  ],
  [
    'misfiled',
    'words of the other patient that we sent and took back',
    after(ourPut('Goal/g1', { ...goal(1), description: { text: 'goal-0.v1' } }), ourPut('Goal/g1', goal(1))),
  ],
  [
    'misfiled',
    'a goal that we sent into the other chart and back',
    after(ourPut('Goal/g1', inChart(goal(1), 0)), ourPut('Goal/g1', goal(1))),
  ],
  [
    'wrong references',
    'a goal that points at the other client’s condition',
    holding('standard', storeGoals({ ...edited, addresses: [{ reference: 'Condition/c1' }] })),
  ],
  [
    'wrong references',
    'a goal that does not point at its condition',
    holding('standard', storeGoals({ ...edited, addresses: [] })),
  ],
  [
    'wrong references',
    'a goal that points at what is not there',
    holding('standard', storeGoals({ ...edited, outcomeReference: [{ reference: 'Observation/none' }] })),
  ],
  [
    'wrong references',
    'a Task of the other request',
    holding('standard', {
      Task: [task(0, 'accepted'), { ...task(1, 'requested'), focus: { reference: 'ServiceRequest/r0' } }],
    }),
  ],
  [
    'remote edits lost',
    'a Task that is where it was before the partner took it on',
    holding('standard', { Task: [task(0, 'requested'), task(1, 'requested')] }),
  ],
  [
    'remote edits lost',
    'a Task that is further than the partner brought it',
    holding('standard', { Task: [task(0, 'completed'), task(1, 'requested')] }),
  ],
  [
    'remote edits lost',
    'an edit that we wiped before the partner wrote again',
    onServer(
      'standard',
      ({ store }) => ({ store: { ...store, ...storeGoals(goal(0, 'partner-1', 'partner-2', 'partner-8')) } }),
      after(
        partnerPut('Goal/g0', goal(0, 'partner-1', 'partner-2', 'partner-7')),
        ourPut('Goal/g0', edited),
        partnerPut('Goal/g0', goal(0, 'partner-1', 'partner-2', 'partner-8')),
      ),
    ),
  ],
  [
    'remote edits lost',
    'an edit that a transaction of ours wiped before the partner wrote again',
    after(
      partnerPut('Goal/g0', goal(0, 'partner-1', 'partner-2', 'partner-7')),
      transaction(edited, { method: 'PUT', url: 'Goal/g0' }),
      partnerPut('Goal/g0', edited),
    ),
  ],
  [
    'told twice',
    'a change that is offered again',
    telling(told('4', 'referral', 'referral-0', { status: 'accepted' })),
  ],
  [
    'told twice',
    'all that was said before, said again',
    telling(told('4', 'goal', 'goal-0', { note: 'partner-2 partner-1' })),
  ],
  [
    'told twice',
    'a change without a mark that is offered again',
    telling(...['4', '5'].map((cursor) => told(cursor, 'goal', 'goal-1', { dueOn: null }))),
  ],
  [
    'told twice',
    'a proposal that is made again',
    telling(
      ...['4', '5'].map((at) => ({
        ...told(at, 'hospitalStay', 'stay', {}),
        op: 'propose',
        record: { id: 'stay', updatedAt: at },
      })),
    ),
  ],
  [
    'doubled',
    'a second document of the same edition',
    holding('epic', { DocumentReference: [...numbers.map((n) => document(n)), { ...document(1), id: 'again' }] }),
  ],
  [
    'doubled',
    'a document that says no edition',
    holding('epic', { DocumentReference: [document(0), document(1, wordsOf(1).replace(/Ref.*$/, ''))] }),
  ],
  [
    'undeclared',
    'a transaction to a server that takes none',
    onServer('standard', ({ declared }) => ({ declared: { ...declared, '': [] } })),
  ],
  [
    'undeclared',
    'a transaction with an interaction that is not declared',
    after(transaction(goal(0), { method: 'POST', url: 'Goal' })),
  ],
  [
    'undeclared',
    'a transaction with a type that is not declared',
    after(transaction(plan(0), { method: 'PUT', url: 'CarePlan/l0' })),
  ],
  [
    'undeclared',
    'a transaction with a condition that is not declared',
    after(transaction(goal(0), { method: 'PUT', url: 'Goal/g0', ifNoneExist: '_tag=1' })),
  ],
  [
    'undeclared',
    'a request with a condition that is not declared',
    after({ ...ourPut('Goal/g0', edited), isConditional: true }),
  ],
];

test.each(harms)('%s: %s', (name, _, evidence) => {
  expect(found(evidence)).toEqual([name]);
});

test('an edit in the window before an untagged write is counted apart, a Task’s status too', () => {
  const read = (path: string): Partial<Entry> => ({ method: 'GET', path });
  const untagged = (path: string, body: JsonObject) => ({ ...ourPut(path, body), hasVersionTag: false });
  const declared = { '': ['transaction'], Goal: ['update', 'read'], Task: ['update', 'read'] };
  const lost = (...requests: readonly Partial<Entry>[]) =>
    judge(
      onServer(
        'standard',
        ({ store }) => ({ declared, store: { ...store, Task: [task(0, 'requested'), task(1, 'requested')] } }),
        after(...requests),
      ),
    )['remote edits lost'];
  const move = partnerPut('Task/t0', task(0, 'in-progress'));
  const overwrite = untagged('Task/t0', task(0, 'requested'));
  expect(lost(read('Task/t0'), move, overwrite)).toEqual([]);
  expect(lost(move, read('Task/t0'), overwrite)).toHaveLength(1);
  // The read belongs to an earlier write, or to an earlier run.
  expect(lost(read('Task/t0'), { ...overwrite, sendId: 'before' }, move, overwrite)).toHaveLength(1);
  const others = Array.from({ length: 5_000 }, (_, at) => ({
    ...read(`Goal/other-${at}`),
    at: '2026-06-01T13:00:00Z',
  }));
  const anHourLater = { ...overwrite, at: '2026-06-01T13:00:00Z' };
  expect(
    lost({ ...read('Task/t0'), at: '2026-06-01T12:00:00Z' }, ...others, move, ...others, anHourLater),
  ).toHaveLength(1);
});

test('an outage that no sender was told of was none', () => {
  expect(unrefused({ refusals: new Map([['POST cut', 3]]) })).toHaveLength(1);
  expect(unrefused({ refusals: new Map([['PUT 503 store-unavailable, to be tried again', 1]]) })).toEqual([]);
});
