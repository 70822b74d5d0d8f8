// What a form asks for, as what the home does.

import type { Actor, Home } from '../home/home.ts';
import type { TaskStatus } from '../referrals/referrals.ts';
import { type Outcome, servedOutcomes } from './choices.ts';
import type { Asked } from './forms.ts';
import { declineStatus, type ReferralView } from './view.ts';
import { words } from './words.ts';

export interface Doing {
  readonly partner: string;
  readonly taskId: string;
  readonly by: Actor;
  /** As the form was made from. */
  readonly view: ReferralView;
}

/** Words that stand in the record where the partner gave none: those of its agency, whatever the page's language. */
const { declineReasons, outcomes } = words.en;

/** @throws as the home does */
export async function doAsked(home: Home, { partner, taskId, by, view }: Doing, asked: Asked): Promise<void> {
  const tag = tagOf(view);
  const move = (to: TaskStatus, more: Omit<Parameters<Home['move']>[2], 'to'> = {}) =>
    home.move(partner, taskId, { to, ...more }, by, tag);
  switch (asked.action) {
    case 'accept':
      await move('accepted');
      return;
    case 'start':
      await move('in-progress');
      return;
    case 'stop':
      await move('cancelled', { reason: { text: 'Stopped as asked' } });
      return;
    case 'decline': {
      const { reason: code, text = declineReasons[code] } = asked;
      await move(declineStatus(view.status) ?? 'rejected', { reason: { code, text } });
      return;
    }
    case 'hold':
      await move('on-hold', { reason: { text: asked.text } });
      return;
    case 'finish': {
      const { outcome: code, text } = asked;
      if (isServed(code)) await move('completed', { outcome: { code, ...(text !== undefined && { text }) } });
      else await move('failed', { reason: { code, text: text ?? outcomes[code] } });
      return;
    }
    case 'contact': {
      const { at, mode, outcome, text } = asked;
      await home.logFirstContact(partner, taskId, { at, mode, outcome, ...(text !== undefined && { note: text }) }, by);
      return;
    }
    case 'propose': {
      const { at, minutes, place, agreement: status } = asked;
      const endsAt = new Date(Date.parse(at) + minutes * 60_000).toISOString();
      const startsAt = new Date(at).toISOString();
      await home.proposeAppointment(
        partner,
        taskId,
        { startsAt, endsAt, status, ...(place !== undefined && { place }) },
        by,
      );
      return;
    }
    case 'confirm': {
      const shown = view.appointments.find(({ id }) => id === asked.appointment);
      await home.confirmAppointment(partner, taskId, asked.appointment, by, tagOf(shown));
      return;
    }
    case 'comment':
      await home.addComment(partner, taskId, asked.text, by, tag);
      return;
    default:
      asked satisfies never;
  }
}

function tagOf(shown: { readonly version: string } | undefined): string {
  return `W/"${shown?.version ?? ''}"`;
}

function isServed(outcome: Outcome): outcome is (typeof servedOutcomes)[number] {
  return servedOutcomes.some((one) => one === outcome);
}
