// A phone: the service to which the gateway posts text messages, and the screen on which they are read.

import { text as textIn } from 'node:stream/consumers';
import type { Json } from '../json.ts';
import { type Listening, listenHere } from './listening.ts';
import { textAt } from './reading.ts';
import { until } from './until.ts';

/** `url` is where messages are posted. */
export interface Phone extends Listening {
  /** In the order in which they came. */
  readonly messages: readonly string[];
  /** Shows each further message. */
  showEach(show: (text: string) => void): void;
  /** Waits for a message after the first `after` in which the pattern is found. @returns what is found */
  untilTold(what: string, pattern: RegExp, after: number, signal: AbortSignal): Promise<string>;
}

export async function switchOnPhone(): Promise<Phone> {
  const messages: string[] = [];
  let show: (text: string) => void = () => undefined;
  const listening = await listenHere(async (incoming, outgoing) => {
    const body: Json = JSON.parse(await textIn(incoming));
    const text = textAt(body, 'text');
    outgoing.writeHead(204).end();
    messages.push(text);
    show(text);
  });
  return {
    ...listening,
    messages,
    showEach(each) {
      show = each;
    },
    untilTold: (what, pattern, after, signal) =>
      until<string>(what, { seconds: 30, signal }, async () => {
        const [found] = messages.slice(after).flatMap((text) => pattern.exec(text)?.[0] ?? []);
        return found === undefined ? { missing: `${messages.length} messages came` } : { found };
      }),
  };
}

/** The link, or the code, in a message. */
export const linkPattern = /http\S+\/p\/\S+/;
export const codePattern = /\b[0-9]{6}\b/;
