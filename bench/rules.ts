/**
 * Measures what ten parameter rules that match cost, and what a file without any does: the same binary three times, without a
 * file, with a file that names the upstream, and with ten rules in it, beside each other in paired rounds. `bun bench/rules.ts`,
 * about 2 min.
 */
import { nexcode } from './gateways/nexcode.ts'
import { withFile } from './gateways/with-file.ts'
import { makeQuestion } from './load/bodies.ts'
import type { Target } from './load/load.ts'
import { runWrk } from './load/wrk.ts'
import { median } from './median.ts'
import { MODELS } from './mock-answers.ts'
import { chatTarget, measureCpu, type StartedGateway, startGateway, startUpstream } from './started-gateway.ts'
import { TEN_RULES } from './ten-rules.ts'

const ROUNDS = 9
const ROUND_SECONDS = 2
const WARM_UP_SECONDS = 4
const CONNECTIONS = 64
const SIZES = [1000, 100_000]

/** A chat completion of some size, with the parameters that people send. */
function targetOf(started: StartedGateway, promptBytes: number): Target {
  const target = chatTarget(started, makeQuestion(promptBytes), MODELS.json)
  const body = { ...(JSON.parse(target.body) as object), max_tokens: 4000, top_p: 1, service_tier: 'auto' }
  return { ...target, body: JSON.stringify(body) }
}

async function measureMicroseconds(started: StartedGateway, promptBytes: number): Promise<number> {
  const load = () => runWrk(targetOf(started, promptBytes), CONNECTIONS, ROUND_SECONDS)
  const { figures, cpuSeconds } = await measureCpu(started, load)
  if (figures.failed > 0 || figures.requests === 0) {
    throw new Error(`${started.gateway.name}: ${figures.failed} of ${figures.requests} requests failed`)
  }
  return (cpuSeconds * 1e6) / figures.requests
}

await nexcode.prepare()
const upstream = await startUpstream()
const line = []
for (const gateway of [
  nexcode,
  withFile('nexcode-file', () => ({})),
  withFile('nexcode-rules', () => ({ params: TEN_RULES })),
]) {
  line.push(await startGateway(gateway, upstream.port))
}
for (const size of SIZES) {
  for (const started of line) await runWrk(targetOf(started, size), CONNECTIONS, WARM_UP_SECONDS)
  const rounds: number[][] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const costs: number[] = []
    for (const started of line) costs.push(await measureMicroseconds(started, size))
    rounds.push(costs)
  }
  for (const [index, { gateway }] of line.entries()) {
    const costs = rounds.map((costs) => costs[index] ?? Number.NaN)
    const addedTo = (other: number) => median(rounds.map((costs) => (costs[index] ?? 0) - (costs[other] ?? 0)))
    const figures = [median(costs), Math.min(...costs), addedTo(0), addedTo(Math.max(index - 1, 0))]
    const [middle, least, toNoFile, toTheOneAbove] = figures.map((value) => value.toFixed(1))
    process.stdout.write(
      `rules: ${size} bytes  ${gateway.name.padEnd(14)} median ${middle} µs, least ${least}; adds (median of pairs) ${toNoFile} to no file, ${toTheOneAbove} to the line above\n`,
    )
  }
}
await Promise.all([...line.map((started) => started.process.stop()), upstream.process.stop()])
