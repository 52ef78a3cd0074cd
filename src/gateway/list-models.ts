import { spendsOwnKey } from '../access/credentials.ts'
import { noteBody } from '../answers/body-note.ts'
import type { ModelSettings } from '../config/sections/models.ts'
import { collect } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { fillStar, isWildcard, starIn, wildcardOf } from '../formats/text/wildcards.ts'
import { keyRefusalOf, maySpeakOfKey } from '../openai/key-refusal.ts'
import { parseJson } from '../requests/parse-json.ts'
import { readError } from '../routing/attempts/judge-answer.ts'
import type { AttemptDeps } from '../routing/attempts/upstream-request.ts'
import { warnOfKey } from '../routing/attempts/warn-of-key.ts'
import { type AddressDeps, addressDeployment } from '../routing/deployment-address.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Account } from '../routing/targets/call-report.ts'
import type { Deployment } from '../routing/targets/router.ts'
import type { Generation } from './generation.ts'

/** One model, as `GET /v1/models` lists it (OpenAI specification, `Model`). */
interface ListedModel {
  readonly id: string
  readonly object: 'model'
  /** Seconds since 1970. */
  readonly created: number
  readonly owned_by: string
}

/** What listing models needs of the server. */
export interface ListModelsDeps extends AttemptDeps, AddressDeps {
  /** What the settings come to now. */
  readonly generation: () => Generation
}

/** An upstream that is asked for its models has this long. */
const ANSWER_MS = 3000
/** No list of models is longer: what is would keep all others waiting. */
const LIST_BYTES_MAX = 4 * 1024 * 1024
/** So many of an upstream's models are listed. */
const LISTED_MAX = 10_000
/** A name may have slashes in it, escaped or not. */
const MODELS = /^(?:\/v1)?\/models(?:\/([^?]*[^?/]))?\/?(?:\?|$)/

/**
 * Answers `GET /v1/models` and `/v1/models/{id}` with what this server offers, where its configuration names models;
 * undefined: the request is another one, or goes to the upstream.
 *
 * A name with `*` is listed as those of its upstreams' models that it fits; an upstream that does not answer is left out.
 *
 * @example
 * const answer = answerModels(exchange, deps)
 */
export function answerModels(exchange: Exchange, deps: ListModelsDeps): Response | Promise<Response> | undefined {
  const generation = deps.generation()
  const asked = askedModels(exchange.request.method, exchange.requestTarget, generation)
  if (asked === undefined) return undefined
  return asked === 'all' ? list(exchange, generation, deps) : answerWith(listed(asked.id, asked.model, generation))
}

/**
 * What of this server's own models a request asks for, all of them or one; undefined: it is another request, or goes to the
 * upstream. Throws `model_not_found`.
 *
 * @example
 * const asked = askedModels('GET', '/v1/models', snapshot)
 */
export function askedModels(
  method: string,
  target: string,
  snapshot: Snapshot,
): 'all' | { readonly id: string; readonly model: ModelSettings } | undefined {
  if ((method !== 'GET' && method !== 'HEAD') || snapshot.settings.models.length === 0) return undefined
  const found = MODELS.exec(target)
  if (found === null) return undefined
  const [, written] = found
  if (written === undefined) return 'all'
  const id = decode(written)
  const { model } = snapshot.router.route(id)
  return model === undefined ? undefined : { id, model }
}

async function list(exchange: Exchange, snapshot: Snapshot, deps: ListModelsDeps): Promise<Response> {
  const ask = rememberAnswers((name) => idsOf(name, exchange, snapshot, deps))
  const parts = await Promise.all(
    snapshot.settings.models.map(async (model) => {
      const names = isWildcard(model.name) ? await namesFor(model, ask) : [model.name]
      return names.map((name) => listed(name, model, snapshot))
    }),
  )
  const unique = new Map(parts.flat().map((one) => [one.id, one]))
  return answerWith({ object: 'list', data: [...unique.values()] })
}

