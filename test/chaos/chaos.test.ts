// A short chaos run, and the judge's own test: a fault planted into the evidence of that run must be found by the check that it is for.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import { hasPostgres, hasRedis } from '../support/backends.ts';
import { describeOn } from '../support/servers.ts';
import { type CheckName, checks, judge } from './checks.ts';
import type { Evidence, ServerEvidence } from './evidence.ts';
import type { Report } from './report.ts';
import type { Entry } from './simulated.ts';

const program = join(import.meta.dirname, 'chaos.ts');
const options = '--seed 5 --minutes 0.2 --changes 100 --vendors standard,epic --workers 2 --every 2.5'.split(' ');

describeOn('PostgreSQL and Redis', hasPostgres() && hasRedis(), 'a run with kills and faults', () => {
  let folder: string;
  let child: ChildProcess | undefined;
  let code: number;
  let history: { readonly report: Report; readonly evidence: Evidence };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casebridge-chaos-test-'));
    const kept = join(folder, 'history.json');
    child = spawn(process.execPath, [program, ...options, '--json', '--history', kept], { stdio: 'ignore' });
    [code] = await once(child, 'exit');
    history = JSON.parse(await readFile(kept, 'utf8'));
  }, 400_000);
  afterAll(async () => {
    // One that does not come to rest takes its programs along.
    child?.kill('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  test('loses, doubles, reorders and invents nothing, and is silent afterwards (G3, G7, G9, G15; lanes.md 27)', () => {
    const { report } = history;
    expect(Object.entries(report.results.findings).filter(([, found]) => found.length > 0)).toEqual([]);
    expect(code).toBe(0);
    const deeds = Object.values(report.kills).reduce((sum, count) => sum + count, 0);
    expect(deeds).toBeGreaterThan(1);
    expect(report.faults).toBeGreaterThan(5);
    expect(report.n['partner edits']).toBeGreaterThan(3);
  });

  test.each(Object.keys(checks).filter(isCheck))('the check "%s" finds a planted fault', (name) => {
    const findings = judge(planted[name](history.evidence));
    expect(findings[name]).not.toEqual([]);
  });

  test('a second document of the same edition is found', () => {
    const doubled = onServer(history.evidence, 'epic', ({ store }) => ({
      store: {
        ...store,
        DocumentReference: [...(store.DocumentReference ?? []), ...(store.DocumentReference ?? []).slice(0, 1)],
      },
    }));
    expect(judge(doubled).doubled).toHaveLength(1);
  });

  test('a patient whose document is missing is found', () => {
    const lost = onServer(history.evidence, 'epic', ({ store }) => ({ store: { ...store, DocumentReference: [] } }));
    expect(judge(lost).lost).not.toEqual([]);
  });

  test('an accepted version that the store does not have is found', () => {
    const { evidence } = history;
    const [answer] = evidence.answers.filter(({ outcome }) => outcome === 'accepted');
    if (answer === undefined) throw new Error('nothing was accepted');
    const never = { ...answer, version: 1_000 };
    expect(judge({ ...evidence, answers: [...evidence.answers, never] }).lost).toHaveLength(1);
  });
});

function isCheck(name: string): name is CheckName {
  return name in checks;
}

