// Who has signed in on the console: the cookies in the browser, and what stands in the forms of its pages. A browser sends the cookies to addresses of
// the console alone, and with no request that another site has made.

import type { Request, Response } from 'express';
import { formToken, isFormToken, newSecret, sessionMinutes, sessionOperator } from '../access/access.ts';
import type { OperatorConfig } from '../config.ts';
import type { Viewer } from '../console/console.ts';
import { CasebridgeError } from '../errors.ts';
import { cookieOf } from './form.ts';
import type { Call } from './route.ts';

const cookies = { session: 'casebridge-console', form: 'casebridge-console-form' } as const;

export interface SignedIn {
  readonly operator: OperatorConfig;
  readonly secret: string;
  readonly viewer: Viewer;
}

/** Undefined: nobody is signed in, or not any more. */
export async function signedIn({ gateway, request, response }: Call): Promise<SignedIn | undefined> {
  const secret = cookieOf(request, cookies.session);
  const operator = secret && (await sessionOperator(gateway.store, gateway.config.operators, secret));
  if (!secret || !operator) return undefined;
  response.locals.caller = operator.name;
  const viewer = { name: operator.name, formToken: formToken(secret), mayDecide: operator.may.includes('decide') };
  return { operator, secret, viewer };
}

/** @throws CasebridgeError `form-outdated` for a form that no page of this session has shown */
export function checkForm(secret: string | undefined, token: string | undefined): void {
  if (secret === undefined || token === undefined || !isFormToken(secret, token))
    throw new CasebridgeError('form-outdated');
}

/** The secret behind the forms of somebody who has not signed in; given to the browser where it has none. */
export function visitorSecret(request: Request, response: Response): string {
  const known = cookieOf(request, cookies.form);
  const secret = known ?? newSecret();
  if (known === undefined) setCookie(request, response, cookies.form, secret);
  return secret;
}

/** As far as the browser has one. */
export function visitorSecretOf(request: Request): string | undefined {
  return cookieOf(request, cookies.form);
}

export function keepSession(request: Request, response: Response, secret: string): void {
  setCookie(request, response, cookies.session, secret);
}

export function forgetSession(request: Request, response: Response): void {
  setCookie(request, response, cookies.session, undefined);
}

function setCookie(request: Request, response: Response, name: string, value: string | undefined): void {
  // A proxy that ends TLS says so; whoever says it wrongly only makes his own cookie stricter.
  const isSecure = request.secure || String(request.headers['x-forwarded-proto']).startsWith('https');
  const age = value === undefined ? 0 : sessionMinutes.whole * 60;
  const attributes = `Path=/console; HttpOnly; SameSite=Strict; Max-Age=${age}${isSecure ? '; Secure' : ''}`;
  response.append('set-cookie', `${name}=${value ?? ''}; ${attributes}`);
}
