import { writeConfigFile } from '../../helpers/config-file.ts'
import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import { startChild } from './child.ts'

/** A gateway in a process of its own, with rules and other names for models, in front of an upstream that keeps nothing. */
export interface UnderFire {
  readonly port: number
  readonly pid: number
  /** Whether it has ended. */
  readonly hasEnded: () => boolean
  readonly stop: () => Promise<void>
}

/** Starts it. */
export async function startUnderFire(): Promise<UnderFire> {
  const upstream = startChild('bombs/peer.ts')
  const file = writeConfigFile({
    upstreams: { only: { base_url: `http://127.0.0.1:${await upstream.line()}/v1`, api_key: 'sk-server' } },
    report_model: 'alias',
    models: { smart: { targets: [{ upstream: 'only', model: 'real' }] } },
    params: [
      { match: { model: 'ruled' }, allow: ['model', 'messages', 'stream'], on_violation: 'drop' },
      { match: { model: 'capped' }, clamp: { max_tokens: { max: 100 } }, defaults: { temperature: 1 } },
      { match: { endpoint: 'audio/*' }, deny: ['forbidden'] },
    ],
  })
  const end = async (): Promise<void> => {
    await upstream.stop()
    file.remove()
  }
  try {
    // One caller sends all of it.
    const gateway = await startGateway({
      env: { NEXCODE_CONFIG: file.path, MAX_CALLER_SHARE: '100' },
      command: gatewayCommand(),
    })
    const { child } = gateway
    if (child === undefined) throw new Error('There is no process.')
    return {
      port: gateway.port,
      pid: child.pid,
      hasEnded: () => child.exitCode !== null || child.signalCode !== null,
      async stop() {
        await gateway.stop()
        await end()
      },
    }
  } catch (thrown) {
    await end()
    throw thrown
  }
}
