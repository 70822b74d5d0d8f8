// Links to the partner page, as operators see and withdraw them, and what partners were told.

import type { Actor } from '../../access/access.ts';
import { CasebridgeError } from '../../errors.ts';
import type { Json } from '../../json.ts';
import type { PartnerPage } from '../../page/page.ts';
import { type FieldRules, readFields, textOf } from '../answer-fields.ts';
import { readJson } from '../body.ts';
import { limitOf } from '../parameters.ts';
import { linkStates, listLinks, listMessages, messageStates } from '../queries/partner-links.ts';
import type { Call, Route } from '../route.ts';

const fits = (value: Json) => typeof value === 'string' && value !== '';
const asksFor = {
  partner: { fits, form: 'the name of a partner', required: true },
  task: { fits, form: 'the id of its Task', required: true },
  contact: { fits, form: 'the name of a contact' },
} satisfies FieldRules;

export const partnerLinkRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/partner-links',
    summary: 'Links to referrals that partners were given, and whether they still open anything.',
    access: { source: false, operator: 'read' },
    query: ['connection', 'state', 'limit', 'after'],
    states: linkStates,
    handle: (call) => listLinks(call.gateway.store, filterOf(call)),
  },
  {
    method: 'POST',
    path: '/api/partner-links',
    summary:
      'Send the partner a new link to a referral: {partner, task, contact?}, the id of its Task. It goes to the address on file of that contact, or of each.',
    access: { source: false, operator: 'run' },
    takes: ['application/json'],
    fields: asksFor,
    status: 202,
    handle: sendLink,
  },
  {
    method: 'POST',
    path: '/api/partner-links/{link}/revoke',
    summary: 'Withdraw a link. Whoever is signed in by it is out.',
    access: { source: false, operator: 'run' },
    act: { action: 'revoke', on: 'partner-link' },
    handle: async (call) => {
      const { link = '' } = call.path;
      if (call.gateway.page === undefined) throw new CasebridgeError('partner-link-unknown');
      await call.gateway.page.revoke(link, call.principal?.name ?? '');
      return { id: link, state: 'revoked' };
    },
  },
  {
    method: 'GET',
    path: '/api/partner-messages',
    summary: 'What partners were told of: one message for each event, whether it was sent, and why not.',
    access: { source: false, operator: 'read' },
    query: ['connection', 'state', 'limit', 'after'],
    states: messageStates,
    handle: (call) => listMessages(call.gateway.store, filterOf(call)),
  },
  {
    method: 'POST',
    path: '/api/partner-messages/{message}/retry',
    summary:
      'Send a message that waits or was given up again now, to the address that is configured by now. Once it is out, a referral whose source was offered `undeliverable` is offered as `sent` again.',
    access: { source: false, operator: 'run' },
    status: 202,
    handle: async (call) => {
      await pageOf(call).retryMessage(asked(call));
      return { id: asked(call).message, state: 'waiting' };
    },
  },
  {
    method: 'POST',
    path: '/api/partner-messages/{message}/withdraw',
    summary: 'Tell the partner no more of it, for instance because somebody has called: its alert is over.',
    access: { source: false, operator: 'run' },
    handle: async (call) => {
      await pageOf(call).withdrawMessage(asked(call));
      return { id: asked(call).message, state: 'needless' };
    },
  },
];

/** Without any page there is no message either. */
function pageOf({ gateway }: Call): PartnerPage {
  if (gateway.page === undefined) throw new CasebridgeError('partner-message-unknown');
  return gateway.page;
}

function asked(call: Call) {
  return { message: Number(call.path.message), by: operatorOf(call) };
}

function operatorOf({ principal, requestId }: Call): Actor {
  return { kind: 'operator', id: principal?.name ?? '', requestId };
}

function filterOf({ query }: Call) {
  const { connection: partner, state, after } = query;
  return { partner, state, after, limit: limitOf(query) };
}

async function sendLink(call: Call): Promise<object> {
  const { partner, task: taskId, contact } = readAsked(await readJson(call));
  if (call.gateway.page === undefined) throw new CasebridgeError('partner-unknown', { partner });
  await call.gateway.page.sendLink(partner, taskId, operatorOf(call), contact);
  return { partner, task: taskId, state: 'waiting' };
}

function readAsked(body: Json): { readonly partner: string; readonly task: string; readonly contact?: string } {
  const fields = readFields(body, asksFor);
  return { partner: textOf(fields.partner) ?? '', task: textOf(fields.task) ?? '', contact: textOf(fields.contact) };
}
