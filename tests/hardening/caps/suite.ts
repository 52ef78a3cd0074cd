import { sendRaw } from '../../helpers/raw-client.ts'
import { startRouted } from '../../helpers/routed.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { inPool } from '../pool.ts'
import { createRandom } from '../random.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { ATTACKS } from './attacks.ts'
import { judgeReading, type Policy } from './judge.ts'
import { type Arrival, READERS, readingsOf } from './readers.ts'
import { plainParts, requestBytes } from './request-parts.ts'
import { startWrongGateway } from './wrong-gateway.ts'

const CASES = 14_000
const CASES_SHORT = 900
const CASES_TO_PROVE = 600
const AT_ONCE = 24
const REPORT_EVERY = 1000
const PLAIN_PERCENT = 8
const MAX = 100

const POLICY = { max: MAX, capped: undefined, forbiddenModel: 'dear', deniedParam: 'logit_bias', needsCap: false }
/** What llama.cpp's server goes by (tools/server/README.md). */
const LLAMACPP = new Set([
  ...['max_tokens', 'max_completion_tokens', 'n_predict', 'thinking_budget_tokens', 'n', 'n_cmpl'],
])
/** The gateways: whose rule is for all endpoints, whose is for one, who puts a cap in where a request has none, whose upstream has a preset, and whose rule is for how many answers. */
const POLICIES = {
  everywhere: POLICY,
  chats: { ...POLICY, capped: new Set(['chat/completions']) },
  filled: { ...POLICY, needsCap: true },
  llamacpp: { ...POLICY, words: LLAMACPP },
  counted: { ...POLICY, answersMax: 2 },
} as const satisfies Record<string, Policy>
type Gateway = keyof typeof POLICIES
const GATEWAYS = Object.keys(POLICIES) as Gateway[]
type Ports = Readonly<Record<Gateway, number>>

function portsOf(portAt: (number: number) => number): Ports {
  return Object.fromEntries(GATEWAYS.map((gateway, number) => [gateway, portAt(number)])) as Ports
}

/** One request of the grammar. */
interface Case {
  readonly id: string
  readonly gateway: Gateway
  readonly attacks: readonly string[]
  readonly bytes: Buffer
}

/** Makes a case: its seed and its id determine it. */
function makeCase(seed: number, id: string): Case {
  const random = createRandom(seed, id)
  const parts = plainParts(random)
  const gateway = random.pick(['everywhere', 'everywhere', 'chats', 'filled', 'llamacpp', 'counted'] as const)
  const count = random.percent(PLAIN_PERCENT) ? 0 : random.pick([1, 1, 1, 2, 2, 3])
  const attacks = Array.from({ length: count }, () => random.pick(ATTACKS))
  for (const { change } of attacks) change(parts, random)
  return { id, gateway, attacks: attacks.map(({ name }) => name), bytes: requestBytes(parts, id) }
}

interface Outcome {
  readonly failures: readonly HardeningFailure[]
  readonly forwarded: number
  readonly refused: number
  readonly past: number
}

/** What an upstream has got, by the id of the case. */
type Arrivals = ReadonlyMap<string, Arrival>

async function startReadUpstream(): Promise<{ readonly upstream: ScriptedUpstream; readonly arrivals: Arrivals }> {
  const arrivals = new Map<string, Arrival>()
  const upstream = await startScriptedUpstream(async ({ target, header, body }, connection) => {
    arrivals.set(header('x-case') ?? '', { target, header, body: Buffer.from(await body) })
    connection.json({ id: 'x', object: 'chat.completion', choices: [] })
  })
  return { upstream, arrivals }
}

/** Who reads something forbidden in a request, and what the first of them reads; undefined: nobody does. */
function faultOf(arrival: Arrival, policy: Policy): string | undefined {
  const found = READERS.flatMap((reader) => readingsOf(reader, arrival)).flatMap((reading) => {
    const what = judgeReading(reading, policy)
    return what === undefined ? [] : [{ who: reading.reader, what }]
  })
  const who = [...new Set(found.map((one) => one.who))]
  return found[0] === undefined ? undefined : `${who.join(' and ')} would read ${found[0].what}`
}

