/** A program of its own: a gateway that reads what comes at once, and does nothing else for 200 ms where it is long. Prints its port. */
const LONG_BYTES = 1024 * 1024
const HOLD_MS = 200

const listening = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const { byteLength } = await request.arrayBuffer()
    const until = performance.now() + (byteLength > LONG_BYTES ? HOLD_MS : 0)
    while (performance.now() < until);
    return new Response('{}', { status: byteLength > LONG_BYTES ? 413 : 200 })
  },
})
process.stdout.write(`${listening.port}\n`)

export {}
