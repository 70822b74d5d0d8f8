// A gateway with a partner whose page really works: its own HTTP server, a mail server that takes what it sends, and a referral to answer.

import express from 'express';
import pino from 'pino';
import type { Config, ConnectionConfig, PageConfig, PageContact } from '../../src/config.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { buildApp, listen } from '../../src/http/http.ts';
import type { JsonObject } from '../../src/json.ts';
import type { RecordType } from '../../src/records/records.ts';
import type { Store } from '../../src/store/store.ts';
import { collected } from '../commands/program.ts';
import { freshEmbedded } from './embedded.ts';
import { type MailSink, startMailSink, type TakenMail } from './mail-sink.ts';
import { pantry, permittedCaseload, withPartners } from './partners.ts';
import { accept, eventually, idle } from './rig.ts';

export const pantryAddress = 'referrals@pantry.example.org';

export interface PageSite {
  readonly gateway: Gateway;
  readonly store: Store;
  readonly mail: MailSink;
  /** Without a slash at the end. */
  readonly url: string;
  /** Every line that was logged. */
  readonly log: string[];
  /** The link of the newest mail that carries one, once there are so many of them. */
  link(count?: number): Promise<string>;
  /** The link by which the partner was first told of this referral record. */
  linkTo(referral: string): Promise<string>;
  /** The newest code that was sent, once there are so many of them. */
  code(count?: number): Promise<string>;
  links(): TakenMail[];
  codes(): TakenMail[];
  stop(): Promise<void>;
}

export interface PageSiteOptions {
  /** Of the contact without a name, or of the page. */
  readonly page?: PageContact & Partial<PageConfig>;
  readonly connections?: readonly ConnectionConfig[];
  readonly records?: readonly (readonly [RecordType, JsonObject])[];
  readonly config?: Partial<Config>;
  readonly store?: Store;
}

export async function startPageSite(options: PageSiteOptions = {}): Promise<PageSite> {
  const mail = await startMailSink();
  // The address is known before the gateway is, which puts it into its links.
  const front = express();
  front.disable('x-powered-by');
  const server = await listen(front, { port: 0, host: '127.0.0.1' });
  const { email = pantryAddress, sms, ...settings } = options.page ?? {};
  const contact = { email, ...(sms !== undefined && { sms }) };
  const page: PageConfig = { contacts: new Map([['', contact]]), language: 'en', linkDays: 14, ...settings };
  const config = withPartners(options.connections ?? [], [{ ...pantry, page }], {
    server: { port: 0, host: '127.0.0.1', publicUrl: server.url },
    mail: {
      from: 'Casebridge <referrals@agency.example.org>',
      smtp: { host: '127.0.0.1', port: mail.port, security: 'none' },
    },
    ...options.config,
  });
  const store = options.store ?? (await freshEmbedded());
  const log: string[] = [];
  const logger = pino({ level: 'trace' }, collected(log));
  const gateway = await startGateway({ config, logger, lanes: true, open: async () => store });
  front.use(buildApp(gateway.api));
  await accept(gateway, ...(options.records ?? permittedCaseload()));
  await idle(gateway);
  const links = () => mail.mails.filter(({ text }) => text.includes('/p/'));
  const codes = () => mail.mails.filter(({ text }) => /\b[0-9]{6}\b/.test(text) && !text.includes('/p/'));
  const newest = async (list: () => TakenMail[], count: number, pattern: RegExp): Promise<string> => {
    await eventually(async () => list().length >= count, 'a mail');
    const [found] = pattern.exec(list().at(-1)?.text ?? '') ?? [];
    if (found === undefined) throw new Error('the mail does not hold it');
    return found;
  };
  return {
    gateway,
    store,
    mail,
    url: server.url,
    log,
    links,
    codes,
    async linkTo(referral) {
      const find = async () => {
        const row = await store.db
          .selectFrom('link')
          .innerJoin('partner_link', 'partner_link.task_id', 'link.remote_id')
          .select('partner_link.id as token')
          .where('link.type', '=', 'referral')
          .where('link.id', '=', referral)
          .executeTakeFirst();
        const mailed = row && links().find(({ text }) => text.includes(`/p/${row.token}`));
        return mailed && /http\S+\/p\/\S+/.exec(mailed.text)?.[0];
      };
      const told = async () => {
        await idle(gateway);
        await gateway.api.page?.tell();
        return (await find()) !== undefined;
      };
      await eventually(told, `the link to ${referral}`);
      return (await find()) ?? '';
    },
    link: (count = 1) => newest(links, count, /http\S+\/p\/\S+/),
    code: (count = 1) => newest(codes, count, /\b[0-9]{6}\b/),
    async stop() {
      await server.close(0);
      await gateway.stop();
      await mail.stop();
    },
  };
}
