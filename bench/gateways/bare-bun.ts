import { join } from 'node:path'
import { type Gateway, PLAIN } from './gateway.ts'

/** The environment in which Bun proxies run: the runtime's limit of 256 requests under way would queue the 257th stream. */
export const BUN_ENV = { NODE_ENV: 'production', BUN_CONFIG_MAX_HTTP_REQUESTS: '65535' }

/** The floor of a stack that is built on Bun: `Bun.serve` and `fetch`, nothing else. */
export const bareBun: Gateway = {
  ...PLAIN,
  name: 'bun',
  kind: 'floor',
  settings: 'Bun.serve → fetch, body read whole, answer handed over; nothing checked, nothing logged',
  prepare: async () => Bun.version,
  // It knows of no models: what a request costs is the same.
  setups: ['models'],
  launch: ({ port, upstreamPort }) => ({
    command: [process.execPath, join(import.meta.dir, 'servers/bun-proxy.ts'), String(port), String(upstreamPort)],
    env: BUN_ENV,
  }),
}
