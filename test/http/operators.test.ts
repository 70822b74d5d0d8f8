// What an operator asks about something that is not there, or is in no state for it: a clear error, and nothing changed.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { json as jsonParameter, sql } from '../../src/store/store.ts';
import { aCase, aClient } from '../builders.ts';
import { stateOf } from '../support/store-state.ts';
import { asJson, asLines, type Caller, type Harness, json, startHarness } from './harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
  await harness.send('county', 'PUT', '/api/records/case/case-rosa', asJson(aCase()));
  await harness.send('county', 'PUT', '/api/records/client/client-rosa', asJson(aClient()));
  // Left from a time when these connections were configured, or in use.
  await sql`insert into lane (connection, subject, source) values ('gone', 'county.case.case-rosa', 'county'),
    ('closed', 'town.case.case-rosa', 'town')`.execute(harness.store.db);
  await harness.store.db
    .insertInto('decision')
    .values({
      connection: 'general',
      subject: 'county.case.case-rosa',
      source: 'county',
      kind: 'conflict',
      topic: 'a',
      reason: jsonParameter({ code: 'internal' as const, text: 'x' }),
      detail: jsonParameter({}),
      choices: jsonParameter([{ choose: 'link', effect: 'x' }]),
    })
    .execute();
});
afterAll(() => harness.stop());

const choice = asJson({ choose: 'link' });
const nobody = asJson({ patient: null });
const lines = asLines({ type: 'case', record: aCase() });
const patients = '/api/connections/general/patients';

type Row = [what: string, caller: Caller, request: string, init: RequestInit, status: number, code: string];

