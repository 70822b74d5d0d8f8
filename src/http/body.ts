// Reads the body of a request: type, encoding, size and time are checked, so that nobody can fill the memory or hold a connection for ever.

import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Request } from 'express';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import type { Json } from '../json.ts';
import { parseJson } from '../records/records.ts';
import { hasBody } from './problem.ts';
import { type Call, defaultLimits, type HttpLimits } from './route.ts';

/** @throws CasebridgeError `body-missing`, `media-type-unknown`, `body-encoding-unknown` by the headers alone */
export function checkBodyHeaders(request: Request, takes: readonly string[]): void {
  if (!hasBody(request.headers)) throw new CasebridgeError('body-missing');
  const [type, ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(/\s*;\s*/);
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (!takes.includes(type ?? '') || !/^(charset="?utf-8"?)?$/.test(charset ?? '')) {
    throw new CasebridgeError('media-type-unknown', { types: takes.join(' or ') });
  }
  if (!['identity', 'gzip'].includes(encodingOf(request))) throw new CasebridgeError('body-encoding-unknown');
}

/** Of a body that says nothing: `{}` with some white space, also zipped. */
const emptyBody = { bodyBytes: 64, bodyMs: 1000 };

/**
 * Lets through what says nothing, of any media type: no body, an empty one, or `{}`. What somebody meant by any other, such as a dry run, is not done.
 * @param query what the call takes in its address
 * @throws CasebridgeError `body-unwanted`, also for what is too long or too slow to be empty
 */
export async function refuseBody(request: Request, query: readonly string[] = []): Promise<void> {
  if (!hasBody(request.headers)) return;
  const text = await readBody(request, { ...defaultLimits, ...emptyBody }).catch((error: unknown) => {
    if (!(error instanceof CasebridgeError)) throw error;
    return error.code === 'body-missing' ? '' : undefined;
  });
  if (text !== undefined && /^\s*(\{\s*\})?\s*$/.test(text.toString())) return;
  const names = query.map((name) => `?${name}=`).join(' and ');
  throw new CasebridgeError('body-unwanted', { hint: names && ` What it takes goes into the address: ${names}.` });
}

/** The body as strict JSON. @throws CasebridgeError `json-invalid`, and those of `readBody` */
export async function readJson({ request, limits }: Call): Promise<Json> {
  return parseJson(await readBody(request, limits));
}

/** The body as a whole. @throws CasebridgeError `body-too-large`, `body-too-slow`, `body-missing`, `body-cut`, `body-encoding-broken` */
export async function readBody(request: Request, limits: HttpLimits): Promise<Buffer> {
  const tooLarge = () => new CasebridgeError('body-too-large', { limit: limits.bodyBytes });
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const end = performance.now() + limits.bodyMs;
  for await (const chunk of decoded(request, limits, () => Math.max(0, end - performance.now()))) {
    size += chunk.length;
    if (size > limits.bodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  if (size === 0) throw new CasebridgeError('body-missing');
  return Buffer.concat(chunks, size);
}

/** The body as it comes, of any length but none; each pause may last `limits.bodyMs`. @throws as `readBody` */
export async function* streamBody(request: Request, limits: HttpLimits): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  for await (const chunk of decoded(request, limits, () => limits.bodyMs)) {
    isEmpty = false;
    yield chunk;
  }
  if (isEmpty) throw new CasebridgeError('body-missing');
}

function decoded(request: Request, limits: HttpLimits, waitMs: () => number): AsyncIterable<Uint8Array> {
  const raw = rawChunks(request, limits, waitMs);
  return encodingOf(request) === 'gzip' ? unzipped(raw, limits) : raw;
}

async function* rawChunks(
  request: Request,
  limits: HttpLimits,
  waitMs: () => number,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Left in the middle, the request stays open: the caller is still to be told why.
  const chunks = request.iterator({ destroyOnReturn: false });
  for (;;) {
    const step = await inTime(chunks.next(), waitMs(), limits);
    if (step.done) return;
    yield step.value;
  }
}

async function inTime<T>(next: Promise<T>, ms: number, limits: HttpLimits): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const seconds = Math.ceil(limits.bodyMs / 1000);
  const timer = setTimeout(() => reject(new CasebridgeError('body-too-slow', { seconds })), ms);
  const whole = next.catch((error: unknown) => {
    throw new CasebridgeError('body-cut', {}, { cause: error });
  });
  return Promise.race([whole, late]).finally(() => clearTimeout(timer));
}

// A body of text shrinks by 5 to 20 times; what grows by more than this was made to fill a memory.
const mostGrowth = 100;

async function* unzipped(raw: AsyncIterable<Uint8Array>, limits: HttpLimits): AsyncGenerator<Uint8Array> {
  let zipped = 0;
  let plain = 0;
  async function* counted() {
    for await (const chunk of raw) {
      zipped += chunk.length;
      yield chunk;
    }
  }
  // Errors of either end destroy the other and are thrown by the loop below.
  const gunzip = pipeline(Readable.from(counted()), createGunzip(), () => {});
  try {
    for await (const chunk of gunzip) {
      plain += chunk.length;
      if (plain > limits.bodyBytes && plain > zipped * mostGrowth) {
        throw new CasebridgeError('body-too-large', { limit: limits.bodyBytes });
      }
      yield chunk;
    }
  } catch (error) {
    throw errorCode(error)?.startsWith('Z_')
      ? new CasebridgeError('body-encoding-broken', {}, { cause: error })
      : error;
  }
}

function encodingOf(request: Request): string {
  return (request.headers['content-encoding'] ?? 'identity').toLowerCase();
}
