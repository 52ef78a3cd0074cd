import OpenAI from 'openai'
import { OPENAI_DEFAULT_MODEL } from '../config/providers/vendor.ts'
import { Secret } from '../config/secret.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { readEnvironment } from '../process/configuration.ts'
import { type Gateway, startGateway } from '../process/gateway.ts'
import { assertPortIsFree } from '../process/listen-checks.ts'
import { openProcessLog } from '../process/open-process-log.ts'
import { reloadOnChange } from '../process/reload.ts'
import { explainStartFailure, INVALID } from '../process/start-failure.ts'
import { renderCost, renderFirstCost, watchCosts } from './demo-costs.ts'
import { remoteAsk } from './manage/remote-admin.ts'
import { type SimulatedServer, startSimulatedServer } from './simulated-server.ts'

/** The variables that send the runtime's fetch through an HTTP proxy. */
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'] as const

/** The port that the examples and most first tries use. */
const USUAL_PORT = 8000

const QUESTION = 'What is NexCode?'

/** What the demo's key may spend in a day. */
const BUDGET_CENTS = 100

/**
 * Shows NexCode at work without a key or a network: it starts a simulated OpenAI and a gateway before it, and streams one chat through
 * them with the official client. Serves until Ctrl-C; with `once` it ends after the answer, and gives the exit code.
 */
export async function demo({ once }: { readonly once: boolean }): Promise<number | undefined> {
  // All servers are on this machine, which a proxy could not reach.
  for (const name of PROXY_VARIABLES) delete process.env[name]
  const simulated = startSimulatedServer()
  // It opens this demo only, and is shown to its user.
  const adminKey = `demo-admin-${crypto.randomUUID()}`
  const configuration = readEnvironment({
    PORT: once ? '0' : portOrAny(USUAL_PORT),
    // A ledger in memory is worth a warning everywhere else.
    LOG_LEVEL: 'error',
    ...process.env,
    HOST: '127.0.0.1',
    OPENAI_API_BASE: `${simulated.url}/v1`,
    OPENAI_MODEL: process.env['OPENAI_MODEL'] ?? OPENAI_DEFAULT_MODEL,
    OPENAI_API_KEY: undefined,
    OPENAI_API_KEY_FILE: undefined,
    TLS_CERT_FILE: undefined,
    TLS_KEY_FILE: undefined,
    REQUIRE_AUTH: 'false',
    // The ledger that the environment names is another server's.
    LEDGER: 'memory',
    LIMITS: undefined,
    ADMIN_KEY: adminKey,
  })
  if (configuration === undefined) return INVALID
  const { config } = configuration
  const { log, flush } = await openProcessLog(config.log)
  process.on('exit', flush)
  const costs = watchCosts(log)
  let gateway: Gateway
  try {
    gateway = await startGateway(config, costs.log)
  } catch (cause) {
    const { text, code } = explainStartFailure(cause, config.server)
    process.stderr.write(text)
    return code
  }
  if (!once) {
    endOnSignals(gateway, simulated)
    await reloadOnChange({ configuration, log, apply: gateway.apply })
  }
  process.stdout.write(
    `\n  NexCode at ${gateway.url}, in front of a simulated OpenAI (no key, no network)\n\n  you       ${QUESTION}\n  answer    `,
  )
  const key = await makeKey(gateway.url, adminKey)
  const isAnswered = await chat(gateway.url, key)
  if (isAnswered) process.stdout.write(renderFirstCost(await costs.first))
  const manage = `ADMIN_KEY=${adminKey} nexcode usage --url ${gateway.url}`
  process.stdout.write(renderDemoBanner({ url: gateway.url, key, manage, last: once ? OVER : goesOn(simulated.url) }))
  if (!once) {
    costs.onEach((cost) => process.stdout.write(renderCost(cost)))
    return undefined
  }
  await gateway.drain()
  simulated.close()
  return isAnswered ? 0 : 1
}

/** Makes a key that may spend a dollar a day, as any operator would. */
async function makeKey(url: string, adminKey: string): Promise<string> {
  const made = await remoteAsk(url, new Secret(adminKey))('POST', '/projects/proj_default/service_accounts', {
    name: 'demo',
    spend_limit: { day: BUDGET_CENTS },
  })
  return (made as { readonly api_key: { readonly value: string } }).api_key.value
}

/** Prints one real chat as it arrives. Gives whether it was complete. */
async function chat(url: string, apiKey: string): Promise<boolean> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
  try {
    const stream = await client.chat.completions.create({
      model: 'gpt-3.5-turbo',
      messages: [{ role: 'user', content: QUESTION }],
      stream: true,
    })
    let isWhole = false
    for await (const chunk of stream) {
      process.stdout.write(chunk.choices[0]?.delta.content ?? '')
      isWhole ||= chunk.choices[0]?.finish_reason === 'stop'
    }
    process.stdout.write('\n')
    return isWhole
  } catch (cause) {
    process.stdout.write(`\n  The chat failed: ${cause instanceof Error ? cause.message : String(cause)}\n`)
    return false
  }
}

/** Gives a port if it is free, and 0 (any) otherwise. */
function portOrAny(port: number): string {
  try {
    assertPortIsFree({ host: '127.0.0.1', port })
    return String(port)
  } catch {
    return '0'
  }
}

const OVER = 'It has ended, since --once was given; nexcode demo goes on until Ctrl-C.'

function goesOn(simulatedUrl: string): string {
  return `simulated OpenAI at ${simulatedUrl}\n\n  Stop with Ctrl-C.`
}

/** The parts of the demo's last words. */
interface DemoBanner {
  readonly url: string
  readonly key: string
  /** A command that shows what was used. */
  readonly manage: string
  readonly last: string
}

function renderDemoBanner({ url, key, manage, last }: DemoBanner): string {
  return `
  key       ${key}
            may spend $1 a day; any other key works too, and is not counted
  Python    client = openai.OpenAI(api_key="${key}", base_url="${url}/v1")
  Node      const client = new OpenAI({ apiKey: '${key}', baseURL: '${url}/v1' })
  curl      curl ${url}/v1/chat/completions -H 'Content-Type: application/json' \\
              -H 'Authorization: Bearer ${key}' \\
              -d '{"model":"gpt-3.5-turbo","messages":[{"role":"user","content":"Hello"}]}'
  docs      ${url}/docs
  usage     ${manage}
  faults    ask for model "simulate-429", "simulate-500", "simulate-delay-2000", "simulate-reset"

  ${last}

`
}

function endOnSignals(gateway: Gateway, simulated: SimulatedServer): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void ignoreRejection(gateway.drain()).then(() => {
        simulated.close()
        process.exit(0)
      })
    })
  }
}
