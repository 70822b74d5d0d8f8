// A referral whose partner could not be told: its source is offered the state `undeliverable`, and `sent` again once the partner has been told after
// all (closed-loop B7: not final).

import type { PartnerConfig } from '../config.ts';
import { type JsonObject, objectsAt, objectsIn } from '../json.ts';
import { offerPatch } from '../lanes/lanes.ts';
import { type Database, sql, type Transaction } from '../store/store.ts';

/** The try of a message that tells where the referral stands. */
interface Try {
  readonly id: number;
  readonly fence: number;
  readonly taskId: string;
}

export async function undeliverable(trx: Transaction<Database>, partner: PartnerConfig, message: Try): Promise<void> {
  const known = await referralOf(trx, partner.id, message.taskId);
  // Whoever has begun with it has been told in another way.
  if (known === undefined || known.status !== 'sent') return;
  await offer(trx, partner, known, message, 'undeliverable', 'The partner could not be told.');
}

/** Undoes that where the source was offered it, whether it has taken it over or not. */
export async function delivered(trx: Transaction<Database>, partner: PartnerConfig, message: Try): Promise<void> {
  const known = await referralOf(trx, partner.id, message.taskId);
  if (known?.status !== 'undeliverable' || !known.history.some(isOurs)) return;
  await offer(trx, partner, known, message, 'sent', 'The partner could be told.');
}

interface Known {
  readonly id: string;
  readonly subject: string;
  /** As the record says it, or as its source was offered it since. */
  readonly status: unknown;
  readonly history: readonly JsonObject[];
  readonly now: Date;
}

async function referralOf(trx: Transaction<Database>, partner: string, taskId: string): Promise<Known | undefined> {
  const row = await trx
    .selectFrom('link')
    .innerJoin('record', (join) =>
      join
        .onRef('record.source', '=', 'link.source')
        .onRef('record.type', '=', 'link.type')
        .onRef('record.id', '=', 'link.id'),
    )
    .select(['record.source', 'record.id', 'record.subject', 'record.content', sql<Date>`now()`.as('now')])
    .where('link.connection', '=', partner)
    .where('link.resource_type', '=', 'Task')
    .where('link.remote_id', '=', taskId)
    .where('link.retired_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const offered = await trx
    .selectFrom('remote_value')
    .select(['pointer', 'value'])
    .where('connection', '=', partner)
    .where('source', '=', row.source)
    .where('type', '=', 'referral')
    .where('id', '=', row.id)
    .where('pointer', 'in', ['/status', '/history'])
    .execute();
  const of = (pointer: string) => offered.find((one) => one.pointer === pointer)?.value;
  const steps = of('/history');
  return {
    id: row.id,
    subject: row.subject,
    // What the source has said since then goes before an offer that it has passed over.
    status: row.content.status === 'sent' ? (of('/status') ?? 'sent') : row.content.status,
    history: byId([...objectsAt(row.content, 'history'), ...objectsIn(steps)]),
    now: row.now,
  };
}

function byId(steps: readonly JsonObject[]): JsonObject[] {
  return [...new Map(steps.map((step) => [step.id, step])).values()];
}

async function offer(
  trx: Transaction<Database>,
  { id: connection, organization: { source } }: PartnerConfig,
  { id, subject, history, now }: Known,
  message: Try,
  status: 'sent' | 'undeliverable',
  reason: string,
): Promise<void> {
  const step = { id: stepId(status, message), status, at: now.toISOString(), reason };
  const patch = { status, history: [...history, step] };
  await offerPatch(trx, { connection, subject, source }, { type: 'referral', id, body: patch });
}

function stepId(status: 'sent' | 'undeliverable', { id, fence }: Try): string {
  return `${status}-message-${id}-${fence}`;
}

function isOurs({ id }: JsonObject): boolean {
  return typeof id === 'string' && id.startsWith('undeliverable-');
}
