import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { provideTool } from '../provide-tool.ts'
import { CACHE_DIR } from '../run-process.ts'
import { Unavailable } from '../unavailable.ts'
import { type Gateway, PLAIN } from './gateway.ts'

const VERSION = '1.15.2'
const DIR = join(CACHE_DIR, `portkey-${VERSION}`)
const SERVER = join(DIR, 'node_modules/@portkey-ai/gateway/build/start-server.js')

const PACKAGE = {
  name: 'bench-portkey',
  private: true,
  dependencies: { '@portkey-ai/gateway': VERSION },
  // The version that it asks for breaks streams on Node 20.
  overrides: { '@hono/node-server': '1.13.8' },
}

async function prepare(): Promise<string> {
  provideTool('node', 'nodejs')
  if (existsSync(SERVER)) return VERSION
  mkdirSync(DIR, { recursive: true })
  writeFileSync(join(DIR, 'package.json'), JSON.stringify(PACKAGE))
  process.stderr.write('Installing @portkey-ai/gateway…\n')
  const install = Bun.spawnSync([provideTool('npm'), 'install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: DIR,
    stdout: 'ignore',
    stderr: 'ignore',
  })
  if (!install.success || !existsSync(SERVER)) throw new Unavailable('npm could not install @portkey-ai/gateway')
  return VERSION
}

/**
 * Portkey's gateway on Node, as its README starts it (`npx @portkey-ai/gateway`), in production mode. The provider and its address
 * come in headers (portkey.ai/docs, "Custom hosts"). It keeps no log of its own.
 */
export const portkey: Gateway = {
  ...PLAIN,
  name: 'portkey',
  kind: 'peer',
  settings: 'Node, production mode, one process; provider and custom host by header',
  prepare,
  launch: ({ port }) => ({
    // `--headless`: without its console page and the log that the page shows.
    command: [provideTool('node', 'nodejs'), SERVER, `--port=${port}`, '--headless'],
    env: { NODE_ENV: 'production' },
    cwd: DIR,
  }),
  readyPath: '/',
  readyTimeoutMs: 20_000,
  headers: ({ upstreamPort }) => ({
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
  }),
}
