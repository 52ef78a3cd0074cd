import { join } from 'node:path'
import type { Gateway } from './gateways/gateway.ts'
import { makeQuestion } from './load/bodies.ts'
import { runWrk } from './load/wrk.ts'
import { MODELS } from './mock-answers.ts'
import { readSettledBytes } from './process-tree.ts'
import { chatTarget, startGateway } from './started-gateway.ts'

/** What lies idle: kept-alive connections after one answer each, or streams that have sent one chunk. */
export type Idle = 'connections' | 'streams'

/** How many lie idle at once. */
export const IDLE_COUNT = 1000

const WARM_UP_SECONDS = 2
const WARM_UP_CONNECTIONS = 64

/**
 * Says by how many bytes the resident memory of a gateway grows with a thousand idle connections or streams. The gateway is started
 * anew and warmed up first: what it has once grown by it seldom gives back.
 */
export async function measureIdleMemory(gateway: Gateway, upstreamPort: number, idle: Idle): Promise<number> {
  const started = await startGateway(gateway, upstreamPort)
  try {
    await runWrk(chatTarget(started, makeQuestion(), MODELS.json), WARM_UP_CONNECTIONS, WARM_UP_SECONDS)
    const before = await readSettledBytes(started.process.pid)
    const isStream = idle === 'streams'
    const target = chatTarget(started, makeQuestion(), isStream ? MODELS.idle : MODELS.json, isStream)
    const program = join(import.meta.dir, 'load/idle-load.ts')
    const load = Bun.spawn([process.execPath, program, String(IDLE_COUNT), JSON.stringify(target)], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const { value } = await load.stdout.getReader().read()
    if (value === undefined) throw new Error(`the idle load failed: ${(await new Response(load.stderr).text()).trim()}`)
    const after = await readSettledBytes(started.process.pid)
    load.stdin.end()
    await load.exited
    return after - before
  } finally {
    await started.process.stop()
  }
}
