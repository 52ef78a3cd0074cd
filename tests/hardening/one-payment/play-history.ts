import type { History, Step } from './history.ts'
import type { PaidCall, PaymentLedger } from './payment-ledger.ts'

/** Where a history is played. */
export interface World {
  readonly name: string
  /** Without `/v1`. */
  readonly servers: () => readonly string[]
  /** Whether a call whose last client has left may be made again. */
  readonly leavingFrees: boolean
  /** Whether servers are killed, or their store fails: then some answers are lost, and nobody may ask again. */
  readonly isDisturbed: boolean
  readonly model: string
}

/** What a client was told. */
interface Told {
  readonly status: number
  readonly code: string | undefined
  readonly text: string
}

/** What a client may be told without having been answered, in the words of the error's `code`. */
const ALWAYS = new Set(['idempotency_under_way'])
const DISTURBED = new Set([
  ...['idempotency_unavailable', 'idempotency_outcome_unknown', 'idempotency_answer_not_kept', 'upstream_unreachable'],
])

/**
 * Plays a history, and gives all that was wrong about it: what was paid for twice, and answers that nobody may get.
 *
 * @example
 * const wrong = await playHistory(history, world, ledger)
 */
export async function playHistory(history: History, world: World, ledger: PaymentLedger): Promise<string[]> {
  ledger.open(history, world.leavingFrees)
  const asking: Promise<Told>[] = []
  for (const step of history.steps) {
    asking.push(ask(history, step, world, ledger))
    await Bun.sleep(step.pauseMs)
  }
  const told = await Promise.all(asking)
  // Those that waited for a server that was killed have seen its time run out by now.
  const last: Step = { server: history.steps.length, body: 'a', leavesAfterMs: undefined, pauseMs: 0 }
  if (world.isDisturbed) told.push(await ask(history, last, world, ledger))
  const calls = ledger.callsOf(history.id)
  const wrong = told.flatMap((one) => judge(one, history, calls, world))
  wrong.push(...(await askAgain(history, world, ledger)))
  return [...new Set([...ledger.doubledOf(history.id), ...wrong])]
}

/** What has been answered is given again, from whichever server. */
async function askAgain(history: History, world: World, ledger: PaymentLedger): Promise<readonly string[]> {
  const done = ledger.callsOf(history.id).find(({ state }) => state === 'done')
  const isCertain = !(world.isDisturbed || history.outcomes.includes('large'))
  const hasLeft = history.steps.some(({ leavesAfterMs }) => leavesAfterMs !== undefined)
  if (done === undefined || !isCertain || (world.leavingFrees && hasLeft)) return []
  const server = history.steps.length % world.servers().length
  const body = done.body.includes('"b"') ? 'b' : 'a'
  const step: Step = { server, body, leavesAfterMs: undefined, pauseMs: 0 }
  for (let tries = 0; ; tries += 1) {
    const told = await ask(history, step, world, ledger)
    if (told.status === 200 && told.text === done.text) return []
    if (told.code !== 'idempotency_under_way' || tries === 20) {
      return [`what was answered is not given again: ${told.status} ${told.code ?? told.text.slice(0, 80)}`]
    }
    await Bun.sleep(100)
  }
}

function judge(told: Told, history: History, calls: readonly PaidCall[], { isDisturbed }: World): string[] {
  const { status, code, text } = told
  if (status === 0) return []
  if (status === 200) {
    const isOne = calls.some((call) => call.text === text)
    return isOne ? [] : [`an answer that is none of the upstream's: ${text.slice(0, 80)}`]
  }
  const outcomes = new Set(history.outcomes)
  const mayBe =
    (code !== undefined && (ALWAYS.has(code) || (isDisturbed && DISTURBED.has(code)))) ||
    (code === 'scripted' && (outcomes.has('refused') || outcomes.has('error'))) ||
    (code === 'upstream_unreachable' && (outcomes.has('reset') || outcomes.has('cut'))) ||
    (code === 'idempotency_key_reused' && history.steps.some(({ body }) => body === 'b')) ||
    (code === 'idempotency_answer_not_kept' && outcomes.has('large')) ||
    (code === 'idempotency_outcome_unknown' && history.kind === 'background')
  return mayBe ? [] : [`an answer that nobody should get: ${status} ${code ?? text.slice(0, 80)}`]
}

const PATHS = { chat: 'chat/completions', stream: 'chat/completions', background: 'responses' } as const

/** Status 0: the client has left, or its connection broke. */
async function ask(history: History, step: Step, world: World, ledger: PaymentLedger): Promise<Told> {
  const { id, kind } = history
  const abort = new AbortController()
  const leave = (): void => {
    ledger.noteLeft(id)
    abort.abort()
  }
  const timer = step.leavesAfterMs === undefined ? undefined : setTimeout(leave, step.leavesAfterMs)
  const common = { model: world.model, user: step.body }
  const asked = {
    chat: { messages: [{ role: 'user', content: id }] },
    stream: { messages: [{ role: 'user', content: id }], stream: true },
    background: { input: id, background: true },
  }
  try {
    const servers = world.servers()
    const answer = await fetch(`${servers[step.server % servers.length]}/v1/${PATHS[kind]}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': id },
      body: JSON.stringify({ ...common, ...asked[kind] }),
      signal: abort.signal,
    })
    const text = await answer.text()
    const code = answer.ok ? undefined : codeOf(text)
    return { status: answer.status, code, text }
  } catch {
    return { status: 0, code: undefined, text: '' }
  } finally {
    clearTimeout(timer)
  }
}

function codeOf(text: string): string | undefined {
  try {
    return String((JSON.parse(text) as { readonly error: { readonly code: unknown } }).error.code)
  } catch {
    return undefined
  }
}
