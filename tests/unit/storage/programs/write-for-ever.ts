// Writes values that carry their own checksum into the SQLite store at a path, until it is killed. Says so when it has begun.
import { openSqliteStore } from '../../../../src/storage/sqlite/sqlite-store.ts'
import { checkedValue } from '../checked-value.ts'
import { SILENT } from '../stores-under-test.ts'

const [, , path = '', bytesMax = '', rounds = '', prefix = 'key'] = process.argv
const store = openSqliteStore(path, { bytesMax: Number(bytesMax), entriesMax: 10_000, now: Date.now, log: SILENT })
const last = rounds === '' ? Number.POSITIVE_INFINITY : Number(rounds)
for (let turn = 0; turn < last; turn += 1) {
  const key = `${prefix}-${turn % 200}`
  await store.set(key, checkedValue(1 + ((turn * 7919) % 60_000)), { ttlMs: 600_000, scope: `s${turn % 3}` })
  if (turn === 10) process.stdout.write('writing\n')
  if (turn % 17 === 0) await store.delete(`${prefix}-${(turn * 31) % 200}`)
  if (turn % 100 === 99) await store.purge('s1')
}
await store.close()
