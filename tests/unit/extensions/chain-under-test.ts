import type { IncomingBody } from '../../../src/exchange/arrival.ts'
import { MemoryBudget } from '../../../src/exchange/memory-budget.ts'
import { BodyMemory } from '../../../src/extensions/body-memory.ts'
import { type Chain, type ChainDeps, createChain } from '../../../src/extensions/chain.ts'
import type { Forward, ForwardedRequest } from '../../../src/extensions/chain-request.ts'
import type { RunFacts } from '../../../src/extensions/chain-run.ts'
import type { Context, Extension, Next } from '../../../src/extensions/extension.ts'
import type { LoadedExtension } from '../../../src/extensions/load/load-extensions.ts'
import type { Store } from '../../../src/storage/store.ts'
import type { Deadline, Deadlines } from '../../../src/timing/deadlines.ts'

/** A line that was logged. */
export interface Line {
  readonly level: string
  readonly fields: { readonly [name: string]: unknown }
  readonly message: string
}

/** A clock that a test runs out by hand. */
export interface HeldDeadline extends Deadline {
  readonly limitMs: number
  readonly state: 'running' | 'suspended' | 'cleared'
  expire(): void
}

/** A chain of extensions with all that it needs, and what it has done. */
export interface ChainUnderTest {
  readonly chain: Chain
  readonly deps: ChainDeps
  readonly lines: Line[]
  readonly clocks: HeldDeadline[]
  readonly stored: Map<string, { readonly value: Uint8Array; readonly ttlMs: number; readonly scope: string }>
  /** What stood behind the extensions was asked. */
  readonly sent: ForwardedRequest[]
  /** What `context.call` asked. */
  readonly called: ForwardedRequest[]
  readonly abort: AbortController
  /** Called at the exchange's end. */
  readonly atEnd: (() => void)[]
  /** Has the chain answer. */
  readonly ask: (asked?: Asked) => Promise<Response>
}

/** A request as a test makes it. */
export interface Asked {
  readonly target?: string
  readonly shownTarget?: string
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string | Uint8Array<ArrayBuffer> | IncomingBody
}

/** The form of an extension in which tests write most of them. */
export type Fetch = (request: Request, next: Next, context: Context) => Response | Promise<Response>

/** An extension that is loaded. */
export function loaded(fetch: Fetch, more: Partial<LoadedExtension> = {}): LoadedExtension {
  const name = more.name ?? 'tested'
  const extension: Extension = { name, fetch }
  return { name, file: `/srv/${name}.ts`, extension, options: {}, onError: 'fail', timeoutMs: 1000, ...more }
}

/** Counts bodies in a memory of so many bytes. */
export function bodyMemoryOf(memory = new MemoryBudget(100_000_000)): BodyMemory {
  return new BodyMemory({ atEnd: () => undefined }, { bytesMax: 100_000_000, memory })
}

/** Starts a chain; `last` gives what stands behind it, else a small answer of JSON. */
export function chainUnderTest(
  extensions: readonly LoadedExtension[],
  last: (outgoing: ForwardedRequest) => Response | Promise<Response> = () => Response.json({ ok: true }),
  call: (outgoing: ForwardedRequest) => Response | Promise<Response> = () => Response.json({ called: true }),
): ChainUnderTest {
  const lines: Line[] = []
  const clocks: HeldDeadline[] = []
  const stored: ChainUnderTest['stored'] = new Map()
  const sent: ForwardedRequest[] = []
  const called: ForwardedRequest[] = []
  const abort = new AbortController()
  const atEnd: (() => void)[] = []
  const deps: ChainDeps = {
    deadlines: heldDeadlines(clocks),
    log: recordedLog(lines),
    store: mapStore(stored),
    limits: { bytesMax: 1_000_000, memory: new MemoryBudget(100_000_000) },
    pending: new Set(),
  }
  const chain = createChain(extensions, deps)
  const noted =
    (list: ForwardedRequest[], answer: (outgoing: ForwardedRequest) => Response | Promise<Response>): Forward =>
    async (outgoing) => {
      list.push(outgoing)
      return await answer(outgoing)
    }
  const ask = (asked: Asked = {}): Promise<Response> => {
    const exchange = exchangeOf(asked, abort, atEnd)
    const facts: RunFacts = {
      exchange,
      shownTarget: asked.shownTarget ?? exchange.requestTarget,
      principal: { kind: 'token', id: 'token-1' },
      call: noted(called, call),
    }
    return chain.run(facts, noted(sent, last))
  }
  return { chain, deps, lines, clocks, stored, sent, called, abort, atEnd, ask }
}

