import type { Words } from '../words.ts';

export const en: Words = {
  language: 'English',
  switchLanguage: 'Language',
  pageTitle: 'Referral',
  errorTitle: (title) => `Problem: ${title}`,
  notices: {
    'link-unknown': {
      title: 'This link does not work',
      text: 'Part of the link may be missing. Open it from the message again, or copy the whole of it. If it still does not work, ask the agency that sent it for a new one.',
    },
    'link-expired': {
      title: 'This link has expired',
      text: 'Links work for a limited time. Ask the agency that sent it for a new one.',
    },
    'link-revoked': {
      title: 'This link was withdrawn',
      text: 'The agency that sent it has withdrawn this link. Ask it for a new one if you still need it.',
    },
    'referral-gone': {
      title: 'This referral is no longer open to you',
      text: 'It was withdrawn, or given to another organization. There is nothing left for you to do here.',
    },
    'form-foreign': {
      title: 'Nothing was sent',
      text: 'This form was open for too long, or did not come from this page. Go back to the referral and try again.',
    },
    'form-too-long': {
      title: 'Nothing was sent',
      text: 'This text is too long. Go back in your browser and shorten it to 4,000 characters, or open the referral again.',
    },
    'too-many': { title: 'Too many requests', text: 'Please wait a few minutes, then try again.' },
    'signed-out': { title: 'You are signed out', text: 'Use the link in your message to come back.' },
    failed: {
      title: 'Something went wrong on our side',
      text: 'Nothing was changed. Please try again in a few minutes.',
    },
  },

  gate: {
    title: 'Open a referral',
    intro:
      'To protect the client, this link alone opens nothing. We send a one-time code to the address that your organization gave us.',
    sendTo: (address) => `The code goes to ${address}.`,
    send: 'Send me a code',
    sendAnother: 'Send me another code',
    sent: (address, minutes) => `A code is on its way to ${address}. It works for ${minutes} minutes.`,
    sentBefore:
      'A code was sent a moment ago. Please look for it, also among unwanted mail, before you ask for another one in some minutes.',
    notSent: 'The code could not be sent. Please try again in a minute.',
    name: 'Your name',
    nameHint: 'The agency sees who has answered.',
    code: 'Code',
    codeHint: 'Six digits, from the message that we sent.',
    open: 'Open the referral',
    wrong: (left) =>
      `This is not the code that we sent. ${left === 1 ? 'One try is left' : `${left} tries are left`} before the link is locked for a while.`,
    none: 'This code has expired or was used before. Ask for a new one.',
    locked:
      'There were too many wrong codes, so this link is locked for a while. Please come back later and ask for a new code.',
    signInFirst: 'You were signed out because nothing happened for a while. Nothing was sent. Please sign in again.',
    cookies: 'This page needs cookies to know that you have signed in. Allow cookies for this site and try again.',
  },

  signedInAs: (name) => `Signed in as ${name}`,
  signOut: 'Sign out',
  timeout: 'You are signed out after 30 minutes without any action.',
  backToReferral: 'Go to the referral',

  status: {
    draft: 'Being prepared',
    requested: 'Waiting for your answer',
    received: 'Waiting for your answer',
    accepted: 'Accepted',
    rejected: 'Declined',
    ready: 'Accepted',
    cancelled: 'Cancelled',
    'in-progress': 'In progress',
    'on-hold': 'On hold',
    failed: 'Ended without the service',
    completed: 'Completed',
    'entered-in-error': 'Withdrawn: it was a mistake',
  },
  waitlisted: 'On your waiting list',
  cancelAsked:
    'The agency asks you to stop working on this referral. Please say that you have stopped, or how it ended.',
  headings: {
    asked: 'What is asked',
    who: 'Who it is for',
    byWhen: 'By when',
    actions: 'What you can do',
    appointments: 'Appointments',
    history: 'What has happened',
    problem: 'There is a problem',
    done: 'Done',
    changed: 'Something has changed',
  },
  labels: {
    service: 'Service',
    urgency: 'Urgency',
    why: 'Why',
    needs: 'Needs',
    goals: 'Goals',
    period: 'Needed',
    from: 'Asked on',
    requester: 'Asked by',
    name: 'Name',
    birthDate: 'Born',
    phone: 'Phone',
    speaks: 'Speaks',
    state: 'State',
    reason: 'Reason',
  },
  noContact: 'Do not contact this person. Please ask the agency how to reach them.',
  part2: '42 CFR part 2 prohibits unauthorized use or disclosure of these records.',
  phoneWithheld: 'Ask the agency.',
  unknown: 'Not known',
  urgency: {
    routine: 'Routine',
    urgent: 'Urgent',
    asap: 'As soon as possible',
    stat: 'Emergency: at once',
  },
  timesIn: (zone) => `Time zone: ${zone}.`,
  period: (from, by) =>
    [from === undefined ? undefined : `from ${from}`, by === undefined ? undefined : `until ${by}`]
      .filter((part) => part !== undefined)
      .join(' '),
  clocks: {
    'referral-follow-up-48h': 'Your answer',
    'first-contact-72h': 'First contact with the client',
    'cancel-answer-48h': 'Your answer to the request to stop',
  },
  clockStates: {
    running: (due) => (due === undefined ? 'waits' : `by ${due}`),
    'due-soon': (due) => (due === undefined ? 'soon' : `soon: by ${due}`),
    breached: (due) => (due === undefined ? 'overdue' : `overdue since ${due}`),
    met: () => 'done',
  },

  actionTitles: {
    accept: 'Accept',
    decline: 'Decline',
    start: 'Start the work',
    hold: 'Put on hold',
    finish: 'Finish: say how it ended',
    stop: 'Stop, as asked',
    contact: 'Log a contact with the client',
    propose: 'Propose or book an appointment',
    confirm: 'Confirm',
    comment: 'Write to the agency',
  },
  actionButtons: {
    accept: 'Accept this referral',
    decline: 'Decline this referral',
    start: 'We have started',
    hold: 'Put on hold',
    finish: 'Finish this referral',
    stop: 'We have stopped',
    contact: 'Log this contact',
    propose: 'Send this appointment',
    confirm: 'Confirm this appointment',
    comment: 'Send this comment',
  },
  bookOwn: 'The client has agreed: book it',
  actionHints: {
    accept: 'You take this referral on, and contact the client next.',
    decline: 'The agency learns the reason, so that it can find help elsewhere.',
    comment: 'The agency reads it. It becomes part of the record.',
  },
  done: {
    accept: 'You have accepted this referral.',
    decline: 'You have declined this referral.',
    start: 'The work has started.',
    hold: 'The referral is on hold.',
    finish: 'The referral is finished. Thank you.',
    stop: 'The agency knows that you have stopped.',
    contact: 'The contact is logged.',
    propose: 'The appointment was sent.',
    confirm: 'The appointment is confirmed.',
    comment: 'Your comment was sent.',
  },
  fields: {
    declineReason: 'Reason',
    details: 'Details',
    detailsOptional: 'Details (optional)',
    holdReason: 'Why is it on hold?',
    outcome: 'How did it end?',
    when: (zone) => `Date and time (${zone})`,
    mode: 'How',
    contactOutcome: 'What came of it',
    minutes: 'Length in minutes',
    place: 'Place (optional)',
    agreement: 'Is it agreed with the client?',
    comment: 'Comment',
    choose: 'Choose one',
  },
  declineReasons: {
    'no-capacity': 'We have no capacity',
    ineligible: 'The client is not eligible',
    'out-of-area': 'Outside our area',
    duplicate: 'We have this referral already',
    'insufficient-information': 'Not enough information',
    safety: 'Safety concerns',
    'client-unreachable': 'The client cannot be reached',
    other: 'Another reason (say which below)',
  },
  outcomes: {
    'service-received': 'The client received the service',
    'partly-received': 'The client received part of the service',
    'not-received': 'The client did not receive the service',
    'client-declined': 'The client declined',
    'no-show': 'The client did not come',
    unreachable: 'The client could not be reached',
    ineligible: 'The client was not eligible',
    'no-capacity': 'We had no capacity',
    other: 'It ended in another way (say how below)',
  },
  contactModes: {
    phone: 'Phone call',
    'in-person': 'In person',
    video: 'Video call',
    text: 'Text message',
    email: 'E-mail',
    mail: 'Letter',
  },
  contactOutcomes: {
    reached: 'We talked with the client',
    'left-message': 'We left a message',
    'no-answer': 'No answer',
    'wrong-number': 'Wrong number',
    'client-declined': 'The client declined',
  },
  agreements: { booked: 'Yes, it is booked', proposed: 'No, it is a proposal' },
  faults: {
    'reason-missing': 'Choose a reason.',
    'reason-text-missing': 'Say the reason in a few words.',
    'text-missing': 'Write something first.',
    'text-too-long': 'This text is too long. Write at most 4,000 characters.',
    'outcome-missing': 'Choose how it ended.',
    'outcome-text-missing': 'Say in a few words how it ended.',
    'mode-missing': 'Choose how.',
    'contact-outcome-missing': 'Choose what came of it.',
    'time-missing': 'Give a date and a time.',
    'time-not-real':
      'This time does not exist, or exists twice, on that day because the clocks change. Choose another time.',
    'time-in-future': 'This time has not come yet.',
    'time-before-referral': 'This is before the referral was sent to you. Check the date.',
    'time-in-past': 'This time is over.',
    'minutes-wrong': 'Give a length from 5 to 600 minutes.',
    'agreement-missing': 'Choose one of the two.',
    'name-missing': 'Give your name, in at most 100 characters.',
    'code-not-six-digits': 'A code has six digits.',
  },

  notAllowed: (state, legal) =>
    `This cannot be done now. The referral is: ${state}. ${
      legal.length === 0 ? 'Nothing more can be done with it.' : `What can be done: ${legal.join(', ')}.`
    }`,
  appointmentThere:
    'There is already an appointment for this time and place; the list of appointments shows how it stands. Nothing was changed. Please propose another time, or write to the agency.',
  stale:
    'While this page was open, the referral has changed. Nothing was sent yet. Please read what is new, and send the form again if it is still right.',
  staleOver:
    'While this page was open, the referral has changed, and this cannot be done any more. Nothing was sent. Please read what is new.',
  staleNothing: 'A detail of the referral was changed.',
  unsent: {
    title: 'What you wrote, not sent',
    hint: 'Copy it if you still need it: it is kept nowhere else.',
  },
  nothingToDo: 'This referral has ended. There is nothing left for you to do.',
  history: {
    none: 'Nothing yet.',
    you: 'You',
    them: 'The agency',
    state: (state) => `State: ${state}`,
    comment: 'Comment',
    contact: (outcome) => `Contact with the client: ${outcome}`,
    appointment: (state, at) => `Appointment, ${state}: ${at}`,
  },
  appointmentStates: {
    proposed: 'proposed',
    booked: 'booked',
    kept: 'kept',
    cancelled: 'cancelled',
    'no-show': 'the client did not come',
  },
  mail: {
    newReferral: (link, days) => ({
      subject: 'A referral is waiting for your answer',
      text: `A community agency has sent your organization a referral and is waiting for your answer.

Open it here:
${link}

You will be asked for a code, which we send to this organization when you ask for it. The link works for ${days} days and for this referral only.

For privacy, this message says nothing about the person or the service. If you did not expect it, you can ignore it.`,
    }),
    news: (link, days) => ({
      subject: 'There is news about a referral',
      text: `Something has changed in a referral that your organization works on.

Open it here:
${link}

You will be asked for a code, which we send to this organization when you ask for it. The link works for ${days} days and for this referral only.

For privacy, this message says nothing about the person or the service.`,
    }),
    code: (code, minutes) => ({
      subject: 'Your one-time code',
      text: `Your code is ${code}

It works once, for ${minutes} minutes. We never ask for it by phone. If you did not ask for it, somebody else has opened a link that was sent to your organization: without the code they see nothing.`,
    }),
  },
};
