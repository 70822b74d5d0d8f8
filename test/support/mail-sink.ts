// A mail server that takes what it is sent, over real SMTP (RFC 5321, the part that a submission needs), and keeps it.

import { createServer, type Socket } from 'node:net';

export interface TakenMail {
  readonly to: string;
  readonly subject: string;
  /** With its headers, as it came. */
  readonly raw: string;
  /** The body, decoded. */
  readonly text: string;
}

export interface MailSink {
  readonly port: number;
  readonly mails: TakenMail[];
  /** What it answers to a recipient; undefined: it takes the mail. */
  refuseWith: string | undefined;
  /** To this one alone; undefined: to each. */
  refusedTo: string | undefined;
  stop(): Promise<void>;
}

export async function startMailSink(): Promise<MailSink> {
  const mails: TakenMail[] = [];
  const sockets = new Set<Socket>();
  const state: Pick<MailSink, 'refuseWith' | 'refusedTo'> = { refuseWith: undefined, refusedTo: undefined };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket, mails, (to) => ((state.refusedTo ?? to) === to ? state.refuseWith : undefined));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    mails,
    get refuseWith() {
      return state.refuseWith;
    },
    set refuseWith(answer) {
      state.refuseWith = answer;
    },
    get refusedTo() {
      return state.refusedTo;
    },
    set refusedTo(address) {
      state.refusedTo = address;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

function serve(socket: Socket, mails: TakenMail[], refuseWith: (to: string) => string | undefined): void {
  let buffer = '';
  let to = '';
  let isData = false;
  const say = (line: string) => socket.write(`${line}\r\n`);
  say('220 sink.example.org');
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    buffer += chunk;
    for (;;) {
      const end = buffer.indexOf(isData ? '\r\n.\r\n' : '\r\n');
      if (end === -1) return;
      const piece = buffer.slice(0, end);
      buffer = buffer.slice(end + (isData ? 5 : 2));
      if (isData) {
        isData = false;
        mails.push(mailOf(to, piece));
        say('250 taken');
        continue;
      }
      const verb = piece.slice(0, 4).toUpperCase();
      if (verb === 'RCPT') {
        to = /<([^>]*)>/.exec(piece)?.[1] ?? '';
        say(refuseWith(to) ?? '250 ok');
      } else if (verb === 'DATA') {
        isData = true;
        say('354 go on');
      } else if (verb === 'QUIT') {
        say('221 bye');
        socket.end();
      } else say('250 ok');
    }
  });
}

function mailOf(to: string, raw: string): TakenMail {
  const [head = '', ...rest] = raw.replaceAll('\r\n..', '\r\n.').split('\r\n\r\n');
  const unfolded = head.replaceAll(/\r\n[ \t]+/g, ' ');
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(unfolded)?.[1] ?? '';
  return {
    to,
    subject: decodedWords(header('Subject')),
    raw,
    text: body(rest.join('\r\n\r\n'), header('Content-Transfer-Encoding')),
  };
}

function body(text: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return Buffer.from(text, 'latin1').toString('utf8');
  return quoted(text.replaceAll('=\r\n', ''));
}

function quoted(text: string): string {
  const bytes = text.replaceAll(/=([0-9A-F]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Encoded words of a header (RFC 2047). */
function decodedWords(text: string): string {
  return text
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_all, kind: string, word: string) =>
      kind.toLowerCase() === 'b' ? Buffer.from(word, 'base64').toString('utf8') : quoted(word.replaceAll('_', ' ')),
    );
}
