import { judgePrepared } from '../../../src/cache/judge-prepared.ts'
import { openExchangeFor } from '../../../src/cli/explain/request-file.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { MemoryBudget } from '../../../src/exchange/memory-budget.ts'
import { chooseRoute } from '../../../src/gateway/choose-route.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { endpointFor } from '../../../src/openai/endpoints.ts'
import { checkInner } from '../../../src/requests/check-inner.ts'
import { prepareBody } from '../../../src/requests/prepare-body.ts'
import { createRememberedIds, type RememberedIds } from '../../../src/routing/remembered-ids.ts'
import { createSnapshot, type Snapshot } from '../../../src/routing/snapshot.ts'
import { type RuleParts, rulesOf } from '../../unit/params/rule-programs.ts'
import {
  depsOf,
  fakeClock,
  modelOf,
  settingsOf,
  targetOf,
  upstreamOf,
} from '../../unit/routing/targets/router-parts.ts'

const ALONE = upstreamOf('a')
const UPSTREAMS = [ALONE, upstreamOf('b')]
const PLAIN = modelOf('gpt-5', [targetOf('a')])
const MODELS = [modelOf('smart', [targetOf('a', { model: 'gpt-5' }), targetOf('b', { model: 'other' })]), PLAIN]
const MATCHED = { match: { model: ['smart'] } }

const upTo = (max: number, min?: number) => ({ min, max })

/** Each kind of rule, alone and with others. */
const RULES: readonly (readonly RuleParts[])[] = [
  [{ clamp: { max_tokens: upTo(100) } }],
  [{ clamp: { temperature: upTo(1, 0), n: upTo(2) } }],
  [{ ...MATCHED, clamp: { max_completion_tokens: upTo(100) } }, { values: { model: ['gpt-5', 'smart'] } }],
  [{ defaults: { temperature: 0.5, 'reasoning.effort': 'low' } }],
  [{ overrides: { user: 'shared', tools: [] } }],
  [{ overrides: { max_tokens: 50, metadata: { id: '1' } } }],
  [{ rename: { max_tokens: 'max_completion_tokens', x: 'messages' } }, { clamp: { max_completion_tokens: upTo(9) } }],
  [{ rename: { 'reasoning.type': 'reasoning.name' } }],
  [{ drop: ['tools', 'thinking.budget_tokens'] }],
  [{ deny: ['functions', 'stop', 'response_format.type'] }],
  [{ deny: ['tools'], defaults: { tools: [] }, onViolation: 'drop' as const }],
  [{ allow: ['model', 'messages', 'tools', 'reasoning.type', 'stream', 'user'] }],
  [{ allow: ['model', 'messages', 'user'], onViolation: 'drop' as const }, { overrides: { stop: ['x'] } }],
  [{ require: ['tools', 'reasoning.effort'] }],
  [{ values: { user: ['x', 'auto'], 'response_format.type': ['text'] } }, { ...MATCHED, drop: ['seed'] }],
]

/** The settings by which rules, models and ids have a say in a body. */
const SETTINGS: readonly Partial<Settings>[] = [
  { upstreams: [ALONE] },
  { models: [PLAIN, modelOf('smart', [targetOf('a', { model: 'gpt-5' })])], upstreams: [ALONE] },
  { models: [PLAIN], upstreams: [ALONE], unknownModels: 'refuse' },
  { upstreams: UPSTREAMS },
  { upstreams: UPSTREAMS, models: MODELS },
  ...RULES.flatMap((rules) => [
    { params: rulesOf(...rules) },
    { params: rulesOf(...rules), models: MODELS, upstreams: UPSTREAMS },
  ]),
]

/** The number of settings that a body may be judged by. */
export const SETTINGS_COUNT = SETTINGS.length

const BYTES_MAX = 64 * 1024 * 1024
const DEPS = {
  defaultModel: undefined,
  limits: { uploadBytesMax: BYTES_MAX },
  reading: { bytesMax: BYTES_MAX, memory: new MemoryBudget(16 * BYTES_MAX) },
}

/** A request with a long body. */
export interface LongRequest {
  readonly path: string
  readonly text: string
}

interface Judge {
  readonly snapshot: Snapshot
  readonly ids: RememberedIds
}

const sha256 = (text: string): Uint8Array => new Uint8Array(new Bun.CryptoHasher('sha256').update(text).digest())
const judges = new Map<number, Judge>()

function judgeOf(index: number): Judge {
  const made = judges.get(index)
  if (made !== undefined) return made
  const snapshot = createSnapshot(settingsOf(SETTINGS[index]), depsOf(fakeClock()))
  const ids = createRememberedIds({ sha256 })
  void ids.remember('file-known', { upstream: 'b', key: '' })
  const judge = { snapshot, ids }
  judges.set(index, judge)
  return judge
}

/**
 * Tells what is decided about a body: its refusal, or its model, its rules, its targets, the bytes that each of them gets, and whether the cache
 * has a part in it. `isWhole`: it
 * is read as a whole first.
 */
export async function decide({ path, text }: LongRequest, settings: number, isWhole: boolean): Promise<string> {
  const { snapshot, ids } = judgeOf(settings)
  const judging: Snapshot = isWhole ? { ...snapshot, bodyDepth: 'whole' } : snapshot
  const exchange = openExchangeFor({ method: 'POST', path, headers: {}, principal: undefined, body: text })
  exchange.identify({ kind: 'local' })
  exchange.endpoint = endpointFor('POST', path)
  try {
    const outgoing = await prepareBody(exchange, judging, DEPS, 'any')
    const route = await chooseRoute(path, outgoing, judging, ids)
    checkInner(outgoing.inner, route, judging)
    const sent = await Promise.all(
      route.deployments.map(async (deployment) => {
        const body = await outgoing.bodyFor(outgoing.modelFor(deployment))
        return [deployment.label, body instanceof Uint8Array ? new TextDecoder().decode(body) : 'a stream']
      }),
    )
    const { model, stream, params, rules } = exchange
    const body = await outgoing.bodyFor(undefined)
    const kept =
      body instanceof Uint8Array ? await judgePrepared({ exchange, outgoing, settings: judging.settings }, body) : body
    return JSON.stringify({ model, stream, params, rules, inner: outgoing.inner, sent, kept })
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown
    return `refused: ${thrown.kind} ${JSON.stringify(thrown.body)}`
  }
}

/** Tells how a body is decided on otherwise where its members alone are read; undefined: it is not, or it is no JSON. */
export async function differenceInDecision(
  request: LongRequest,
  settings: number,
  decideOn = decide,
): Promise<string | undefined> {
  const whole = await decide(request, settings, true)
  const members = await decideOn(request, settings, false)
  // What is wrong within a value that is skipped is the upstream's to judge.
  if (!isJson(request.text)) return undefined
  return members === whole ? undefined : `settings ${settings}: ${shown(members)} and not ${shown(whole)}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function shown(decision: string): string {
  return decision.replaceAll(/x{50,}/g, 'xx…').slice(0, 1200)
}
