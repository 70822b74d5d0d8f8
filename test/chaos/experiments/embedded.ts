// A record that was answered `accepted` survives any crash (G1): the embedded gateway is killed again and again while a source sends; and a second
// process on its folder is refused each time (G1b).

import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from '../programs.ts';
import { randomOf } from '../random.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';
import { median } from './stops.ts';

export async function embedded(options: ExperimentOptions): Promise<Result> {
  const random = randomOf(options.seed, 'embedded');
  const setting = { vendors: ['standard'], workers: 0, serves: 1, embedded: true, lease: '60s', settle: '0s' } as const;
  return experiment(options, setting, async ({ cluster, source, changes }) => {
    const [gateway] = cluster.serves;
    if (gateway === undefined) throw new Error('there is no gateway');
    const starts: number[] = [];
    const admitted: string[] = [];
    let isSent = false;
    const aboutMs = options.count * 4_000;
    const sending = source.send(changes, aboutMs).then(() => {
      isSent = true;
    });
    for (let kill = 0; kill < options.count; kill += 1) {
      await sleep(random.between(0, isSent ? 500 : 2_000));
      if (kill % 10 === 0) admitted.push(...(await secondProcess(cluster.folder, kill)));
      await gateway.kill();
      const began = performance.now();
      await gateway.start();
      starts.push(performance.now() - began);
    }
    await sending;
    const seconds = (ms: number) => Math.round(ms / 100) / 10;
    return {
      n: { 'double starts': Math.ceil(options.count / 10) },
      kills: { 'kill serve': options.count },
      findings: { 'second process let in': admitted },
      figures: { 'start after a kill, s': `median ${seconds(median(starts))}, most ${seconds(Math.max(...starts))}` },
    };
  });
}

/** @returns what is wrong: it must not start, and say who holds the folder */
async function secondProcess(folder: string, n: number): Promise<string[]> {
  const config = `${folder}/casebridge.yaml`;
  const env = { COUNTY_TOKEN: 'county-secret', OPS_TOKEN: 'ops-secret' };
  const second = new Program({ name: `second-${n}`, arguments: ['serve', '--config', config], env, folder });
  const said = await second.startOnce();
  if (said === undefined) {
    await second.kill();
    return [`second process ${n} was let in`];
  }
  return said.includes('is in use by process') ? [] : [`second process ${n} said: ${said}`];
}
