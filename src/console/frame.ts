// What every page of the console has around its content. Pure.

import { type Html, type HtmlValue, html } from '../html/html.ts';

/** Who looks at the page, and what its forms carry. */
export interface Viewer {
  readonly name: string;
  readonly formToken: string;
  readonly mayDecide: boolean;
}

/** Addresses of the console. */
export const addresses = {
  home: '/console',
  style: '/console/style.css',
  signOut: '/console/sign-out',
  cases: '/console/cases',
  decisions: '/console/decisions',
  lanes: '/console/lanes',
  alerts: '/console/alerts',
} as const;

/** An address with what is asked for; what is undefined is left out. */
export function addressOf(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value);
  return given.size === 0 ? path : `${path}?${given}`;
}

export function caseAddress(
  source: string,
  id: string,
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  return addressOf(`${addresses.cases}/${encodeURIComponent(id)}`, { source, ...query });
}

const places = [
  [addresses.home, 'Connections'],
  [addresses.cases, 'Cases'],
  [addresses.decisions, 'Decisions'],
  [addresses.lanes, 'Lanes'],
  [addresses.alerts, 'Alerts'],
] as const;

/** A whole page. @param here the address in the navigation that is current */
export function frame(title: string, content: HtmlValue, viewer?: Viewer, here?: string): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Casebridge console</title>
<link rel="stylesheet" href="${addresses.style}">
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header class="top">
<p class="brand"><a href="${addresses.home}">Casebridge console</a></p>
${viewer && navigation(here)}
${viewer && signedIn(viewer)}
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
}

function navigation(here: string | undefined): Html {
  const items = places.map(
    ([address, name]) =>
      html`<li><a href="${address}"${address === here && html` aria-current="page"`}>${name}</a></li>`,
  );
  return html`<nav aria-label="Console"><ul>${items}</ul></nav>`;
}

function signedIn(viewer: Viewer): Html {
  return html`<form class="who" method="post" action="${addresses.signOut}">${tokenField(viewer)}
<span>Signed in as <b>${viewer.name}</b></span> <button type="submit" class="plain">Sign out</button></form>`;
}

export function tokenField({ formToken }: Pick<Viewer, 'formToken'>): Html {
  return html`<input type="hidden" name="form" value="${formToken}">`;
}

/** Plain links of which one is chosen. */
export function choices(
  label: string,
  items: readonly { readonly name: string; readonly address: string; readonly isChosen: boolean }[],
): Html {
  const links = items.map(
    ({ name, address, isChosen }) =>
      html`<li><a href="${address}"${isChosen && html` aria-current="true"`}>${name}</a></li>`,
  );
  return html`<nav class="choices" aria-label="${label}"><span aria-hidden="true">${label}</span><ul>${links}</ul></nav>`;
}

/** A state as a word on a coloured ground; the word alone says it. */
export function badge(word: string, tone: 'bad' | 'soon' | 'good' | 'quiet'): Html {
  return html`<span class="badge ${tone}">${word}</span>`;
}

/** What stands below a list of which more is to come. */
export function olderLink(address: string | undefined, name: string): Html | undefined {
  return address === undefined ? undefined : html`<p class="more"><a href="${address}">${name}</a></p>`;
}
