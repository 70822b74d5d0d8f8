// The frame of every page: language, style sheet, heading, and what must be said first.

import type { PageLanguage } from '../config.ts';
import { type Html, type HtmlValue, html } from '../html/html.ts';
import type { Action } from './choices.ts';
import { cssName } from './style.ts';
import { type Notice, type Words, words } from './words.ts';

export interface Frame {
  readonly language: PageLanguage;
  /** Where the pages are: `/p`, with whatever stands before it. */
  readonly base: string;
  /** The page in another language: its address without a query. Absent: there is no switch. */
  readonly here?: string;
}

export interface Page extends Frame {
  readonly title: string;
  readonly hasProblem?: boolean;
  /** Beside the languages, at the top. */
  readonly aside?: HtmlValue;
  readonly body: HtmlValue;
}

export function pageHtml({ language, base, here, title, hasProblem = false, aside, body }: Page): string {
  const w = words[language];
  return String(html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${hasProblem ? w.errorTitle(title) : title}</title>
<link rel="stylesheet" href="${base}/${cssName}">
</head>
<body>
<header>
${here !== undefined && languageSwitch(w, language, here)}
${aside}
</header>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`);
}

function languageSwitch(w: Words, language: PageLanguage, here: string): Html {
  const others = (['en', 'es'] as const).filter((one) => one !== language);
  return html`<nav aria-label="${w.switchLanguage}">${others.map(
    (one) => html`<a href="${here}?lang=${one}" lang="${one}" hreflang="${one}">${words[one].language}</a>`,
  )}</nav>`;
}

/** A page that says one thing and where to go from there. */
export function noticeHtml(frame: Frame, notice: Notice, back?: Back, unsent?: Unsent): string {
  const w = words[frame.language];
  const { title, text } = w.notices[notice];
  const body = [
    html`<div class="card"><p>${text}</p>${back && html`<p><a href="${back.href}">${back.text}</a></p>`}</div>`,
    unsent && unsentHtml(unsent, w),
  ];
  return pageHtml({ ...frame, title, body });
}

export interface Back {
  readonly href: string;
  readonly text: string;
}

/** A form that was not taken and cannot be shown again. */
export interface Unsent {
  readonly action: Action;
  readonly values: URLSearchParams;
}

/** What somebody has typed into it. */
export function unsentHtml({ action, values }: Unsent, w: Words): HtmlValue {
  const at = values.get('at')?.replace('T', ' ');
  const typed = [at, values.get('place'), values.get('text')].filter((text) => text?.trim());
  return (
    typed.length > 0 &&
    html`<section class="card" aria-labelledby="unsent"><h2 id="unsent">${w.unsent.title}</h2><p>${w.actionTitles[action]}</p>
${typed.map((text) => html`<p class="said" dir="auto">${text ?? ''}</p>`)}<p class="hint">${w.unsent.hint}</p></section>`
  );
}

/** What has just happened, or what stands in the way; read out first. */
export function told(kind: 'done' | 'problem' | 'notice', title: string, body: HtmlValue): Html {
  const role = kind === 'problem' ? html` role="alert"` : html` role="status"`;
  return html`<div class="card ${kind}"${role}><h2>${title}</h2>${body}</div>`;
}
