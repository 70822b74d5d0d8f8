// One fault, one alert (G13): a server knows another key of ours, and many lanes are due. After a minute it learns the right one.

import { setTimeout as sleep } from 'node:timers/promises';
import { generateKey, publicKeySet } from '../../../src/connections/connections.ts';
import { onDatabase } from '../../support/backends.ts';
import type { Simulated } from '../simulated.ts';
import { organizations } from '../workload.ts';
import { type ExperimentOptions, experiment, type Result } from './experiment.ts';

const minuteMs = 60_000;

export async function alert(options: ExperimentOptions): Promise<Result> {
  const [ours, another] = await Promise.all([generateKey(), generateKey()]);
  const register = async (server: Simulated, key: typeof ours) => {
    const jwks = await publicKeySet([key]);
    await server.control('POST', 'clients', [{ clientId: 'gateway', jwks, scopes: ['system/*.crus'] }]);
  };
  const setting = {
    vendors: ['standard'],
    workers: 3,
    serves: 1,
    lease: '60s',
    settle: '0s',
    settings: { standard: { auth: 'token' } },
    auth: '{ type: smart-backend, clientId: gateway, key: env:CLIENT_KEY, scopes: [system/*.crus] }',
    env: { CLIENT_KEY: JSON.stringify(ours) },
    prepare: (server: Simulated) => register(server, another),
  } as const;
  const act: Parameters<typeof experiment>[2] = async ({ cluster, source, changes }) => {
    const [server] = cluster.servers;
    if (server === undefined || cluster.database === undefined) throw new Error('a part is missing');
    const { url } = cluster.database;
    await source.send(changes, 0);
    const tries = async () => (await server.journal()).filter(({ path }) => path.endsWith('/token'));
    while ((await tries()).length === 0) await sleep(100);
    const due = await cluster.gateway.due();
    await sleep(minuteMs);
    const [first, ...later] = await tries();
    const within = later.filter(({ at }) => Date.parse(at) < Date.parse(first?.at ?? '') + minuteMs).length + 1;
    const before = await alerts(url);
    await register(server, ours);
    await cluster.gateway.ask('POST', '/api/connections/standard/resume');
    await cluster.gateway.drained(600_000);
    const after = await alerts(url);
    return {
      n: { 'lanes due': due },
      kills: {},
      findings: {
        'fault not met': due === 0 ? ['no lane was due'] : [],
        'token tries': within > 1 ? [`${within} tries to get a token in the first minute`] : [],
        alerts: [
          ...(before.opened === 1 && before.open === 1
            ? []
            : [`with the fault ${before.opened} alerts were opened, ${before.open} are open`]),
          ...(after.opened === 1 && after.open === 0
            ? []
            : [`afterwards ${after.opened} alerts were opened, ${after.open} are open`]),
        ],
      },
      figures: { 'token tries in the first minute': within, 'alerts opened': after.opened },
    };
  };
  return experiment(options, setting, act, organizations(options.changes));
}

async function alerts(url: string): Promise<{ opened: number; open: number }> {
  const { rows } = await onDatabase(url, (client) =>
    client.query<{ opened: number; open: number }>(
      `select count(*)::integer as opened, count(*) filter (where resolved_at is null)::integer as open
       from casebridge.alert where connection is not null`,
    ),
  );
  return rows[0] ?? { opened: 0, open: 0 };
}
