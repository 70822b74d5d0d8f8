// Somebody with a browser that keeps cookies and sends forms as they stand in the page, and can send them otherwise.

import { hashOf } from '../../src/page/seal.ts';
import type { PageSite } from './page-site.ts';

/** What a link shows of its row. */
export function linkId(link: string): string {
  return /\/p\/(.{12})/.exec(link)?.[1] ?? '';
}

export interface Seen {
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
}

export class Visitor {
  readonly cookies = new Map<string, string>();
  #last: Seen | undefined;

  /** The page that is shown. */
  get shown(): string {
    return this.#last?.html ?? '';
  }

  /** Goes there and follows where it leads. */
  async get(url: string, headers: Record<string, string> = {}): Promise<Seen> {
    return this.#ask(url, { headers });
  }

  /** The fields of a form on the page that is shown, by the end of its address. */
  fields(action: string): URLSearchParams {
    const form = new RegExp(`<form[^>]*action="[^"]*/${action}"[^>]*>(.*?)</form>`, 's').exec(this.shown)?.[1] ?? '';
    const inputs = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
    return new URLSearchParams(inputs.map(([, name = '', value = '']): [string, string] => [name, value]));
  }

  /** Sends a form of the page that is shown; `more` is what somebody writes into it, or in place of what stands there. */
  async send(
    link: string,
    action: string,
    more: Record<string, string> = {},
    from = this.fields(action),
  ): Promise<Seen> {
    const form = new URLSearchParams(from);
    for (const [name, value] of Object.entries(more)) form.set(name, value);
    return this.#ask(`${link}/${action}`, { method: 'POST', body: form });
  }

  /** As if this browser had signed in by the link. */
  async isIn(site: PageSite, link: string, name = 'Ana Ruiz'): Promise<Seen> {
    const id = linkId(link);
    const cookie = `session-of-${name}-${id}`.replaceAll(' ', '-');
    await site.store.db
      .insertInto('partner_session')
      .values({ hash: hashOf(cookie), link: id, name })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    this.cookies.set(`casebridge-${id}`, cookie);
    return this.get(link);
  }

  /** Asks for a code and signs in with it. */
  async signIn(site: PageSite, link: string, name = 'Ana Ruiz'): Promise<Seen> {
    await this.get(link);
    const before = site.codes().length;
    await this.send(link, 'code');
    return this.send(link, 'enter', { name, code: await site.code(before + 1) });
  }

  async #ask(url: string, init: RequestInit): Promise<Seen> {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', value = ''] = pair.split('=');
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (response.status === 303 && location !== null) return this.#ask(new URL(location, url).href, {});
    const html = await response.text();
    this.#last = { status: response.status, html, headers: response.headers };
    return this.#last;
  }
}
