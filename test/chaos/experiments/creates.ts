// Create exactly once under lease take-overs (G2): on each server so many cases whose client and plan go out; one write in ten cut after the server has
// done it, one in twenty before, one in twenty answered 503; searches that see a write only after ten seconds; and workers, all but one at a time, that are
// killed or frozen until enough lanes have been taken over.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../../src/sandbox/faults.ts';
import type { Program } from '../programs.ts';
import { randomOf } from '../random.ts';
import { vendorNames } from '../simulated.ts';
import { changesOfCases } from '../workload.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';
import { leasesOf } from './frozen.ts';

const leaseMs = 5_000;
const searchLagMs = 10_000;
const refusal = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'transient' }] };

/** `count` lanes taken over, `changes` resources to create on each server. */
export async function creates(options: ExperimentOptions): Promise<Result> {
  const random = randomOf(options.seed, 'creates');
  const settings = {
    standard: { searchLagMs, conditionalCreate: false, transactions: false },
    epic: { searchLagMs },
    oracle: { searchLagMs },
  };
  const setting = { vendors: vendorNames, workers: 3, serves: 1, lease: `${leaseMs}ms`, settle: '12s', settings };
  const act: Parameters<typeof experiment>[2] = async ({ cluster, source, changes }) => {
    const { servers, workers } = cluster;
    for (const server of servers) {
      const rule = (method: string, at: number, probability: number, fault: FaultRule['fault']): FaultRule => ({
        method,
        probability,
        seed: options.seed + at,
        fault,
      });
      await server.setFaults(
        ['POST', 'PUT'].flatMap((method, at) => [
          rule(method, 3 * at + 1, 0.1, { drop: 'after-commit' }),
          rule(method, 3 * at + 2, 0.05, { drop: 'before-commit' }),
          rule(method, 3 * at + 3, 0.05, { status: 503, body: refusal }),
        ]),
      );
    }
    let takeOvers = 0;
    const counts = { 'kill worker': 0, 'freeze worker': 0 };
    let isSent = false;
    const sending = source.send(changes, 0).then(() => {
      isSent = true;
    });
    const strike = async (one: Program, kills: boolean) => {
      one.freeze();
      takeOvers += await leasesOf(cluster, one.pid);
      counts[kills ? 'kill worker' : 'freeze worker'] += 1;
      if (kills) {
        await one.kill();
        await one.start();
      } else {
        await sleep(leaseMs * 1.2);
        one.thaw();
      }
    };
    while (takeOvers < options.count && !(isSent && (await cluster.gateway.due()) === 0)) {
      await sleep(random.between(200, 900));
      const spared = random.pick(workers);
      const struckNow = workers.filter((one) => one !== spared).map((one) => strike(one, random.chance(0.5)));
      await Promise.all(struckNow);
    }
    await sending;
    await cluster.gateway.drained(1_200_000);
    let struck = 0;
    for (const server of servers) {
      struck += await server.struck();
      await server.setFaults([]);
    }
    const missing: string[] = [];
    const figures: Record<string, number> = { 'lanes taken over': takeOvers };
    for (const server of servers) {
      const store = await server.store();
      const type = server.name === 'standard' ? 'CarePlan' : 'DocumentReference';
      const found = store[type]?.length ?? 0;
      figures[`${server.name}: ${type}`] = found;
      if (found !== options.changes) missing.push(`${server.name} holds ${found} ${type}, not ${options.changes}`);
    }
    const few = takeOvers < options.count ? [`only ${takeOvers} lanes were taken over`] : [];
    return {
      n: { 'creates a server': options.changes },
      kills: counts,
      faults: struck,
      findings: { 'not as many': missing, 'too few take-overs': few },
      figures,
    };
  };
  return experiment(options, setting, act, changesOfCases(options.changes, ['client', 'case', 'carePlan']));
}
