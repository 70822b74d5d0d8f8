// An older record never changes anything (G4): newer versions of many records come from several connections at once, and with them older ones, with
// content that no version has. Of two newer ones of the same time the later arrival counts (lanes.md 24). In the end the records, and the server's
// resources, are those of a gateway that was sent the newest versions only.

import { createHash } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../../../src/json.ts';
import { startCluster } from '../cluster.ts';
import { each, type GatewayClient } from '../gateway.ts';
import { randomOf } from '../random.ts';
import { oursOf, ownValue, type Simulated } from '../simulated.ts';
import { Source } from '../source.ts';
import { allMarksIn, type Change, caseTypes, changeOf, changesOfCases, type Workload } from '../workload.ts';
import { type ExperimentOptions, experiment, type Result, untilRest } from './experiment.ts';

const olderAtOnce = 2;
const recordsAtOnce = 12;
/** That each record has before; the older ones have lower numbers, and earlier times. */
const firstVersion = 20_000;

interface Put {
  readonly kind: 'older' | 'overtaken' | 'newer' | 'same time';
  readonly change: Change;
  readonly outcome: Json | undefined;
  /** Number of the version that holds, as answered. */
  readonly holds: number;
}

/** `count` puts of older versions, of `changes` records. */
export async function stale(options: ExperimentOptions): Promise<Result> {
  const load = changesOfCases(Math.ceil(options.changes / caseTypes.length), caseTypes, firstVersion);
  const rounds = Math.ceil(options.count / (load.changes.length * olderAtOnce));
  const setting = { vendors: ['standard'], workers: 2, serves: 2, lease: '20s', settle: '0s' } as const;
  const act: Parameters<typeof experiment>[2] = async ({ cluster: { servers, gateway }, cluster, source }) => {
    await source.send(load.changes, 0);
    const histories = load.people.flatMap((person, n) =>
      caseTypes.map((type) => (version: number) => changeOf(type, n, person, version)),
    );
    const puts: Put[] = [];
    await each(randomOf(options.seed, 'stale').shuffled(histories), recordsAtOnce, async (history) => {
      for (let round = 0; round < rounds; round += 1) puts.push(...(await race(gateway, history, round)));
    });
    await untilRest(cluster);
    const newest = histories.map((history) => sameTime(history, newestOf(rounds - 1)));
    const [server] = servers;
    if (server === undefined) throw new Error('there is no server');
    const left = puts.filter(({ outcome }) => outcome === 'stale');
    const listed = await gateway.all('/api/records/stale?source=county');
    const control = await undisturbed(setting, { ...load, changes: newest });
    const hashes = { records: await recordsHash(gateway, newest), resources: await resourcesHash(server) };
    return {
      n: { 'puts of older versions': puts.filter(({ kind }) => kind === 'older').length, records: histories.length },
      kills: {},
      findings: {
        'wrong answers': puts.flatMap(wrongAnswer),
        'out of order': outOfOrder(puts),
        'stale and sent': await sentAnyway(server, left),
        'not listed': listed.length === left.length ? [] : [`${left.length} are stale, ${listed.length} are listed`],
        'another hash': [
          ...(hashes.records === hashOf(newest.map(({ record }) => record)) ? [] : ['of the records']),
          ...(hashes.resources === control ? [] : [`of the resources: ${hashes.resources}, undisturbed ${control}`]),
        ],
      },
      figures: Object.fromEntries(
        [...Map.groupBy(puts, ({ kind, outcome }) => `${kind}: ${outcome}`)].map(([name, all]) => [name, all.length]),
      ),
    };
  };
  return experiment(options, setting, act, load);
}

type History = (version: number) => Change;

const newestOf = (round: number) => firstVersion + 3 * (round + 1);

/** The version with the time of the one before. */
function sameTime(history: History, version: number): Change {
  const change = history(version);
  return { ...change, record: { ...change.record, ...timeOf(history(version - 1)) } };
}

function timeOf({ record }: Change): JsonObject {
  return { updatedAt: record.updatedAt ?? null };
}

