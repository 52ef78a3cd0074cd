import type { Secret } from '../../config/secret.ts'
import type { UpstreamSettings } from '../../config/sections/upstreams/upstream.ts'
import { collect } from '../../exchange/collect-bytes.ts'
import { isPage } from '../../formats/http/media-types.ts'
import { isJsonObject } from '../../formats/json/json.ts'
import { createEgress } from '../../upstream/egress.ts'
import { createAccountMasks, type Mask } from '../../upstream/mask.ts'
import { sendTo } from './send-to.ts'

/** An upstream's answer to the question for its models. */
export interface ModelsAnswer {
  readonly status: number
  readonly isPage: boolean
  /** The names of its models; undefined: the answer has no list. */
  readonly models: readonly string[] | undefined
  /** The upstream's own words where it refuses; never a key. */
  readonly message: string | undefined
  /** Whether an upstream without a list of models has chats. */
  readonly hasChats: boolean
  readonly ms: number
}

/** The question, and its answer. */
export interface AskedModels {
  /** The URL, without its query. */
  readonly url: string
  /** Rejects with the system's error. */
  readonly answer: Promise<ModelsAnswer>
}

const BODY_BYTES_MAX = 16 * 1024 * 1024
const MESSAGE_CHARS_MAX = 120
const NOT_THERE: ReadonlySet<number> = new Set([404, 405, 501])

/**
 * Asks an upstream for its models, with the key, headers, path and query of its settings.
 *
 * @example
 * const { models } = await askModels(upstream, upstream.keys[0]).answer
 */
export function askModels(upstream: UpstreamSettings, key: Secret | undefined): AskedModels {
  const { url } = createEgress(upstream).locate('/v1/models')
  return { url: url.origin + url.pathname, answer: ask(upstream, key) }
}

async function ask(upstream: UpstreamSettings, key: Secret | undefined): Promise<ModelsAnswer> {
  const startedAt = performance.now()
  const response = await sendTo(upstream, key, 'GET', createEgress(upstream).locate('/v1/models'))
  const ms = Math.round(performance.now() - startedAt)
  const value = await readJson(response)
  const { status } = response
  const isHtml = isPage(response.headers.get('content-type'))
  return {
    status,
    isPage: isHtml,
    models: modelsIn(value),
    message: messageIn(value, createAccountMasks()(upstream, key)),
    hasChats: NOT_THERE.has(status) && !isHtml && (await hasChats(upstream, key)),
    ms,
  }
}

/** Whether the upstream has chats: it refuses a chat without model and messages, which generates nothing, but not with a 404. */
async function hasChats(upstream: UpstreamSettings, key: Secret | undefined): Promise<boolean> {
  try {
    const response = await sendTo(upstream, key, 'POST', createEgress(upstream).locate('/v1/chat/completions'))
    await response.body?.cancel()
    const isHtml = isPage(response.headers.get('content-type'))
    const isRedirect = response.status >= 300 && response.status < 400
    return !(isHtml || isRedirect || NOT_THERE.has(response.status))
  } catch {
    return false
  }
}

/** Reads a body as JSON; undefined: it is none, or too long. */
async function readJson({ body }: Response): Promise<unknown> {
  if (body === null) return undefined
  const bytes = await collect(body, BODY_BYTES_MAX).catch(() => undefined)
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined
  }
}

/** Finds the names of models in OpenAI's `data`, in the `models` of llama-server and others, or in a bare list. */
function modelsIn(value: unknown): readonly string[] | undefined {
  const lists: unknown[] = isJsonObject(value) ? [value['data'], value['models']] : [value]
  const list = lists.find((one): one is unknown[] => Array.isArray(one))
  return list?.flatMap((model) => {
    if (typeof model === 'string') return [model]
    if (!isJsonObject(model)) return []
    return [model['id'], model['name'], model['model']].find((name) => typeof name === 'string') ?? []
  })
}

function messageIn(value: unknown, mask: Mask | undefined): string | undefined {
  if (!isJsonObject(value)) return undefined
  const { error, detail, message } = value
  const said = [isJsonObject(error) ? error['message'] : error, detail, message].find((one) => typeof one === 'string')
  if (said === undefined) return undefined
  const hidden = mask?.text(said) ?? said
  return JSON.stringify(hidden.length > MESSAGE_CHARS_MAX ? `${hidden.slice(0, MESSAGE_CHARS_MAX)}…` : hidden)
}
