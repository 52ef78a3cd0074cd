import OpenAI from 'openai'
import { OPENAI_DEFAULT_MODEL } from '../config/providers/vendor.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { readEnvironment } from '../process/configuration.ts'
import { type Gateway, startGateway } from '../process/gateway.ts'
import { assertPortIsFree } from '../process/listen-checks.ts'
import { openProcessLog } from '../process/open-process-log.ts'
import { reloadOnChange } from '../process/reload.ts'
import { explainStartFailure, INVALID } from '../process/start-failure.ts'
import { type SimulatedServer, startSimulatedServer } from './simulated-server.ts'

/** The variables that send the runtime's fetch through an HTTP proxy. */
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'] as const

/** The port that the examples and most first tries use. */
const USUAL_PORT = 8000

const QUESTION = 'What is NexCode?'

/**
 * Shows NexCode at work without a key or a network: it starts a simulated OpenAI and a gateway before it, and streams one chat through
 * them with the official client. Serves until Ctrl-C; with `once` it ends after the answer, and gives the exit code.
 */
export async function demo({ once }: { readonly once: boolean }): Promise<number | undefined> {
  // All servers are on this machine, which a proxy could not reach.
  for (const name of PROXY_VARIABLES) delete process.env[name]
  const simulated = startSimulatedServer()
  const configuration = readEnvironment({
    PORT: once ? '0' : portOrAny(USUAL_PORT),
    LOG_LEVEL: 'warn',
    ...process.env,
    HOST: '127.0.0.1',
    OPENAI_API_BASE: `${simulated.url}/v1`,
    OPENAI_MODEL: process.env['OPENAI_MODEL'] ?? OPENAI_DEFAULT_MODEL,
    OPENAI_API_KEY: undefined,
    OPENAI_API_KEY_FILE: undefined,
    TLS_CERT_FILE: undefined,
    TLS_KEY_FILE: undefined,
    REQUIRE_AUTH: 'false',
  })
  if (configuration === undefined) return INVALID
  const { config } = configuration
  const { log, flush } = await openProcessLog(config.log)
  process.on('exit', flush)
  let gateway: Gateway
  try {
    gateway = await startGateway(config, log)
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
  const isAnswered = await chat(gateway.url)
  process.stdout.write(renderDemoBanner(gateway.url, once ? OVER : goesOn(simulated.url)))
  if (!once) return undefined
  await gateway.drain()
  simulated.close()
  return isAnswered ? 0 : 1
}

/** Prints one real chat as it arrives. Gives whether it was complete. */
async function chat(url: string): Promise<boolean> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-demo', maxRetries: 0 })
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

function renderDemoBanner(url: string, last: string): string {
  return `
  Python    client = openai.OpenAI(api_key="sk-demo", base_url="${url}/v1")
  Node      const client = new OpenAI({ apiKey: 'sk-demo', baseURL: '${url}/v1' })
  curl      curl ${url}/v1/chat/completions -H 'Content-Type: application/json' \\
              -d '{"model":"gpt-3.5-turbo","messages":[{"role":"user","content":"Hello"}]}'
  docs      ${url}/docs
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
