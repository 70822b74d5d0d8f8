// An operator's browser as far as HTTP goes: it keeps cookies, sends forms as they stand in the page, and follows redirects by hand.

import type { Harness } from '../http/harness.ts';

export interface Shown {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly location: string | null;
}

export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #harness: Pick<Harness, 'send'>;

  constructor(harness: Pick<Harness, 'send'>) {
    this.#harness = harness;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Shown> {
    return this.#send('GET', path, { headers });
  }

  async post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers: Record<string, string> = {},
  ): Promise<Shown> {
    return this.#send('POST', path, {
      body: String(new URLSearchParams(fields)),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  }

  /** Opens the page, and sends the sign-in form that it shows. */
  async signIn(token: string, path = '/console'): Promise<Shown> {
    const { text } = await this.get(path);
    return this.post('/console', { ...hiddenFields(text), token });
  }

  async #send(method: string, path: string, init: RequestInit): Promise<Shown> {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await this.#harness.send(undefined, method, path, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const { status, headers: given } = response;
    return { status, headers: given, text: await response.text(), location: given.get('location') };
  }
}

/** Of the last form of the page that has any. */
export function hiddenFields(page: string): Record<string, string> {
  const form = page.split('<form').findLast((part) => part.includes('type="hidden"')) ?? '';
  const fields = [...form.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, unescaped(value)]));
}

/** What a reader sees of the page, without tags. */
export function words(page: string): string {
  return unescaped(page.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ');
}

function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_whole, code: string) => String.fromCodePoint(Number(code)));
}
