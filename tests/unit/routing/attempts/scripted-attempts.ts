import type { ModelSettings } from '../../../../src/config/sections/models.ts'
import type { Settings } from '../../../../src/config/settings.ts'
import type { Exchange } from '../../../../src/exchange/exchange.ts'
import type { TargetAnswer } from '../../../../src/routing/attempts/ask.ts'
import { ask } from '../../../../src/routing/attempts/ask.ts'
import type { AskDeps, DeploymentCall, RoutedRequest } from '../../../../src/routing/attempts/attempt.ts'
import { createRetryBudget, type RetryBudget } from '../../../../src/routing/attempts/retry-budget.ts'
import type { Deployment } from '../../../../src/routing/targets/deployment.ts'
import { createRouter } from '../../../../src/routing/targets/router.ts'
import { openExchange } from '../../../../src/server/request-context.ts'
import { createSleep } from '../../../../src/timing/deadlines.ts'
import {
  depsOf,
  type FakeClock,
  fakeClock,
  modelOf,
  settingsOf,
  targetOf,
  upstreamOf,
} from '../targets/router-parts.ts'

/** One call that was sent, which a test answers. */
export interface Sent {
  readonly deployment: string
  readonly call: DeploymentCall
  readonly answer: (response: Response) => void
  readonly fail: (thrown: unknown) => void
}

/** A request, and upstreams that a test plays by hand. */
export interface ScriptedAttempts {
  readonly clock: FakeClock
  readonly exchange: Exchange
  readonly deployments: readonly Deployment[]
  readonly sent: readonly Sent[]
  readonly retryBudget: RetryBudget
  readonly hedgeBudget: RetryBudget
  /** Begins to ask. */
  readonly ask: (changes?: Partial<RoutedRequest>) => Promise<TargetAnswer>
  /** Moves the clock and lets what that sets off run. */
  readonly pass: (ms: number) => Promise<void>
  /** The n-th call, from 1. */
  readonly nth: (n: number) => Sent
}

/** Settings and rules by which the model `m` with its targets `a` and `b` is asked. */
export interface ScriptedAttemptsOptions {
  readonly settings?: Partial<Settings>
  readonly model?: Partial<ModelSettings>
  readonly headers?: Readonly<Record<string, string>>
  readonly random?: () => number
}

/** Makes the exchange, the deployments and a `send` whose calls the test answers. */
export function scriptAttempts({
  settings,
  model,
  headers = {},
  random = () => 0.5,
}: ScriptedAttemptsOptions = {}): ScriptedAttempts {
  const clock = fakeClock()
  const router = createRouter(
    settingsOf({
      upstreams: [upstreamOf('a'), upstreamOf('b')],
      models: [modelOf('m', [targetOf('a', { order: 0 }), targetOf('b', { order: 1 })], model)],
      ...settings,
    }),
    depsOf(clock),
  )
  const route = router.route('m')
  const request = new Request('http://localhost/v1/chat/completions', { method: 'POST', headers })
  const target = '/v1/chat/completions'
  const exchange = openExchange(request, { target, isHttp10: false, abort: new AbortController(), body: undefined }, {})
  exchange.tries = []
  const sent: Sent[] = []
  const retryBudget = createRetryBudget(() => 1, 1)
  const hedgeBudget = createRetryBudget(() => 1, 1)
  const deps: AskDeps = {
    now: clock.now,
    deadlines: clock.deadlines,
    log: { warn: () => undefined },
    random,
    sleep: createSleep(clock.deadlines),
    retryBudget,
    hedgeBudget,
    send(call) {
      const { promise, resolve, reject } = Promise.withResolvers<Response>()
      const { signal } = call.abort
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      sent.push({ deployment: call.url.hostname, call: call as DeploymentCall, answer: resolve, fail: reject })
      return promise
    },
  }
  return {
    clock,
    exchange,
    deployments: route.deployments,
    sent,
    retryBudget,
    hedgeBudget,
    ask: (changes) =>
      ask(
        {
          exchange,
          route,
          affinity: undefined,
          payerOf: () => 'server',
          callFor,
          hasIdempotencyKey: false,
          isReplayable: true,
          dueAt: () => Number.POSITIVE_INFINITY,
          clientDueAt: () => Number.POSITIVE_INFINITY,
          ...changes,
        },
        deps,
      ),
    async pass(ms) {
      clock.advance(ms)
      await settled()
    },
    nth(n) {
      const one = sent[n - 1]
      if (one === undefined) throw new Error(`There are ${sent.length} calls.`)
      return one
    },
  }
}

/** A call for a deployment, as the pipeline makes them. */
export function callFor({ upstream, key }: Deployment, abort: AbortController): DeploymentCall {
  const url = new URL(upstream.baseUrl)
  return {
    url,
    target: '/',
    method: 'POST',
    headers: new Headers(),
    body: null,
    abort,
    spentKey: key,
    account: 'server',
    streamIdleMs: 0,
  }
}

/** Lets the promises that are due run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
}

/** Gives a deployment the recent times that percentiles are made of. */
export function warmUp(deployment: Deployment | undefined, ms: number): void {
  for (let call = 0; call < 20; call += 1) {
    const attempt = deployment?.health.begin()
    attempt?.answered(200, ms)
    attempt?.ended()
  }
}

/** An answer whose body goes on until somebody cancels it. */
export function endless(status: number): { readonly response: Response; readonly isCancelled: () => boolean } {
  let isCancelled = false
  const body = new ReadableStream<Uint8Array>({
    cancel() {
      isCancelled = true
    },
  })
  return { response: new Response(body, { status }), isCancelled: () => isCancelled }
}
