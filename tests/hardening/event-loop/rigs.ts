import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeConfigFile } from '../../helpers/config-file.ts'
import { gatewayCommand } from '../../helpers/gateway-under-test.ts'
import { startGateway } from '../../helpers/start-gateway.ts'
import { startChild } from '../bombs/child.ts'

/** What a gateway is set up for: each way of reading bodies needs another one. */
export const RIGS = ['ruled', 'kept', 'named', 'extended', 'recording', 'replaying'] as const

/** One of them. */
export type RigName = (typeof RIGS)[number]

/** A gateway in a process of its own, in front of an upstream that plays. */
export interface Rig {
  readonly port: number
  readonly pid: number
  /** Resolves when what it does behind an answer is done. */
  readonly settled: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Reads requests and answers as `x-how` says. */
const EXTENSION = `
export default {
  name: 'reader',
  async fetch(request, next, context) {
    const how = request.headers.get('x-how')
    if (how === 'request.json') await request.json()
    if (how === 'request.text') await request.text()
    if (how === 'request.bytes') await request.bytes()
    if (how === 'context.body') await context.body()
    const response = await next(request)
    if (how === 'response.json') { await response.json(); return Response.json({}) }
    if (how === 'response.text') { await response.text(); return Response.json({}) }
    if (how === 'response.changed') return new Response(await response.bytes(), response)
    if (how !== 'events') return response
    return context.stream(all(context.events(response)), response)
    async function* all(events) { for await (const event of events) yield event }
  },
}
`

const PARAMS = [
  { match: { model: 'ruled' }, allow: ['model', 'messages', 'stream'], on_violation: 'drop' },
  { match: { model: 'capped' }, clamp: { max_tokens: { max: 100 } }, defaults: { temperature: 1 } },
  { match: { model: 'defaulted' }, defaults: { temperature: 1 }, rename: { x: 'y' } },
  { match: { endpoint: 'audio/*' }, deny: ['forbidden'] },
]
const MIB = 1024 * 1024
const KEPT = { cache: { store: 'memory', max_bytes: 512 * MIB, max_answer_bytes: 64 * MIB, requests: 'all' } }
const NAMES = { report_model: 'alias', models: { smart: { targets: [{ upstream: 'only', model: 'real' }] } } }

function settingsOf(rig: RigName, folder: string): object {
  if (rig === 'ruled') return { ...NAMES, params: PARAMS }
  if (rig === 'named') {
    return {
      report_model: 'alias',
      models: {
        ...NAMES.models,
        m: { targets: [{ upstream: 'only' }, { upstream: 'other' }] },
        'of/*': { targets: [{ upstream: 'only', model: 'of/*' }] },
      },
    }
  }
  if (rig === 'kept') return KEPT
  return rig === 'extended' ? { extensions: [join(folder, 'reader.ts')] } : {}
}

/**
 * Starts a gateway that is set up for one way of reading bodies.
 *
 * @example
 * const rig = await startRig('kept')
 */
export async function startRig(name: RigName): Promise<Rig> {
  const upstream = startChild('event-loop/peer.ts')
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-loop-'))
  await Bun.write(join(folder, 'reader.ts'), EXTENSION)
  const target = { base_url: `http://127.0.0.1:${await upstream.line()}/v1`, api_key: 'sk-server-of-the-loop' }
  const upstreams = name === 'named' ? { only: target, other: target } : { only: target }
  const file = writeConfigFile({ upstreams, ...settingsOf(name, folder) })
  const end = async (): Promise<void> => {
    await upstream.stop()
    file.remove()
    rmSync(folder, { recursive: true, force: true })
  }
  const tapes = join(folder, 'cassettes')
  const words: Partial<Record<RigName, readonly string[]>> = {
    recording: ['record', '--to', tapes],
    replaying: ['replay', '--from', tapes, '--on-miss', 'forward'],
  }
  try {
    // One caller sends all of it.
    const env = { NEXCODE_CONFIG: file.path, MAX_CALLER_SHARE: '100' }
    const gateway = await startGateway({ env, command: [...gatewayCommand(), ...(words[name] ?? [])] })
    const { child } = gateway
    if (child === undefined) throw new Error('There is no process.')
    let recorded = 0
    return {
      port: gateway.port,
      pid: child.pid,
      async settled() {
        if (name !== 'recording') return
        recorded += 1
        await gateway.line((line) => countOf(gateway.lines, line) >= recorded)
      },
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

function countOf(
  lines: readonly Readonly<Record<string, unknown>>[],
  until: Readonly<Record<string, unknown>>,
): number {
  const isRecord = ({ msg }: Readonly<Record<string, unknown>>): boolean => /^(?:not )?recorded/.test(String(msg))
  return isRecord(until) ? lines.filter(isRecord).length : 0
}
