// What a server was ever told, to make sure that something was not: all its journal holds, with the documents in it as readable text.

import type { Server } from './server.ts';

/** Those of the words that the server's journal holds anywhere: in addresses, in bodies, in documents. */
export async function toldAt(server: Server, words: readonly string[]): Promise<string[]> {
  const text = JSON.stringify(await server.journalled());
  const attached = [...text.matchAll(/"data":"([A-Za-z0-9+/]+={0,2})"/g)];
  // Notes are wrapped: words may stand on two lines.
  const documents = attached.map(([, data = '']) => decoded(data).replace(/\s+/g, ' '));
  return words.filter((word) => [text, ...documents].some((each) => each.includes(word)));
}

/** Text that stands in an attachment. */
export function decoded(data: string): string {
  return Buffer.from(data, 'base64').toString('utf8');
}
