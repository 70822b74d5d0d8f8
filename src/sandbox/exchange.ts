// One HTTP exchange with a simulated server, independent of sockets.

import type { Json } from '../json.ts';

export interface Reply {
  status: number;
  headers: Record<string, string>;
  /** Absent: no body. Bytes for what is no text. */
  body?: string | Uint8Array;
}

export class SandboxRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body; empty also when it was longer than the server takes. */
  readonly text: string;
  readonly tooLong: boolean;
  /** Milliseconds of a clock that never jumps, when the last byte was in. */
  readonly arrivedAt = performance.now();
  #json: { value: Json } | 'broken' | undefined;

  /**
   * @param url absolute, as the client sees the server
   * @param text undefined for a body that is longer than the server takes
   */
  constructor(
    method: string,
    url: URL,
    headers: Readonly<Record<string, string | undefined>>,
    text: string | undefined,
  ) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.text = text ?? '';
    this.tooLong = text === undefined;
  }

  /** The body as JSON, undefined when it is none. Parsed once; nobody may change the value. */
  get json(): { value: Json } | undefined {
    this.#json ??= parse(this.text);
    return this.#json === 'broken' ? undefined : this.#json;
  }

  /** Media type of the body without parameters, in lower case. */
  get mediaType(): string {
    return (this.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  }
}

/** A JSON answer. */
export function jsonReply(status: number, body: unknown, mediaType = 'application/json'): Reply {
  return { status, headers: { 'content-type': `${mediaType}; charset=utf-8` }, body: JSON.stringify(body) };
}

function parse(text: string): { value: Json } | 'broken' {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return 'broken';
  }
}