test.each<Row>([
  ['lanes in an unknown state', 'reader', 'GET /api/lanes?state=busy', {}, 400, 'parameter-invalid'],
  ['lanes of an unknown connection', 'reader', 'GET /api/lanes?connection=nowhere', {}, 404, 'connection-unknown'],
  ['lanes with an unknown reason', 'reader', 'GET /api/lanes?reason=nothing', {}, 400, 'parameter-invalid'],
  [
    'a drain of an unknown connection',
    'configurer',
    'POST /api/connections/nowhere/drain',
    {},
    404,
    'connection-unknown',
  ],
  [
    'a drain of one that is switched off',
    'configurer',
    'POST /api/connections/closed/drain',
    {},
    409,
    'connection-not-in-use',
  ],
  ['lanes in no state', 'reader', 'GET /api/lanes?state=', {}, 400, 'parameter-invalid'],
  ['lanes of an unknown source', 'reader', 'GET /api/lanes?source=nowhere', {}, 404, 'source-unknown'],
  ['cases of an unknown source', 'reader', 'GET /api/cases?source=nowhere', {}, 404, 'source-unknown'],
  ['decisions of an unknown source', 'reader', 'GET /api/decisions?source=nowhere', {}, 404, 'source-unknown'],
  ['changes of an unknown source', 'reader', 'GET /api/changes?source=nowhere', {}, 404, 'source-unknown'],
  ['changes of nobody', 'reader', 'GET /api/changes', {}, 400, 'source-needed'],
  ['an unknown case', 'reader', 'GET /api/cases/none?source=county', {}, 404, 'record-unknown'],
  ['the bundle of an unknown case', 'reader', 'GET /api/cases/none/bundle?source=county', {}, 404, 'record-unknown'],
  ['an unknown record', 'reader', 'GET /api/records/need/none?source=county', {}, 404, 'record-unknown'],
  ['an unknown record type', 'reader', 'GET /api/records/nede/none?source=county', {}, 404, 'record-type-unknown'],
  ['a preview for nobody', 'reader', 'POST /api/preview', lines, 400, 'source-needed'],
  ['a preview of an unknown source', 'reader', 'POST /api/preview?source=nowhere', lines, 404, 'source-unknown'],
  [
    'a preview for an unknown connection',
    'reader',
    'POST /api/preview?source=county&connection=nowhere',
    lines,
    404,
    'connection-unknown',
  ],
  [
    'a preview for a connection that is switched off',
    'reader',
    'POST /api/preview?source=town&connection=closed',
    lines,
    409,
    'connection-not-in-use',
  ],
  ['an unknown lane', 'runner', 'POST /api/lanes/general/county.case.none/run', {}, 404, 'lane-unknown'],
  [
    'the plan of an unknown lane',
    'runner',
    'POST /api/lanes/general/county.case.none/run?dryRun=true',
    {},
    404,
    'lane-unknown',
  ],
  [
    'a lane of an unknown connection',
    'runner',
    'POST /api/lanes/nowhere/county.case.case-rosa/run',
    {},
    404,
    'connection-unknown',
  ],
  [
    'a lane of a connection that was removed',
    'runner',
    'POST /api/lanes/gone/county.case.case-rosa/run',
    {},
    404,
    'connection-unknown',
  ],
  [
    'a lane of a connection that is switched off',
    'runner',
    'POST /api/lanes/closed/town.case.case-rosa/run',
    {},
    409,
    'connection-not-in-use',
  ],
  [
    'its plan',
    'runner',
    'POST /api/lanes/closed/town.case.case-rosa/run?dryRun=true',
    {},
    409,
    'connection-not-in-use',
  ],
  ['what is no subject', 'runner', 'POST /api/lanes/general/county.goal.x/run', {}, 400, 'parameter-invalid'],
  [
    'a run that is neither dry nor not',
    'runner',
    'POST /api/lanes/general/county.case.case-rosa/run?dryRun=yes',
    {},
    400,
    'parameter-invalid',
  ],
  ['an unknown decision', 'decider', 'POST /api/decisions/77', choice, 404, 'decision-unknown'],
  ['a decision beyond all', 'decider', 'POST /api/decisions/999999999999999', choice, 404, 'decision-unknown'],
  ['decision zero', 'decider', 'POST /api/decisions/0', choice, 400, 'parameter-invalid'],
  ['what is no decision', 'decider', 'POST /api/decisions/abc', choice, 400, 'parameter-invalid'],
  [
    'a choice that is not offered',
    'decider',
    'POST /api/decisions/1',
    asJson({ choose: 'nonsense' }),
    400,
    'choice-unknown',
  ],
  [
    'the abilities of an unknown connection',
    'reader',
    'GET /api/connections/nowhere/capabilities',
    {},
    404,
    'connection-unknown',
  ],
  [
    'a pause of an unknown connection',
    'configurer',
    'POST /api/connections/nowhere/pause',
    {},
    404,
    'connection-unknown',
  ],
  [
    'a pause of one that is switched off',
    'configurer',
    'POST /api/connections/closed/pause',
    {},
    409,
    'connection-not-in-use',
  ],
  [
    'a resume of an unknown connection',
    'configurer',
    'POST /api/connections/nowhere/resume',
    {},
    404,
    'connection-unknown',
  ],
  [
    'a resume of one that is switched off',
    'configurer',
    'POST /api/connections/closed/resume',
    {},
    409,
    'connection-not-in-use',
  ],
  ['what is no connection', 'configurer', 'POST /api/connections/No-Name/pause', {}, 400, 'parameter-invalid'],
  [
    'a patient on an unknown connection',
    'decider',
    'POST /api/connections/nowhere/patients/county/client-rosa',
    nobody,
    404,
    'connection-unknown',
  ],
  [
    'a patient on one that is switched off',
    'decider',
    'POST /api/connections/closed/patients/town/client-rosa',
    nobody,
    409,
    'connection-not-in-use',
  ],
  ['a patient of an unknown source', 'decider', `POST ${patients}/nowhere/client-rosa`, nobody, 404, 'source-unknown'],
  [
    'a patient of a source that does not go there',
    'decider',
    `POST ${patients}/town/client-rosa`,
    nobody,
    409,
    'source-not-sent',
  ],
  [
    'a patient of what is no source',
    'decider',
    `POST ${patients}/No-Name/client-rosa`,
    nobody,
    400,
    'parameter-invalid',
  ],
])('%s', async (_what, caller, request, init, status, code) => {
  const [method = '', path = ''] = request.split(' ');
  const before = [await stateOf(harness.store), harness.asked.length];
  const response = await harness.send(caller, method, path, init);
  const problem = await json(response);
  expect([response.status, problem.code]).toEqual([status, code]);
  expect(String(problem.detail).length).toBeGreaterThan(20);
  expect([await stateOf(harness.store), harness.asked.length]).toEqual(before);
});

test('an unknown state is told the states', async () => {
  const { detail } = await json(await harness.send('reader', 'GET', '/api/lanes?state=busy'));
  expect(detail).toContain('idle, due, running, waiting, retrying, parked, paused');
});
