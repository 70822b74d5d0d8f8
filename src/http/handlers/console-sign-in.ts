// Signing in on the console and out of it, and what is answered to whoever has not.

import { beginSession, endSession, formToken } from '../../access/access.ts';
import type { Permission } from '../../config.ts';
import { addresses, signInPage } from '../../console/console.ts';
import { CasebridgeError } from '../../errors.ts';
import type { Html } from '../../html/html.ts';
import { callerNetwork } from '../caller.ts';
import {
  checkForm,
  forgetSession,
  keepSession,
  type SignedIn,
  signedIn,
  visitorSecret,
  visitorSecretOf,
} from '../console-session.ts';
import { readForm } from '../form.ts';
import { keepSessionAct } from '../looks.ts';
import { checkAccess, principalReader } from '../principal.ts';
import type { Call, Route } from '../route.ts';

/** A page for whoever has signed in and may read; everybody else is asked to sign in. */
export function shownTo(make: (call: Call, viewer: SignedIn) => Promise<Html>): Route['handle'] {
  return async (call) => {
    const viewer = await signedIn(call);
    if (viewer === undefined) return askToSignIn(call, call.request.originalUrl);
    checkMay(viewer, 'read');
    return send(call, await make(call, viewer));
  };
}

function send({ response }: Call, content: Html): undefined {
  response.type('text/html').send(String(content));
}

export function askToSignIn(call: Call, wanted: string, why?: string, status = 401): undefined {
  const { request, response } = call;
  const token = formToken(visitorSecret(request, response));
  response.status(status);
  return send(call, signInPage({ formToken: token, wanted: ownAddress(wanted), why }));
}

export function checkMay({ operator }: Pick<SignedIn, 'operator'>, permission: Permission): void {
  checkAccess({ source: false, operator: permission }, { kind: 'operator', name: operator.name, operator });
}

/** In the audit, of whoever is no operator. */
const nobody = 'unknown';

export async function signIn(call: Call): Promise<undefined> {
  const { gateway, request, response, signIns, keptRefusals } = call;
  const seconds = await signIns.take(callerNetwork(request, gateway.config.server.behindProxy ?? false));
  if (seconds !== undefined) throw new CasebridgeError('sign-in-too-often', { seconds });
  const { form, to = '', token = '' } = await readForm(call, ['form', 'to', 'token']);
  let caller = nobody;
  try {
    checkForm(visitorSecretOf(request), form);
    const principal = principalReader(gateway.config)(`Bearer ${token}`);
    if (principal.kind !== 'operator') throw new CasebridgeError('operators-only');
    caller = principal.name;
    response.locals.caller = caller;
    checkAccess({ source: false, operator: 'read' }, principal);
    await keepSessionAct(call, caller, 'sign-in');
    keepSession(request, response, await beginSession(gateway.store, principal.operator));
    response.redirect(303, ownAddress(to));
  } catch (error) {
    if (!(error instanceof CasebridgeError)) throw error;
    if (keptRefusals.take(caller) === undefined) await keepSessionAct(call, caller, 'sign-in', error.code);
    return askToSignIn(call, to, error.message, error.kind.status);
  }
}

export async function signOut(call: Call): Promise<undefined> {
  const { gateway, request, response } = call;
  const viewer = await signedIn(call);
  const { form } = await readForm(call, ['form']);
  if (viewer !== undefined) {
    checkForm(viewer.secret, form);
    await endSession(gateway.store, viewer.secret);
    await keepSessionAct(call, viewer.operator.name, 'sign-out');
  }
  forgetSession(request, response);
  response.redirect(303, addresses.home);
}

/** An address of the console as it was; anything else is its first page. */
export function ownAddress(address: string): string {
  const isOwn = /^\/console(\/[\w.%-]+)*(\?[\w.%=&+-]*)?$/.test(address) && address.length <= 1000;
  return isOwn ? address : addresses.home;
}
