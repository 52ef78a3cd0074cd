/** The least that a checking proxy on Elysia can be: `bun elysia-proxy.ts <port> <upstream port>`. */
import { Elysia, t } from 'elysia'

const [port, upstreamPort] = process.argv.slice(2).map(Number)
const upstream = `http://127.0.0.1:${upstreamPort}`

const chatBody = t.Object(
  { model: t.String(), stream: t.Optional(t.Boolean()), messages: t.Array(t.Object({ role: t.String() })) },
  { additionalProperties: true },
)

async function forward(request: Request, body: string | null): Promise<Response> {
  const { method, headers, url } = request
  const path = url.slice(url.indexOf('/', 8))
  const answer = await fetch(upstream + path, { method, headers, body, decompress: false, redirect: 'manual' })
  return new Response(answer.body, { status: answer.status, headers: answer.headers })
}

new Elysia({ serve: { hostname: '127.0.0.1', idleTimeout: 255, development: false }, normalize: false })
  .get('/v1/models', ({ request }) => forward(request, null))
  // Parsed, checked and written anew: what Elysia does by itself.
  .post('/v1/chat/completions', ({ request, body }) => forward(request, JSON.stringify(body)), { body: chatBody })
  .listen(port ?? 0)
