import { expect, test } from 'bun:test'
import OpenAI from 'openai'
import { type SimulatedServer, startSimulatedServer } from '../../src/cli/simulated-server.ts'
import { PRESETS, type Preset } from '../../src/config/providers/presets.ts'
import { writeConfigFile } from '../helpers/config-file.ts'
import { startGateway } from '../helpers/start-gateway.ts'

const KEY = 'the-key-of-this-upstream'
const MESSAGES: OpenAI.Chat.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Who is there?' }]

/** A simulated service that takes nothing but the paths and the key header that its documentation tells. */
function playService({ baseUrl = 'https://name.openai.azure.com/openai', keyHeader, name }: Preset): SimulatedServer {
  const basePath = new URL(baseUrl).pathname.replace(/\/$/, '')
  return startSimulatedServer({
    chunkDelayMs: 0,
    requireKey: KEY,
    dialect: { basePath, keyHeader, hasDeployments: name === 'azure' },
  })
}

function basePathOf({ baseUrl = 'https://name.openai.azure.com/openai' }: Preset): string {
  return new URL(baseUrl).pathname.replace(/\/$/, '')
}

test.each([...PRESETS.values()])(
  'preset $name: the OpenAI SDK talks through it to a service of its form',
  async (preset) => {
    const service = playService(preset)
    const file = writeConfigFile({
      upstreams: { it: { preset: preset.name, base_url: service.url + basePathOf(preset), api_key: KEY } },
      models: { smart: { targets: [{ upstream: 'it', model: 'gpt-4o' }] } },
    })
    const gateway = await startGateway({ env: { NEXCODE_CONFIG: file.path } })
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-of-no-matter', maxRetries: 0 })
    try {
      const answer = await client.chat.completions.create({ model: 'smart', messages: MESSAGES })
      expect(answer.choices[0]?.message.content?.length).toBeGreaterThan(0)
      let text = ''
      for await (const chunk of await client.chat.completions.create({
        model: 'smart',
        messages: MESSAGES,
        stream: true,
      })) {
        text += chunk.choices[0]?.delta.content ?? ''
      }
      expect(text).toBe(answer.choices[0]?.message.content ?? '')
      const embedded = await client.embeddings.create({ model: 'smart', input: 'one text' })
      expect(embedded.data).toHaveLength(1)
      // A path without a model has no deployment in it.
      expect((await client.files.list()).data).toEqual([])
    } finally {
      await gateway.stop()
      service.close()
      file.remove()
    }
  },
)
