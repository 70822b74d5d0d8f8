// A record that was answered `accepted` survives any crash (G1): the embedded gateway is killed again and again while a source sends. And nobody else
// gets at its folder (G1b): a second `serve` and an `import` are refused before each kill, while no kill leaves a lock behind, not in a copy either.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program, type Refusal } from '../programs.ts';
import { randomOf } from '../random.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';
import { goneFrom, lateStarts, readyAgain, startFigures } from './serve-kills.ts';

/** At every so manieth kill the folder is copied. */
const copyEvery = 10;

export async function embedded(options: ExperimentOptions): Promise<Result> {
  const random = randomOf(options.seed, 'embedded');
  const setting = { vendors: ['standard'], workers: 0, serves: 1, embedded: true, lease: '60s', settle: '0s' } as const;
  return experiment(options, setting, async ({ cluster: { folder, data, serves }, source, changes }) => {
    const [gateway] = serves;
    if (gateway === undefined) throw new Error('there is no gateway');
    const file = join(folder, 'one-record.ndjson');
    await writeFile(file, `${JSON.stringify({ type: changes[0]?.type, record: changes[0]?.record })}\n`);
    const starts: Awaited<ReturnType<typeof readyAgain>>[] = [];
    const admitted: string[] = [];
    const stuck: string[] = [];
    let copies = 0;
    let isSent = false;
    const aboutMs = options.count * 6_000;
    const sending = source.send(changes, aboutMs).then(() => {
      isSent = true;
    });
    for (let kill = 0; kill < options.count; kill += 1) {
      await sleep(random.between(0, isSent ? 500 : 2_000));
      for (const words of [['serve'], ['import', file, '--source', 'county']])
        admitted.push(...notRefused(`${words[0]} ${kill}`, await secondProcess(folder, words)));
      await gateway.kill();
      const copy = join(folder, `copy-${kill}`);
      if (kill % copyEvery === 0) await copied(folder, copy);
      starts.push(await readyAgain(gateway));
      if (kill % copyEvery !== 0) continue;
      copies += 1;
      const refusal = await secondProcess(copy, ['serve', '--no-lanes']);
      if (refusal !== undefined) stuck.push(`the copy ${copy} ended with ${refusal.code}: ${refusal.said}`);
    }
    await sending;
    const accepted = source.answers.filter(({ outcome }) => outcome === 'accepted');
    // Nobody else opens the folder while the gateway has it.
    await gateway.stop();
    const lost = await goneFrom(data, accepted);
    await gateway.start();
    return {
      n: { accepted: accepted.length, 'double starts': options.count * 2, 'copied folders': copies },
      kills: { 'kill serve': options.count },
      findings: {
        'accepted and gone': lost,
        'second process let in': admitted,
        'copies refused': stuck,
        'late starts': lateStarts(starts),
      },
      figures: startFigures(starts),
    };
  });
}

async function copied(folder: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of ['casebridge.yaml', 'data']) await cp(join(folder, name), join(to, name), { recursive: true });
}

/** Starts one more on the folder, and ends it. @returns undefined when it was let in */
async function secondProcess(folder: string, words: readonly string[]): Promise<Refusal | undefined> {
  const env = { COUNTY_TOKEN: 'county-secret', OPS_TOKEN: 'ops-secret' };
  const config = join(folder, 'casebridge.yaml');
  const second = new Program({ name: 'second', arguments: [...words, '--config', config], env, folder });
  const refusal = await second.startOnce();
  await second.kill();
  return refusal;
}

/** What is wrong: it must end with 2 and say who holds the folder. */
function notRefused(what: string, refusal: Refusal | undefined): string[] {
  if (refusal === undefined) return [`${what} was let in`];
  const isRefused = refusal.code === 2 && refusal.said.includes('is in use by process');
  return isRefused ? [] : [`${what} ended with ${refusal.code}: ${refusal.said}`];
}
