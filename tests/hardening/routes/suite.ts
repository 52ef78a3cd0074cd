import { startGateway } from '../../helpers/start-gateway.ts'
import { inPool } from '../pool.ts'
import { createRandom } from '../random.ts'
import type { HardeningFailure, HardeningResult, HardeningRun, HardeningSuite } from '../suite.ts'
import { HOSTS } from './hosts.ts'
import { judgeProbe } from './judge-probe.ts'
import { judgeRecords } from './judge-records.ts'
import {
  KEYS,
  makeProbe,
  type Probe,
  type ProbedUpstream,
  SERVER_KEY,
  sendProbe,
  startProbedUpstream,
  TOKEN,
} from './probe.ts'
import { ROUTES } from './served-routes.ts'
import { SPELLINGS } from './spellings.ts'
import { startWrongGateway } from './wrong-gateway.ts'

const AT_ONCE = 48
/** In the short form one of so many is sent. */
const SHORT_SHARE = 40
const REPORT_EVERY = 1000

let number = 0
const ALL: readonly Probe[] = HOSTS.flatMap((host) =>
  SPELLINGS.flatMap((spelling) =>
    ROUTES.flatMap((route) => KEYS.map((key) => makeProbe(host, spelling, route, key, number++))),
  ),
)

interface Outcome {
  readonly failures: readonly HardeningFailure[]
  readonly statuses: ReadonlyMap<number, number>
  readonly forwarded: number
}

async function sendAll(
  probes: readonly Probe[],
  port: number,
  probed: ProbedUpstream,
  report: HardeningRun['report'],
): Promise<Outcome> {
  const failures: HardeningFailure[] = []
  const statuses = new Map<number, number>()
  let forwarded = 0
  let done = 0
  await inPool(probes, AT_ONCE, async (probe) => {
    const outcome = await sendProbe(probe, port, probed)
    const message = judgeProbe(probe, outcome)
    if (message !== undefined) failures.push({ id: probe.id, message })
    const status = outcome.response?.status ?? 0
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    forwarded += outcome.arrivals.length
    done += 1
    if (done % REPORT_EVERY === 0) report(`${done.toLocaleString('en')} of ${probes.length.toLocaleString('en')}`)
  })
  return { failures, statuses, forwarded }
}

/** A share of all probes that the seed decides on; those of the plain spelling and a good Host are always among them. */
function choose({ seed, isShort, only }: HardeningRun): readonly Probe[] {
  if (only !== undefined) return ALL.filter(({ id }) => id === only)
  if (!isShort) return ALL
  const random = createRandom(seed, 'routes')
  const share = ALL.filter(() => random.below(SHORT_SHARE) === 0)
  const plain = ALL.filter(({ isPlain, host }) => isPlain && host.name === 'localhost')
  return [...new Set([...plain, ...share])]
}

async function run(options: HardeningRun): Promise<HardeningResult> {
  const probed = await startProbedUpstream()
  const gateway = await startGateway({
    env: {
      OPENAI_API_BASE: probed.baseUrl,
      OPENAI_API_KEY: SERVER_KEY,
      REQUIRE_AUTH: 'true',
      API_TOKEN: TOKEN,
    },
  })
  try {
    const probes = choose(options)
    const { failures: seen, statuses, forwarded } = await sendAll(probes, gateway.port, probed, options.report)
    const failures = [...seen, ...(await judgeRecords(probes, probed, gateway.lines))]
    const refused = [...statuses].reduce((sum, [status, count]) => (status >= 400 ? sum + count : sum), 0)
    return { cases: probes.length, failures, figures: { bypasses: failures.length, forwarded, refused } }
  } finally {
    await gateway.stop()
    await probed.upstream.close()
  }
}

/** The stand-in lets strangers in by an open page’s name, and forwards what a URL parser makes of a path: both have to be seen. */
async function prove(): Promise<void> {
  const probed = await startProbedUpstream()
  const wrong = await startWrongGateway(probed.baseUrl)
  try {
    const route = { method: 'GET', path: '/v1/files', isOpen: false, isUpstreams: true } as const
    const [host] = HOSTS
    if (host === undefined) throw new Error('There is no Host.')
    const probes = SPELLINGS.flatMap((spelling) => KEYS.map((key) => makeProbe(host, spelling, route, key, 0)))
    const { failures } = await sendAll(probes, wrong.port, probed, () => undefined)
    for (const id of ['behind-an-open-page/GET:/v1/files/none', 'behind-an-open-page-encoded/GET:/v1/files/right']) {
      if (!failures.some((failure) => failure.id.endsWith(id))) throw new Error(`The bypass of ${id} was not seen.`)
    }
    if (failures.some(({ id }) => id.includes('/plain/'))) throw new Error('A plain request was taken for a bypass.')
  } finally {
    wrong.stop()
    await probed.upstream.close()
  }
}

/** Promise 2: hosts × spellings of a path × every route × keys. */
export const suite: HardeningSuite = {
  number: 2,
  name: 'routes',
  promise: 'The route that was authorised is the route that runs: no Host and no spelling of a path leads around a key',
  prove,
  run,
}
