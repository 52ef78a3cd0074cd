import { CAN_READ_MEMORY, rssMib } from '../../helpers/process-memory.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../helpers/scripted-upstream.ts'
import { startGatewayProcess } from '../../helpers/start-gateway.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { callHealthily, type Health } from './healthy.ts'
import { startHoardingServer } from './hoarding-server.ts'
import { PEER_KINDS, type PeerKind } from './peers.ts'

const LONG = { peers: 1000, calls: 1500, kinds: PEER_KINDS }
/** The own ones, since the tool takes its seconds. */
const SHORT = { peers: 100, calls: 200, kinds: PEER_KINDS.filter(({ tool }) => tool === undefined) }
/** A long answer of a model; the stand-in gets longer ones, so that it is told apart by few clients. */
const LARGE_BYTES = 1024 * 1024
const PROOF_BYTES = 8 * 1024 * 1024
const MEMORY_FACTOR_MAX = 10
const SLOWER_MAX = 2
/** Below, a figure is what the machine and a collection make of it. */
const MEMORY_FLOOR_MIB = 32
const P99_FLOOR_MS = 10
const MIB = 1024 * 1024
const READ_MS = 50
const SETTLE_MS = 1000
const TRIES_MAX = 3

interface Target {
  readonly port: number
  readonly pid: number
}

interface Siege {
  readonly kind: PeerKind
  readonly peers: number
  readonly before: Health
  readonly during: Health
  readonly behind: Health
  /** By how much memory was higher at its peak than before. */
  readonly grownMib: number
}

/** Has slow clients come, and others be served before, beside and behind them. */
async function besiege(kind: PeerKind, peers: number, calls: number, { port, pid }: Target): Promise<Siege> {
  const before = await callHealthily(port, calls)
  const rssBefore = rssMib(pid)
  let peak = rssBefore
  const timer = setInterval(() => {
    peak = Math.max(peak, rssMib(pid))
  }, READ_MS)
  const slow = await kind.start(port, peers)
  // What all of them bring with them at the same moment is over then.
  await Bun.sleep(SETTLE_MS)
  const during = await callHealthily(port, calls).finally(() => clearInterval(timer))
  await slow.stop()
  const behind = await callHealthily(port, calls)
  return { kind, peers, before, during, behind, grownMib: peak - rssBefore }
}

function isSlow({ before, during, behind }: Siege): boolean {
  return during.p99 > SLOWER_MAX * Math.max(P99_FLOOR_MS, before.p99, behind.p99)
}

function faultsOf(siege: Siege): HardeningFailure[] {
  const { kind, peers, before, during, behind, grownMib } = siege
  const faults: string[] = []
  const admittedMib = (peers * kind.bytesEach) / MIB
  const mibMax = Math.max(MEMORY_FLOOR_MIB, MEMORY_FACTOR_MAX * admittedMib)
  if (grownMib > mibMax)
    faults.push(`memory grew by ${grownMib.toFixed(0)} MiB, with ${admittedMib.toFixed(1)} admitted`)
  if (isSlow(siege)) {
    faults.push(
      `p99 was ${during.p99.toFixed(1)} ms beside them; before ${before.p99.toFixed(1)}, behind ${behind.p99.toFixed(1)}`,
    )
  }
  const failed = before.failed + during.failed + behind.failed
  if (failed > 0) faults.push(`${failed} calls of others were not answered 200`)
  return faults.map((message) => ({ id: kind.name, message }))
}

function startLargeUpstream(bytes: number): Promise<ScriptedUpstream> {
  // One for all of them: this process is no part of what is measured.
  const large = new Uint8Array(bytes).fill(0x78)
  return startScriptedUpstream((request, connection) => {
    if (request.target.includes('large')) connection.respond(200, { 'content-type': 'text/plain' }, large)
    else connection.json({ ok: true })
  })
}

async function run({ isShort, only, report }: HardeningRun): Promise<HardeningResult> {
  const { peers, calls, kinds } = isShort ? SHORT : LONG
  const upstream = await startLargeUpstream(LARGE_BYTES)
  const gateway = await startGatewayProcess({ OPENAI_API_BASE: `${upstream.url}/v1` })
  const sieges: Siege[] = []
  const skipped: string[] = []
  const failures: HardeningFailure[] = []
  try {
    const target = { port: gateway.port, pid: gateway.child?.pid ?? process.pid }
    for (const kind of kinds.filter(({ name }) => only === undefined || name === only)) {
      if (kind.tool !== undefined && Bun.which(kind.tool) === null) {
        skipped.push(kind.name)
        continue
      }
      report(kind.name)
      let siege = await besiege(kind, peers, calls, target)
      // A machine that does other things is slow at any moment: only what is slow each time is so for their sake.
      for (let tries = 1; tries < TRIES_MAX && isSlow(siege); tries += 1)
        siege = await besiege(kind, peers, calls, target)
      sieges.push(siege)
      failures.push(...faultsOf(siege))
    }
    if (gateway.child?.exitCode !== null)
      failures.push({ id: 'exit', message: `It ended with ${gateway.child?.exitCode}.` })
  } finally {
    await gateway.stop()
    await upstream.close()
  }
  return { cases: sieges.length, failures, figures: figuresOf(sieges, skipped) }
}

function figuresOf(sieges: readonly Siege[], skipped: readonly string[]): HardeningResult['figures'] {
  const ratios = sieges.map(({ before, during, behind }) => during.p99 / Math.max(before.p99, behind.p99))
  const growths = sieges.map(({ kind, peers, grownMib }) => grownMib / ((peers * kind.bytesEach) / MIB))
  return {
    'memory, × bytes admitted, at most': Number(Math.max(0, ...growths).toFixed(1)),
    'MiB for all of a kind, at most': Math.round(Math.max(0, ...sieges.map(({ grownMib }) => grownMib))),
    'p99 of the healthy, × that without, at most': Number(Math.max(0, ...ratios).toFixed(2)),
    ...(skipped.length > 0 && { 'skipped, since slowhttptest is not installed': skipped.length }),
  }
}

/** The stand-in holds whole answers for clients that read nothing; a slow healthy call has to be seen as well. */
async function prove(): Promise<void> {
  const upstream = await startLargeUpstream(PROOF_BYTES)
  const hoarding = await startHoardingServer(upstream.port)
  const kind = PEER_KINDS.find(({ name }) => name === 'never-read')
  try {
    if (kind === undefined) throw new Error('There are no clients that never read.')
    const siege = await besiege(kind, 20, 100, hoarding)
    if (CAN_READ_MEMORY && faultsOf(siege).length === 0) {
      throw new Error(`Twenty answers of 8 MiB that were held went unseen: ${siege.grownMib.toFixed(0)} MiB.`)
    }
    const quick = { p99: 20, failed: 0 }
    const slow = { ...siege, grownMib: 0, before: quick, during: { p99: 41, failed: 0 }, behind: quick }
    if (faultsOf(slow).length !== 1) throw new Error('A p99 that more than doubled went unseen.')
  } finally {
    await hoarding.stop()
    await upstream.close()
  }
}

/** Promise 6, its part of slow peers. */
export const suite: HardeningSuite = {
  number: 6,
  name: 'slow-peers',
  promise:
    'Slow peers cost little: memory stays within ten times what they were let in with, and others are served as before',
  prove,
  run,
}
