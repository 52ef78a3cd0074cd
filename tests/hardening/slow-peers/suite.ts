import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import { CAN_READ_MEMORY, rssMib } from '../../helpers/process-memory.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { callHealthily, type Health } from './healthy.ts'
import { startHoardingServer } from './hoarding-server.ts'
import { startLargeUpstream } from './large-upstream.ts'
import { PEER_KINDS, type PeerKind } from './peers.ts'

const LONG = { peers: 1000, calls: 1500, kinds: PEER_KINDS }
/** The own ones, since the tool takes its seconds, and of the heavy ones one each of HTTP and WebSocket. */
const SHORT = {
  peers: 60,
  calls: 200,
  kinds: PEER_KINDS.filter(({ name, tool }) => tool === undefined && name !== 'never-read-websocket'),
}
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
/** The budget (`MAX_MEMORY_BYTES`) before heavy clients: for each as much as it is let in with, so that most of them have to go. */
const BUDGET_BYTES_EACH = 256 * 1024
/** A client that takes nothing of what is long costs no less: so many may be there, and no more. */
const HEAVY_BYTES_MIN = 1024 * 1024
/** Of what was let go, collector and allocator keep some for a while (530 to 760 MiB were seen with a budget of 250): up to twice as much again, and this. */
const KEPT_FACTOR = 3
const KEPT_MIB = 128
const STEADY_MIB = 2
const STEADY_TRIES_MAX = 40

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
  /** The same when nothing moved any more, and the slow ones were still there. */
  readonly settledMib: number
  /** How many of them were there at the end, where that is known. */
  readonly open: number | undefined
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
  if (kind.isHeavy === true) await settle(pid)
  const during = await callHealthily(port, calls).finally(() => clearInterval(timer))
  const settledMib = rssMib(pid) - rssBefore
  const open = await slow.stop()
  const behind = await callHealthily(port, calls)
  return { kind, peers, before, during, behind, grownMib: peak - rssBefore, settledMib, open }
}

/** Waits until a process takes no more memory. */
async function settle(pid: number): Promise<void> {
  for (let tries = 0; tries < STEADY_TRIES_MAX; tries += 1) {
    const before = rssMib(pid)
    await Bun.sleep(SETTLE_MS)
    if (!CAN_READ_MEMORY || rssMib(pid) < before + STEADY_MIB) return
  }
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
  if (kind.isHeavy === true) faults.push(...heavyFaultsOf(siege))
  if (isSlow(siege)) {
    faults.push(
      `p99 was ${during.p99.toFixed(1)} ms beside them; before ${before.p99.toFixed(1)}, behind ${behind.p99.toFixed(1)}`,
    )
  }
  const failed = before.failed + during.failed + behind.failed
  if (failed > 0) faults.push(`${failed} calls of others were not answered 200`)
  return faults.map((message) => ({ id: kind.name, message }))
}

/** The budget is kept: by the number of those who hold any of it, which is the same on every machine, and in memory. */
function heavyFaultsOf({ peers, open = 0, settledMib }: Siege): string[] {
  const faults: string[] = []
  const budgetBytes = peers * BUDGET_BYTES_EACH
  if (open * HEAVY_BYTES_MIN > budgetBytes) {
    faults.push(`${open} of ${peers} clients that take nothing were still there, with a budget of ${budgetBytes} bytes`)
  }
  if (settledMib > KEPT_FACTOR * (budgetBytes / MIB) + KEPT_MIB)
    faults.push(`${settledMib.toFixed(0)} MiB more stayed than before`)
  return faults
}

