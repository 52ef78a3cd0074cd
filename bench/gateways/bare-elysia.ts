import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUN_ENV } from './bare-bun.ts'
import { type Gateway, PLAIN } from './gateway.ts'

const PACKAGE = join(import.meta.dir, '../../node_modules/elysia/package.json')

/** The same floor with a framework: Elysia, which parses and checks the body with a TypeBox schema. */
export const bareElysia: Gateway = {
  ...PLAIN,
  name: 'elysia',
  kind: 'floor',
  settings: 'Elysia → fetch, body parsed, checked by a TypeBox schema and written anew; nothing logged',
  prepare: async () => (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version,
  launch: ({ port, upstreamPort }) => ({
    command: [process.execPath, join(import.meta.dir, 'servers/elysia-proxy.ts'), String(port), String(upstreamPort)],
    env: BUN_ENV,
  }),
}
