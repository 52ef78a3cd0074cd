import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CALLER_KEY, CALLER_TOKEN, type Gateway, type Place, type Setup } from './gateways/gateway.ts'
import { type Body, makeQuestion } from './load/bodies.ts'
import type { Target } from './load/load.ts'
import { SDK_HEADERS, type Sdk } from './load/sdk-headers.ts'
import { MODELS } from './mock-answers.ts'
import { readCpuSeconds } from './process-tree.ts'
import { awaitReady, CACHE_DIR, findFreePort, type RunningProcess, runProcess } from './run-process.ts'

const UPSTREAM_READY_MS = 5000

/** A gateway that runs. */
export interface StartedGateway {
  readonly gateway: Gateway
  readonly process: RunningProcess
  readonly place: Place
  /** How long it took from its start to its first 200. */
  readonly startMs: number
}

/** Starts the mock upstream and says where it listens. */
export async function startUpstream(): Promise<{ port: number; process: RunningProcess }> {
  const port = await findFreePort()
  const command = [process.execPath, join(import.meta.dir, 'mock-upstream.ts'), String(port)]
  const upstream = runProcess('mock-upstream', { command })
  await awaitReady(upstream, () => fetch(`http://127.0.0.1:${port}/v1/models`), UPSTREAM_READY_MS)
  return { port, process: upstream }
}

/** Starts a gateway in front of the upstream and waits for its first 200. */
export async function startGateway(
  gateway: Gateway,
  upstreamPort: number,
  setup: Setup = 'plain',
): Promise<StartedGateway> {
  const name = setup === 'plain' ? gateway.name : `${gateway.name}-${setup}`
  let place: Place = { port: await findFreePort(), upstreamPort, dir: join(CACHE_DIR, 'run', name), setup }
  const launch = gateway.launch(place)
  const begin = performance.now()
  const started = runProcess(name, launch)
  const isReady = async () => {
    if (gateway.choosesPort) place = { ...place, port: readChosenPort(started.logPath) }
    if (gateway.readyPath === undefined) return post(chatTarget({ gateway, place }, makeQuestion(100), MODELS.json))
    return fetch(`http://127.0.0.1:${place.port}${gateway.readyPath}`, { keepalive: false })
  }
  try {
    await awaitReady(started, isReady, gateway.readyTimeoutMs)
  } catch (problem) {
    await started.stop()
    throw problem
  }
  return { gateway, process: started, place, startMs: performance.now() - begin }
}

function readChosenPort(logPath: string): number {
  const port = /^PORT (\d+)$/m.exec(readFileSync(logPath, 'utf8'))?.[1]
  if (port === undefined) throw new Error('it has not said yet where it listens')
  return Number(port)
}

/** Sends one request of a load by itself. */
export function post({ url, headers, body }: Target): Promise<Response> {
  return fetch(url, { method: 'POST', headers, body })
}

/** A request to chat completions as an SDK of this gateway's caller makes it; without a model where the gateway puts one in. */
export function chatTarget(
  { gateway, place }: Pick<StartedGateway, 'gateway' | 'place'>,
  body: Body,
  model: string | undefined,
  stream = false,
  sdk: Sdk = 'node',
): Target {
  const named = model === undefined ? {} : { model: gateway.modelName?.(model) ?? model }
  return {
    url: `http://127.0.0.1:${place.port}${gateway.chatPath}`,
    headers: {
      authorization: `Bearer ${place.setup === 'auth' || place.setup === 'token' ? CALLER_TOKEN : CALLER_KEY}`,
      ...SDK_HEADERS[sdk],
      ...gateway.headers?.(place),
    },
    body: JSON.stringify({ ...named, ...body, stream }),
  }
}

/** Runs a load and says how much processor time the gateway used meanwhile, in seconds. */
export async function measureCpu<Figures>(
  { process: { pid } }: Pick<StartedGateway, 'process'>,
  load: () => Promise<Figures>,
): Promise<{ figures: Figures; cpuSeconds: number }> {
  const before = readCpuSeconds(pid)
  const figures = await load()
  return { figures, cpuSeconds: readCpuSeconds(pid) - before }
}
