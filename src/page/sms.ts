// Text messages by a service of the operator's choice: `{to, text}` is posted to it, signed as Standard Webhooks are.

import type { SmsConfig } from '../config.ts';
import { reason } from '../errors.ts';
import { openReceiver } from '../webhooks/webhooks.ts';
import type { Channel } from './messenger.ts';

const postsAtOnce = 4;

export function openSms(
  config: SmsConfig,
  { clock, timeoutMs }: { readonly clock: () => number; readonly timeoutMs: number },
): Channel {
  const receiver = openReceiver(config, { clock, timeoutMs, concurrency: postsAtOnce });
  return {
    async send(to, { id, text }) {
      const message = { id, body: JSON.stringify({ to, text }) };
      const { isTaken, status, reason: why } = await receiver.post(message, performance.now() + timeoutMs);
      if (isTaken) return undefined;
      return {
        reason:
          status === undefined
            ? (why ?? reason('message-unsent', { code: 'no answer' }))
            : reason('message-refused', { status }),
        maybe: status === undefined,
      };
    },
    close: () => receiver.close(),
  };
}