function exchangeOf(asked: Asked, abort: AbortController, atEnd: (() => void)[]): RunFacts['exchange'] {
  const { target = '/v1/chat/completions', method = 'POST', body = '{"model":"m"}' } = asked
  const isIncoming = typeof body === 'object' && 'whole' in body
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const incoming = isIncoming ? body : incomingOf(bytes as Uint8Array<ArrayBuffer>)
  const length = isIncoming ? {} : { 'content-length': String((bytes as Uint8Array).byteLength) }
  const headers = { 'content-type': 'application/json', ...length, ...asked.headers }
  const request = new Request(`http://localhost${target}`, { method, headers })
  const exchange: RunFacts['exchange'] = {
    outcome: undefined,
    id: 'req_1',
    request,
    requestTarget: target,
    body: method === 'GET' ? undefined : incoming,
    abort,
    atEnd: (release) => void atEnd.push(() => release({ kind: 'complete' })),
  }
  return exchange
}

/** A body that has come with its head. */
export function incomingOf(bytes: Uint8Array<ArrayBuffer>): IncomingBody {
  return { isComplete: true, length: bytes.byteLength, whole: () => bytes, stream: () => new Blob([bytes]).stream() }
}

/** A body that comes in chunks; how many of them were asked for is counted. */
export function arriving(chunks: readonly string[]): IncomingBody & { readonly asked: () => number } {
  let asked = 0
  const stream = () =>
    new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const chunk = chunks[asked]
          asked += 1
          if (chunk === undefined) controller.close()
          else controller.enqueue(new TextEncoder().encode(chunk))
        },
      },
      { highWaterMark: 0 },
    )
  return {
    isComplete: false,
    whole: async () => new Uint8Array(await new Response(stream()).arrayBuffer()),
    stream,
    asked: () => asked,
  }
}

/** The text of what goes on. */
export async function textOf({ body }: ForwardedRequest): Promise<string> {
  return body === undefined ? '' : new TextDecoder().decode(await body.whole())
}

/** A response of events, in these chunks. */
export function eventStream(chunks: readonly string[], onCancel: () => void = () => undefined): Response {
  let at = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[at]
        at += 1
        if (chunk === undefined) controller.close()
        else controller.enqueue(new TextEncoder().encode(chunk))
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
}

function heldDeadlines(clocks: HeldDeadline[]): Deadlines {
  return {
    start(limitMs, onExpire) {
      let state: HeldDeadline['state'] = 'running'
      const clock: HeldDeadline = {
        limitMs,
        get state() {
          return state
        },
        touch() {
          if (state !== 'cleared') state = 'running'
        },
        suspend() {
          if (state !== 'cleared') state = 'suspended'
        },
        clear() {
          state = 'cleared'
        },
        expire() {
          if (state !== 'running') throw new Error(`the clock is ${state}`)
          state = 'cleared'
          onExpire()
        },
      }
      clocks.push(clock)
      return clock
    },
  }
}

function recordedLog(lines: Line[]): ChainDeps['log'] {
  const at =
    (level: string) =>
    (...args: unknown[]): void => {
      const [fields, message] = args
      lines.push({ level, fields: fields as Line['fields'], message: String(message) })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') }
}

function mapStore(stored: ChainUnderTest['stored']): Store {
  return {
    name: 'memory',
    get: (key) => stored.get(key)?.value as Uint8Array<ArrayBuffer> | undefined,
    set: (key, value, options) => void stored.set(key, { value, ...options }),
    delete: (key) => stored.delete(key),
    purge: () => 0,
    stats: () => ({ entries: stored.size, bytes: 0 }),
    close: () => undefined,
  }
}
