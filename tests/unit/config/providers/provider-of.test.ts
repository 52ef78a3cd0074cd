import { expect, test } from 'bun:test'
import { providerOf } from '../../../../src/config/providers/provider-of.ts'

test.each([
  ['https://api.openai.com/v1', undefined, 'openai'],
  ['https://eu.api.openai.com/v1', undefined, 'openai'],
  ['https://acme.openai.azure.com/openai', undefined, 'azure'],
  ['https://api.groq.com/openai/v1', undefined, 'groq'],
  ['https://openrouter.ai/api/v1', undefined, 'openrouter'],
  ['https://api.perplexity.ai', undefined, 'perplexity'],
  ['http://10.0.0.7:4000/v1', 'anthropic', 'anthropic'],
  ['http://localhost:11434/v1', undefined, undefined],
  ['https://api.openai.com.example.org/v1', undefined, undefined],
  ['https://notperplexity.ai/v1', undefined, undefined],
])('the prices for %s (preset %s) are those of %s', (baseUrl, preset, provider) => {
  expect(providerOf(baseUrl, preset)).toBe(provider)
})
