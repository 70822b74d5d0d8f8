// `replay` as an operator runs it: on the store of the configuration, or in a running gateway; and a replay whose process is killed in the middle.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { type Store, sql } from '../../src/store/store.ts';
import { aGoal, anOrganization } from '../builders.ts';
import { caseload } from '../support/caseload.ts';
import { aSite, type Site, send, settled } from '../support/processes.ts';
import { eventually } from '../support/rig.ts';
import { aFolder, commandLine, lastLine, type Running } from './program.ts';

let site: Site;
let gateway: Running;

beforeAll(async () => {
  site = await aSite();
  gateway = await site.serve();
  await send(gateway.url, caseload());
  await settled(gateway.url);
}, 180_000);
afterAll(() => site?.stop());

const remote = () => ['--url', gateway.url, '--token', 'env:OPS_TOKEN'];

async function answer(method: string, path: string, body?: object): Promise<JsonObject> {
  const headers = { authorization: 'Bearer ops-secret', 'content-type': 'application/json' };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const value: Json = JSON.parse(await (await fetch(`${gateway.url}${path}`, init)).text());
  return isObject(value) ? value : {};
}

async function refuseGoals(): Promise<void> {
  const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] };
  const fault = { status: 422, body };
  await site.server.faults({ method: 'PUT', path: 'Goal', fault }, { method: 'POST', path: '$', fault });
}

const goalOnServer = () => site.server.own('Goal', 'county/goal/goal-meals#goal');

/** Makes the store and the server agree on another start date, as under another mapping. @returns the active mapping */
async function forgetStartDate({ db }: Store): Promise<string> {
  const goal = await goalOnServer();
  const id = String(goal.id);
  const held = { ...goal, startDate: '2020-01-01' };
  await site.server.fhir('PUT', `Goal/${id}`, held);
  const { body } = await site.server.fhir('GET', `Goal/${id}`);
  const other = sql`'{"startDate":"2020-01-01"}'::jsonb`;
  await sql`update link set sent = sent || ${other}, seen = seen || ${other} where id = 'goal-meals'`.execute(db);
  await sql`update seen set body = ${JSON.stringify(body)}::jsonb where resource_type = 'Goal' and remote_id = ${id}`.execute(
    db,
  );
  await sql`update lane set basis = basis || '{"mapping":"another"}' where subject = 'county.case.case-rosa'`.execute(
    db,
  );
  const active = await db.selectFrom('mapping').select('version').where('active', '=', true).executeTakeFirstOrThrow();
  return active.version;
}

/** Accepts an organization of which nothing is sent yet. */
async function leaveDue(id: string): Promise<void> {
  const line = JSON.stringify({ type: 'organization', record: anOrganization({ id }) });
  const ended = await site.run(
    'import',
    '--source',
    'county',
    join(await aFolder({ 'due.ndjson': line }), 'due.ndjson'),
  );
  expect([ended.code, ended.err]).toEqual([0, '']);
}

