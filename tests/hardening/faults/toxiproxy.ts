import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../helpers/free-port.ts'
import { inPool } from '../pool.ts'
import { lastLine, runTool } from '../run-tool.ts'
import type { ToxicCase } from './toxic-cases.ts'

/** The version that is run; it goes into `.cache/`, and is no dependency of ours. */
const VERSION = 'v2.12.0'
const FOLDER = fileURLToPath(new URL(`../../../.cache/toxiproxy-${VERSION}/`, import.meta.url))
const PROGRAM = `${FOLDER}server`
const INSTALL_MS_MAX = 300_000
const START_TRIES_MAX = 400
const RETRY_MS = 25
const AT_ONCE = 16

/** The real toxiproxy, with a proxy for each case, and one that does nothing. */
export interface Toxiproxy {
  /** The port of the proxy that nothing is wrong with. */
  readonly healthyPort: number
  /** The port of a case's proxy, by its id. */
  readonly portOf: (id: string) => number
  /** Has a case's toxic begin. */
  readonly poison: (id: string) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Whether it has been installed before. */
export function hasToxiproxy(): boolean {
  return existsSync(PROGRAM)
}

/** Installs it where there is Go, once; a text: why that can't be. */
export async function provideToxiproxy(): Promise<string | undefined> {
  if (hasToxiproxy()) return undefined
  if (Bun.which('go') === null) return 'left out: go is missing'
  const options = { cwd: tmpdir(), msMax: INSTALL_MS_MAX, env: { GOBIN: FOLDER } }
  const end = await runTool(['go', 'install', `github.com/Shopify/toxiproxy/v2/cmd/server@${VERSION}`], options)
  return end.code === 0 && hasToxiproxy() ? undefined : `left out: go can't install it: ${lastLine(end)}`
}

/** Starts it before an upstream, with a proxy for each case whose toxic is there and asleep. */
export async function startToxiproxy(cases: readonly ToxicCase[], upstreamPort: number): Promise<Toxiproxy> {
  const apiPort = await freePort()
  const child = Bun.spawn([PROGRAM, '-host', '127.0.0.1', '-port', String(apiPort)], {
    ...{ stdin: 'ignore', stdout: 'ignore', stderr: 'inherit' },
    env: { LOG_LEVEL: 'error' },
  })
  const api = `http://127.0.0.1:${apiPort}`
  const ask = async (method: string, path: string, body?: object): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await fetch(`${api}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`toxiproxy answers ${answer.status} to ${path}: ${await answer.text()}`)
    return (await answer.json()) as Readonly<Record<string, unknown>>
  }
  const addProxy = async (name: string): Promise<number> => {
    const proxy = await ask('POST', '/proxies', {
      ...{ name, listen: '127.0.0.1:0', upstream: `127.0.0.1:${upstreamPort}`, enabled: true },
    })
    return Number(String(proxy['listen']).split(':').at(-1))
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
  }
  try {
    await untilUp(() => ask('GET', '/version'))
    const ports = new Map<string, number>()
    await inPool(cases, AT_ONCE, async ({ id, deployment, toxic: { type, attributes } }) => {
      ports.set(id, await addProxy(deployment))
      // There from the start, so that it has a hand in each connection; it does nothing while none of a hundred is its share.
      await ask('POST', `/proxies/${deployment}/toxics`, {
        ...{ name: type, type, stream: 'downstream', toxicity: 0, attributes },
      })
    })
    const known = new Map(cases.map((one) => [one.id, one]))
    return {
      healthyPort: await addProxy('healthy'),
      portOf: (id) => ports.get(id) ?? 0,
      async poison(id) {
        const one = known.get(id)
        if (one !== undefined) await ask('POST', `/proxies/${one.deployment}/toxics/${one.toxic.type}`, { toxicity: 1 })
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function untilUp(ask: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await ask()
      return
    } catch (error) {
      if (tries === START_TRIES_MAX) throw error
      await Bun.sleep(RETRY_MS)
    }
  }
}
