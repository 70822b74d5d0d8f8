// What others have written is shown as text wherever it is put, and can neither end an attribute nor begin a tag.

import { expect, test } from '@jest/globals';
import { html } from '../../src/html/html.ts';

test('what is put into a template is shown as text', () => {
  const comment = `<script>alert("x")</script> & 'more'`;
  expect(String(html`<p title="${comment}">${comment}</p>`)).toBe(
    '<p title="&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62; &#38; &#39;more&#39;">' +
      '&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62; &#38; &#39;more&#39;</p>',
  );
});

test('markup stays markup, and a list is its items', () => {
  const items = ['a', 'b<'].map((item) => html`<li>${item}</li>`);
  expect(String(html`<ul>${items}</ul>`)).toBe('<ul><li>a</li><li>b&#60;</li></ul>');
});

test('nothing is shown for what is not there', () => {
  expect(String(html`<p>${undefined}${false}${0}</p>`)).toBe('<p>0</p>');
});

test('a text that looks like markup of ours is a text', () => {
  expect(String(html`${String(html`<b>${'x'}</b>`)}`)).toBe('&#60;b&#62;x&#60;/b&#62;');
});

test.each([
  ['a control character', '\u0000'],
  ['half of a pair', '\ud800'],
  ['a character that turns the direction of writing', '\u202e'],
])('%s is replaced by a sign for the unknown', (_what, character) => {
  expect(String(html`${`a${character}b`}`)).toBe('a\ufffdb');
});
