import { noteBody } from '../answers/body-note.ts'
import type { ModelSettings } from '../config/sections/models.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { fillStar, isWildcard, starIn, wildcardOf } from '../formats/text/wildcards.ts'
import type { Metering } from '../metering/metering.ts'
import { modelNotFound } from '../openai/model-not-found.ts'
import { protocolOf } from '../openai/protocol.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import { type AskForModelsDeps, askForModels } from './ask-for-models.ts'
import type { Generation } from './generation.ts'

/** One model, as `GET /v1/models` lists it (OpenAI specification, `Model`). */
interface ListedModel {
  readonly id: string
  readonly object: 'model'
  /** Seconds since 1970. */
  readonly created: number
  readonly owned_by: string
}

/** The fields by which Anthropic's API lists a model (https://platform.claude.com/docs/en/api/models-list); clients read both forms. */
interface AnthropicModel {
  readonly type: 'model'
  readonly display_name: string
  /** RFC 3339. */
  readonly created_at: string
}

/** The dependencies of the list of models. */
export interface ListModelsDeps extends AskForModelsDeps {
  /** The generation of the settings that holds now. */
  readonly generation: () => Generation
  /** Limits of callers; undefined: there is no ledger. */
  readonly metering: Metering | undefined
}

/** Whether the caller may use a model. */
type Permits = (model: string) => boolean

/** The path of the list, or of one model, whose name may have slashes in it, escaped or not. */
const MODELS = /^(?:\/v1)?\/models(?:\/([^?]*[^?/]))?\/?(?:\?|$)/

/**
 * Answers `GET /v1/models` and `/v1/models/{id}` with what this server offers, and the caller may use, where its configuration names
 * models; undefined: the request is another one, or goes to the upstream.
 *
 * A name with `*` stands for the models of its upstream that it matches; an upstream that does not answer is left out.
 *
 * @example
 * const answer = answerModels(exchange, deps)
 */
export function answerModels(exchange: Exchange, deps: ListModelsDeps): Response | Promise<Response> | undefined {
  const generation = deps.generation()
  const asked = askedModels(exchange.request.method, exchange.requestTarget, generation)
  if (asked === undefined) return undefined
  const limits = deps.metering?.limitsOf(exchange)
  const permits: Permits = (model) => limits === undefined || limits.permitsModel(model)
  const form = protocolOf(exchange.requestTarget, exchange.received) === 'anthropic' ? withAnthropicFields : asOpenAi
  if (asked === 'all') return list(exchange, generation, permits, deps).then((models) => answerWith(form.list(models)))
  if (!permits(asked.id)) throw modelNotFound(asked.id)
  return answerWith(form.one(listed(asked.id, asked.model, generation)))
}

/**
 * Tells which of this server's own models a request asks for, all of them or one; undefined: it is another request, or goes to
 * the upstream. Throws `model_not_found`.
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

async function list(
  exchange: Exchange,
  snapshot: Snapshot,
  permits: Permits,
  deps: ListModelsDeps,
): Promise<readonly ListedModel[]> {
  const ask = askEachOnce((name) => askForModels(name, exchange, snapshot, deps))
  const parts = await Promise.all(
    snapshot.settings.models.map(async (model) => {
      const names = isWildcard(model.name) ? await namesFor(model, ask) : [model.name]
      return names.filter(permits).map((name) => listed(name, model, snapshot))
    }),
  )
  const unique = new Map(parts.flat().map((one) => [one.id, one]))
  return [...unique.values()]
}

/** How the list, and one model of it, are written. */
interface ListForm {
  readonly list: (models: readonly ListedModel[]) => object
  readonly one: (model: ListedModel) => object
}

const asOpenAi: ListForm = { list: (data) => ({ object: 'list', data }), one: (model) => model }

/** As OpenAI's form, with what Anthropic's SDKs and Claude Code read beside it. It is one page, whatever `limit` says. */
const withAnthropicFields: ListForm = {
  list: (models) => {
    const [first, last] = [models[0]?.id ?? null, models.at(-1)?.id ?? null]
    const data = models.map(withAnthropicFields.one)
    return { object: 'list', data, has_more: false, first_id: first, last_id: last }
  },
  one: (model): ListedModel & AnthropicModel => {
    const created = new Date(model.created * 1000).toISOString()
    return { ...model, type: 'model', display_name: model.id, created_at: created }
  },
}

function answerWith(value: object): Response {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  const headers = { 'content-type': 'application/json', 'content-length': String(bytes.byteLength) }
  return noteBody(new Response(bytes, { headers }), { whole: bytes })
}

function listed(id: string, { targets }: ModelSettings, { since }: Snapshot): ListedModel {
  return { id, object: 'model', created: since, owned_by: targets[0]?.upstream ?? 'nexcode' }
}

/** The names that a model with `*` in its name stands for, by the models of its first target's upstream. */
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

/** Asks each upstream once, also where several names lead to it. */
function askEachOnce(
  ask: (upstream: string) => Promise<readonly string[]>,
): (upstream: string) => Promise<readonly string[]> {
  const answers = new Map<string, Promise<readonly string[]>>()
  return (upstream) => {
    const answer = answers.get(upstream) ?? ask(upstream)
    answers.set(upstream, answer)
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
