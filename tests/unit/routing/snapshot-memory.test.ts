import { expect, test } from 'bun:test'
import { createSnapshot, type Snapshot } from '../../../src/routing/snapshot.ts'
import { createDeadlines } from '../../../src/timing/deadlines.ts'
import { loadGood } from '../config/load-file.ts'

const RELOADS = 300

test('what settings came to is let go of when others have taken their place, however many there were', async () => {
  const deps = { now: () => 0, random: () => 0, deadlines: createDeadlines() }
  const made: WeakRef<Snapshot>[] = []
  let snapshot: Snapshot | undefined
  for (let n = 0; n < RELOADS; n += 1) {
    const file = {
      upstreams: { up: { base_url: 'http://up.example/v1', api_key: `key-${n}`, concurrency: { max: 1 + (n % 9) } } },
      models: { smart: { targets: [{ upstream: 'up', model: `m-${n % 5}` }] } },
      params: [{ defaults: { user: `user-${n}` } }],
    }
    snapshot = createSnapshot(loadGood(JSON.stringify(file)), deps, snapshot)
    snapshot.router.route('smart').order({})
    made.push(new WeakRef(snapshot))
  }
  // What a job has looked at through a WeakRef stays until its end.
  await new Promise((resolve) => setImmediate(resolve))
  Bun.gc(true)
  await new Promise((resolve) => setImmediate(resolve))
  Bun.gc(true)
  const kept = made.filter((one) => one.deref() !== undefined).length
  expect(snapshot?.settings.models).toHaveLength(1)
  // The collector is conservative: a few may be seen on its stack.
  expect(kept).toBeLessThan(RELOADS / 10)
})
