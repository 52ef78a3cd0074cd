import { expect, test } from 'bun:test'
import { childrenOf } from '../helpers/child-processes.ts'
import { startStreamingUpstream, startWorkers } from '../helpers/workers.ts'

/** A worker is given half a minute; a busy machine some more. */
const PATIENCE_MS = 120_000

test(
  'a worker whose event loop stands still is one warning, and is replaced; the other serves meanwhile',
  async () => {
    const streams = await startStreamingUpstream()
    const gateway = await startWorkers(streams, { LOG_LEVEL: 'info' })
    const before = childrenOf(gateway.child?.pid ?? 0)
    const [stuck = 0] = before
    expect(before).toHaveLength(2)
    process.kill(stuck, 'SIGSTOP')
    const line = await gateway.line(({ level }) => Number(level) >= 40)
    expect(line).toMatchObject({ level: 40, pid: stuck, signal: 'SIGKILL', msg: expect.stringContaining('was stuck') })
    await gateway.line(({ msg }) => msg === 'a worker is up again')
    const after = childrenOf(gateway.child?.pid ?? 0)
    expect(after).toHaveLength(2)
    expect(after).not.toContain(stuck)
    expect(gateway.lines.filter(({ level }) => Number(level) >= 40)).toHaveLength(1)
    await gateway.stop()
    await streams.upstream.close()
  },
  PATIENCE_MS,
)
