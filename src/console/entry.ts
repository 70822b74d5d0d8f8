// Pages before anyone has signed in, and what is said instead of a page. Pure.

import { type Html, html } from '../html/html.ts';
import { addresses, frame, tokenField, type Viewer } from './frame.ts';

/**
 * The form that takes an operator's token.
 * @param wanted the address that was asked for; `why` what was wrong with the last attempt
 */
export function signInPage(page: { readonly formToken: string; readonly wanted: string; readonly why?: string }): Html {
  return frame(
    'Sign in',
    html`${page.why !== undefined && html`<p class="notice bad" role="alert">${page.why}</p>`}
<form class="card sign-in" method="post" action="${addresses.home}">
${tokenField(page)}
<input type="hidden" name="to" value="${page.wanted}">
<label for="token">Token of an operator</label>
<input id="token" name="token" type="password" autocomplete="current-password" required aria-describedby="token-help">
<p id="token-help" class="quiet">From <code>operators:</code> of the configuration, with the permission <code>read</code>. You are signed out after half an hour without a click.</p>
<button type="submit">Sign in</button>
</form>`,
  );
}

/** Why there is no such page, or why a form was not taken. */
export function problemPage(
  problem: { readonly title: string; readonly text: string; readonly requestId: string },
  viewer?: Viewer,
): Html {
  return frame(
    problem.title,
    html`<p class="notice bad" role="alert">${problem.text}</p>
<p class="quiet">Request <code>${problem.requestId}</code></p>
<p><a href="${addresses.cases}">To the cases</a></p>`,
    viewer,
  );
}

/** The same id in several sources. */
export function whichSourcePage(
  page: { readonly id: string; readonly links: readonly { readonly source: string; readonly address: string }[] },
  viewer: Viewer,
): Html {
  const links = page.links.map(
    ({ source, address }) => html`<li><a href="${address}">${page.id} of ${source}</a></li>`,
  );
  return frame(
    `Case ${page.id}`,
    html`<p>Several sources have a case of this id. Which one?</p><ul>${links}</ul>`,
    viewer,
    addresses.cases,
  );
}