/** Two newer versions of the same time, one after the other; at once with them one that they overtake, and older ones. */
async function race(gateway: GatewayClient, history: History, round: number): Promise<Put[]> {
  const newest = newestOf(round);
  const put = async (kind: Put['kind'], change: Change): Promise<Put> => {
    const path = `/api/records/${change.type}/${change.id}`;
    const { outcome, version } = await gateway.ask('PUT', path, { as: 'county', body: change.record });
    return { kind, change, outcome, holds: Number(version) };
  };
  const newer = async () => [
    await put('newer', history(newest - 1)),
    await put('same time', sameTime(history, newest)),
  ];
  const olds = Array.from({ length: olderAtOnce }, (_, at) => history(1 + round * olderAtOnce + at));
  const all = await Promise.all([
    newer(),
    put('overtaken', history(newest - 2)),
    ...olds.map((change) => put('older', change)),
  ]);
  return all.flat();
}

function wrongAnswer({ kind, change, outcome }: Put): string[] {
  const allowed = {
    older: ['stale'],
    overtaken: ['accepted', 'stale'],
    newer: ['accepted'],
    'same time': ['accepted'],
  };
  return allowed[kind].includes(String(outcome)) ? [] : [`${kind} ${change.id} v${change.version}: ${outcome}`];
}

/** Accepted versions whose numbers do not rise with their times, or those of one time with their arrival. */
function outOfOrder(puts: readonly Put[]): string[] {
  const accepted = puts.filter(({ outcome }) => outcome === 'accepted');
  return [...Map.groupBy(accepted, ({ change }) => change.id).values()].flatMap((all) => {
    const sorted = all.toSorted((one, other) => one.change.version - other.change.version);
    return sorted
      .filter(({ holds }, at) => holds <= (sorted[at - 1]?.holds ?? 0))
      .map(({ change, holds }) => `${change.id} v${change.version} became version ${holds}`);
  });
}

/** Requests of ours with content that was stale: it has never been the newest. */
async function sentAnyway(server: Simulated, left: readonly Put[]): Promise<string[]> {
  const marks = new Set(left.map(({ change }) => `${change.id}.v${change.version}`));
  return oursOf(await server.journal()).flatMap(({ n, body }) =>
    allMarksIn(JSON.stringify(body ?? null))
      .filter((mark) => marks.has(mark))
      .map((mark) => `request ${n} says ${mark}`),
  );
}

async function recordsHash(gateway: GatewayClient, changes: readonly Change[]): Promise<string> {
  const records = new Map<string, Json>();
  await each(changes, recordsAtOnce, async ({ type, id }) => {
    records.set(id, (await gateway.ask('GET', `/api/records/${type}/${id}?source=county`)).record ?? null);
  });
  return hashOf(changes.map(({ id }) => records.get(id) ?? null));
}

/** Of what the server has when these changes are sent, each once and nothing else. */
async function undisturbed(setting: Parameters<typeof experiment>[1], load: Workload): Promise<string> {
  const control = await startCluster({ ...setting, people: load.people });
  try {
    const source = new Source(control.gateway, randomOf(0, 'source'));
    await source.send([...load.directory, ...load.changes], 0);
    await untilRest(control);
    const [server] = control.servers;
    return server === undefined ? '' : await resourcesHash(server);
  } finally {
    await control.stop(false);
  }
}

/** Of everything that is there but what tells of single requests; ids, which the server chooses, stand as our identifiers. */
async function resourcesHash(server: Simulated): Promise<string> {
  const { Provenance: _, ...kept } = await server.store();
  const all = Object.values(kept).flat();
  const names = new Map(all.map((one) => [`${one.resourceType}/${one.id}`, ownValue(one) ?? 'without identifier']));
  const named = all.map(({ id: _id, meta: _meta, ...rest }) =>
    JSON.stringify(sorted(rest)).replaceAll(/"([A-Z]\w+\/[\w.-]+)"/g, (whole, path) => names.get(path) ?? whole),
  );
  return hashOf(named.toSorted());
}

function hashOf(values: readonly Json[]): string {
  return createHash('sha256')
    .update(JSON.stringify(values.map(sorted)))
    .digest('hex')
    .slice(0, 16);
}

/** With its properties in order. */
function sorted(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value ?? null;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key])]),
  );
}
