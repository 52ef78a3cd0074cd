/**
 * A program of its own: a gateway that reads what comes at once, and does nothing else for 200 ms of the processor's time where it, or its
 * answer, is long:
 * what a busy machine keeps it waiting is no fault of a gateway's, and is taken off by the probe. Prints its port.
 */
import { cpuMs } from '../../helpers/cpu-time.ts'

const LONG_BYTES = 1024 * 1024
const HOLD_MS = 200

const listening = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const { byteLength } = await request.arrayBuffer()
    const isLong = byteLength > LONG_BYTES || request.headers.has('x-play')
    const until = cpuMs() + (isLong ? HOLD_MS : 0)
    while (cpuMs() < until);
    return new Response('{}', { status: byteLength > LONG_BYTES ? 413 : 200 })
  },
})
process.stdout.write(`${listening.port}\n`)