async function sendAll(
  cases: readonly Case[],
  ports: Ports,
  arrivals: Arrivals,
  report: HardeningRun['report'],
): Promise<Outcome> {
  const failures: HardeningFailure[] = []
  let [forwarded, refused, past, done] = [0, 0, 0, 0]
  await inPool(cases, AT_ONCE, async ({ id, gateway, attacks, bytes }) => {
    const { status } = await sendRaw(ports[gateway], bytes)
    const arrival = arrivals.get(id)
    const fail = (message: string): void => void failures.push({ id, message: `${attacks.join('+')}: ${message}` })
    if (arrival === undefined) refused += 1
    else forwarded += 1
    const found = arrival === undefined ? undefined : faultOf(arrival, POLICIES[gateway])
    if (found !== undefined) {
      past += 1
      fail(found)
    }
    if (attacks.length === 0 && status !== 200) fail(`a plain request is answered ${status}`)
    if (status >= 500) fail(`answered ${status}`)
    done += 1
    if (done % REPORT_EVERY === 0) report(`${done.toLocaleString('en')} of ${cases.length.toLocaleString('en')}`)
  })
  return { failures, forwarded, refused, past }
}

function makeCases(seed: number, count: number): readonly Case[] {
  return Array.from({ length: count }, (_none, number) => makeCase(seed, `c-${number + 1}`))
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

async function run({ seed, isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const { upstream, arrivals } = await startReadUpstream()
  const started = await Promise.all(
    GATEWAYS.map((gateway) => startRouted({ upstreams: {}, file: fileOf(gateway, upstream.url) })),
  )
  try {
    const cases = only === undefined ? makeCases(seed, isShort ? CASES_SHORT : CASES) : [makeCase(seed, only)]
    const ports = portsOf((number) => started[number]?.gateway.port ?? 0)
    const { failures, forwarded, refused, past } = await sendAll(cases, ports, arrivals, report)
    return {
      cases: cases.length,
      failures,
      figures: { 'past a cap': past, readers: READERS.length, forwarded, refused },
    }
  } finally {
    await Promise.all([...started.map(({ stop }) => stop()), upstream.close()])
  }
}

/** The stand-in reads as one reader does: what each of the others would see in the same bytes has to be found. */
async function prove(): Promise<void> {
  const { upstream, arrivals } = await startReadUpstream()
  const wrong = await startWrongGateway(upstream.url, MAX)
  try {
    const ports = portsOf(() => wrong.port)
    const cases = makeCases(1, CASES_TO_PROVE)
    const { failures } = await sendAll(cases, ports, arrivals, () => undefined)
    const plain = new Set(cases.filter(({ attacks }) => attacks.length === 0).map(({ id }) => id))
    for (const { name } of ATTACKS) {
      if (!failures.some(({ message }) => message.startsWith(`${name}: `))) throw new Error(`No ${name} was seen.`)
    }
    for (const { name } of READERS) {
      if (!failures.some(({ message }) => new RegExp(`\\b${name} (?:and|would)`).test(message)))
        throw new Error(`${name} saw nothing.`)
    }
    const wronged = failures.find(({ id }) => plain.has(id))
    if (wronged !== undefined && !wronged.message.includes('no cap'))
      throw new Error(`A plain request was taken for a fault: ${wronged.message}`)
  } finally {
    wrong.stop()
    await upstream.close()
  }
}

/** Promise 12: a grammar of requests, and what servers of each kind would read in what goes upstream. */
export const suite: HardeningSuite = {
  number: 12,
  name: 'caps',
  promise: 'No server, however it reads, finds a model, a number or a parameter in a request that the rules forbid',
  prove,
  run,
}
