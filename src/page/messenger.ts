// One way to send a short message to a partner, by e-mail or as a text message. A message holds nothing about a person.

import type { MailConfig, SmsConfig } from '../config.ts';
import type { Reason } from '../errors.ts';
import { openMail } from './mail.ts';
import { openSms } from './sms.ts';

export type Address =
  | { readonly kind: 'email'; readonly to: string }
  /** `+` and digits. */
  | { readonly kind: 'sms'; readonly to: string };

export interface OutMessage {
  /** The same for every try at the same message. */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
}

/** Why it did not go. */
export interface NotSent {
  readonly reason: Reason;
  /** It may have gone all the same: the answer was lost. */
  readonly maybe: boolean;
}

export interface Messenger {
  /** Never throws. @returns undefined: whoever carries messages has taken it */
  send(address: Address, message: OutMessage): Promise<NotSent | undefined>;
  close(): void;
}

/** A way for one kind of address. */
export interface Channel {
  send(to: string, message: OutMessage): Promise<NotSent | undefined>;
  close(): void;
}

export interface MessengerOptions {
  readonly mail?: MailConfig;
  readonly sms?: SmsConfig;
  /** Epoch ms, for signatures. */
  readonly clock: () => number;
  /** Until the other side has taken a message, in milliseconds. */
  readonly timeoutMs: number;
}

export function openMessenger({ mail, sms, clock, timeoutMs }: MessengerOptions): Messenger {
  const channels: Readonly<Record<Address['kind'], Channel | undefined>> = {
    email: mail && openMail(mail, timeoutMs),
    sms: sms && openSms(sms, { clock, timeoutMs }),
  };
  return {
    async send({ kind, to }, message) {
      const channel = channels[kind];
      // The configuration sees to it that there is one for each address of a page.
      if (channel === undefined) throw new Error(`Nothing is configured that sends by ${kind}.`);
      return channel.send(to, message);
    },
    close() {
      for (const channel of Object.values(channels)) channel?.close();
    },
  };
}
