// Puts an answer on the wire, whole or as a fault wants it: in trickles, broken off, or as no answer at all.

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reply } from './exchange.ts';

/** How a connection is cut: in order, as by a server that closes (FIN), or at once, as by one that is gone (RST). */
export type Cut = 'close' | 'reset';

export interface Trickle {
  /** Bytes of one piece. */
  bytes: number;
  /** Real time before each piece, in milliseconds. */
  everyMs: number;
}

export interface Delivery {
  /** Absent: the connection is cut without an answer. */
  readonly reply?: Reply | undefined;
  readonly trickle?: Trickle | undefined;
  /** The connection is cut after so many bytes of the body, though the header promised them all. */
  readonly breakOff?: number | undefined;
  /** @default 'close' */
  readonly cut?: Cut | undefined;
}

export async function deliver(outgoing: ServerResponse, { reply, trickle, breakOff, cut }: Delivery): Promise<void> {
  if (reply === undefined) return cutOff(outgoing, cut);
  const { status, headers, body = '' } = reply;
  const bytes = Buffer.from(body);
  outgoing.writeHead(status, { ...headers, ...(status !== 204 && { 'content-length': String(bytes.length) }) });
  if (trickle === undefined && breakOff === undefined) {
    outgoing.end(bytes);
    return;
  }
  const sent = bytes.subarray(0, breakOff);
  outgoing.flushHeaders();
  await writeInPieces(outgoing, sent, trickle ?? { bytes: sent.length, everyMs: 0 });
  if (breakOff === undefined) outgoing.end();
  else cutOff(outgoing, cut);
}

/** Ends early where the client has gone. */
async function writeInPieces(
  outgoing: ServerResponse,
  bytes: Buffer,
  { bytes: size, everyMs }: Trickle,
): Promise<void> {
  for (let at = 0; at < bytes.length && !outgoing.destroyed; at += size) {
    if (everyMs > 0) await sleep(everyMs, undefined, { ref: false });
    const piece = bytes.subarray(at, at + size);
    await new Promise<void>((resolve) => outgoing.write(piece, () => resolve()));
  }
}

function cutOff({ socket }: ServerResponse, cut: Cut = 'close'): void {
  if (cut === 'reset') socket?.resetAndDestroy();
  else socket?.destroy();
}
