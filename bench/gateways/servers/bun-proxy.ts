/** The least that a proxy on Bun can be: `bun bun-proxy.ts <port> <upstream port>`. */
const [port, upstreamPort] = process.argv.slice(2).map(Number)
const upstream = `http://127.0.0.1:${upstreamPort}`

Bun.serve({
  hostname: '127.0.0.1',
  port: port ?? 0,
  idleTimeout: 255,
  development: false,
  async fetch(request) {
    const { method, headers, url } = request
    const path = url.slice(url.indexOf('/', 8))
    const body = method === 'POST' ? await request.arrayBuffer() : null
    const answer = await fetch(upstream + path, { method, headers, body, decompress: false, redirect: 'manual' })
    return new Response(answer.body, { status: answer.status, headers: answer.headers })
  },
})
