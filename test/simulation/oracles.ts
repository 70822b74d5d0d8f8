// What must be true when everything has healed and come to rest.

import { contentHash } from '../../src/fhir/fhir.ts';
import type { JsonObject } from '../../src/json.ts';
import type { Store } from '../../src/store/store.ts';
import { provenanceFaults } from '../support/provenance.ts';
import { strangersWords } from './charts.ts';
import { lostEdits, unreadWrites, versionsFall } from './edits-kept.ts';
import { type Evidence, isRead, resourcesOf, toldToPeople } from './evidence.ts';
import { existence } from './existence.ts';
import { filedDocuments } from './filed-documents.ts';
import { toldTwice } from './tellings.ts';
import { undeclared } from './undeclared.ts';
import { sentByOldMapping, sentWhilePaused, sentWithoutConsent } from './void-plans.ts';

export interface Judgement {
  readonly violations: readonly string[];
  readonly lostInWindow: number;
}

/** After the first drain. */
export async function judge(store: Store, connections: readonly Evidence[]): Promise<Judgement> {
  const judged = await Promise.all(connections.map(judgeConnection));
  const [first] = connections;
  return {
    violations: [
      ...judged.flatMap(({ violations }) => violations),
      ...(await echoes(store)),
      ...(await leftOpen(store)),
      ...(first === undefined ? [] : await broken(first)),
    ],
    lostInWindow: judged.reduce((sum, one) => sum + one.lostInWindow, 0),
  };
}

async function judgeConnection(evidence: Evidence): Promise<Judgement> {
  const { store, site } = evidence;
  const said = await toldToPeople(store, site.id);
  const lost = lostEdits(evidence, said);
  return {
    violations: [
      ...(site.vendor === 'standard' ? await existence(evidence, said) : filedDocuments(evidence, said)),
      ...(site.vendor === 'standard' ? versionsFall(evidence) : []),
      ...lost.violations,
      ...unreadWrites(evidence),
      ...sentWhilePaused(evidence),
      ...sentWithoutConsent(evidence),
      ...sentByOldMapping(evidence),
      ...(await undeclared(evidence)),
      ...wronglyTold(evidence),
      ...strangersWords(evidence),
      ...(await toldTwice(evidence)),
    ],
    lostInWindow: lost.inWindow,
  };
}

/** (l) What a transaction wrote is told by one Provenance each, and nothing else is told. */
function wronglyTold({ server, site, swarm }: Evidence): string[] {
  const isOffered =
    site.vendor === 'standard' && swarm.transactions && swarm.conditionalCreate !== 'none' && swarm.provenance;
  const ours = server.journal
    .list(0, Number.POSITIVE_INFINITY)
    .filter(({ requestHeaders }) => requestHeaders.from !== 'partner')
    .map(({ n, requestHeaders, requestBody, writes }) => ({
      n,
      sendId: requestHeaders['x-request-id'] ?? '',
      body: requestBody,
      writes,
    }));
  const held = resourcesOf(server).filter(({ resourceType }) => resourceType === 'Provenance');
  return provenanceFaults(ours, held, isOffered).map((fault) => `(l) ${site.id}: ${fault}`);
}

/** After a second run that read every linked resource again, without which it could not fail (G7; lanes.md 27). @param before journal entries until then */
export async function judgeSecondRun({ store, server, site }: Evidence, before: number): Promise<string[]> {
  const entries = server.journal.list(before, Number.POSITIVE_INFINITY);
  const writes = entries.filter(({ writes: made }) => made.length > 0);
  const reads = new Set(entries.filter(isRead).map(({ url }) => url.slice(site.fhirPath.length + 1)));
  const links = await store.db
    .selectFrom('link')
    .select(['resource_type', 'remote_id'])
    .where('connection', '=', site.id)
    .where('retired_at', 'is', null)
    .where('remote_id', 'is not', null)
    .execute();
  const unread = links.filter(({ resource_type, remote_id }) => !reads.has(`${resource_type}/${remote_id}`));
  return [
    ...writes.map(({ method, url }) => `(e) The second run wrote: ${method} ${url}`),
    ...unread.map(({ resource_type, remote_id }) => `(e) The second run did not read ${resource_type}/${remote_id}`),
    ...(await leftOpen(store)),
  ];
}

/** (f) */
async function leftOpen({ db }: Store): Promise<string[]> {
  const operations = await db
    .selectFrom('operation')
    .select(['id', 'type', 'record_id', 'slot'])
    .where('outcome', 'is', null)
    .execute();
  const lanes = await db
    .selectFrom('lane')
    .select(['subject', 'parked', 'lease_holder'])
    .where(({ eb, or }) => or([eb('lease_until', 'is not', null), eb('parked', 'is not', null)]))
    .execute();
  const paused = await db.selectFrom('connection').select('paused').where('paused', 'is not', null).execute();
  return [
    ...operations.map(({ type, record_id, slot }) => `(f) An operation on ${type}/${record_id}#${slot} has no outcome`),
    ...lanes.map(({ subject, parked, lease_holder: holder }) =>
      parked === null
        ? `(f) The lane ${subject} is leased by ${holder}`
        : `(f) The lane ${subject} is parked: ${parked.text}`,
    ),
    ...paused.map(() => '(f) The connection is paused'),
  ];
}

/** (g) What came late and says no more than a version that is there is answered `unchanged`, and not stored again. */
async function broken({ store, promised }: Evidence): Promise<string[]> {
  const rows = await store.db.selectFrom('record_version').select(['type', 'id', 'updated_at', 'content']).execute();
  const stored = new Set(
    rows.flatMap(({ type, id, updated_at, content }) => [
      `${type}/${id} ${updated_at.getTime()}`,
      `${type} ${contentHash(asSaid(content))}`,
    ]),
  );
  return promised
    .filter(
      ({ type, record }) =>
        !stored.has(`${type}/${record.id} ${Date.parse(record.updatedAt)}`) &&
        !stored.has(`${type} ${contentHash(asSaid(record))}`),
    )
    .map(({ type, record, version }) => `(g) ${type}/${record.id} v${version} was accepted and is not there`);
}

/** Without the time at which it was said. */
function asSaid(record: object): JsonObject {
  return JSON.parse(JSON.stringify({ ...record, updatedAt: '' }));
}

/** (j) Nothing that only we wrote is offered to the source as a change of the other side. The partner's name is ours too. */
async function echoes({ db }: Store): Promise<string[]> {
  const changes = await db.selectFrom('change').select(['cursor', 'type', 'id', 'body']).execute();
  return changes
    .map((change) => ({
      ...change,
      text: JSON.stringify(change.body, (name, value) => (name === 'byName' ? '' : value)),
    }))
    .filter(({ text }) => /\(v\d+\)/.test(text))
    .map(
      ({ cursor, type, id, text }) => `(j) Change ${cursor} offers our own words on ${type}/${id} as theirs: ${text}`,
    );
}