function answerWith(value: object): Response {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  const headers = { 'content-type': 'application/json', 'content-length': String(bytes.byteLength) }
  return noteBody(new Response(bytes, { headers }), { whole: bytes })
}

function listed(id: string, { targets }: ModelSettings, { since }: Snapshot): ListedModel {
  return { id, object: 'model', created: since, owned_by: targets[0]?.upstream ?? 'nexcode' }
}

/** The names that callers may use of a model with `*` in its name, as its first target's upstream has them. */
async function namesFor(
  { name, targets }: ModelSettings,
  ask: (upstream: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const [target] = targets
  if (target === undefined) return []
  const ids = await ask(target.upstream)
  const own = wildcardOf(target.model ?? name)
  if (own === undefined) return []
  return ids.flatMap((id) => {
    const star = starIn(own, id)
    return star === undefined ? [] : [fillStar(name, star)]
  })
}

/** The models of an upstream, asked with the first of its keys that it does not refuse. */
async function idsOf(
  upstream: string,
  exchange: Exchange,
  snapshot: Snapshot,
  deps: ListModelsDeps,
): Promise<readonly string[]> {
  const abort = new AbortController()
  const late = deps.deadlines.start(ANSWER_MS, () => abort.abort())
  const accountOf = (deployment: Deployment): Account =>
    spendsOwnKey(exchange.principal, deployment.upstream) ? 'caller' : 'server'
  try {
    for (const deployment of snapshot.router.routeTo(upstream).order({ accountOf })) {
      const ids = await idsBy(deployment, abort, exchange, snapshot, deps)
      if (ids !== 'key_refused') return ids
    }
  } catch {
    // An upstream that can't be asked has none to list.
  } finally {
    late.clear()
  }
  return []
}

async function idsBy(
  deployment: Deployment,
  abort: AbortController,
  exchange: Exchange,
  snapshot: Snapshot,
  deps: ListModelsDeps,
): Promise<readonly string[] | 'key_refused'> {
  const address = addressDeployment(exchange, deployment, { target: '/v1/models', model: undefined }, snapshot, deps)
  const { spentKey: secret, account } = address
  // The body is read here, and not by the caller.
  address.headers.set('accept-encoding', 'identity')
  const { firstByteMs } = deployment.upstream.timeouts
  const begun = deployment.health.begin(account, secret !== undefined)
  try {
    const answer = await deps.send({ ...address, method: 'GET', body: null, abort, firstByteMs })
    const { status } = answer
    if (secret === undefined || !maySpeakOfKey(status)) {
      begun.answered(status, undefined)
      if (answer.body === null) return []
      const { value } = await parseJson(await collect(answer.body, LIST_BYTES_MAX))
      return idsIn(value)
    }
    const { answer: read, value } = await readError(answer, abort, deps)
    void ignoreRejection(read.body?.cancel())
    const key = keyRefusalOf(status, value, { namesAccount: account === 'caller' })
    if (key === undefined) begun.answered(status, undefined)
    else warnOfKey(deployment, { status, restMs: begun.refused(), isSpent: key === 'spent' }, deps.log)
    return key === undefined ? [] : 'key_refused'
  } finally {
    begun.ended()
  }
}

function idsIn(value: unknown): readonly string[] {
  const data = (value as { readonly data?: unknown } | null)?.data
  if (!Array.isArray(data)) return []
  return data.slice(0, LISTED_MAX).flatMap((one: unknown) => {
    const id = (one as { readonly id?: unknown } | null)?.id
    return typeof id === 'string' ? [id] : []
  })
}

/** Several names may lead to one upstream, which is asked once. */
function rememberAnswers(
  ask: (upstream: string) => Promise<readonly string[]>,
): (upstream: string) => Promise<readonly string[]> {
  const asked = new Map<string, Promise<readonly string[]>>()
  return (upstream) => {
    const answer = asked.get(upstream) ?? ask(upstream)
    asked.set(upstream, answer)
    return answer
  }
}

function decode(written: string): string {
  try {
    return decodeURIComponent(written)
  } catch {
    return written
  }
}
