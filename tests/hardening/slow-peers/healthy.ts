import { postText, sendRaw } from '../../helpers/raw-client.ts'
import { percentile } from '../percentile.ts'
import { inPool } from '../pool.ts'

const AT_ONCE = 4
const CHAT = postText('/v1/chat/completions', '{"model":"m","messages":[]}', { Authorization: 'Bearer sk-mine' })

/** How the others were served. */
export interface Health {
  /** The 99th percentile of their calls, in ms. */
  readonly p99: number
  /** Calls that were not answered 200. */
  readonly failed: number
}

/** Sends so many calls of the ordinary kind, four at a time, each on a connection of its own. */
export async function callHealthily(port: number, count: number): Promise<Health> {
  const times: number[] = []
  let failed = 0
  await inPool(Array.from({ length: count }), AT_ONCE, async () => {
    const at = performance.now()
    const status = await sendRaw(port, CHAT).then(
      (answer) => answer.status,
      () => 0,
    )
    times.push(performance.now() - at)
    if (status !== 200) failed += 1
  })
  return { p99: percentile(times, 99), failed }
}
