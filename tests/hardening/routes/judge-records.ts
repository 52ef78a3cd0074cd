import { RESOURCES } from '../../../src/openai/resources.ts'
import type { LogLine } from '../../helpers/log-lines.ts'
import { AT_ONCE_MS } from '../../helpers/within.ts'
import type { HardeningFailure } from '../suite.ts'
import { logId, type Probe, type ProbedUpstream } from './probe.ts'

/**
 * Compares what the gateway took each probe for, as its log says, with what went upstream because of it: a decision about one route must
 * not be carried out on another.
 */
export async function judgeRecords(
  probes: readonly Probe[],
  { arrivalsOf }: ProbedUpstream,
  lines: readonly LogLine[],
): Promise<readonly HardeningFailure[]> {
  const forwarded = probes.filter(({ id }) => arrivalsOf(id).length > 0)
  const routes = await readRoutes(forwarded, lines)
  return forwarded.flatMap(({ id, number }) => {
    const [arrival] = arrivalsOf(id)
    if (arrival === undefined) return []
    const taken = routes.get(logId(number))
    const ran = routeOf(arrival.method, arrival.target)
    return taken === ran ? [] : [{ id, message: `it was taken for ${taken}, and ${ran} was run: ${arrival.target}` }]
  })
}

/** The routes that the log tells of; the last lines may be still on their way. */
async function readRoutes(
  forwarded: readonly Probe[],
  lines: readonly LogLine[],
): Promise<ReadonlyMap<unknown, unknown>> {
  for (const endsAt = performance.now() + AT_ONCE_MS; ; await Bun.sleep(20)) {
    const records = lines.filter(({ msg }) => msg === 'exchange')
    const routes = new Map(records.map((line) => [line['request_id'], line['route']]))
    if (forwarded.every(({ number }) => routes.has(logId(number))) || performance.now() > endsAt) return routes
  }
}

/** The route that an upstream runs, read off its own request line. */
function routeOf(method: string, target: string): string {
  const path = (target.split('?', 1)[0] ?? '').replace(/^\/base\/v1\//, '')
  // A slash behind it is the same to most.
  const named = path.replace(/\/$/, '')
  if (method === 'POST' && named === 'chat/completions') return 'chat.completions'
  if (method === 'POST' && named === 'completions') return 'completions'
  const [resource = ''] = path.split('/')
  return RESOURCES.has(resource) ? resource : 'other'
}
