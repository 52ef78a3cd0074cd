/**
 * Measures what each feature costs that can be switched on: the same binary several times, without a file, with one, with ten
 * rules, with an extension that only passes on, with the cache where it hits and where it misses; beside each other in paired
 * rounds. `bun bench/features.ts`, about 3 min; with `--quick` for a look, with `--connections=1` where nobody waits for another.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Gateway } from './gateways/gateway.ts'
import { nexcode } from './gateways/nexcode.ts'
import { withFile } from './gateways/with-file.ts'
import { makeQuestion } from './load/bodies.ts'
import type { Target } from './load/load.ts'
import { runWrk } from './load/wrk.ts'
import { median } from './median.ts'
import { MODELS } from './mock-answers.ts'
import { chatTarget, measureCpu, type StartedGateway, startGateway, startUpstream } from './started-gateway.ts'
import { TEN_RULES } from './ten-rules.ts'

const IS_QUICK = process.argv.includes('--quick')
const ROUNDS = IS_QUICK ? 3 : 9
const ROUND_SECONDS = IS_QUICK ? 1 : 2
const WARM_UP_SECONDS = IS_QUICK ? 1 : 4
const CONNECTIONS = Number(process.argv.find((given) => given.startsWith('--connections='))?.split('=')[1] ?? 64)

const PASS_THROUGH = "export default { name: 'pass', fetch: (request, next) => next(request) }\n"

/** A feature: what the file says, and what the load asks for beside a chat. */
interface Feature {
  readonly name: string
  /** undefined: no file. */
  readonly file: ((dir: string) => object) | undefined
  readonly body?: object
  /** What it is compared with; the first one where not given. */
  readonly beside?: string
}

const FEATURES: readonly Feature[] = [
  { name: 'no-file', file: undefined },
  { name: 'file', file: () => ({}) },
  { name: 'ten-rules', file: () => ({ params: TEN_RULES }), beside: 'file' },
  {
    name: 'extension',
    file(dir) {
      writeFileSync(join(dir, 'pass.ts'), PASS_THROUGH)
      return { extensions: ['./pass.ts'] }
    },
    beside: 'file',
  },
  { name: 'cache-hit', file: () => ({ cache: {} }), body: { temperature: 0 }, beside: 'file' },
  // Each is another request: nothing is there, nobody else waits for it, and all of it is kept.
  {
    name: 'cache-miss',
    file: () => ({ cache: {} }),
    body: { temperature: 0, user: 'NUMBERED-000000000' },
    beside: 'file',
  },
]

/** NexCode with a feature. */
function gatewayOf({ name, file }: Feature): Gateway {
  return file === undefined ? nexcode : withFile(`nexcode-${name}`, file)
}

/** A chat completion with the parameters that people send. */
function targetOf(started: StartedGateway, feature: Feature): Target {
  const target = chatTarget(started, makeQuestion(), MODELS.json)
  const sent = { max_tokens: 4000, top_p: 1, service_tier: 'auto', ...feature.body }
  return { ...target, body: JSON.stringify({ ...(JSON.parse(target.body) as object), ...sent }) }
}

async function measureMicroseconds(started: StartedGateway, feature: Feature): Promise<number> {
  const load = () => runWrk(targetOf(started, feature), CONNECTIONS, ROUND_SECONDS)
  const { figures, cpuSeconds } = await measureCpu(started, load)
  if (figures.failed > 0 || figures.requests === 0) {
    throw new Error(`${feature.name}: ${figures.failed} of ${figures.requests} requests failed`)
  }
  return (cpuSeconds * 1e6) / figures.requests
}

/** A line for each feature: its cost, and what it adds to the one that it is beside, as the median of the pairs. */
function render(rounds: readonly ReadonlyMap<string, number>[]): string {
  const lines = FEATURES.map(({ name, beside = FEATURES[0]?.name ?? name }) => {
    const costs = rounds.map((round) => round.get(name) ?? Number.NaN)
    const bases = rounds.map((round) => round.get(beside) ?? Number.NaN)
    const added = costs.map((cost, index) => cost - (bases[index] ?? Number.NaN))
    const times = costs.map((cost, index) => cost / (bases[index] ?? Number.NaN))
    const shown = [median(costs), Math.min(...costs), median(added)].map((value) => value.toFixed(1))
    const toOther = `${shown[2]} µs, ${median(times).toFixed(2)} × of ${beside}`
    return `features: ${name.padEnd(11)} median ${shown[0]} µs, least ${shown[1]}, added (median of pairs) ${toOther}\n`
  })
  return lines.join('')
}

await nexcode.prepare()
const upstream = await startUpstream()
const line: { readonly feature: Feature; readonly started: StartedGateway }[] = []
for (const feature of FEATURES) {
  line.push({ feature, started: await startGateway(gatewayOf(feature), upstream.port) })
}
for (const { feature, started } of line) await runWrk(targetOf(started, feature), CONNECTIONS, WARM_UP_SECONDS)
const rounds: Map<string, number>[] = []
for (let round = 0; round < ROUNDS; round += 1) {
  const costs = new Map<string, number>()
  for (const { feature, started } of line) costs.set(feature.name, await measureMicroseconds(started, feature))
  rounds.push(costs)
}
process.stdout.write(render(rounds))
await Promise.all([...line.map(({ started }) => started.process.stop()), upstream.process.stop()])
