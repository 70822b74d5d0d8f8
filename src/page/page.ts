// Front door of page/: the partner page. A partner that has no FHIR client is told of each referral by a link without anything personal in it, and
// answers on a page that the link and a one-time code open (closed-loop B1 "direct light"; docs/partners.md).

import { randomBytes, randomInt } from 'node:crypto';
import type { Logger } from 'pino';
import { type Actor, keepAudit, rateLimit, sharedRate } from '../access/access.ts';
import type { Config } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { factsOf } from '../fault.ts';
import type { Home } from '../home/home.ts';
import { keptIdentity } from '../lanes/lanes.ts';
import type { Store } from '../store/store.ts';
import { type AnswerDeps, answerPage, type PageAnswer, type PageRequest, problemPage } from './answer.ts';
import { deliverDue, endNeedless } from './deliver.ts';
import { prunePartnerRows, revokeLink } from './links.ts';
import { type Messenger, openMessenger } from './messenger.ts';
import { noticeNews } from './news.ts';
import { type Asked, addEvents, freeMessages, retryMessage, withdrawMessage } from './outbox.ts';
import { type Seal, sealOf } from './seal.ts';

export type { PageAnswer, PageRequest } from './answer.ts';
export { endUntold } from './outbox.ts';

export interface PartnerPage {
  /** Never throws: what goes wrong is a page too. */
  answer(request: PageRequest): Promise<PageAnswer>;
  /** The page for a request that could not be read. */
  refuse(request: PageRequest, status: number): PageAnswer;
  /** Looks for news, makes the rows of their messages, and sends what waits. */
  tell(): Promise<void>;
  /** What is left of links long over, and what was told of them and of messages that are. */
  prune(): Promise<void>;
  /** Whoever is signed in by it is out. @throws CasebridgeError `partner-link-unknown` */
  revoke(link: string, by: string): Promise<void>;
  /**
   * Sends the partner a new link to this referral: to the one contact, or to each.
   * @throws CasebridgeError `partner-unknown`, `partner-contact-unknown`, `resource-not-theirs`
   */
  sendLink(partner: string, taskId: string, by: Actor, contact?: string): Promise<void>;
  /** Sends a message that waits or was given up again now. @throws CasebridgeError `partner-message-unknown`, `partner-message-over` */
  retryMessage(asked: Asked): Promise<void>;
  /** Nobody is told of it any more. @throws CasebridgeError `partner-message-unknown`, `partner-message-over` */
  withdrawMessage(asked: Asked): Promise<void>;
  close(): void;
}

export interface PageDeps {
  readonly store: Store;
  readonly home: Home;
  readonly config: Pick<Config, 'partners' | 'identifierSystem' | 'sources' | 'server' | 'mail' | 'sms'>;
  readonly log: Pick<Logger, 'warn' | 'error'>;
  /** @default by e-mail and text message as configured */
  readonly messenger?: Messenger;
}

const messageTimeoutMs = 15_000;
const minute = 60_000;
const newsMinutes = 5;
/** Requests of one address or with one link; codes that one address asks for or gives. */
const perMinute = { address: 240, link: 120, codes: 30 };

/** Undefined: no partner has a page. */
export async function openPartnerPage(deps: PageDeps): Promise<PartnerPage | undefined> {
  const { store, config, home, log } = deps;
  const { publicUrl } = config.server;
  const partners = [...config.partners.values()].filter(({ page }) => page !== undefined);
  if (partners.length === 0 || publicUrl === undefined) return undefined;
  const clock = Date.now;
  const messenger =
    deps.messenger ?? openMessenger({ mail: config.mail, sms: config.sms, clock, timeoutMs: messageTimeoutMs });
  let seal: Promise<Seal> | undefined;
  const keptSeal = async (): Promise<Seal> =>
    sealOf(await keptIdentity(store, 'partner-page', randomBytes(32).toString('base64url')));
  const parts: AnswerDeps = {
    store,
    home,
    config,
    partners: config.partners,
    messenger,
    seal: () => {
      seal ??= keptSeal().catch((error: unknown) => {
        seal = undefined;
        throw error;
      });
      return seal;
    },
    randomBytes,
    random: Math.random,
    address: `${publicUrl}/p`,
    base: `${new URL(publicUrl).pathname.replace(/\/$/, '')}/p`,
    isSecure: publicUrl.startsWith('https:'),
    newCode: () => String(randomInt(1_000_000)).padStart(6, '0'),
    clock,
    limits: {
      address: rateLimit(perMinute.address, clock),
      link: rateLimit(perMinute.link, clock),
      codes: sharedRate(store, 'page-code', perMinute.codes),
    },
    log,
  };
  await freeMessages(store);
  let lookedAtAll: number | undefined;
  return {
    async answer(request) {
      try {
        return await answerPage(parts, request);
      } catch (error) {
        log.error({ requestId: request.requestId, ...factsOf(error) }, 'the partner page failed');
        return problemPage(parts, request, 500);
      }
    },
    refuse: (request, status) => problemPage(parts, request, status),
    async tell() {
      // What has changed lately at each look, and everything now and then: a record may change what no resource shows.
      const isDue = lookedAtAll === undefined || clock() - lookedAtAll >= minute;
      await noticeNews(parts, partners, isDue ? undefined : newsMinutes, (error) =>
        log.error(factsOf(error), 'a referral could not be looked at for its partner'),
      );
      if (isDue) lookedAtAll = clock();
      await deliverDue(parts);
    },
    async prune() {
      await prunePartnerRows(store);
      await endNeedless(parts);
    },
    revoke: (link, by) => revokeLink(store, link, by),
    retryMessage: (asked) => retryMessage(store, asked),
    withdrawMessage: (asked) => withdrawMessage(store, asked),
    async sendLink(partner, taskId, by, contact) {
      const known = partners.find(({ id }) => id === partner)?.page?.contacts;
      if (known === undefined) throw new CasebridgeError('partner-unknown', { partner });
      if (contact !== undefined && !known.has(contact))
        throw new CasebridgeError('partner-contact-unknown', { partner });
      if ((await home.referral(partner, taskId)) === undefined)
        throw new CasebridgeError('resource-not-theirs', { resourceType: 'Task' });
      const event = `asked:${randomBytes(9).toString('base64url')}`;
      await store.tx(async (trx) => {
        await addEvents(
          trx,
          { partner, taskId, contacts: contact === undefined ? known.keys() : [contact] },
          [event],
          true,
        );
        const of = { partner, by, action: 'link-send', outcome: 'done' };
        await keepAudit(trx, { ...of, resourceType: 'Task', ids: [taskId] });
      });
    },
    close: () => messenger.close(),
  };
}
