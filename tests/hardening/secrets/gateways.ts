import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeConfigFile } from '../../helpers/config-file.ts'
import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import { startGateway, type TestGateway } from '../../helpers/start-gateway.ts'
import { canary } from './canaries.ts'
import type { Asker } from './requests.ts'

/** A gateway, or a stand-in for one, that is watched for what it lets out. */
export interface Watched {
  readonly name: string
  readonly port: number
  readonly asker: Asker
  /** All that it has logged, line by line; to be called when nothing is under way. */
  readonly log: () => Promise<readonly string[]>
  /** The texts of its cassettes; ends it where it has any. */
  readonly cassettes: () => Promise<readonly string[]>
  readonly stop: () => Promise<void>
}

const TOKEN = { REQUIRE_AUTH: 'true', API_TOKEN: canary('tok') }
/** All that it has to say. */
const TALKATIVE = { LOG_LEVEL: 'trace', DEBUG_HEADERS: 'true', IDEMPOTENCY_WINDOW_MS: '0' }

/** Starts one for each way in which secrets come to a gateway, and one that records. */
export async function startGateways(upstreamUrl: string): Promise<readonly Watched[]> {
  const base = `${upstreamUrl}/v1`
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-secrets-'))
  const file = writeConfigFile({
    upstreams: {
      one: {
        ...{ base_url: base, api_key: canary('srv') },
        headers: { 'x-portkey-api-key': canary('hdr') },
        query: { sig: canary('qry') },
      },
    },
    params: [{ clamp: { max_tokens: { max: 100 } } }],
  })
  const environment = { ...TALKATIVE, OPENAI_API_BASE: base }
  const byFile = { ...TALKATIVE, ...TOKEN, NEXCODE_CONFIG: file.path }
  const [guarded, withFile, own, recording] = await Promise.all([
    startGateway({ env: { ...environment, ...TOKEN, OPENAI_API_KEY: canary('srv') } }),
    startGateway({ env: byFile }),
    startGateway({ env: environment }),
    startGateway({ env: byFile, command: [...gatewayCommand(), 'record', '--to', folder] }),
  ])
  const stop = async (): Promise<void> => {
    file.remove()
    rmSync(folder, { recursive: true, force: true })
  }
  return [
    watch('environment', guarded, 'holder'),
    watch('file', withFile, 'holder'),
    watch('own', own, 'caller'),
    watch('recording', recording, 'holder', { folder, stop }),
  ]
}

interface Recording {
  readonly folder: string
  readonly stop: () => Promise<void>
}

function watch(name: string, gateway: TestGateway, asker: Asker, recording?: Recording): Watched {
  let isLast = 0
  return {
    name,
    port: gateway.port,
    asker,
    async log() {
      // Whatever is written before this line is there when it is.
      isLast += 1
      const id = `last-${isLast}`
      await fetch(`${gateway.url}/v1/nothing`, { headers: { 'x-request-id': id } }).then((answer) => answer.text())
      await gateway.line(({ request_id }) => request_id === id)
      return [...gateway.lines.map((line) => JSON.stringify(line)), ...gateway.stderr().split('\n')]
    },
    async cassettes() {
      if (recording === undefined) return []
      gateway.child?.kill('SIGTERM')
      await gateway.child?.exited
      return readdirSync(recording.folder).map((one) => `${one}\n${readFileSync(join(recording.folder, one), 'utf8')}`)
    },
    async stop() {
      await gateway.stop()
      await recording?.stop()
    },
  }
}
