// How messages to partners are sent, and the page that they lead to.

import type { Desk } from './complete.ts';
import type { RawConfig, RawPage } from './schema.ts';
import type { SettingPath } from './source-text.ts';
import { isThisMachine } from './this-machine.ts';
import type { MailConfig, PageConfig, SmsConfig } from './types.ts';
import { signingKey, webhookUrl } from './webhook.ts';

const usualPorts = { tls: 465, starttls: 587, none: 25 } as const;

/** Undefined: e-mails are not sent. */
export async function completeMail({ mail: raw }: RawConfig, desk: Desk): Promise<MailConfig | undefined> {
  if (raw === undefined) return undefined;
  const { host, security = 'starttls', port = usualPorts[security], user, password } = raw.smtp;
  const path = ['mail', 'smtp'];
  if ((user === undefined) !== (password === undefined))
    desk.refuse(path, 'needs both "user" and "password", or neither.');
  const name = await desk.plain(host, [...path, 'host']);
  if (security === 'none' && !isThisMachine(name))
    desk.warnings.push('mail.smtp is not encrypted (security: none). Use tls or starttls outside a test network.');
  return {
    from: raw.from,
    smtp: {
      host: name,
      port,
      security,
      ...(user !== undefined && { user: await desk.plain(user, [...path, 'user']) }),
      ...(password !== undefined && { password: await desk.secret(password, [...path, 'password']) }),
    },
  };
}

/** Undefined: text messages are not sent. */
export async function completeSms({ sms: raw }: RawConfig, desk: Desk): Promise<SmsConfig | undefined> {
  if (raw === undefined) return undefined;
  const { url, secret, allowPrivate = false } = raw.webhook;
  const path = ['sms', 'webhook'];
  return {
    url: await webhookUrl(url, allowPrivate, [...path, 'url'], desk),
    secrets: [await signingKey(secret, [...path, 'secret'], desk)],
    allowPrivate,
  };
}

const defaultLinkDays = 14;

/** What a page needs beside its own settings is checked here too. */
export function completePage(
  raw: RawPage,
  path: SettingPath,
  { server, mail, sms }: Pick<RawConfig, 'server' | 'mail' | 'sms'>,
  desk: Desk,
): PageConfig {
  const { contacts, language = 'en', linkDays = defaultLinkDays } = raw;
  if (contacts !== undefined && (raw.email !== undefined || raw.sms !== undefined))
    desk.refuse(path, 'has both "contacts" and an address of its own. Make that address a contact too.');
  const named = contacts === undefined ? [['', raw] as const] : Object.entries(contacts);
  const complete = named.map(([name, { email, sms: number }]) => {
    const at = name === '' ? path : [...path, 'contacts', name];
    if (email === undefined && number === undefined)
      desk.refuse(at, 'needs "email" or "sms": where its links and codes go.');
    if (email !== undefined && mail === undefined) desk.refuse([...at, 'email'], 'needs "mail": how e-mails are sent.');
    if (number !== undefined && sms === undefined)
      desk.refuse([...at, 'sms'], 'needs "sms" at the top of the file: how text messages are sent.');
    return [name, { ...(email !== undefined && { email }), ...(number !== undefined && { sms: number }) }] as const;
  });
  if (server?.publicUrl === undefined) desk.refuse(path, 'needs "server.publicUrl": links in messages begin with it.');
  return { contacts: new Map(complete), language, linkDays };
}