/** For each check, evidence with a fault that it must find. */
const planted: Readonly<Record<CheckName, (evidence: Evidence) => Evidence>> = {
  lost: (evidence) =>
    onServer(evidence, 'standard', ({ store }) => ({ store: { ...store, Goal: (store.Goal ?? []).slice(1) } })),
  misfiled: (evidence) => withFirstGoal(evidence, { subject: { reference: 'Patient/none' } }),
  'wrong references': (evidence) => withFirstGoal(evidence, { addresses: [{ reference: 'Condition/none' }] }),
  'told twice': (evidence) => {
    const change = { connection: 'standard', op: 'patch', type: 'goal', id: 'goal-0', patch: { note: 'partner-9999' } };
    return { ...evidence, changes: [...evidence.changes, change, change] };
  },
  doubled: (evidence) =>
    onServer(evidence, 'standard', ({ store }) => ({
      store: {
        ...store,
        Goal: (store.Goal ?? []).flatMap((goal, at) => (at === 0 ? [goal, { ...goal, id: 'again' }] : [goal])),
      },
    })),
  reordered: (evidence) =>
    withEntry(
      evidence,
      firstWrite(evidence, 'Goal', (goal) => JSON.stringify(goal).replaceAll(/\.v\d+/g, '.v0')),
    ),
  invalid: (evidence) =>
    withEntry(evidence, { method: 'POST', path: 'Goal', body: { resourceType: 'Goal', description: 1 } }),
  'wrongly told': (evidence) =>
    onServer(evidence, 'standard', ({ store }) => ({
      store: {
        ...store,
        Provenance: [
          ...(store.Provenance ?? []),
          {
            resourceType: 'Provenance',
            id: 'untrue',
            activity: { coding: [{ code: 'CREATE' }] },
            target: [{ reference: 'Goal/none' }],
          },
        ],
      },
    })),
  undeclared: (evidence) => withEntry(evidence, { method: 'POST', path: 'NoSuchType' }),
  'remote edits lost': (evidence) =>
    withEntry(evidence, partnerPut('Goal/1', { resourceType: 'Goal', note: [{ text: 'partner-9999' }] })),
  'answers not told': (evidence) =>
    withEntry(evidence, partnerPut('Task/1', { resourceType: 'Task', status: 'rejected' })),
  'writes after quiet': (evidence) => withEntry(evidence, { method: 'PUT', path: 'Goal/1' }),
  'not read again': (evidence) => onServer(evidence, 'standard', ({ journal }) => ({ quietAfter: journal.length })),
  'not at rest': (evidence) => ({
    ...evidence,
    lanes: [...evidence.lanes, { connection: 'standard', subject: 'x', state: 'parked' }],
  }),
  'ended by itself': (evidence) => ({ ...evidence, ownEnds: ['worker-1'] }),
};

function onServer(
  evidence: Evidence,
  name: string,
  change: (server: ServerEvidence) => Partial<ServerEvidence>,
): Evidence {
  const servers = evidence.servers.map((server) => (server.name === name ? { ...server, ...change(server) } : server));
  return { ...evidence, servers };
}

/** One more request at the end of the journal. */
function withEntry(evidence: Evidence, entry: Partial<Entry>): Evidence {
  return onServer(evidence, 'standard', ({ journal }) => ({
    journal: [
      ...journal,
      {
        n: journal.length + 1,
        at: '',
        method: 'GET',
        path: '',
        status: 200,
        isPartner: false,
        sendId: '',
        hasVersionTag: true,
        isConditional: false,
        body: undefined,
        writes: [],
        ...entry,
      },
    ],
  }));
}

function withFirstGoal(evidence: Evidence, other: JsonObject): Evidence {
  return onServer(evidence, 'standard', ({ store }) => ({
    store: { ...store, Goal: (store.Goal ?? []).map((goal, at) => (at === 0 ? { ...goal, ...other } : goal)) },
  }));
}

function partnerPut(path: string, body: JsonObject): Partial<Entry> {
  const [resourceType = '', id = ''] = path.split('/');
  return { isPartner: true, method: 'PUT', path, body, writes: [{ resourceType, id, kind: 'update' }] };
}

/** A resource as it stands, sent once more with another text. */
function firstWrite({ servers }: Evidence, type: string, change: (resource: JsonObject) => string): Partial<Entry> {
  const [resource = {}] = servers.find(({ name }) => name === 'standard')?.store[type] ?? [];
  const id = String(resource.id);
  return {
    method: 'PUT',
    path: `${type}/${id}`,
    body: JSON.parse(change(resource)),
    writes: [{ resourceType: type, id, kind: 'update' }],
  };
}
