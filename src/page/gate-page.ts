// The page before the referral: whoever has the link asks for a code, and signs in with it.

import { type HtmlValue, html } from '../html/html.ts';
import { codeMinutes } from './codes.ts';
import { type FieldBox, faultList, lineField, type Returned } from './fields.ts';
import { type Frame, pageHtml, told, type Unsent, unsentHtml } from './layout.ts';
import { words } from './words.ts';

export type GateState =
  | { readonly kind: 'new' }
  | { readonly kind: 'sent' }
  | { readonly kind: 'sent-before' }
  | { readonly kind: 'not-sent' }
  | { readonly kind: 'wrong'; readonly left: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'locked' }
  | { readonly kind: 'sign-in-first' }
  | { readonly kind: 'no-cookies' }
  | { readonly kind: 'faults' };

export interface Gate extends Frame {
  /** Of this link. */
  readonly address: string;
  readonly csrf: string;
  readonly state: GateState;
  /** Where the code goes, so that nobody learns an address from it. */
  readonly masked: string;
  /** A code that can still be given. */
  readonly hasCode: boolean;
  readonly returned?: Returned;
  readonly unsent?: Unsent;
}

export function gateHtml(gate: Gate): string {
  const { address, csrf, masked, hasCode, returned } = gate;
  const w = words[gate.language];
  const box: FieldBox = { w, form: 'sign-in', returned };
  const problem = problemOf(gate, box);
  const token = html`<input type="hidden" name="csrf" value="${csrf}">`;
  const signIn = html`<form class="card" method="post" action="${address}/enter">${token}
${lineField(box, { name: 'name', label: w.gate.name, hint: w.gate.nameHint, required: true }, html`type="text" autocomplete="name" maxlength="100"`)}
${lineField(box, { name: 'code', label: w.gate.code, hint: w.gate.codeHint, required: true }, html`type="text" inputmode="numeric" autocomplete="one-time-code" maxlength="12"`)}
<p><button>${w.gate.open}</button></p></form>`;
  const ask = html`<form class="card" method="post" action="${address}/code">${token}
<p>${w.gate.sendTo(masked)}</p>
<p><button${hasCode && html` class="quiet"`}>${hasCode ? w.gate.sendAnother : w.gate.send}</button></p></form>`;
  const body: HtmlValue = [
    problem,
    gate.unsent && unsentHtml(gate.unsent, w),
    gate.state.kind === 'sent' && told('done', w.headings.done, html`<p>${w.gate.sent(masked, codeMinutes)}</p>`),
    html`<p>${w.gate.intro}</p>`,
    gate.state.kind !== 'locked' && [hasCode && signIn, ask],
  ];
  return pageHtml({ ...gate, title: w.gate.title, hasProblem: problem !== undefined, body });
}

function problemOf({ state, language }: Gate, box: FieldBox): HtmlValue {
  const w = words[language];
  const problem = (body: HtmlValue) => told('problem', w.headings.problem, body);
  switch (state.kind) {
    case 'new':
    case 'sent':
      return undefined;
    case 'sent-before':
      return told('notice', w.headings.problem, html`<p>${w.gate.sentBefore}</p>`);
    case 'not-sent':
      return problem(html`<p>${w.gate.notSent}</p>`);
    case 'wrong':
      return problem(html`<p>${w.gate.wrong(state.left)}</p>`);
    case 'none':
      return problem(html`<p>${w.gate.none}</p>`);
    case 'locked':
      return problem(html`<p>${w.gate.locked}</p>`);
    case 'sign-in-first':
      return problem(html`<p>${w.gate.signInFirst}</p>`);
    case 'no-cookies':
      return problem(html`<p>${w.gate.cookies}</p>`);
    case 'faults':
      return problem(faultList(box));
    default:
      return state satisfies never;
  }
}

/** `m•••@e•••.org`, `•••• 12`: enough for whoever knows the address. */
export function masked(address: { readonly kind: 'email' | 'sms'; readonly to: string }): string {
  if (address.kind === 'sms') return `•••• ${address.to.slice(-2)}`;
  const at = address.to.lastIndexOf('@');
  const domain = address.to.slice(at + 1);
  return `${address.to.slice(0, 1)}•••@${domain.slice(0, 1)}•••${domain.slice(domain.lastIndexOf('.'))}`;
}
