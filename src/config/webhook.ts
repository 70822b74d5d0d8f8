// Receivers that we post to, signed: of a source's changes, and of text messages.

import { isReachable } from '../public-address.ts';
import type { Desk } from './complete.ts';
import type { RawWebhook } from './schema.ts';
import type { SettingPath } from './source-text.ts';
import type { WebhookConfig } from './types.ts';

export async function completeWebhook(raw: RawWebhook, path: SettingPath, desk: Desk): Promise<WebhookConfig> {
  const { allowPrivate = false } = raw;
  const secrets = raw.secrets.map((reference, index) =>
    signingKey(reference, [...path, 'secrets', String(index)], desk),
  );
  return {
    url: await webhookUrl(raw.url, allowPrivate, [...path, 'url'], desk),
    secrets: await Promise.all(secrets),
    giveUpAfterMs: desk.duration(raw.giveUpAfter, 3 * 86_400_000),
    allowPrivate,
  };
}

/** Of a host that is written as an address. */
export const notPublic =
  'names an address that is not public. One on this machine or in a private network needs allowPrivate: true.';

/** What is posted there is about people, so it is encrypted wherever it leaves a private network. */
export async function webhookUrl(text: string, allowPrivate: boolean, path: SettingPath, desk: Desk): Promise<string> {
  const value = await desk.plain(text, path);
  if (value === '') return value;
  const url = URL.parse(value);
  if (!url || !['https:', ...(allowPrivate ? ['http:'] : [])].includes(url.protocol)) {
    desk.refuse(path, 'must be an absolute https URL. Plain http needs allowPrivate: true beside it.');
  } else if (url.hash !== '' || url.username !== '' || url.password !== '') {
    desk.refuse(path, 'must be without fragment, user and password: deliveries are signed.');
  } else if (isReachable(url.hostname, allowPrivate) === false) {
    desk.refuse(path, notPublic);
  }
  return value;
}

const fewestKeyBytes = 24;
const mostKeyBytes = 64;

/** A secret as Standard Webhooks writes it. */
export async function signingKey(reference: string, path: SettingPath, desk: Desk): Promise<Uint8Array> {
  const secret = await desk.secret(reference, path);
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const key = Buffer.from(base64, 'base64');
  if (secret !== '' && (key.length < fewestKeyBytes || key.length > mostKeyBytes)) {
    desk.refuse(
      path,
      'must be whsec_ and 24 to 64 random bytes in base64. Make one with: echo whsec_$(openssl rand -base64 32).',
    );
  }
  return key;
}
