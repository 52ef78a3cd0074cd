import { expect, test } from 'bun:test'
import { PRESETS } from '../../../../src/config/providers/presets.ts'
import { MODEL_ENDPOINTS } from '../../../../src/openai/resources.ts'

test('there is a preset for each provider, under its own name', () => {
  expect([...PRESETS.keys()]).toEqual([
    ...['openai', 'azure', 'anthropic', 'gemini', 'groq', 'mistral', 'deepseek', 'openrouter', 'together'],
    ...['fireworks', 'xai', 'ollama', 'vllm', 'lmstudio', 'llamacpp', 'transformers', 'mlx_lm'],
    ...['llama-cpp-python', 'litellm', 'litserve', 'sglang'],
  ])
  for (const [name, preset] of PRESETS) expect(preset.name).toBe(name)
})

test('every base URL is one that paths can be put behind, and every source can be looked up', () => {
  for (const { name, baseUrl, source, needsKey, keyHeader } of PRESETS.values()) {
    expect(source).toStartWith('https://')
    expect(keyHeader).toMatch(/^[a-z-]+$/)
    if (baseUrl === undefined) {
      expect(name).toBe('azure')
      continue
    }
    const { origin, pathname, search, hash } = new URL(baseUrl)
    expect(origin + (pathname === '/' ? '' : pathname)).toBe(baseUrl)
    expect([name, pathname === '/' || !pathname.endsWith('/'), search, hash]).toEqual([name, true, '', ''])
    // A key goes over the network encrypted, or to this machine alone.
    expect([name, origin.startsWith('https:')]).toEqual([name, needsKey])
    if (!needsKey) expect(new URL(baseUrl).hostname).toBe('127.0.0.1')
  }
})

test('Azure has a path for calls of a model, a header and a version of its own', () => {
  expect(PRESETS.get('azure')).toMatchObject({
    keyHeader: 'api-key',
    modelPath: '/deployments/{model}{path}',
    query: { 'api-version': '2024-10-21' },
  })
  for (const { name, modelPath, keyHeader } of PRESETS.values()) {
    if (name !== 'azure') expect([name, modelPath, keyHeader]).toEqual([name, undefined, 'authorization'])
  }
})

test('calls of a model are paths below /v1/', () => {
  expect(MODEL_ENDPOINTS.has('chat/completions')).toBe(true)
  expect(MODEL_ENDPOINTS.has('responses')).toBe(false)
  for (const path of MODEL_ENDPOINTS) expect(path).toMatch(/^[a-z]+(?:\/[a-z]+)?$/)
})
