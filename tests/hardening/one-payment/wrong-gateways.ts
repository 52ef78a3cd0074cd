import type { PaymentLedger } from './payment-ledger.ts'
import type { RunningWorld } from './worlds.ts'

/** A stand-in that passes everything on: it has never heard of the header. */
export function startDeafWorld(ledger: PaymentLedger): RunningWorld {
  return wrongWorld('deaf', (request) => forward(request, ledger))
}

/** A stand-in that gives finished answers again, and knows nothing of what is under way: what a cache would do. */
export function startForgetfulWorld(ledger: PaymentLedger): RunningWorld {
  const kept = new Map<string, string>()
  return wrongWorld('forgetful', async (request) => {
    const key = request.headers.get('idempotency-key') ?? ''
    const before = kept.get(key)
    if (before !== undefined) return new Response(before, { headers: { 'content-type': 'application/json' } })
    const answer = await forward(request, ledger)
    if (answer.ok) kept.set(key, await answer.clone().text())
    return answer
  })
}

async function forward(request: Request, { baseUrl }: PaymentLedger): Promise<Response> {
  const { pathname } = new URL(request.url)
  const body = await request.text()
  const answer = await fetch(baseUrl + pathname.slice('/v1'.length), { method: 'POST', headers: request.headers, body })
  // Whole, so that a break is seen here, and not by the runtime's server.
  const text = await answer.text()
  return new Response(text, { status: answer.status, headers: { 'content-type': 'application/json' } })
}

function wrongWorld(name: string, answer: (request: Request) => Promise<Response>): RunningWorld {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => answer(request).catch(() => new Response(null, { status: 502 })),
  })
  return {
    ...{ name, leavingFrees: false, isDisturbed: true, model: 'm', disturb: undefined, everyMs: 0 },
    servers: () => [`http://127.0.0.1:${server.port}`],
    stop: () => server.stop(true),
  }
}
