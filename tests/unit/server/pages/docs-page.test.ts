import { describe, expect, test } from 'bun:test'
import { ERROR_CATALOGUE } from '../../../../src/openai/error-catalogue.ts'
import { createOpenApiDocument } from '../../../../src/openai/openapi-document.ts'
import { renderDocsPage } from '../../../../src/server/pages/docs-page.ts'
import { DOCS_STYLE } from '../../../../src/server/pages/docs-style.ts'
import { html, prose } from '../../../../src/server/pages/html.ts'
import { renderHomeLine } from '../../../../src/server/pages/small-page.ts'
import parameters from '../../../fixtures/openai-parameters.json' with { type: 'json' }

const baseUrl = 'http://gateway.test:8000/v1'
const page = render(baseUrl)

describe('the documentation page', () => {
  test('is complete in itself: no script, and nothing that is loaded', () => {
    expect(page).not.toMatch(/<(script|img|iframe|link|object|embed|video|audio|base|form)\b/i)
    expect(page).not.toMatch(/\s(src|srcset|style|on\w+)=|url\(|@import|@font-face/i)
    const targets = [...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target)
    expect(targets.filter((target) => !target?.startsWith('#'))).toEqual(['/openapi.json', '/openapi.json'])
  })

  test('stays below 250 KB', () => {
    expect(new TextEncoder().encode(page).byteLength).toBeLessThan(250_000)
  })

  test('closes every element that it opens', () => {
    const open: string[] = []
    for (const [, slash, name = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
      if (name === 'meta') continue
      if (slash === '') open.push(name)
      else expect(open.pop()).toBe(name)
    }
    expect(open).toEqual([])
  })

  test('escapes whatever it is given', () => {
    const hostile = render(`http://x/"'><script>alert('1')</script>&`, '<b>1</b>')
    expect(hostile).not.toMatch(/<script|<b>1/i)
    expect(hostile).toContain(
      '<code>http://x/&quot;&#39;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;</code>',
    )
    expect(hostile).toContain('<small>&lt;b&gt;1&lt;/b&gt;</small>')
  })

  test('keeps a base URL inside the quotes of each example', () => {
    const hostile = render(`http://x/"'$(id)`)
    expect(hostile).toContain(escaped(`base_url="http://x/\\"'$(id)"`))
    expect(hostile).toContain(escaped(`baseURL: "http://x/\\"'$(id)"`))
    expect(hostile).toContain(escaped(`curl 'http://x/"'\\''$(id)/chat/completions'`))
  })

  test('shows the first call in Python, Node and curl, with the base URL of the server', () => {
    expect(page).toContain(escaped(`base_url="${baseUrl}"`))
    expect(page).toContain(escaped(`baseURL: "${baseUrl}"`))
    expect(page).toContain(escaped(`curl '${baseUrl}/chat/completions'`))
  })

  test('explains both modes of authentication', () => {
    expect(page).toContain('REQUIRE_AUTH=false')
    expect(page).toContain('REQUIRE_AUTH=true')
  })

  test('lists every endpoint of the document where it is served', () => {
    const paths = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/models', '/health', '/readyz']
    for (const path of paths) expect(page).toContain(`<code>${path}</code>`)
    expect(page).not.toContain('/v1/health')
    expect(page.match(/<li><span class="method">/g)).toHaveLength(
      Object.values(documentOf().paths).flatMap((item) => [item.get, item.post, item.delete].filter(Boolean)).length,
    )
  })

  test.each([
    { id: 'createChatCompletion', names: parameters.chat },
    { id: 'createCompletion', names: parameters.completions },
  ])('has every parameter of $id in its table', ({ id, names }) => {
    const section = page.slice(page.indexOf(`<section id="${id}"`)).split('</section>')[0]
    for (const name of names) expect(section).toContain(`<th role="rowheader" scope="row"><code>${name}</code>`)
  })

  test('unfolds what is nested, down to the last field', () => {
    expect(page).toContain('<summary>Fields of <code>messages</code>: role, content, name')
    expect(page).toContain('<summary>Kinds of <code>content</code>: text, image_url, input_audio, file, refusal, other')
    expect(page).toContain('How closely to look: <code>auto</code>')
  })

  test('marks what is required and what is deprecated', () => {
    expect(page).toContain('<code>messages</code> <span class="badge must">required</span>')
    expect(page).toContain('<code>max_tokens</code> <span class="badge">deprecated</span>')
  })

  test('has every error of the catalogue, by status, with its message and cure', () => {
    const table = page.slice(page.indexOf('<table role="table" class="errors">'))
    for (const { status, code, message, cure } of Object.values(ERROR_CATALOGUE)) {
      const cells = html`<th role="rowheader" scope="row">${status}</th><td role="cell"><code>${code ?? 'null'}</code></td><td role="cell">${message}</td><td role="cell">${prose(cure)}</td>`
      expect(table).toContain(cells.markup)
    }
    const statuses = [...table.matchAll(/scope="row">(\d+)</g)].map(([, status]) => Number(status))
    expect(statuses).toEqual(statuses.toSorted((left, right) => left - right))
  })
})

describe('everybody can read it', () => {
  test('it names its language and has each landmark once', () => {
    expect(page).toStartWith('<!doctype html>\n<html lang="en">')
    for (const landmark of ['header', 'nav', 'main', 'footer']) {
      expect(page.match(new RegExp(`<${landmark}\\b`, 'g'))).toHaveLength(1)
    }
  })

  test('its headings skip no level', () => {
    const levels = [...page.matchAll(/<h([1-6])\b/g)].map(([, level]) => Number(level))
    expect(levels.filter((level) => level === 1)).toEqual([1])
    for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1)
  })

  test('every link and label within it has its target, and no id stands twice', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const wanted = [...page.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)].map(([, id]) => id)
    expect(wanted.length).toBeGreaterThan(15)
    expect(ids).toEqual(expect.arrayContaining(wanted))
  })

  test('its text stands out from its ground, light and dark (WCAG 2.2, 1.4.3)', () => {
    const [, light = '', dark = ''] = DOCS_STYLE.markup.split(':root {')
    for (const theme of [light, dark]) {
      for (const [text, ground] of [
        ['text', 'ground'],
        ['text', 'raised'],
        ['quiet', 'ground'],
        ['quiet', 'raised'],
        ['quiet', 'accent-ground'],
        ['accent', 'ground'],
        ['accent', 'accent-ground'],
        ['warn', 'warn-ground'],
      ] as const) {
        expect(contrastOf(colourOf(theme, text), colourOf(theme, ground))).toBeGreaterThanOrEqual(4.5)
      }
    }
  })
})

test('the home page is one line that names the version and the documentation', () => {
  expect(renderHomeLine('1.2.3')).toMatch(/^NexCode 1\.2\.3, .*\/v1.*\/docs\.\n$/)
})

function documentOf(version = '1.2.3') {
  return createOpenApiDocument({ version, serverUrl: baseUrl })
}

function render(url: string, version?: string): string {
  return renderDocsPage({ document: documentOf(version), baseUrl: url })
}

function escaped(text: string): string {
  return html`${text}`.markup
}

function colourOf(theme: string, name: string): string {
  return new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(theme)?.[1] ?? 'missing'
}

/** The contrast of two colours such as `#0a655a`, from 1 to 21 (WCAG 2.2). */
function contrastOf(left: string, right: string): number {
  const [dark = 0, light = 0] = [luminanceOf(left), luminanceOf(right)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(colour.slice(start, start + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
