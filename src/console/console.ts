// Front door of console/: the pages that operators look at, as functions from what they show to HTML (docs/console.md).

export { casePage } from './case-page.ts';
export { decisionPage, decisionsPage } from './decisions.ts';
export { problemPage, signInPage, whichSourcePage } from './entry.ts';
export { addresses, addressOf, caseAddress, type Viewer } from './frame.ts';
export { alertsPage, allCasesPage, attentionPage, homePage, lanesPage } from './lists.ts';
export { style } from './style.ts';
