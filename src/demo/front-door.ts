// The proxy by which partners reach the gateway, as an agency would have one: its address stands in their links before the gateway listens.

import { request, type ServerResponse } from 'node:http';
import { type Listening, listenHere } from './listening.ts';

export interface FrontDoor extends Listening {
  /** From now on requests go to what listens there. */
  leadTo(url: string): void;
}

export async function openFrontDoor(): Promise<FrontDoor> {
  let target: string | undefined;
  const listening = await listenHere((incoming, outgoing) => {
    if (target === undefined) {
      refuse(outgoing);
      return;
    }
    const { method, headers } = incoming;
    const onward = request(`${target}${incoming.url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once('error', () => refuse(outgoing));
    incoming.pipe(onward);
  });
  return {
    ...listening,
    leadTo(url) {
      target = url;
    },
  };
}

function refuse(outgoing: ServerResponse): void {
  if (outgoing.headersSent) outgoing.destroy();
  else outgoing.writeHead(502).end('Casebridge does not answer.');
}
