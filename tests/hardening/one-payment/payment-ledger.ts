import { beginStream, DONE, event } from '../../helpers/cache-calls.ts'
import { startScriptedUpstream, type UpstreamConnection } from '../../helpers/scripted-upstream.ts'
import type { History, Outcome } from './history.ts'

/** Tells which server a call comes from. */
export const SERVER_HEADER = 'x-server'

/** One call that has reached the upstream: a generation that somebody pays for. */
export interface PaidCall {
  readonly number: number
  readonly server: string
  readonly body: string
  /** All that was sent of its answer. */
  text: string
  /** `unknown`: its server was killed, or the upstream goes on with it though its answer broke off. */
  state: 'open' | 'done' | 'failed' | 'left' | 'unknown'
}

/** What the upstream knows of each key. */
export interface PaymentLedger {
  readonly baseUrl: string
  /** Opens the account of a key; `leavingFrees`: a call whose client has left may be made again. */
  readonly open: (history: History, leavingFrees: boolean) => void
  /** A client of the key has left. */
  readonly noteLeft: (key: string) => void
  /** A server is about to be killed: nobody knows any more what becomes of its calls. */
  readonly noteKilled: (server: string) => void
  readonly callsOf: (key: string) => readonly PaidCall[]
  /** What was paid for twice, as sentences. */
  readonly doubledOf: (key: string) => readonly string[]
  readonly calls: () => number
  readonly close: () => Promise<void>
}

interface Account {
  readonly history: History
  readonly leavingFrees: boolean
  readonly calls: PaidCall[]
  readonly doubled: string[]
  /** Calls that came while an earlier one was open: it has to turn out that nobody wanted that one any more. */
  readonly overlaps: { readonly earlier: PaidCall; readonly later: PaidCall }[]
  left: number
}

/** More than what the servers keep. */
const LARGE = 'x'.repeat(200_000)

/** Starts an upstream that keeps account of what it was asked for under each Idempotency-Key. */
export async function startPaymentLedger(): Promise<PaymentLedger> {
  const accounts = new Map<string, Account>()
  const all: PaidCall[] = []
  const upstream = await startScriptedUpstream(async (request, connection) => {
    const body = Buffer.from(await request.body).toString()
    const account = accounts.get(request.header('idempotency-key') ?? '')
    // What warms a server up has no key.
    if (account === undefined) return connection.json({ id: 'warm', object: 'chat.completion', choices: [] })
    const { calls, history } = account
    const server = request.header(SERVER_HEADER) ?? ''
    const call: PaidCall = { number: calls.length + 1, server, body, text: '', state: 'open' }
    judge(account, call)
    calls.push(call)
    all.push(call)
    void connection.closed.then(() => move(call, 'left'))
    await answer(history, call, history.outcomes[call.number - 1] ?? 'ok', connection)
  })
  const accountOf = (key: string): Account => {
    const account = accounts.get(key)
    if (account === undefined) throw new Error(`There is no account of ${key}.`)
    return account
  }
  return {
    baseUrl: `${upstream.url}/v1`,
    open: (history, leavingFrees) =>
      void accounts.set(history.id, { history, leavingFrees, calls: [], doubled: [], overlaps: [], left: 0 }),
    noteLeft(key) {
      accountOf(key).left += 1
    },
    noteKilled(server) {
      for (const call of all) if (call.server === server) move(call, 'unknown')
    },
    callsOf: (key) => accountOf(key).calls,
    doubledOf(key) {
      const { doubled, overlaps } = accountOf(key)
      const open = overlaps.filter(({ earlier }) => earlier.state !== 'left' && earlier.state !== 'failed')
      return [...doubled, ...open.map(({ earlier, later }) => told(earlier, later))]
    },
    calls: () => all.length,
    close: () => upstream.close(),
  }
}

function judge(account: Account, later: PaidCall): void {
  for (const earlier of account.calls) {
    if (earlier.state === 'left' || earlier.state === 'failed') continue
    // Its client may have left when the upstream was just through with it.
    const isFreed = account.leavingFrees && account.history.kind !== 'background' && account.left > 0
    if (isFreed) account.left -= 1
    else if (earlier.state === 'open') account.overlaps.push({ earlier, later })
    else account.doubled.push(told(earlier, later))
  }
}

function told(earlier: PaidCall, later: PaidCall): string {
  return `call ${later.number} (by ${later.server}) was made although call ${earlier.number} (by ${earlier.server}) is ${earlier.state}`
}

function move(call: PaidCall, state: PaidCall['state']): void {
  if (call.state === 'open') call.state = state
}

async function answer(
  { id, kind, callMs }: History,
  call: PaidCall,
  outcome: Outcome,
  connection: UpstreamConnection,
): Promise<void> {
  await Bun.sleep(callMs)
  if (outcome === 'refused') return fail(call, connection, 429)
  if (outcome === 'error') return fail(call, connection, 500)
  const name = `${id}-${call.number}`
  const filling = outcome === 'large' ? LARGE : ''
  if (kind === 'stream') return stream(call, name + filling, callMs, outcome, connection)
  const status = kind === 'background' ? 'queued' : 'completed'
  call.text = JSON.stringify({ id: name, object: 'response', status, error: null, choices: [], text: filling })
  // In the background it goes on, whatever becomes of its answer.
  if (outcome === 'reset' || outcome === 'cut') move(call, kind === 'background' ? 'unknown' : 'failed')
  if (outcome === 'reset') return connection.reset()
  if (outcome === 'cut') {
    const length = String(call.text.length + 10)
    connection.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${call.text}`,
    )
    connection.socket.end()
    return
  }
  move(call, 'done')
  connection.respond(200, { 'content-type': 'application/json' }, call.text)
}

function fail(call: PaidCall, connection: UpstreamConnection, status: number): void {
  move(call, 'failed')
  connection.json({ error: { message: 'scripted', type: 'server_error', param: null, code: 'scripted' } }, status)
}

async function stream(
  call: PaidCall,
  name: string,
  callMs: number,
  outcome: Outcome,
  connection: UpstreamConnection,
): Promise<void> {
  beginStream(connection)
  const send = (text: string): void => {
    call.text += text
    connection.chunk(text)
  }
  send(event(name))
  await Bun.sleep(callMs)
  if (outcome === 'reset') {
    move(call, 'failed')
    return connection.reset()
  }
  if (outcome === 'cut') {
    move(call, 'failed')
    return connection.endChunks()
  }
  move(call, 'done')
  send(DONE)
  connection.endChunks()
}
