import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeConfigFile } from '../../helpers/config-file.ts'
import { freePort } from '../../helpers/free-port.ts'
import { type Env, gatewayCommand } from '../../helpers/gateway-under-test.ts'
import type { Administer } from './race-keys.ts'

/** A node of a race: the program under test, at the same port whenever it is started again. */
export interface RaceNode extends AsyncDisposable {
  readonly url: string
  /** Kills it at once, with all that it has under way, and starts it again. */
  readonly restart: () => Promise<void>
}

/** Where a node keeps what it knows, and where it asks. */
export interface RaceNodeForm {
  readonly upstream: string
  readonly store: string
  /** Where nodes count together; undefined: the node alone. */
  readonly limits: string | undefined
  readonly onDown: 'refuse' | 'allow'
  /** A folder of its own, for the counters of its processes. */
  readonly folder: string
}

const ADMIN_KEY = 'admin-key-of-the-race-0123456789abcdef'
const [FIRST_BYTE_MS, TRY_AGAIN_MS] = [250, 20]

/** Starts a node on a free port of 127.0.0.1. */
export async function startRaceNode(form: RaceNodeForm): Promise<RaceNode> {
  const { upstream, store, limits, onDown, folder } = form
  const port = await freePort()
  mkdirSync(folder, { recursive: true })
  const file = writeConfigFile({
    ledger: { on_ledger_down: onDown },
    upstreams: { openai: { base_url: upstream, timeouts: { first_byte: FIRST_BYTE_MS } } },
  })
  const env = {
    ...{
      HOST: '127.0.0.1',
      PORT: String(port),
      MAX_FAILED_REPEATS: '0',
      LEDGER: store,
      ADMIN_KEY,
      REQUIRE_AUTH: 'true',
      OPENAI_API_KEY: 'sk-server',
    },
    ...{ NEXCODE_CONFIG: file.path, LOG_LEVEL: 'error', TMPDIR: join(folder) },
    ...(limits !== undefined && { LIMITS: limits }),
  }
  const url = `http://127.0.0.1:${port}`
  let child = await launch(url, env)
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    url,
    async restart() {
      await kill()
      child = await launch(url, env)
    },
    async [Symbol.asyncDispose]() {
      await kill()
      file.remove()
    },
  }
}

/** Resolves when it answers. */
async function launch(url: string, env: Env): Promise<Bun.Subprocess> {
  const child = Bun.spawn([...gatewayCommand(), 'serve'], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    ...{ stdin: 'ignore', stdout: 'ignore', stderr: 'inherit' },
  })
  while (child.exitCode === null) {
    const isThere = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isThere) return child
    await Bun.sleep(TRY_AGAIN_MS)
  }
  throw new Error(`The node has ended by itself: ${child.exitCode}`)
}

/** Makes the function that manages a race's ledger by whichever node answers. */
export function administerBy(nodes: readonly RaceNode[]): Administer {
  return async (method, path, body, key = ADMIN_KEY) => {
    for (let time = 0; ; time += 1) {
      const node = nodes[time % nodes.length]
      try {
        const answer = await fetch(`${node?.url}/v1/organization${path}`, {
          method,
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
        if (answer.ok) return (await answer.json()) as Record<string, unknown>
        if (answer.status < 500) throw new TypeError(`${method} ${path}: ${answer.status} ${await answer.text()}`)
      } catch (thrown) {
        // A node that has just been killed.
        if (thrown instanceof TypeError && thrown.message.startsWith(method)) throw thrown
      }
      await Bun.sleep(TRY_AGAIN_MS)
    }
  }
}
