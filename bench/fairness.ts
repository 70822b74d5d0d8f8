// What the others pay for one case that the server always refuses and for one connection that hangs (G5): the same edits, at a steady rate that
// the gateway can keep, without and with the two, in turn. Time counts from the record's request to the moment at which the server took the
// resource. The clean runs have no second connection at all, so that all that it costs shows.

import { once } from 'node:events';
import { createServer, type Socket, type Server as TcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type Json } from '../src/json.ts';
import { cases, directory, edits } from './caseload.ts';
import { type Figures, rounded } from './figures.ts';
import { type BenchGateway, oneServer } from './gateway.ts';
import type { Entry, Server } from './server.ts';
import { openStage, type Stage, type StoreKind } from './stage.ts';

export interface FairnessOptions {
  readonly kind: StoreKind;
  readonly cases: number;
  readonly concurrency: number;
  readonly runs: number;
  readonly editsPerSecond: number;
}

/** Each case but the refused one is edited so often. */
const editions = 3;
const connection = 'sandbox';

export async function measureFairness(options: FairnessOptions): Promise<readonly Figures[]> {
  const measured: Figures[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    process.stderr.write(`run ${run} of ${options.runs}\n`);
    const clean = await timesToServer(options, false);
    const troubled = await timesToServer(options, true);
    const figures = {
      'clean, p50 ms': quantile(clean, 0.5),
      'clean, p99 ms': quantile(clean, 0.99),
      'a refused case and a connection that hangs, p50 ms of the others': quantile(troubled, 0.5),
      'a refused case and a connection that hangs, p99 ms of the others': quantile(troubled, 0.99),
      'ratio of p99': rounded(quantile(troubled, 0.99) / quantile(clean, 0.99), 3),
    };
    process.stderr.write(`${JSON.stringify(figures)}\n`);
    measured.push(figures);
  }
  return measured;
}

async function timesToServer(options: FairnessOptions, troubled: boolean): Promise<number[]> {
  const stage = await openStage(options.kind);
  const silent = await startSilentServer();
  try {
    await stage.server.fresh({ transactions: true });
    const gateway = await stage.gateway({
      lanes: true,
      connections:
        oneServer(stage.server.fhirUrl, options.concurrency) +
        (troubled ? oneServer(`${silent.url}/r4`, options.concurrency, 'silent') : ''),
    });
    try {
      const times = await editSteadily(stage, gateway, options, troubled);
      if (troubled && silent.connections() === 0) throw new Error('the connection that hangs was never used');
      return times;
    } finally {
      await gateway.stop();
    }
  } finally {
    silent.stop();
    await stage.stop();
  }
}

/** @returns milliseconds of each edit of a case that is not refused, least first */
async function editSteadily(
  { server }: Stage,
  gateway: BenchGateway,
  { cases: count, editsPerSecond }: FairnessOptions,
  troubled: boolean,
): Promise<number[]> {
  await gateway.send([...directory, ...cases(count)]);
  await gateway.untilIdle(connection);
  if (troubled) await refuseFirstPlan(server);
  const sentAt: number[] = [];
  const sending: Promise<unknown>[] = [];
  for (let index = 0; index < editions * count; index += 1) {
    sentAt.push(Date.now());
    sending.push(gateway.send(edits(1, index + 1, index % count)));
    await sleep(1000 / editsPerSecond);
  }
  await Promise.all(sending);
  await gateway.untilIdle(connection);
  const puts = (await server.journal()).filter(({ method }) => method === 'PUT');
  if (troubled && !puts.some(({ status }) => status === 422)) throw new Error('no write was refused');
  return timesOf(sentAt, arrivals(puts), count);
}

/** When each edition came, by its number; one that a newer one of its case had overtaken never does. */
function arrivals(puts: readonly Entry[]): Map<number, number> {
  const taken = puts.filter(({ committed }) => committed);
  return new Map(taken.map(({ at, body }) => [editionIn(JSON.parse(body)), Date.parse(at)]));
}

/** An overtaken edit is there when the newer one is. The plan of the first case is the refused one, and not counted. */
function timesOf(sentAt: readonly number[], came: ReadonlyMap<number, number>, count: number): number[] {
  const times = sentAt.flatMap((sent, index) => {
    if (index % count === 0) return [];
    for (let edition = index + 1; edition <= sentAt.length; edition += count) {
      const at = came.get(edition);
      if (at !== undefined) return [at - sent];
    }
    throw new Error(`edition ${index + 1} never came`);
  });
  return times.sort((one, other) => one - other);
}

async function refuseFirstPlan(server: Server): Promise<void> {
  const plans = await server.all('CarePlan');
  const [first] = plans.filter((plan) => JSON.stringify(plan.identifier).includes('plan-0-0'));
  const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] };
  await server.setFaults([{ method: 'PUT', path: `CarePlan/${first?.id}$`, fault: { status: 422, body } }]);
}

function editionIn(body: Json): number {
  return isObject(body) ? Number(String(body.title).split(' ')[1]) : Number.NaN;
}

/** @param sorted least first */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

interface SilentServer {
  readonly url: string;
  connections(): number;
  stop(): void;
}

/** Takes connections and requests, and never says a word. */
async function startSilentServer(): Promise<SilentServer> {
  const sockets: Socket[] = [];
  const server: TcpServer = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    socket.resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    connections: () => sockets.length,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
