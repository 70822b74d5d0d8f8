// `npm run experiment:page`: from the partner's click on the page to the Task at the hospital, over real HTTP on this machine. The hospital is the
// simulated `standard` server with a copy of the Task (`task: copy`); the source takes each change over as soon as it sees it in the feed. Gateway,
// source and hospital share one process, which is slower than they are in their own. Prints p50, p95 and the slowest, in milliseconds.

import { setTimeout as sleep } from 'node:timers/promises';
import { toolOptions } from '../scripts/tool-options.ts';
import { isObject, type Json, type JsonObject } from '../src/json.ts';
import { aCase, aClient, aConsent, anOrganization, aReferral, aService, aWorker } from '../test/builders.ts';
import type { Item } from '../test/support/caseload.ts';
import { type PageSite, startPageSite } from '../test/support/page-site.ts';
import { aConnection, accept, idle, startServer, type TestServer } from '../test/support/rig.ts';
import { Visitor } from '../test/support/visitor.ts';

const { values } = toolOptions('experiment:page', { clicks: { type: 'string', default: '50' } });
const clicks = Number(values.clicks);

const server = await startServer();
const site = await startPageSite({
  connections: [aConnection(server.base, { task: 'copy' })],
  records: directory(),
});
const source = startSource(site);
try {
  for (let n = 0; n < clicks; n += 1) await accept(site.gateway, ...people(n));
  await idle(site.gateway, 300_000);
  const taken: number[] = [];
  for (let n = 0; n < clicks; n += 1) taken.push(await click(site, server, n));
  taken.sort((one, other) => one - other);
  const at = (share: number) => Math.round(taken[Math.ceil(taken.length * share) - 1] ?? Number.NaN);
  console.log(`${clicks} clicks: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, slowest ${at(1)} ms`);
  if (at(0.95) >= 2_000) process.exitCode = 1;
} finally {
  await source.stop();
  await site.stop();
  await server.stop();
}

function directory(): Item[] {
  const agency = anOrganization({ id: 'org-riverside', name: 'Riverside Family Services', kind: 'case-management' });
  return [
    ['organization', agency],
    ['organization', anOrganization()],
    ['worker', aWorker()],
    ['service', aService()],
  ];
}

/** One client with a case, a consent and a referral. */
function people(n: number): Item[] {
  const [clientId, caseId] = [`client-${n}`, `case-${n}`];
  const mrn = { kind: 'mrn', value: `MRN-${n}`, system: 'urn:oid:1.2.3' } as const;
  return [
    [
      'client',
      aClient({
        id: clientId,
        identifiers: [mrn],
        names: [{ use: 'legal', given: ['Rosa'], family: `Delgado${n}` }],
      }),
    ],
    ['case', aCase({ id: caseId, clientId, caseNumber: `2026-${n}` })],
    ['consent', aConsent({ id: `consent-${n}`, clientId })],
    ['referral', aReferral({ id: `referral-${n}`, clientId, caseId, needIds: [], goalIds: [] })],
  ];
}

/** Milliseconds until the hospital answers with what was clicked. */
async function click(on: PageSite, hospital: TestServer, n: number): Promise<number> {
  const link = await on.linkTo(`referral-${n}`);
  const visitor = new Visitor();
  await visitor.isIn(on, link);
  const { id } = await hospital.own('Task', `county/referral/referral-${n}#fulfilment`);
  const start = performance.now();
  const seen = await visitor.send(link, 'accept');
  if (seen.status !== 200) throw new Error(`the page answered ${seen.status}`);
  for (;;) {
    const { body: task } = await hospital.fhir('GET', `Task/${String(id)}`);
    if (task.status === 'accepted') return performance.now() - start;
    if (performance.now() - start > 60_000)
      throw new Error(`the hospital's Task is ${String(task.status)} after a minute`);
    await sleep(10);
  }
}

/** A case-management system that takes over whatever it is offered, by the API as any other would. */
function startSource({ url, gateway }: PageSite): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const headers = { authorization: 'Bearer county-token', 'content-type': 'application/json' };
  const run = async (): Promise<void> => {
    let after = '';
    while (!stopping.signal.aborted) {
      const feed: unknown = await (
        await fetch(`${url}/api/changes?${after === '' ? '' : `after=${after}`}`, { headers })
      ).json();
      const { items, next } = feedOf(feed);
      for (const { type, id, patch } of items) {
        const stored: unknown = await (await fetch(`${url}/api/records/${type}/${id}`, { headers })).json();
        if (!isJson(stored) || !isObject(stored.record) || !isObject(patch)) continue;
        const updatedAt = new Date(Date.parse(String(stored.record.updatedAt)) + 60_000).toISOString();
        const record = { ...merged(stored.record, patch), updatedAt };
        const answer = await fetch(`${url}/api/records/${type}/${id}`, {
          method: 'PUT',
          headers,
          body: JSON.stringify(record),
        });
        if (answer.status !== 202)
          throw new Error(`the source's record was answered ${answer.status} ${await answer.text()}`);
      }
      after = next;
      if (items.length === 0) await sleep(50);
    }
  };
  const running = run();
  // Nothing is waited for that a failed source cannot bring.
  running.catch(() => void gateway.stop());
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

interface Offered {
  readonly type: string;
  readonly id: string;
  readonly patch: Json | undefined;
}

function feedOf(feed: unknown): { readonly items: readonly Offered[]; readonly next: string } {
  if (!isJson(feed) || !Array.isArray(feed.items)) throw new Error('the feed is none');
  const items = feed.items
    .filter(isObject)
    .map(({ type, id, patch }) => ({ type: String(type), id: String(id), patch }));
  return { items, next: String(feed.next) };
}

function isJson(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 7396, of the top level: a list is given whole. */
function merged(record: JsonObject, patch: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries({ ...record, ...patch }).filter(([, value]) => value !== null));
}
