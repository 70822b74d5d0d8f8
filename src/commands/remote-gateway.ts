// A running gateway, as commands with `--url` talk to it.

import type { Readable } from 'node:stream';
import axios, { type AxiosRequestConfig } from 'axios';
import { commandSecret } from '../config.ts';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { isObject, type Json } from '../json.ts';
import { parseJson, readRecordLines } from '../records/records.ts';
import { type CommandCall, textOption } from './command.ts';

/**
 * The gateway of `--url` and `--token`; undefined without both.
 * @throws CasebridgeError `command-line-invalid` for one without the other, `config-invalid` for the token
 */
export async function remoteGateway(call: CommandCall): Promise<RemoteGateway | undefined> {
  const url = textOption(call, 'url');
  const token = textOption(call, 'token');
  if (url === undefined && token === undefined) return undefined;
  const problem = problemWith(url, token);
  if (problem !== undefined) throw new CasebridgeError('command-line-invalid', { problem });
  return new RemoteGateway(url ?? '', await commandSecret('--token', token ?? ''));
}

function problemWith(url: string | undefined, token: string | undefined): string | undefined {
  if (url === undefined) return '--token is for a running gateway: give its --url too.';
  if (token === undefined) return '--url needs --token env:NAME or --token file:PATH.';
  const isWeb = ['http:', 'https:'].includes(URL.parse(url)?.protocol ?? '');
  return isWeb ? undefined : '--url must be the address of a gateway, such as http://localhost:8080.';
}

export class RemoteGateway {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  /** @throws CasebridgeError `gateway-unreachable`, `gateway-refused` */
  async get(path: string): Promise<Json> {
    return parseJson(await textOf(await this.#send({ method: 'GET', url: path })));
  }

  /** Sends a small JSON body. @throws CasebridgeError `gateway-unreachable`, `gateway-refused` */
  async post(path: string, body: Json): Promise<Json> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#send({ method: 'POST', url: path, data: JSON.stringify(body), headers });
    return parseJson(await textOf(answer));
  }

  /** Makes sure that the token is the one of this source. @throws CasebridgeError `source-token-other`, and those of `get` */
  async checkSource(source: string): Promise<void> {
    try {
      await this.get(`/api/cases?limit=1&source=${encodeURIComponent(source)}`);
    } catch (error) {
      const isOther = error instanceof CasebridgeError && error.parameters.status === 404;
      throw isOther ? new CasebridgeError('source-token-other', { url: this.#url, source }) : error;
    }
  }

  /**
   * Sends records and gives the answer's lines as they come; without the last one, `{done: true}`, where the connection broke.
   * @throws CasebridgeError `gateway-unreachable`, `gateway-refused`
   */
  async *postRecords(body: Readable): AsyncGenerator<Json> {
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await this.#send({ method: 'POST', url: '/api/records', data: body, headers });
    for await (const line of readRecordLines(untilBroken(answer))) if ('value' in line) yield line.value;
  }

  async #send(request: AxiosRequestConfig): Promise<AsyncIterable<Uint8Array>> {
    const response = await axios
      .request({
        ...request,
        baseURL: this.#url,
        headers: { ...request.headers, authorization: `Bearer ${this.#token}` },
        // Both ways at once: the gateway reads on only while its answer is read.
        responseType: 'stream',
        maxRedirects: 0,
        maxBodyLength: Number.POSITIVE_INFINITY,
        validateStatus: () => true,
      })
      .catch((error: unknown) => {
        throw this.#unreachable(error);
      });
    if (response.status === 200 || response.status === 202) return response.data;
    const detail = detailIn(await textOf(response.data));
    throw new CasebridgeError('gateway-refused', { url: this.#url, status: response.status, detail });
  }

  #unreachable(error: unknown): CasebridgeError {
    return new CasebridgeError('gateway-unreachable', { url: this.#url, code: errorCode(error) ?? 'no answer' });
  }
}

async function* untilBroken(answer: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* answer;
  } catch (error) {
    // An answer that ends early is known by the line that it lacks.
    if (errorCode(error) === undefined) throw error;
  }
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** What a problem says; a server that is no gateway says something else. */
function detailIn(text: string): string {
  try {
    const value = parseJson(text);
    if (isObject(value) && typeof value.detail === 'string') return value.detail;
  } catch (error) {
    if (!(error instanceof CasebridgeError)) throw error;
  }
  return 'this is not an answer of Casebridge. Check the address.';
}
