// Sends what waits in the outbox: a link of its own with each try, by e-mail where the partner has an address, else as a text message.

import type { Logger } from 'pino';
import type { PageContact, PartnerConfig } from '../config.ts';
import { factsOf } from '../fault.ts';
import { isTaskStatus, isTerminal } from '../referrals/referrals.ts';
import { type FactsDeps, readFacts } from './facts.ts';
import { dropLink, keepLink } from './links.ts';
import type { Address, Messenger } from './messenger.ts';
import {
  claimMessages,
  contactsTold,
  type DueMessage,
  givenUp,
  goneReferral,
  markFailed,
  markNeedless,
  markSent,
  newReferral,
} from './outbox.ts';
import type { RandomBytes, Seal } from './seal.ts';
import { newToken, tokenText } from './token.ts';
import { delivered, undeliverable } from './undeliverable.ts';
import { words } from './words.ts';

export interface DeliverDeps extends FactsDeps {
  readonly partners: ReadonlyMap<string, PartnerConfig>;
  readonly messenger: Messenger;
  readonly seal: () => Promise<Seal>;
  readonly randomBytes: RandomBytes;
  readonly random: () => number;
  /** Where the pages are, for others: `https://…/p`. */
  readonly address: string;
  readonly log: Pick<Logger, 'warn' | 'error'>;
}

const atOnce = 4;

/** @returns how many were tried */
export async function deliverDue(deps: DeliverDeps): Promise<number> {
  const due = await claimMessages(deps.store, atOnce);
  await Promise.all(
    due.map((message) => deliver(deps, message).catch((error: unknown) => failed(deps, message, error))),
  );
  return due.length;
}

/** It is tried again when its lease is over. */
function failed({ log }: DeliverDeps, { id, partner }: DueMessage, error: unknown): void {
  log.error({ message: id, partner, ...factsOf(error) }, 'a message to a partner could not be sent');
}

async function deliver(deps: DeliverDeps, message: DueMessage): Promise<void> {
  const { store, messenger, randomBytes } = deps;
  const { partner, taskId } = message;
  const to = await recipientOf(deps, message);
  if (to === undefined) return markNeedless(store, message);
  const { config, page, contact } = to;
  const token = newToken(randomBytes);
  await keepLink(store, token, { partner, taskId, contact: message.contact, message: message.id, days: page.linkDays });
  const link = `${deps.address}/${tokenText(token, await deps.seal())}`;
  const { mail } = words[page.language];
  const text = message.event === newReferral ? mail.newReferral(link, page.linkDays) : mail.news(link, page.linkDays);
  const why = await messenger.send(linkAddress(contact), { id: `link-${message.id}-${message.attempts}`, ...text });
  if (why === undefined) return markSent(store, message, (trx) => delivered(trx, config, message));
  if (!why.maybe) await dropLink(store, token.id);
  const isGivenUp = await markFailed(store, message, why, deps.random(), (trx) => undeliverable(trx, config, message));
  if (isGivenUp) deps.log.warn({ message: message.id, partner, code: why.reason.code }, 'a partner could not be told');
}

/** What was given up ends with its alert where it would not be sent any more: its partner is told of nothing now, or it is over. */
export async function endNeedless(deps: DeliverDeps): Promise<void> {
  for (const message of await givenUp(deps.store))
    if ((await recipientOf(deps, message)) === undefined) await markNeedless(deps.store, message);
}

/** Undefined: there is nobody to tell, or nothing to tell any more. */
async function recipientOf(deps: DeliverDeps, message: Omit<DueMessage, 'attempts'>) {
  const config = deps.partners.get(message.partner);
  const page = config?.page;
  const contact = page?.contacts.get(message.contact);
  if (config === undefined || page === undefined || contact === undefined) return undefined;
  return (await isNeedless(deps, config, message)) ? undefined : { config, page, contact };
}

/**
 * The partner may not see it any more, or there is nothing left to answer. That they may not see it is told to whoever knows of it, as long as it is
 * so.
 */
async function isNeedless(
  deps: DeliverDeps,
  partner: PartnerConfig,
  { taskId, event, contact }: Pick<DueMessage, 'taskId' | 'event' | 'contact'>,
): Promise<boolean> {
  const facts = await readFacts(deps, partner, taskId);
  if (event.startsWith(`${goneReferral}:`))
    return facts !== undefined || !(await contactsTold(deps.store.db, partner.id, taskId, ['sent'])).has(contact);
  if (facts === undefined) return true;
  const { status } = facts.parts.task;
  return event === newReferral && isTaskStatus(status) && isTerminal(status);
}

function linkAddress({ email, sms }: PageContact): Address {
  return email === undefined ? { kind: 'sms', to: sms ?? '' } : { kind: 'email', to: email };
}

/** Where there are two ways, the code takes the other one. */
export function codeAddress({ email, sms }: PageContact): Address {
  return sms === undefined ? { kind: 'email', to: email ?? '' } : { kind: 'sms', to: sms };
}
