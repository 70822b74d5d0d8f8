// The one style sheet of the console: readable at night, on a phone and on paper. Colours are never the only sign of anything.

export const style = `
:root { color-scheme: light dark; --ground: #fff; --raised: #f6f7f9; --text: #1a1f26; --quiet: #545d68; --line: #cfd5dc; --link: #0b4f9c;
  --bad: #8c1d18; --bad-ground: #fdecea; --soon: #6a4600; --soon-ground: #fff3d6; --good: #14532d; --good-ground: #e5f4ea; --neutral-ground: #e9ecf0;
  --agency: #1d4fc4; --gateway: #5b6470; --hospital: #86308f; --partner: #0c6b60; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161b; --raised: #1b2128; --text: #e7eaee; --quiet: #a9b3bf; --line: #3a434e; --link: #8ab8f5;
  --bad: #ffb4ab; --bad-ground: #4a1513; --soon: #ffd98a; --soon-ground: #40300b; --good: #a5dfb8; --good-ground: #12351f; --neutral-ground: #2b333d;
  --agency: #8fb0ff; --gateway: #a9b3bf; --hospital: #e0a3e6; --partner: #6fd3c5; } }
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; background: var(--ground); color: var(--text); }
body { margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 0 1rem 4rem; overflow-wrap: anywhere; }
main:focus { outline: none; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.5rem 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0; }
ul, ol { margin: .25rem 0; padding-left: 1.25rem; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, input:focus-visible, textarea:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code { font-family: ui-monospace, "Liberation Mono", monospace, monospace; font-size: .85em; color: var(--quiet); }
blockquote { margin: .25rem 0; padding-left: .75rem; border-left: 3px solid var(--line); white-space: pre-wrap; }
summary { cursor: pointer; padding: .25rem 0; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--ground); padding: .5rem; z-index: 1; }
.top { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: center; padding: .5rem 1rem; border-bottom: 1px solid var(--line); background: var(--raised); }
.brand { font-weight: 600; }
.brand a { color: inherit; text-decoration: none; }
.top nav ul, .choices ul { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; margin: 0; padding: 0; }
.top nav a, .choices a { display: inline-block; padding: .25rem .6rem; border-radius: .35rem; min-height: 1.75rem; }
.top nav a[aria-current], .choices a[aria-current] { background: var(--neutral-ground); color: var(--text); font-weight: 600; text-decoration: none; }
.who { margin-left: auto; font-size: .9rem; }
.choices { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: baseline; margin: .5rem 0; font-size: .95rem; }
.choices > span { color: var(--quiet); min-width: 5.5rem; }
.lead { font-size: 1.05rem; }
.quiet { color: var(--quiet); font-weight: 400; }
.cards, .figures { list-style: none; padding: 0; }
.figures { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
.card { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: .5rem 0; }
.card > h2, .card > h3 { margin-top: 0; }
.card > h2 { font-size: 1.05rem; }
.badge { display: inline-block; padding: 0 .5rem; border-radius: .35rem; font-size: .85rem; font-weight: 600; white-space: nowrap; background: var(--neutral-ground); color: var(--text); }
.badge.bad, .notice.bad { background: var(--bad-ground); color: var(--bad); }
.badge.soon, .notice.soon { background: var(--soon-ground); color: var(--soon); }
.badge.good { background: var(--good-ground); color: var(--good); }
.notice { padding: .5rem .75rem; border-radius: .35rem; }
.notice code { color: inherit; }
.facts { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .1rem .75rem; margin: .25rem 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; }
.line { list-style: none; padding: 0; margin: 0; }
.line > li { border-left: 4px solid var(--gateway); padding: .15rem 0 .15rem .75rem; margin: .6rem 0; }
.line > .agency { border-color: var(--agency); }
.line > .hospital { border-color: var(--hospital); }
.line > .partner { border-color: var(--partner); }
.line p { margin: 0; }
.when { font-variant-numeric: tabular-nums; color: var(--quiet); font-size: .9rem; }
.side { font-weight: 600; color: var(--gateway); margin-left: .5rem; }
.agency .side { color: var(--agency); }
.hospital .side { color: var(--hospital); }
.partner .side { color: var(--partner); }
.why { color: var(--quiet); font-size: .95rem; }
.steps { font-size: .95rem; }
.more { margin: 1rem 0; }
label { display: block; margin-top: .5rem; }
.option { display: flex; gap: .5rem; align-items: baseline; margin: .35rem 0; }
.option label { margin: 0; }
fieldset { border: 0; padding: 0; margin: .5rem 0; }
legend { font-weight: 600; padding: 0; }
input[type=password], textarea { font: inherit; width: 100%; max-width: 34rem; padding: .5rem; border: 1px solid var(--quiet); border-radius: .35rem; background: var(--ground); color: inherit; }
input[type=radio] { width: 1.5rem; height: 1.5rem; margin: 0; flex: none; align-self: center; }
button { display: block; font: inherit; margin-top: .75rem; padding: .5rem 1rem; border: 0; border-radius: .35rem; background: var(--link); color: var(--ground); cursor: pointer; }
button.plain { display: inline; margin: 0; padding: .25rem .5rem; background: none; color: var(--link); text-decoration: underline; }
.sign-in { max-width: 34rem; }
@media (max-width: 40rem) { .who { margin-left: 0; } .facts { grid-template-columns: 1fr; } .facts dd { margin-left: .75rem; } .choices > span { width: 100%; } }
@media print {
  :root { color-scheme: light; --ground: #fff; --raised: #fff; --text: #000; --quiet: #333; --line: #999; --link: #000;
    --bad: #000; --bad-ground: #fff; --soon: #000; --soon-ground: #fff; --good: #000; --good-ground: #fff; --neutral-ground: #fff;
    --agency: #000; --gateway: #000; --hospital: #000; --partner: #000; }
  .top nav, .who, .choices, .more, .skip, main form { display: none; }
  main { max-width: none; padding: 0; }
  .card, .line > li { break-inside: avoid; }
  .badge { border: 1px solid #000; }
  details::details-content { content-visibility: visible; block-size: auto; }
  a { text-decoration: none; }
}
`;
