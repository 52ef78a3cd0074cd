import type { Principal } from '../../auth/authorize.ts'
import { chooseRoute } from '../../choose-route.ts'
import type { Config } from '../../config/config.ts'
import type { Draft } from '../../draft.ts'
import { arrivalOf } from '../../http/arrival.ts'
import { openExchange } from '../../http/request-context.ts'
import { addressLane } from '../../lane-address.ts'
import { createLive, type Live } from '../../live.ts'
import { ApiError, type ErrorBody } from '../../openai/api-error.ts'
import { CHAT_COMPLETIONS, COMPLETIONS } from '../../openai/endpoints.ts'
import { endpointOf, factsOf, readDraft } from '../../read-draft.ts'
import { createRememberedIds } from '../../router/remembered-ids.ts'
import type { Lane, Route } from '../../router/router.ts'
import { createDeadlines } from '../../timing/deadlines.ts'
import type { AskedRequest } from './request-file.ts'

/** What would become of a request. */
export interface Explanation {
  readonly config: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly model: string | undefined
    readonly principal: string
  }
  /** In the order of the file; `mismatch`: why a rule does not apply. */
  readonly rules: readonly {
    readonly rule: number
    readonly mismatch: string | undefined
    readonly did: readonly { readonly operation: string; readonly param: string; readonly detail: string }[]
  }[]
  /** Why it would be answered here. */
  readonly refusal: { readonly status: number; readonly error: ErrorBody['error'] } | undefined
  readonly route: ExplainedRoute | undefined
}

/** Where a request would go. */
export interface ExplainedRoute {
  /** The entry of `models` that decides, or why none does. */
  readonly decidedBy: string
  readonly strategy: string
  readonly attempts: number
  readonly retryOn: readonly string[]
  /** In the order in which they would be tried now. */
  readonly targets: readonly {
    readonly target: string
    readonly url: string
    /** Which header carries whose key. */
    readonly key: string
    readonly body: string
    readonly isChanged: boolean
  }[]
}

/**
 * Works out what would become of a request, by the very stages that serve one, up to the moment before sending.
 *
 * @example
 * const { rules, route } = await explainRequest(request, principal, config)
 */
export async function explainRequest(asked: AskedRequest, principal: Principal, config: Config): Promise<Explanation> {
  const live = createLive(config.settings, {
    now: () => performance.now(),
    random: Math.random,
    deadlines: createDeadlines(),
  })
  const request = new Request(`http://localhost${asked.path}`, {
    method: asked.method,
    headers: { 'content-type': 'application/json', ...asked.headers },
    ...(asked.method !== 'GET' && asked.method !== 'HEAD' && { body: asked.body }),
  })
  const exchange = openExchange(request, arrivalOf(request), () => undefined)
  const path = endpointOf(exchange.target)
  const endpoint = [CHAT_COMPLETIONS, COMPLETIONS].find((one) => one.path === `/${path}`)
  let draft: Draft | undefined
  let refusal: ApiError | undefined
  let route: ExplainedRoute | undefined
  try {
    draft = await readDraft(exchange, principal, endpoint, live, config)
    const chosen = chooseRoute(path, draft, live, createRememberedIds())
    route = await explainRoute(chosen, draft, (lane, model) =>
      addressLane(exchange, principal, lane, { target: exchange.target, model }, live, {
        mayBorrow: () => config.server.isLoopback,
        userAgent: '',
      }),
    )
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown
    refusal = thrown
  }
  const facts = factsOf(exchange, principal, exchange.model)
  return {
    config: '',
    request: {
      method: asked.method,
      path: asked.path,
      model: exchange.model,
      principal: facts.principal.id ?? principal.kind,
    },
    rules: explainRules(live, facts, draft, asked.body),
    refusal: refusal && { status: refusal.entry.status, error: refusal.body.error },
    route,
  }
}

function explainRules(
  live: Live,
  facts: Parameters<Live['rules']['judge']>[0],
  draft: Draft | undefined,
  text: string,
): Explanation['rules'] {
  // A request that was refused has no steps: its error says which parameter it was.
  const bytes = new TextEncoder().encode(text)
  const steps =
    draft === undefined ? [] : (live.rules.match(facts)?.apply({ bytes, value: JSON.parse(text) }).steps ?? [])
  return live.rules.judge(facts).map(({ rule, mismatch }) => ({
    rule,
    mismatch,
    did: steps
      .filter((step) => step.rule === rule)
      .map(({ operation, param, detail }) => ({ operation, param, detail })),
  }))
}

type Address = ReturnType<typeof addressLane>

async function explainRoute(
  route: Route,
  draft: Draft,
  addressOf: (lane: Lane, model: string | undefined) => Address,
): Promise<ExplainedRoute> {
  const { model, sending } = route
  const targets = route.order({}).map(async (lane) => {
    const address = addressOf(lane, lane.model ?? draft.model)
    const { body, isChanged } = draft.bodyFor(lane.model)
    return {
      target: lane.label,
      url: address.url.origin + address.target,
      key: describeKey(lane, address),
      body: body === null ? '' : await new Response(body).text(),
      isChanged,
    }
  })
  return {
    decidedBy: model === undefined ? 'no entry of models fits: the default upstream' : `models.${model.name}`,
    strategy: model?.strategy ?? 'order',
    attempts: sending.retry.attempts,
    retryOn: sending.retry.on.map(String),
    targets: await Promise.all(targets),
  }
}

function describeKey({ upstream }: Lane, { secret }: Address): string {
  if (secret !== undefined) return `${upstream.keyHeader}: the server's key`
  return upstream.auth === 'none' ? 'no key' : "the caller's own key"
}
