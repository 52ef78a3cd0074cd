import { expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOpenApiDocument } from '../../src/openai/openapi-document.ts'
import { renderDocsPage } from '../../src/server/pages/docs-page.ts'

const BROWSER = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => Bun.which(name)).find(Boolean)
const cure = BROWSER ? '' : ' (skipped: there is no Chromium here; get it with `apt-get install chromium`)'

/** As strict as the page is served with; whatever it forbids is reported to us. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; report-uri /reports"

const STARTING_TIMEOUT_MS = 60_000

test.skipIf(!BROWSER)(
  `a browser shows the documentation page, and asks for nothing but the page itself${cure}`,
  async () => {
    const { dom, requests } = await load((origin) => {
      const baseUrl = `${origin}/v1`
      return renderDocsPage({ document: createOpenApiDocument({ version: '1.2.3', serverUrl: baseUrl }), baseUrl })
    })
    expect(dom).toContain('<h2 id="quick-start-title">Quick start</h2>')
    expect(dom).toMatch(/base_url="http:\/\/127\.0\.0\.1:\d+\/v1"/)
    expect(dom).toContain('<summary>Fields of <code>messages</code>')
    // The browser's parser found the table as it was meant: nothing was moved out of it.
    expect(dom).toMatch(/<td role="cell"><code>upstream_timeout<\/code><\/td>/)
    expect(requests.filter((request) => request !== 'GET /favicon.ico')).toEqual(['GET /docs'])
  },
  STARTING_TIMEOUT_MS,
)

test.skipIf(!BROWSER)(
  `a page that does ask for something outside is found out${cure}`,
  async () => {
    const { requests } = await load(() => '<!doctype html><img src="http://outside.test/a.png" alt=""><p>Hello</p>')
    expect(requests).toContain('POST /reports')
  },
  STARTING_TIMEOUT_MS,
)

/** Serves a page, has the browser load it, and tells what became of it and what was asked for. */
async function load(render: (origin: string) => string): Promise<{ dom: string; requests: readonly string[] }> {
  const requests: string[] = []
  await using server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { origin, pathname } = new URL(request.url)
      requests.push(`${request.method} ${pathname}`)
      if (pathname !== '/docs') return new Response(null, { status: 404 })
      const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY }
      return new Response(render(origin), { headers })
    },
  })
  const profile = await mkdtemp(join(tmpdir(), 'nexcode-browser-'))
  try {
    return { dom: await dumpDom(`${server.url}docs`, profile), requests }
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function dumpDom(url: string, profile: string): Promise<string> {
  const switches = [
    '--headless',
    // Chromium refuses its sandbox to root, which is who runs in many a CI; the page is our own.
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${profile}`,
  ]
  const browser = Bun.spawn([BROWSER ?? '', ...switches, '--dump-dom', url], {
    stderr: 'ignore',
    timeout: STARTING_TIMEOUT_MS,
  })
  const dom = await new Response(browser.stdout).text()
  expect(await browser.exited).toBe(0)
  return dom
}
