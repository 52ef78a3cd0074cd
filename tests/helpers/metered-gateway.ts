import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UsageDimension, UsageSum } from '../../src/ledger/ledger.ts'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import type { Script, ScriptedUpstream } from './scripted-upstream.ts'
import { type GatewayOptions, startGateway, type TestGateway } from './start-gateway.ts'
import { until } from './until.ts'

/** A key that manages. */
export const ADMIN = 'admin-key-of-the-tests-0123456789abcdef'

/** A gateway with a ledger of its own in a file. */
export interface MeteredGateway<Name extends string = 'openai'> extends TestGateway<Name, ScriptedUpstream> {
  /** Asks the Administration API, and gives its object; throws where it refuses. */
  readonly admin: (method: string, path: string, body?: object) => Promise<Record<string, unknown>>
  /** Makes a project, and gives its id. */
  readonly project: (fields?: object) => Promise<string>
  /** Makes a key with limits, as the Administration API writes them, and gives its secret once requests with it are let in. */
  readonly key: (limits?: object, projectId?: string) => Promise<string>
  /** Sends a chat completion with a key. */
  readonly ask: (
    key: string,
    body?: Readonly<Record<string, unknown>>,
    headers?: Record<string, string>,
  ) => Promise<Response>
  /** What the first budget of a key has spent, and what is held in it, in nano-dollars: what is enforced. */
  readonly spend: (key: string) => Promise<{ readonly spent: bigint; readonly held: bigint }>
  /** The ledger, as `LEDGER` names it. */
  readonly store: string
  /** The sums of all bookings, once there are so many. */
  readonly booked: (count: number) => Promise<UsageSum>
  /** The sums of all bookings of each model that was asked for, once there are so many. */
  readonly bookedByModel: (count: number) => Promise<ReadonlyMap<string, UsageSum>>
}

/** The sums of no bookings. */
const NOTHING_BOOKED: UsageSum = { bucket: 0, group: {}, requests: 0, usage: {}, cost: 0n, saved: 0n }

/**
 * Starts a gateway with a ledger before one upstream `openai`, whose prices are OpenAI's. Its script is the argument's, or those of
 * `upstreams`.
 *
 * @example
 * await using gateway = await startMetered(answerUsed(10, 5))
 * const key = await gateway.key({ spend_limit: { month: 100 } })
 * expect((await gateway.ask(key)).status).toBe(200)
 */
export async function startMetered(script: Script, options: GatewayOptions<'openai'> = {}): Promise<MeteredGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-ledger-'))
  const store = options.env?.['LEDGER'] ?? `sqlite:${join(folder, 'ledger.sqlite')}`
  const gateway = await startGateway<'openai', Script>({
    upstreams: { openai: script },
    settings: { openai: {} },
    ...options,
    env: {
      LEDGER: store,
      ADMIN_KEY: ADMIN,
      REQUIRE_AUTH: 'true',
      API_TOKEN: 'token-of-the-tests',
      OPENAI_API_KEY: 'sk-server',
      ...options.env,
    },
  })
  const admin: MeteredGateway['admin'] = async (method, path, body) => {
    const answer = await fetch(`${gateway.url}/v1/organization${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  const project: MeteredGateway['project'] = async (fields = {}) =>
    String((await admin('POST', '/projects', { name: 'team', ...fields }))['id'])
  const key: MeteredGateway['key'] = async (limits = {}, projectId) => {
    const path = `/projects/${projectId ?? (await project())}/service_accounts`
    const made = await admin('POST', path, { name: 'tests', ...limits })
    const secret = (made['api_key'] as { readonly value: string }).value
    await until(async () => {
      const answer = await fetch(`${gateway.url}/v1/organization/projects/me/api_keys/me`, {
        headers: { authorization: `Bearer ${secret}` },
      })
      return answer.status !== 401
    })
    return secret
  }
  const sums = async (count: number, groupBy: readonly UsageDimension[]): Promise<readonly UsageSum[]> => {
    const ledger = await openLedger(store)
    try {
      let all: readonly UsageSum[] = []
      await until(async () => {
        const to = Math.ceil(Date.now() / 86_400_000) * 86_400
        all = (await ledger.usage({ from: to - 86_400, to, bucketSeconds: 86_400, where: {}, groupBy })).sums
        return all.reduce((found, { requests }) => found + requests, 0) >= count
      })
      return all
    } finally {
      await ledger.close()
    }
  }
  const spend: MeteredGateway['spend'] = async (secret) => {
    const answer = await fetch(`${gateway.url}/v1/organization/projects/me/api_keys/me`, {
      headers: { authorization: `Bearer ${secret}` },
    })
    const { spend: windows } = (await answer.json()) as {
      readonly spend: readonly { spent: number; reserved: number }[]
    }
    const [{ spent, reserved } = { spent: 0, reserved: 0 }] = windows
    return { spent: nanoOf(spent), held: nanoOf(reserved) }
  }
  const stop = async (): Promise<void> => {
    await gateway.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    ...gateway,
    spend,
    store,
    admin,
    project,
    key,
    ask: (secret, body = {}, headers = {}) =>
      gateway.chat({ model: 'gpt-4o', ...body }, { authorization: `Bearer ${secret}`, ...headers }),
    booked: async (count) => (await sums(count, []))[0] ?? NOTHING_BOOKED,
    bookedByModel: async (count) => new Map((await sums(count, ['model'])).map((sum) => [sum.group.model ?? '', sum])),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function nanoOf(cents: number): bigint {
  return BigInt(Math.round(cents * 1e7))
}

/** Answers a chat completion that has used so many tokens. */
export function answerUsed(read: number, written: number, headers: Readonly<Record<string, string>> = {}): Script {
  return async (request, connection) => {
    await request.body
    connection.json(
      {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        model: 'gpt-4o-2024-08-06',
        choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: read, completion_tokens: written, total_tokens: read + written },
      },
      200,
      headers,
    )
  }
}

/** The code of an error's body. */
export async function errorOf(answer: Response): Promise<{ message: string; type: string; code: string | null }> {
  return ((await answer.json()) as { readonly error: { message: string; type: string; code: string | null } }).error
}
