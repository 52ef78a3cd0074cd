import { ERROR_CATALOGUE } from '../../openai/error-catalogue.ts'
import type { ErrorEntry } from '../../openai/error-entry.ts'
import type { JsonSchema } from '../../openai/openapi/json-schema.ts'
import type { Operation } from '../../openai/openapi/operation.ts'
import type { OpenApiDocument } from '../../openai/openapi-document.ts'
import { DOCS_STYLE } from './docs-style.ts'
import { type Html, html, NOTHING, prose } from './html.ts'
import { renderCode, renderQuickStart } from './quick-start.ts'
import { renderSchemaTable } from './schema-table.ts'
import { renderTable } from './table.ts'

/** The content of the page. */
export interface DocsPageOptions {
  readonly document: OpenApiDocument
  /** The base URL as the caller sees it, ending with `/v1`. */
  readonly baseUrl: string
}

/** An operation with its method and path. */
interface Endpoint {
  readonly method: string
  /** From the origin on: `/v1/chat/completions`. */
  readonly path: string
  readonly operation: Operation
}

/**
 * Renders the documentation as one HTML page, complete in itself: it has no script and loads nothing.
 *
 * @example
 * const page = renderDocsPage({ document, baseUrl: 'http://localhost:8000/v1' })
 * new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } })
 */
export function renderDocsPage({ document, baseUrl }: DocsPageOptions): string {
  const endpoints = endpointsOf(document)
  const sections = [
    { id: 'quick-start', title: 'Quick start', body: renderQuickStart(baseUrl) },
    { id: 'authentication', title: 'Authentication', body: AUTHENTICATION },
    { id: 'endpoints', title: 'Endpoints', body: renderEndpoints(document, endpoints) },
    ...endpoints.flatMap((endpoint) => requestSection(document, endpoint)),
    { id: 'errors', title: 'Errors', body: renderErrors() },
    { id: 'openapi', title: 'For machines', body: MACHINES },
  ]
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>NexCode: API documentation</title>
${DOCS_STYLE}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>NexCode <small>${document.info.version}</small></h1>
<p>An OpenAI-compatible gateway: one address in front of OpenAI’s API, with the server’s key or your own.</p>
</header>
<nav aria-label="Contents"><ul>
${sections.map(
  ({ id, title }) => html`<li><a href="#${id}">${title}</a></li>
`,
)}</ul></nav>
<main id="main" tabindex="-1">
${sections.map(
  ({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>
`,
)}</main>
<footer><p>NexCode ${document.info.version} · <a href="/openapi.json">openapi.json</a></p></footer>
</body>
</html>
`
  return page.markup
}

const AUTHENTICATION = html`<p>Send <code>Authorization: Bearer …</code>; <code>x-api-key</code> and <code>api-key</code> carry the same thing. What to put in it depends on how the server is set up:</p>
<dl>
<dt><code>REQUIRE_AUTH=false</code></dt>
<dd>Your own OpenAI key: it goes upstream as it came. Only a caller on the server’s own machine may leave it out, and is then served with the server’s key.</dd>
<dt><code>REQUIRE_AUTH=true</code></dt>
<dd>One of the server’s API tokens, or a key that it has made for you: it goes no further, and the server’s own key goes upstream.</dd>
</dl>`

const MACHINES = html`<p>All of this is at <a href="/openapi.json"><code>/openapi.json</code></a> as an OpenAPI 3.1 document, for code generators and API clients. It asks for a key where the API does.</p>`

function endpointsOf(document: OpenApiDocument): readonly Endpoint[] {
  return Object.entries(document.paths).flatMap(([path, { servers = document.servers, get, post, delete: remove }]) => {
    const below = `${servers[0]?.url.replace(/\/$/, '') ?? ''}${path}`
    return [
      ...(post === undefined ? [] : [{ method: 'POST', path: below, operation: post }]),
      ...(get === undefined ? [] : [{ method: 'GET', path: below, operation: get }]),
      ...(remove === undefined ? [] : [{ method: 'DELETE', path: below, operation: remove }]),
    ]
  })
}

function renderEndpoints(document: OpenApiDocument, endpoints: readonly Endpoint[]): Html {
  const groups = document.tags.map(({ name, description }) => {
    const members = endpoints.filter(({ operation }) => operation.tags.includes(name))
    return html`<h3>${name}</h3>
<p>${prose(description)}</p>
<ul class="endpoints">
${members.map(renderEndpoint)}</ul>
`
  })
  return html`<p>The paths below <code>/v1</code> are served without it too.</p>
${groups}`
}

function renderEndpoint({ method, path, operation }: Endpoint): Html {
  return html`<li><span class="method">${method}</span> <code>${path}</code> <span>${prose(operation.summary)}</span></li>
`
}

/** A section for an operation whose request body is described; none for others. */
function requestSection(document: OpenApiDocument, { method, path, operation }: Endpoint) {
  const media = operation.requestBody?.content['application/json']
  if (media?.schema === undefined) return []
  const body = html`<p><span class="method">${method}</span> <code>${path}</code></p>
<p>${prose(operation.description)}</p>
<h3>Examples</h3>
${Object.values(media.examples ?? {}).map((example) => ('value' in example ? renderExample(example) : NOTHING))}
<h3>Parameters</h3>
${renderSchemaTable(`Parameters of ${method} ${path}`, resolve(document, media.schema))}`
  return [{ id: operation.operationId, title: operation.summary, body }]
}

function renderExample({ summary, value }: { readonly summary: string; readonly value: unknown }): Html {
  return html`<details><summary>Example: ${summary}</summary>
${renderCode(`Example: ${summary}`, JSON.stringify(value, null, 2))}</details>
`
}

function resolve(document: OpenApiDocument, schema: JsonSchema): JsonSchema {
  const name = schema.$ref?.split('/').at(-1)
  return (name === undefined ? undefined : document.components.schemas[name]) ?? schema
}

function renderErrors(): Html {
  const entries: readonly ErrorEntry[] = Object.values(ERROR_CATALOGUE).sort((a, b) => a.status - b.status)
  const rows = entries.map(({ status, code, message, cure }) => ({
    cells: [status, html`<code>${code ?? 'null'}</code>`, message, prose(cure)],
  }))
  const columns = ['Status', 'Code', 'Message', 'What to do']
  return html`<p>Every error has OpenAI’s shape, with all four keys: <code>{"error":{"message","type","param","code"}}</code>. OpenAI’s own errors pass through as they come; these are NexCode’s:</p>
${renderTable({ caption: 'Errors that NexCode answers with', style: 'errors', columns, rows })}`
}
