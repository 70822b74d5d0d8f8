// What the page's secrets are made of and kept as: one key of this installation, signs and hashes by it. Pure but for the randomness passed in.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export type RandomBytes = (count: number) => Uint8Array;

export interface Seal {
  /** Of a text, for a purpose: 22 characters that only this installation can make. */
  sign(purpose: string, text: string): string;
  isSigned(purpose: string, text: string, signature: string): boolean;
}

const signatureBytes = 16;

export function sealOf(key: string): Seal {
  const sign = (purpose: string, text: string): string =>
    createHmac('sha256', key).update(`${purpose}\n${text}`).digest().subarray(0, signatureBytes).toString('base64url');
  return { sign, isSigned: (purpose, text, signature) => isSame(sign(purpose, text), signature) };
}

/** For secrets that are long and random: nobody can find them by trying. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** In a time that tells nothing of where they differ. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** @param bytes a multiple of three */
export function randomText(random: RandomBytes, bytes: number): string {
  return Buffer.from(random(bytes)).toString('base64url');
}
