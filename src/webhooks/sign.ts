// The headers of a delivery as Standard Webhooks writes them (standardwebhooks.com): who it is, when it was sent, and one signature for each secret.

import { createHmac } from 'node:crypto';

export interface Message {
  /** The same for every attempt at the same change; without a dot. */
  readonly id: string;
  /** As sent, byte by byte. */
  readonly body: string;
}

/** @param at epoch milliseconds of this attempt; receivers refuse what is more than five minutes from their own time */
export function signedHeaders(message: Message, secrets: readonly Uint8Array[], at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map((secret) => `v1,${signatureOf(message, timestamp, secret)}`);
  return {
    'content-type': 'application/json',
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

function signatureOf({ id, body }: Message, timestamp: string, secret: Uint8Array): string {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
}
