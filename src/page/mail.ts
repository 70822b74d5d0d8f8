// E-mail by SMTP: plain text, one recipient, one connection for each message.

import { createTransport } from 'nodemailer';
import type { MailConfig } from '../config.ts';
import { errorCode } from '../error-code.ts';
import { reason } from '../errors.ts';
import type { Channel, NotSent } from './messenger.ts';

export function openMail({ from, smtp }: MailConfig, timeoutMs: number): Channel {
  const { host, port, security, user, password } = smtp;
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user !== undefined && { auth: { user, pass: password } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([^\s@<>]+)>?$/.exec(from)?.[1] ?? 'localhost';
  return {
    async send(to, { id, subject, text }) {
      try {
        await transport.sendMail({
          from,
          to,
          subject,
          text,
          messageId: `<${id}@${domain}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
        return undefined;
      } catch (error) {
        return notSent(error);
      }
    },
    close: () => transport.close(),
  };
}

/** Of the error its code and the server's status are told, never its text: it may quote the message. */
function notSent(error: unknown): NotSent {
  const code = errorCode(error) ?? 'no code';
  const isObject = typeof error === 'object' && error !== null;
  const status = isObject && 'responseCode' in error ? Number(error.responseCode) : Number.NaN;
  const hasAnswered = !Number.isNaN(status);
  return {
    reason: hasAnswered ? reason('message-refused', { status }) : reason('message-unsent', { code }),
    // Everything is said before the message itself: an answer that is missing may be the one to the message.
    maybe: !hasAnswered && code !== 'ECONNECTION' && code !== 'EDNS' && code !== 'EAUTH' && code !== 'ETLS',
  };
}
