import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import type { Policy } from './judge.ts'
import type { Arrival } from './read-request.ts'

/** What the rules allow. */
export const MAX = 100

const POLICY = { max: MAX, capped: undefined, forbiddenModel: 'dear', deniedParam: 'logit_bias', needsCap: false }
/** What llama.cpp's server goes by (tools/server/README.md). */
const LLAMACPP = new Set([
  ...['max_tokens', 'max_completion_tokens', 'n_predict', 'thinking_budget_tokens', 'n', 'n_cmpl'],
])
/** The gateways: whose rule is for all endpoints, whose is for one, who puts a cap in where a request has none, whose upstream has a preset, and whose rule is for how many answers. */
export const POLICIES = {
  everywhere: POLICY,
  chats: { ...POLICY, capped: new Set(['chat/completions']) },
  filled: { ...POLICY, needsCap: true },
  llamacpp: { ...POLICY, words: LLAMACPP },
  counted: { ...POLICY, answersMax: 2 },
} as const satisfies Record<string, Policy>
/** The name of one of them. */
export type Gateway = keyof typeof POLICIES
const GATEWAYS = Object.keys(POLICIES) as Gateway[]
/** Where each of them listens. */
export type Ports = Readonly<Record<Gateway, number>>

/** Gives each its port, by its number. */
export function portsOf(portAt: (number: number) => number): Ports {
  return Object.fromEntries(GATEWAYS.map((gateway, number) => [gateway, portAt(number)])) as Ports
}

/** The gateways, before one upstream. */
export interface CapGateways {
  readonly ports: Ports
  readonly arrivals: Arrivals
  readonly stop: () => Promise<void>
}

/** Starts all of them. */
export async function startCapGateways(): Promise<CapGateways> {
  const { upstream, arrivals } = await startReadUpstream()
  const started = await Promise.all(GATEWAYS.map((gateway) => startGateway({ file: fileOf(gateway, upstream.url) })))
  return {
    ports: portsOf((number) => started[number]?.port ?? 0),
    arrivals,
    async stop() {
      await Promise.all([...started.map(({ stop }) => stop()), upstream.close()])
    },
  }
}

/** What an upstream has got, by the id of the case. */
export type Arrivals = ReadonlyMap<string, Arrival>

/** Starts an upstream that keeps what has come. */
export async function startReadUpstream(): Promise<{
  readonly upstream: ScriptedUpstream
  readonly arrivals: Arrivals
}> {
  const arrivals = new Map<string, Arrival>()
  const upstream = await startScriptedUpstream(async ({ target, header, body }, connection) => {
    arrivals.set(header('x-case') ?? '', { target, header, body: Buffer.from(await body) })
    connection.json({ id: 'x', object: 'chat.completion', choices: [] })
  })
  return { upstream, arrivals }
}

function fileOf(gateway: Gateway, upstreamUrl: string): object {
  const limits = { clamp: { max_tokens: { max: MAX } }, deny: ['logit_bias'] }
  const fill = { match: { endpoint: ['chat/completions', 'completions'] }, defaults: { max_tokens: MAX / 2 } }
  const rules = {
    everywhere: [limits],
    chats: [{ match: { endpoint: 'chat/completions' }, ...limits }],
    filled: [fill, limits],
    llamacpp: [limits],
    counted: [{ clamp: { n: { max: 2 } }, deny: ['logit_bias'] }],
  }
  return {
    upstreams: {
      only: {
        base_url: `${upstreamUrl}/v1`,
        api_key: 'k-only',
        ...(gateway === 'llamacpp' ? { preset: gateway } : {}),
      },
      azure: { preset: 'azure', base_url: `${upstreamUrl}/openai`, api_key: 'k-azure' },
    },
    default_upstream: 'only',
    unknown_models: 'refuse',
    models: {
      cheap: { targets: [{ upstream: 'only', model: 'real' }] },
      'azure-cheap': { targets: [{ upstream: 'azure', model: 'real' }] },
    },
    params: rules[gateway],
  }
}
