import { DOCS_STYLE } from './docs-style.ts'
import { type Html, html, NOTHING } from './html.ts'

/** Forbids scripts, fonts, frames, and images other than the icon: each page is complete in itself. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The headers of every page. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': PAGE_POLICY,
  'x-content-type-options': 'nosniff',
}

/** The icon of the pages: an arrow through a gate. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0a655a"/><path d="M3 8h8M8 5l3 3-3 3M13 3v10" fill="none" stroke="#fff" stroke-width="1.6"/></svg>`

/**
 * Whether a browser asks for a page to show: its request accepts HTML and does not name JSON. SDKs and curl accept neither by name.
 *
 * @example
 * if (wantsPage(request)) return new Response(renderHomePage(page), { headers: PAGE_HEADERS })
 */
export function wantsPage({ method, headers }: Pick<Request, 'method' | 'headers'>): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const accept = headers.get('accept')?.toLowerCase() ?? ''
  return accept.includes('text/html') && !accept.includes('application/json')
}

/**
 * Renders the page at `/`: what this is, the base URL for clients, and links.
 *
 * @example
 * new Response(renderHomePage({ version: '0.1.0', baseUrl: 'http://localhost:8000/v1' }), { headers: PAGE_HEADERS })
 */
export function renderHomePage({ version, baseUrl }: { readonly version: string; readonly baseUrl: string }): string {
  return renderPage(
    'NexCode',
    html`<header>
<h1>NexCode${small(version)}</h1>
<p>An OpenAI-compatible gateway. Point any OpenAI client at this base URL:</p>
</header>
<main id="main">
<p class="base-url"><span>Base URL</span> <code>${baseUrl}</code></p>
<ul>
<li><a href="/docs">Documentation</a>: a first call in Python, Node and curl, all endpoints, all errors</li>
<li><a href="/openapi.json">openapi.json</a>: the same for code generators; it asks for a key where the API does</li>
<li><a href="/v1/models">Models</a>: as your client sees them; it asks for a key where the API does</li>
<li><a href="/health">Health</a> and <a href="/ready">readiness</a> of this server</li>
</ul>
</main>`,
  )
}

/** The parts of an error that its page shows. */
export interface ShownError {
  readonly status: number
  readonly code: string | null
  readonly message: string
}

/**
 * Renders the page of an error, for a person who has followed a link; clients get the same error as JSON.
 *
 * @example
 * renderErrorPage({ status: 404, code: 'unknown_url', message: error.message })
 */
export function renderErrorPage({ status, code, message }: ShownError): string {
  return renderPage(
    `${status}: NexCode`,
    html`<header>
<h1>${status}${small(code)}</h1>
<p>${message}</p>
</header>
<main id="main">
<ul>
<li><a href="/">What is here</a></li>
<li><a href="/docs">Documentation</a></li>
</ul>
</main>`,
  )
}

/** Renders a note beside a heading; nothing where there is none. */
function small(text: string | null): Html {
  return text === null || text === '' ? NOTHING : html` <small>${text}</small>`
}

function renderPage(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${DOCS_STYLE}
</head>
<body>
${body}
</body>
</html>
`.markup
}

/**
 * Renders the answer of `/` for programs: one line of plain text that says what this is and where to read on.
 *
 * @example
 * new Response(renderHomeLine('0.1.0'), { headers: { 'content-type': 'text/plain; charset=utf-8' } })
 */
export function renderHomeLine(version: string): string {
  return `NexCode ${version}, an OpenAI-compatible gateway: the API is at /v1, the documentation at /docs.\n`
}
