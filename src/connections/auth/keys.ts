// The key pairs with which Casebridge signs in: made, kept in a file that only we can read, and published by their public half.
// RFC 7517 (JWK), RFC 7638 (thumbprint); SMART App Launch 2.2 client-confidential-asymmetric.html names RS384 and ES384.

import { open } from 'node:fs/promises';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { CasebridgeError } from '../../errors.ts';

export const signingAlgorithms = ['ES384', 'RS384'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

const rsaBits = 3072;

/** A new private key as JWK with `alg`, `use` and its thumbprint as `kid`. */
export async function generateKey(algorithm: SigningAlgorithm = 'ES384'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength: rsaBits });
  const key = await exportJWK(privateKey);
  return { ...key, alg: algorithm, use: 'sig', kid: await calculateJwkThumbprint(key) };
}

/**
 * Writes a private key to a new file with mode 0600.
 * @throws CasebridgeError 'key-file-exists'; an existing key is never overwritten
 */
export async function writeKeyFile(path: string, key: JWK): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(key, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST') {
      throw new CasebridgeError('key-file-exists', { file: path }, { cause: error });
    }
    throw error;
  }
}

/** What servers may know of our keys, for `/.well-known/jwks.json`. Members are picked by name, so that no private part can slip out. */
export async function publicKeySet(keys: readonly JWK[]): Promise<{ keys: JWK[] }> {
  const published = new Map<string, JWK>();
  for (const key of keys) {
    const kid = await keyId(key);
    const parts = key.kty === 'RSA' ? { n: key.n, e: key.e } : { crv: key.crv, x: key.x, y: key.y };
    published.set(kid, { kty: key.kty, ...parts, alg: signingAlgorithm(key), use: 'sig', kid });
  }
  return { keys: [...published.values()] };
}

/** The key's own `kid`, else its thumbprint (RFC 7638). */
export async function keyId(key: JWK): Promise<string> {
  return key.kid ?? (await calculateJwkThumbprint(key));
}

/** What the key can sign with: RS384 for RSA, ES384 for EC on P-384; undefined for any other. */
export function signingAlgorithm(key: JWK): SigningAlgorithm | undefined {
  const byType = key.kty === 'RSA' ? 'RS384' : key.kty === 'EC' && key.crv === 'P-384' ? 'ES384' : undefined;
  return key.alg === undefined || key.alg === byType ? byType : undefined;
}
