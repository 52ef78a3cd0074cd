import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { MODELS } from '../mock-answers.ts'
import { CACHE_DIR } from '../run-process.ts'
import { CALLER_KEY, type Gateway, PLAIN } from './gateway.ts'
import { prepareVenv } from './python-venv.ts'

const VERSION = '1.108.7'
const VENV = `litellm-${VERSION}`
const WORKERS = availableParallelism()

function configuration(upstreamPort: number): string {
  const models = Object.values(MODELS).map((model) => ({
    model_name: model,
    litellm_params: {
      model: `openai/${model}`,
      api_base: `http://127.0.0.1:${upstreamPort}/v1`,
      api_key: 'sk-bench-server-0123456789abcdef',
    },
  }))
  // JSON is YAML.
  return JSON.stringify({
    model_list: models,
    litellm_settings: { callbacks: [], num_retries: 0, request_timeout: 600, set_verbose: false },
  })
}

/**
 * LiteLLM's proxy, with what docs.litellm.ai recommends: one worker for each core ("Benchmarks"), production mode and errors only
 * in the log ("Production Best Practices"), no callbacks and no retries (the configuration of its own benchmark), no database. It
 * does not start without a master key, so callers present that.
 */
export const litellm: Gateway = {
  ...PLAIN,
  name: 'litellm',
  kind: 'peer',
  settings: `uvicorn, ${WORKERS} workers, production mode, log of errors only, no database, no callbacks, a master key`,
  prepare: async () => {
    prepareVenv(VENV, `litellm[proxy]==${VERSION}`)
    return VERSION
  },
  launch: ({ port, upstreamPort, dir }) => {
    mkdirSync(dir, { recursive: true })
    const path = join(dir, 'config.yaml')
    writeFileSync(path, configuration(upstreamPort))
    const program = join(CACHE_DIR, VENV, 'bin/litellm')
    return {
      command: [
        program,
        '--config',
        path,
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--num_workers',
        String(WORKERS),
      ],
      env: {
        LITELLM_MODE: 'PRODUCTION',
        LITELLM_MASTER_KEY: CALLER_KEY,
        LITELLM_LOG: 'ERROR',
        // Its price list is in the package; without this it asks the network for a newer one.
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      },
      cwd: dir,
    }
  },
  readyPath: '/health/liveliness',
  readyTimeoutMs: 120_000,
  rewritesAnswers: true,
}
