import { expect, test } from 'bun:test'
import { html, prose } from '../../../../src/server/pages/html.ts'

test('HTML made by hand is escaped in texts, attributes and lists, and made by the template is not', () => {
  const made = html`<p title="${'"&'}">${['<', html`<b>${'>'}</b>`, 3]}</p>`
  expect(made.markup).toBe('<p title="&quot;&amp;">&lt;<b>&gt;</b>3</p>')
})

test('backticks in a description mark code, and what is in them is escaped', () => {
  expect(prose('Use `<a>` & `b`.').markup).toBe('Use <code>&lt;a&gt;</code> &amp; <code>b</code>.')
})
