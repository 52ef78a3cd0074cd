/** A program of its own: a gateway that decodes what comes, parses it, and keeps both while it waits for its upstream. Prints its port. */
import { gunzipSync } from 'node:zlib'

const UPSTREAM_MS = 500

const listening = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const bytes = new Uint8Array(await request.arrayBuffer())
    const isEncoded = request.headers.get('content-encoding') === 'gzip'
    const value: unknown = JSON.parse(new TextDecoder().decode(isEncoded ? gunzipSync(bytes) : bytes))
    if (isEncoded) await Bun.sleep(UPSTREAM_MS)
    return Response.json({ kept: typeof value })
  },
})
process.stdout.write(`${listening.port}\n`)
