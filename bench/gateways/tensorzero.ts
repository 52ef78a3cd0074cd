import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MODELS } from '../mock-answers.ts'
import { CACHE_DIR } from '../run-process.ts'
import { type Gateway, PLAIN } from './gateway.ts'
import { prepareVenv } from './python-venv.ts'

const VERSION = '2026.6.0'
const VENV = `tensorzero-${VERSION}`

function configuration(upstreamPort: number): string {
  const models = Object.values(MODELS).map(
    (model) => `[models.${model}]
routing = ["mock"]
[models.${model}.providers.mock]
type = "openai"
model_name = "${model}"
api_base = "http://127.0.0.1:${upstreamPort}/v1/"
api_key_location = "none"
`,
  )
  return `[gateway]\nobservability.enabled = false\n\n${models.join('\n')}`
}

/**
 * TensorZero's gateway (Rust). Its own binary comes as a container image only, so this is the same server as its Python package
 * embeds it: Python starts it and sleeps. Observability is off, which its docs ("Optimize latency and throughput") call the
 * fastest; no database. It chooses its port itself.
 */
export const tensorzero: Gateway = {
  ...PLAIN,
  name: 'tensorzero',
  kind: 'peer',
  settings: 'the gateway embedded in the Python package, observability off, no database',
  prepare: async () => {
    prepareVenv(VENV, `tensorzero==${VERSION}`)
    return VERSION
  },
  launch: ({ upstreamPort, dir }) => {
    mkdirSync(dir, { recursive: true })
    const path = join(dir, 'tensorzero.toml')
    writeFileSync(path, configuration(upstreamPort))
    const python = join(CACHE_DIR, VENV, 'bin/python')
    return { command: [python, join(import.meta.dir, 'servers/tensorzero-gateway.py'), path] }
  },
  choosesPort: true,
  // It answers no plain GET, so the first chat says that it is there.
  readyPath: undefined,
  readyTimeoutMs: 30_000,
  chatPath: '/openai/v1/chat/completions',
  modelName: (model) => `tensorzero::model_name::${model}`,
  rewritesAnswers: true,
}
