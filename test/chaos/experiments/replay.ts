// A replay accounts for every lane (G14): while it runs, records change, some lanes are parked by an operator, and the processes are killed one after the
// other. In the end asked = done + skipped + refused, each lane is listed once, and each that was not brought further says why; no write is counted that the
// server did not have.

import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type Json, type JsonObject } from '../../../src/json.ts';
import { each, type GatewayClient } from '../gateway.ts';
import { type Entry, objects } from '../simulated.ts';
import { type Change, organizations } from '../workload.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';

const outcomes = ['done', 'skipped', 'refused'] as const;
const lookEveryMs = 500;

export async function replay(options: ExperimentOptions): Promise<Result> {
  const setting = { vendors: ['standard'], workers: 2, serves: 2, lease: '10s', settle: '0s' } as const;
  const all = organizations(options.changes);
  const changed = all.changes.filter((_, at) => at % 50 === 1).map(nextVersion);
  return experiment(
    options,
    setting,
    async ({ cluster, source }) => {
      const { gateway } = cluster;
      await source.send(all.changes, 0);
      await gateway.drained(3_600_000);
      const parked = all.changes.filter((_, at) => at % 100 === 0);
      await eachLane(gateway, parked, 'park');
      const [server] = cluster.servers;
      const before = (await server?.journal())?.at(-1)?.n ?? 0;
      const { id, asked } = await gateway.ask('POST', '/api/replays', { body: {} });
      const changing = source.send(changed, 0);
      const programs = [...cluster.workers, ...cluster.serves];
      const kills: Record<string, number> = {};
      for (let at = 1; at <= options.count; at += 1) {
        await leftOf(gateway, id, (Number(asked) * (options.count + 1 - at)) / (options.count + 1));
        const one = programs[at % programs.length];
        if (one === undefined) throw new Error('there is no program to kill');
        await one.kill();
        kills[one.name] = (kills[one.name] ?? 0) + 1;
        await one.start();
      }
      await changing;
      await leftOf(gateway, id, 0);
      const view = await gateway.ask('GET', `/api/replays/${id}`);
      const lanes = await gateway.all(`/api/replays/${id}/lanes`);
      const journal = (await server?.journal(before)) ?? [];
      await eachLane(gateway, parked, 'run');
      return {
        n: {
          'lanes asked': Number(view.asked),
          ...Object.fromEntries(outcomes.map((name) => [name, Number(view[name])])),
        },
        kills,
        findings: {
          accounts: [...accounts(view, lanes), ...missing(view, parked.length), ...overcounted(lanes, journal)],
        },
        figures: { reasons: JSON.stringify(objects(view.reasons).map(({ code, count }) => [code, count])) },
      };
    },
    { ...all, changes: [...all.changes, ...changed] },
  );
}

/** Waits until no more lanes than this are left. */
async function leftOf(gateway: GatewayClient, id: Json | undefined, most: number): Promise<void> {
  while (Number((await gateway.ask('GET', `/api/replays/${id}`)).left) > most) await sleep(lookEveryMs);
}

function eachLane(gateway: GatewayClient, changes: readonly Change[], what: 'park' | 'run'): Promise<void> {
  return each(changes, 8, async ({ type, id }) => {
    await gateway.ask(
      'POST',
      `/api/lanes/standard/county.${type}.${id}/${what}`,
      what === 'park' ? { body: { note: 'held' } } : {},
    );
  });
}

/** What does not add up. */
function accounts(view: JsonObject, lanes: readonly JsonObject[]): string[] {
  const sum = outcomes.reduce((total, name) => total + Number(view[name]), 0);
  const listed = new Set(lanes.map(({ connection, subject }) => `${connection}/${subject}`));
  return [
    ...(sum === view.asked && view.left === 0 ? [] : [`asked ${view.asked}, accounted for ${sum}, left ${view.left}`]),
    ...(listed.size === view.asked && lanes.length === view.asked
      ? []
      : [`asked ${view.asked}, listed ${lanes.length}, of them ${listed.size} different`]),
    ...outcomes.flatMap((name) => {
      const found = lanes.filter(({ outcome }) => outcome === name).length;
      return found === view[name] ? [] : [`${view[name]} ${name}, but ${found} are listed so`];
    }),
    ...lanes
      .filter(({ outcome, reason }) => outcome !== 'done' && !isObject(reason))
      .map(({ subject, outcome }) => `${subject} is ${outcome} without a reason`),
  ];
}

function missing(view: JsonObject, parked: number): string[] {
  return view.refused === parked ? [] : [`${parked} lanes were parked, ${view.refused} refused`];
}

/** What its source has sent since a lane was done is written too, and counted by nobody. */
function overcounted(lanes: readonly JsonObject[], journal: readonly Entry[]): string[] {
  const counted = lanes.reduce((total, { writes }) => total + Number(writes), 0);
  const written = journal.flatMap(({ writes }) => writes).length;
  return counted <= written ? [] : [`${counted} writes are counted, the server has had ${written}`];
}

function nextVersion(change: Change): Change {
  const version = change.version + 1;
  const updatedAt = new Date(Date.parse(String(change.record.updatedAt)) + 1_000).toISOString();
  return { ...change, version, record: { ...change.record, name: `${change.id}.v${version}`, updatedAt } };
}
