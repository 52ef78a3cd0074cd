// Keeps a value in the store that its argument names, gets it back, and says how that went.
import { openStore } from '../../../../src/storage/open-store.ts'
import { SILENT, WIDE } from '../stores-under-test.ts'

const store = openStore(process.argv[2] ?? '', { ...WIDE, now: Date.now, log: SILENT })
try {
  await store.set('a', new Uint8Array([1, 2, 3]), { ttlMs: 60_000, scope: 's' })
  const got = await store.get('a')
  process.stdout.write(got?.byteLength === 3 ? 'kept\n' : 'lost\n')
} catch {
  process.stdout.write('failed\n')
}
await store.close()
