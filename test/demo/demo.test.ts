// The whole demo as a user runs it: `casebridge demo`, from the command line, with its two programs as processes of their own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

interface Run {
  readonly child: ChildProcess;
  /** The folder for temporary files. It stays when the test fails, for the logs in it. */
  readonly folder: string;
  readonly output: () => string;
  readonly story: () => string;
  readonly end: Promise<number | null>;
}

async function runDemo(...options: string[]): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'demo-test-'));
  const child = spawn(process.execPath, [main, 'demo', ...options], { env: { ...process.env, TMPDIR: folder } });
  let output = '';
  let story = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    story += chunk;
  });
  const end = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, folder, output: () => output, story: () => story, end };
}

describe('the demo', () => {
  test('tells its story, counts it in the server, and leaves nothing behind', async () => {
    const run = await runDemo('--json');
    const code = await run.end;
    expect({ code, story: code === 0 ? '' : run.story() }).toEqual({ code: 0, story: '' });

    const result = JSON.parse(run.output().trim().split('\n').at(-1) ?? '');
    expect(Object.keys(result).sort()).toEqual([
      'adoptedReferrals',
      'answeredOnPage',
      'closedReferrals',
      'connections',
      'promises',
      'records',
      'secondRunReads',
      'secondRunWrites',
      'seconds',
    ]);
    expect(result.closedReferrals).toBeGreaterThanOrEqual(1);
    expect(result).toMatchObject({ promises: { met: 1, breached: 1 }, adoptedReferrals: 1, answeredOnPage: 1 });
    expect(result.secondRunWrites).toBe(0);
    const { exchange, 'larch-valley': larchValley, 'st-brigid': stBrigid, ...others } = result.connections;
    expect(others).toEqual({});
    // Each resource that was made is linked, and more are linked that were found.
    expect(result.secondRunReads).toBeGreaterThan(exchange.created);
    expect(exchange).toMatchObject({ documents: 0, parked: 0, decisions: 1 });
    // The hospitals get documents alone: a first one and later editions for each of three charts; the fourth client has none there. The one
    // that began a referral has its own Task moved as well, in three steps.
    for (const [hospital, updated] of [
      [larchValley, 3],
      [stBrigid, 0],
    ]) {
      expect(hospital).toMatchObject({ created: 0, updated, parked: 0, decisions: 1 });
      expect(hospital.documents).toBeGreaterThanOrEqual(5);
    }
    expect(result.records).toBeGreaterThanOrEqual(90);

    const story = run.story();
    expect(story).toContain('referral-denise-food#request: 1 ServiceRequest');
    expect(story).toContain('referral-denise-food#fulfilment: 1 Task');
    expect(story).toMatch(
      /1 +requested +Riverside Family Services[\s\S]*accepted +Elm Street Pantry[\s\S]*in-progress +Elm Street Pantry[\s\S]*completed +Elm Street Pantry/,
    );
    expect(story).toContain('outcome "service-received"');
    expect(story).toContain('link:alike-maria ');
    expect(story).toContain('Agnes Whitlock has signed no consent');
    expect(story).toMatch(/carePlan +CarePlan +rs +rs +document/);
    expect(story).toMatch(/ \| Client: +Rosa Delgado\n[\s\S]* \| Ref CB-\w{12} v1\n/);
    expect(story).toMatch(/before +W\/"\S+" +1\n +after +W\/"\S+" +2\n/);
    expect(story).toMatch(/st-brigid +Withheld: this referral, .* is labelled sensitive/);
    expect(story).toContain('New referral: First Light Recovery Center');
    expect(story).toMatch(/Elm Street Pantry +Earl +met [\s\S]*Valley Rides +Grace +breached /);
    expect(story).toMatch(/worker-okafor, worker-lindqvist +The limit of the clock/);
    expect(story).toMatch(
      /propose +client [\s\S]*propose +referral [\s\S]*requested +Larch Valley Hospital[\s\S]*completed +Riverside Family Services/,
    );
    expect(story).toMatch(/http:\/\/127\.0\.0\.1:\d+\/p\/\S+\n/);
    expect(story).toContain('- Referral: Little Oaks Family Center, Childcare - now completed');
    expect(story).toContain('/console/cases/case-denise');
    expect(await readdir(run.folder)).toEqual([]);
    await rm(run.folder, { recursive: true });
  }, 480_000);

  test('that is interrupted says so, stops both programs, and keeps only their logs', async () => {
    const run = await runDemo('--json');
    const shown = /http:\/\/127\.0\.0\.1:\d+/g;
    await new Promise<void>((resolve) => {
      run.child.stderr?.on('data', () => {
        if ((run.story().match(shown)?.length ?? 0) >= 2) resolve();
      });
      run.child.once('close', () => resolve());
    });
    run.child.kill('SIGINT');
    expect(await run.end).toBe(1);
    expect(run.story()).toContain('It was interrupted.');
    for (const url of run.story().match(shown) ?? []) await expect(fetch(url)).rejects.toThrow('fetch failed');
    const folders = await readdir(run.folder);
    expect(folders).toHaveLength(1);
    expect((await readdir(join(run.folder, folders[0] ?? ''))).sort()).toEqual(['gateway.log', 'servers.log']);
    expect(run.story()).toContain(folders[0]);
    await rm(run.folder, { recursive: true });
  }, 480_000);
});
