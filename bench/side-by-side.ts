// Beside Casebridge, the same cases by a script as a user would write it and by an OpenFn job with its FHIR adaptor: how fast without
// faults, and what each loses and doubles where one request in twenty is cut before the server has done it and one in twenty after. What came is
// counted in the server's own store, by the identifier that each sender gives to its resources.

import { isObject, type JsonObject } from '../src/json.ts';
import { cases, directory, resourcesOfCase } from './caseload.ts';
import { type Figures, rounded } from './figures.ts';
import { oneServer } from './gateway.ts';
import { installOpenFn } from './peers/openfn-packages.ts';
import { type PeerName, runPeer } from './peers/run-peer.ts';
import type { Server } from './server.ts';
import { openStage, type Stage, type StoreKind } from './stage.ts';

export interface PeersOptions {
  readonly kind: StoreKind;
  readonly cases: number;
  readonly concurrency: number;
  readonly runs: number;
}

interface Contender {
  readonly name: string;
  /** @returns seconds, from the first record given to the last resource made or given up */
  send(withFaults: () => Promise<void>): Promise<number>;
  readonly system: string;
}

export async function measurePeers(options: PeersOptions): Promise<readonly Figures[]> {
  const openFn = await installOpenFn();
  try {
    const measured: Figures[] = [];
    for (let run = 1; run <= options.runs; run += 1) {
      process.stderr.write(`run ${run} of ${options.runs}\n`);
      const figures = await oneRun(options, openFn.folder, run);
      process.stderr.write(`${JSON.stringify(figures)}\n`);
      measured.push(figures);
    }
    return measured;
  } finally {
    await openFn.remove();
  }
}

async function oneRun(options: PeersOptions, openFnFolder: string, seed: number): Promise<Figures> {
  const stage = await openStage(options.kind);
  const { server } = stage;
  const expected = options.cases * resourcesOfCase;
  const peer = (name: PeerName, again: number) => peerContender(server, name, options, openFnFolder, again);
  const figures: Record<string, number> = {};
  try {
    const calm: [Contender, boolean][] = [
      [peer('script', 0), false],
      [peer('OpenFn', 0), false],
      [casebridge(stage, options), false],
      [casebridge(stage, options, ', with transactions'), true],
    ];
    for (const [contender, transactions] of calm) {
      await server.fresh({ transactions });
      const seconds = await contender.send(async () => {});
      const { lost, doubled } = tally(await server.resources(), contender.system, expected);
      if (lost + doubled > 0)
        throw new Error(`${contender.name} lost ${lost} and doubled ${doubled} without any fault`);
      figures[`no faults: ${contender.name}, resources/s`] = rounded(expected / seconds);
    }
    const [alone = Number.NaN] = Object.values(figures);
    for (const [name, rate] of Object.entries(figures))
      figures[name.replace('resources/s', 'of the rate of the script')] = rounded(rate / alone, 3);
    for (const contender of [
      peer('script', 0),
      peer('script', 5),
      peer('OpenFn', 0),
      peer('OpenFn', 5),
      casebridge(stage, options),
    ]) {
      await server.fresh({ transactions: false });
      const seconds = await contender.send(() => server.setFaults(dropped(seed)));
      const { lost, doubled } = tally(await server.resources(), contender.system, expected);
      figures[`10 % faults: ${contender.name}, lost of ${expected}`] = lost;
      figures[`10 % faults: ${contender.name}, doubled`] = doubled;
      figures[`10 % faults: ${contender.name}, seconds`] = rounded(seconds);
    }
    return figures;
  } finally {
    await stage.stop();
  }
}

function dropped(seed: number): JsonObject[] {
  return [
    { probability: 0.05, seed, fault: { drop: 'before-commit' } },
    { probability: 0.05, seed: seed + 1000, fault: { drop: 'after-commit' } },
  ];
}

function peerContender(
  server: Server,
  name: PeerName,
  { cases: count, concurrency }: PeersOptions,
  openFnFolder: string,
  again: number,
): Contender {
  const records = Array.from({ length: count }, (_, n) => cases(1, n));
  return {
    name: again === 0 ? name : `${name}, failed cases again`,
    system: 'https://riverside.example.org/by-hand',
    async send(withFaults) {
      const known = await makeDirectory(server);
      await withFaults();
      const work = { fhirUrl: server.fhirUrl, cases: records, directory: known, concurrency, again };
      const { seconds } = await runPeer(name, work, openFnFolder);
      return seconds;
    },
  };
}

/** What the peers' cases point at; not counted, without faults. */
async function makeDirectory(server: Server): Promise<Record<string, string>> {
  const made: Record<string, string> = {};
  const resources = {
    organization: { resourceType: 'Organization', name: 'Riverside Family Services' },
    pantry: { resourceType: 'Organization', name: 'Elm Street Pantry' },
    practitioner: { resourceType: 'Practitioner', name: [{ given: ['Ngozi'], family: 'Okafor' }] },
  };
  for (const [name, resource] of Object.entries(resources)) {
    const response = await fetch(`${server.fhirUrl}/${resource.resourceType}`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(resource),
    });
    if (!response.ok) throw new Error(`${resource.resourceType} was answered with ${response.status}`);
    const body: JsonObject = JSON.parse(await response.text());
    made[name] = `${resource.resourceType}/${body.id}`;
  }
  return made;
}

function casebridge(stage: Stage, { cases: count, concurrency }: PeersOptions, how = ''): Contender {
  return {
    name: `Casebridge${how}`,
    system: 'https://riverside.example.org/casebridge',
    async send(withFaults) {
      const gateway = await stage.gateway({
        lanes: true,
        connections: oneServer(stage.server.fhirUrl, concurrency),
      });
      try {
        await gateway.send(directory);
        await gateway.untilIdle();
        await withFaults();
        const sending = await gateway.send(cases(count));
        return sending + (await gateway.untilIdle());
      } finally {
        await gateway.stop();
      }
    },
  };
}

/** Of no case: a Provenance tells of resources and has no identifier (FHIR R4 provenance.html). */
const typesOfNoCase = new Set([
  'Provenance',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'HealthcareService',
  'Location',
]);

/** Resources of cases by their identifier in the system: how many of those expected are not there, and how many are there once more. */
function tally(
  resources: readonly JsonObject[],
  system: string,
  expected: number,
): { readonly lost: number; readonly doubled: number } {
  const ours = resources.filter(({ resourceType }) => !typesOfNoCase.has(String(resourceType)));
  const names = new Set(ours.map((resource) => `${resource.resourceType}|${identifierIn(resource, system)}`));
  return { lost: expected - names.size, doubled: ours.length - names.size };
}

function identifierIn({ identifier, id }: JsonObject, system: string): string {
  const all = Array.isArray(identifier) ? identifier.filter(isObject) : [];
  const own = all.find((one) => one.system === system);
  if (own === undefined) throw new Error(`the resource ${id} has no identifier of ${system}`);
  return String(own.value);
}