describe('in a running gateway', () => {
  test('everything is asked for; the last line holds the counts and the exit code is 0', async () => {
    const ended = await site.run('replay', '--json', ...remote());
    expect([ended.code, ended.err]).toEqual([0, '']);
    expect(lastLine(ended)).toMatchObject({ state: 'done', asked: 6, done: 0, skipped: 6, refused: 0, left: 0 });
  });

  test('who looks on sees how far it is, in one line that gives way to the result', async () => {
    const ended = await site.watched('replay', ...remote());
    const lines = ended.err.split('\r\u001b[K');
    expect([lines[0], lines.at(-1)]).toEqual(['', '']);
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines.slice(1, -1)) expect(line).toMatch(/^\d of 6 lanes: 0 done, \d skipped, 0 refused$/);
    expect(ended.out).toMatch(/^6 lanes: 0 done/);
  });

  test('a lane in which something is refused makes the exit code 1, and is told with its reason', async () => {
    await refuseGoals();
    await send(gateway.url, [['goal', aGoal({ statement: 'Food every day.', updatedAt: '2026-02-20T10:00:00Z' })]]);
    const ended = await site.run('replay', '--case', 'county/case-rosa', ...remote());
    expect(ended.code).toBe(1);
    expect(ended.out).toMatch(/^2 lanes: 0 done \(\d writes\), 1 skipped, 1 refused$/m);
    expect(ended.out).toContain('1 refused: ');
    await site.server.mend();
    expect(await site.run('replay', '--case', 'county/case-rosa', ...remote())).toMatchObject({ code: 0 });
    expect(await site.server.own('Goal', 'county/goal/goal-meals#goal')).toMatchObject({
      description: { text: 'Food every day.' },
    });
  });

  test('--mapping must be the active one', async () => {
    const ended = await site.run('replay', '--mapping', 'abc123', '--json', ...remote());
    expect(ended.code).toBe(2);
    expect(lastLine(ended)).toMatchObject({
      error: { code: 'gateway-refused', text: expect.stringContaining('not the active one') },
    });
  });

  test('killed in the middle, it goes on at the next start: asked = done + skipped + refused, and nothing is doubled', async () => {
    const cases = Array.from({ length: 10 }, (_, n) => [
      ['case', { ...caseload()[5]?.[1], id: `case-${n}` }],
      ['goal', aGoal({ id: `goal-${n}`, caseId: `case-${n}`, needIds: [] })],
    ]).flat();
    await send(
      gateway.url,
      cases.flatMap(([type, record]) =>
        typeof type === 'string' && isObject(record) ? [[type, record] as const] : [],
      ),
    );
    await settled(gateway.url);
    await site.server.faults({ method: 'GET', path: 'Goal', fault: { delayMs: 100 } });
    const { id } = await answer('POST', '/api/replays', {});
    await eventually(
      async () => Number((await answer('GET', `/api/replays/${id}`)).skipped) > 3,
      'some lanes of the replay',
    );
    await gateway.stop('SIGKILL');
    await site.server.mend();
    gateway = await site.serve();
    await eventually(
      async () => (await answer('GET', `/api/replays/${id}`)).state === 'done',
      'the replay to end',
      60_000,
    );
    expect(await answer('GET', `/api/replays/${id}`)).toMatchObject({
      asked: 16,
      done: 0,
      skipped: 16,
      refused: 0,
      left: 0,
    });
    const { items } = await answer('GET', `/api/replays/${id}/lanes`);
    expect(items).toHaveLength(16);
    expect(await site.server.all('Goal')).toHaveLength(11);
  }, 240_000);
});

describe('on the store of the configuration', () => {
  test('that another process holds, it exits 2 and names it', async () => {
    const ended = await site.run('replay', '--json');
    expect(ended.code).toBe(2);
    expect(lastLine(ended)).toMatchObject({ error: { code: 'store-locked' } });
  });

  test('it runs the lanes itself until the job is done', async () => {
    await gateway.stop();
    const ended = await site.program('replay', '--json', '--case', 'county/case-rosa');
    expect(ended.code).toBe(0);
    expect(lastLine(ended)).toMatchObject({ state: 'done', asked: 2, skipped: 2, refused: 0, left: 0 });
  });

  test('--dry-run shows what would change, element by element, and changes nothing; --mapping does so before it sends', async () => {
    const active = await site.look(forgetStartDate);
    await leaveDue('org-due');
    const before = (await site.server.all('Organization')).length;
    const dry = await site.run('replay', '--dry-run');
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('update goal/goal-meals#goal')]);
    expect(dry.out).toContain('create organization/org-due#organization');
    expect(dry.out).toMatch(/^ {4}startDate: "2020-01-01" -> "2026-02-03"$/m);
    const shown = await site.run('replay', '--mapping', active);
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('startDate: "2020-01-01" -> "2026-02-03"')]);
    expect(shown.out).toContain('Nothing was sent.');
    expect((await goalOnServer()).startDate).toBe('2020-01-01');
    expect(await site.server.all('Organization')).toHaveLength(before);
    const sent = await site.run('replay', '--mapping', active, '--yes', '--json');
    // What is due goes out by itself as soon as lanes run: the replay may have asked for it before or not.
    expect(lastLine(sent)).toMatchObject({ state: 'done', refused: 0, left: 0 });
    expect(await site.server.all('Organization')).toHaveLength(before + 1);
    expect((await goalOnServer()).startDate).toBe('2026-02-03');
    expect(lastLine(await site.run('replay', '--mapping', active, '--yes', '--json'))).toMatchObject({ asked: 0 });
  }, 240_000);
});

test.each([
  ['--case without its source', ['--case', 'case-rosa'], '--case must be'],
  ['a time without offset', ['--since', '2026-03-01'], '--since must be'],
  ['a connection that is no name', ['--connection', 'No Name'], '--connection must be'],
  ['a word too many', ['everything'], 'too many arguments'],
  ['--url without --token', ['--url', 'http://localhost:1'], '--token'],
])('%s is refused with exit code 2 before anything is opened', async (_what, words, told) => {
  const ended = await commandLine(['replay', ...words]);
  expect(ended.code).toBe(2);
  expect(ended.err).toContain(told);
});
