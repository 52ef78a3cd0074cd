/** HTML that is safe to send: only `html` makes it, so that no text gets in unescaped. */
export interface Html {
  readonly markup: string
}

/** A value of the template: text is escaped, HTML is not, lists are joined. */
export type HtmlValue = string | number | Html | readonly HtmlValue[]

/**
 * Builds HTML. Every value is escaped, unless `html` made it. For text and quoted attributes.
 *
 * @example
 * html`<p title="${title}">${paragraphs.map((text) => html`<b>${text}</b>`)}</p>`.markup
 */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { markup: literals.reduce((markup, literal, index) => markup + render(values[index - 1] ?? '') + literal) }
}

/** The empty HTML. */
export const NOTHING: Html = { markup: '' }

/** Renders a text of our documentation, in which `backticks` mark code. */
export function prose(text: string): Html {
  const pieces = text.split('`')
  return html`${pieces.map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece))}`
}

function render(value: HtmlValue): string {
  if (typeof value === 'string') return escapeHtml(value)
  if (typeof value === 'number') return String(value)
  return 'markup' in value ? value.markup : value.map(render).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
