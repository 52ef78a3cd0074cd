import { openStore } from '../../../../src/storage/open-store.ts'

/** Takes claims under a row of ids, one after the other, and prints the numbers of those that it got. */
const [, , spec = '', count = '0'] = process.argv
const log = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
const store = openStore(spec, { bytesMax: 256 * 1024 * 1024, entriesMax: 1_000_000, now: Date.now, log })
const { claims } = store
if (claims === undefined) throw new Error('This store has no claims.')
const got: number[] = []
for (let number = 0; number < Number(count); number += 1) {
  const claim = { id: `id-${number}`, token: crypto.randomUUID(), fingerprint: 'f'.repeat(64), scope: 's' }
  const taken = await claims.take(claim, { leaseMs: 60_000, windowMs: 60_000 })
  if (taken.kind === 'taken') got.push(number)
}
await store.close()
process.stdout.write(JSON.stringify(got))