async function run(options: HardeningRun): Promise<HardeningResult> {
  const { isShort, only } = options
  const { peers, kinds } = isShort ? SHORT : LONG
  const wanted = kinds.filter(({ name }) => only === undefined || name === only)
  const skipped = wanted.filter(({ tool }) => tool !== undefined && Bun.which(tool) === null)
  const upstream = await startLargeUpstream(LARGE_BYTES)
  const env = { OPENAI_API_BASE: `${upstream.url}/v1` }
  try {
    const there = wanted.filter((kind) => !skipped.includes(kind))
    const light = await besiegeWith(
      there.filter(({ isHeavy }) => isHeavy !== true),
      env,
      options,
    )
    const tight = { ...env, MAX_MEMORY_BYTES: String(peers * BUDGET_BYTES_EACH) }
    const heavy = await besiegeWith(
      there.filter(({ isHeavy }) => isHeavy === true),
      tight,
      options,
    )
    const sieges = [...light.sieges, ...heavy.sieges]
    const failures = [...sieges.flatMap(faultsOf), ...light.exits, ...heavy.exits]
    return { cases: sieges.length, failures, figures: figuresOf(light.sieges, heavy.sieges, skipped.length) }
  } finally {
    await upstream.close()
  }
}

/** Has all of these come to one gateway, one kind after the other. */
async function besiegeWith(
  kinds: readonly PeerKind[],
  env: Readonly<Record<string, string>>,
  { isShort, report }: HardeningRun,
): Promise<{ readonly sieges: readonly Siege[]; readonly exits: readonly HardeningFailure[] }> {
  if (kinds.length === 0) return { sieges: [], exits: [] }
  const { peers, calls } = isShort ? SHORT : LONG
  const gateway = await startGateway({ env, command: gatewayCommand() })
  const sieges: Siege[] = []
  try {
    const target = { port: gateway.port, pid: gateway.child?.pid ?? process.pid }
    for (const kind of kinds) {
      report(kind.name)
      let siege = await besiege(kind, peers, calls, target)
      // A machine that does other things is slow at any moment: only what is slow each time is so for their sake.
      for (let tries = 1; tries < TRIES_MAX && isSlow(siege); tries += 1)
        siege = await besiege(kind, peers, calls, target)
      sieges.push(siege)
    }
    const code = gateway.child?.exitCode ?? null
    return { sieges, exits: code === null ? [] : [{ id: 'exit', message: `It ended with ${code}.` }] }
  } finally {
    await gateway.stop()
  }
}

function figuresOf(light: readonly Siege[], heavy: readonly Siege[], skipped: number): HardeningResult['figures'] {
  const sieges = [...light, ...heavy]
  const ratios = sieges.map(({ before, during, behind }) => during.p99 / Math.max(before.p99, behind.p99))
  const growths = sieges.map(({ kind, peers, grownMib }) => grownMib / ((peers * kind.bytesEach) / MIB))
  const open = heavy.map((siege) => siege.open ?? 0)
  return {
    'memory, × bytes admitted, at most': Number(Math.max(0, ...growths).toFixed(1)),
    'MiB for all of a kind, at most': Math.round(Math.max(0, ...sieges.map(({ grownMib }) => grownMib))),
    'p99 of the healthy, × that without, at most': Number(Math.max(0, ...ratios).toFixed(2)),
    ...(heavy.length > 0 && {
      'clients left within a budget, of each MiB of it, at most': Number(
        Math.max(...open.map((count, n) => count / (((heavy[n]?.peers ?? 1) * BUDGET_BYTES_EACH) / MIB))).toFixed(2),
      ),
      'MiB that stay of those': Math.round(Math.max(...heavy.map(({ settledMib }) => settledMib))),
    }),
    ...(skipped > 0 && { 'skipped, since slowhttptest is not installed': skipped }),
  }
}

/** The stand-in holds whole answers for clients that read nothing; a slow healthy call has to be seen as well. */
async function prove(): Promise<void> {
  const upstream = await startLargeUpstream(PROOF_BYTES, 2 * PROOF_BYTES)
  const hoarding = await startHoardingServer(upstream.port)
  const [kind, heavy] = ['never-read', 'never-read-long'].map((wanted) =>
    PEER_KINDS.find(({ name }) => name === wanted),
  )
  try {
    if (kind === undefined || heavy === undefined) throw new Error('There are no clients that never read.')
    const long = await besiege(heavy, 5, 100, hoarding)
    if (heavyFaultsOf(long).length === 0) throw new Error(`A server that holds ${long.open} clients went unseen.`)
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
