// Somebody with a browser: goes to an address, reads the page, fills in a form of it and sends it. All that it knows of a form stands in the page.

import { DemoProblem } from './problem.ts';

export class Visitor {
  readonly #cookies = new Map<string, string>();
  readonly #signal: AbortSignal;
  #page = '';

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** The page that is shown. */
  get page(): string {
    return this.#page;
  }

  async open(url: string): Promise<void> {
    await this.#ask(url, {});
  }

  /** Sends the form whose address ends like this; what is not filled in stays as the page has it. */
  async send(base: string, action: string, filledIn: Readonly<Record<string, string>> = {}): Promise<void> {
    const form = new RegExp(`<form[^>]*action="([^"]*/${action})"[^>]*>(.*?)</form>`, 's').exec(this.#page);
    if (form === null) throw new DemoProblem(`The page offers no "${action}".`);
    const [, address = '', body = ''] = form;
    const fields = new URLSearchParams(filledIn);
    for (const [input] of body.matchAll(/<input[^>]*>/g)) {
      const name = attribute(input, 'name');
      if (name !== '' && !fields.has(name)) fields.set(name, attribute(input, 'value'));
    }
    await this.#ask(new URL(address, base).href, { method: 'POST', body: fields });
  }

  async #ask(url: string, init: RequestInit): Promise<void> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, headers: { cookie }, redirect: 'manual', signal: this.#signal });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (response.status === 303 && location !== null) return this.#ask(new URL(location, url).href, {});
    this.#page = await response.text();
    if (!response.ok) throw new DemoProblem(`The partner page answered with ${response.status}.`);
  }
}

function attribute(tag: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
}
