// What stands behind /p/ in a link: the link's id, its secret, and a signature over both. A forged or truncated one is told from the token
// alone; what the link opens, and until when, is in its row.

import type { RandomBytes, Seal } from './seal.ts';
import { hashOf, randomText } from './seal.ts';

export interface Token {
  readonly id: string;
  readonly secret: string;
}

const idBytes = 9;
const secretBytes = 24;
const idLength = 12;
const secretLength = 32;
const form = /^[A-Za-z0-9_-]{66}$/;

export function newToken(random: RandomBytes): Token {
  return { id: randomText(random, idBytes), secret: randomText(random, secretBytes) };
}

export function tokenText({ id, secret }: Token, seal: Seal): string {
  return `${id}${secret}${seal.sign('link', id + secret)}`;
}

/** It looks like one; whether it is ours, only the seal says. */
export function isTokenLike(text: string): boolean {
  return form.test(text);
}

/** Undefined: not one of ours, or not the whole of it. */
export function readToken(text: string, seal: Seal): Token | undefined {
  if (!isTokenLike(text)) return undefined;
  const secretEnd = idLength + secretLength;
  const isOurs = seal.isSigned('link', text.slice(0, secretEnd), text.slice(secretEnd));
  return isOurs ? { id: text.slice(0, idLength), secret: text.slice(idLength, secretEnd) } : undefined;
}

/** What is kept of it. */
export function tokenHash({ secret }: Token): string {
  return hashOf(secret);
}
