// The partner page over HTTP: reads what the page needs of a request, and writes what it answers. No token of ours is asked for here: whoever comes
// has a link and a code.

import type { Request, RequestHandler, Response } from 'express';
import { CasebridgeError } from '../errors.ts';
import type { PageAnswer, PageRequest } from '../page/page.ts';
import { readBody } from './body.ts';
import { callerNetwork } from './caller.ts';
import type { GatewayApi } from './gateway-api.ts';
import { hasBody } from './problem.ts';
import type { HttpLimits } from './route.ts';

/** A form of ours is never longer. */
const formBytes = 64 * 1024;
const formMs = 15_000;
const formType = 'application/x-www-form-urlencoded';

/** Answers what comes below `/p`; where no partner has a page, there is nothing. */
export function partnerPage({ page, config }: Pick<GatewayApi, 'page' | 'config'>, limits: HttpLimits): RequestHandler {
  return async (request, response, next) => {
    if (page === undefined) {
      next();
      return;
    }
    // What the path says is a secret.
    response.locals.route = `${request.method} /p/{link}`;
    const isForm = request.method === 'POST';
    if (!isForm && request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD, POST');
      throw new CasebridgeError('method-not-allowed', { methods: 'GET, HEAD, POST' });
    }
    const asked = pageRequest(request, response, config.server.behindProxy ?? false);
    if (!isForm) {
      write(response, await page.answer(asked));
      return;
    }
    const form = await readForm(request, limits);
    if (typeof form === 'number') {
      response.setHeader('connection', 'close');
      write(response, page.refuse(asked, form));
      return;
    }
    write(response, await page.answer({ ...asked, form }));
  };
}

function pageRequest(request: Request, response: Response, behindProxy: boolean): PageRequest {
  const [path = '', search = ''] = request.url.split('?', 2);
  return {
    method: request.method === 'POST' ? 'POST' : 'GET',
    path: path.split('/').slice(1),
    query: new URLSearchParams(search),
    form: new URLSearchParams(),
    cookies: cookiesOf(request.headers.cookie ?? ''),
    languages: request.headers['accept-language'],
    address: callerNetwork(request, behindProxy),
    requestId: String(response.getHeader('x-request-id')),
  };
}

/** The form; or the status that says why it could not be read. */
async function readForm(request: Request, limits: HttpLimits): Promise<URLSearchParams | number> {
  if (!hasBody(request.headers)) return new URLSearchParams();
  const [type = ''] = (request.headers['content-type'] ?? '').toLowerCase().split(/\s*;\s*/);
  if (type !== formType) return 415;
  try {
    const body = await readBody(request, { ...limits, bodyBytes: formBytes, bodyMs: formMs });
    return new URLSearchParams(body.toString('utf8'));
  } catch (error) {
    if (error instanceof CasebridgeError) return error.kind.status;
    throw error;
  }
}

/** Of two of one name the first counts: it is the one with the longer path (RFC 6265 5.4). */
function cookiesOf(header: string): ReadonlyMap<string, string> {
  return new Map(
    header
      .split(/;\s*/)
      .reverse()
      .map((pair): [string, string] => {
        const [name = '', ...value] = pair.split('=');
        return [name, value.join('=')];
      }),
  );
}

function write(response: Response, { status, headers, cookies, body }: PageAnswer): void {
  response.status(status);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (cookies.length > 0) response.setHeader('set-cookie', [...cookies]);
  response.end(body);
}
