import { expect, test } from 'bun:test'
import { vendorOf } from '../../../../src/config/providers/vendor.ts'

test.each([
  ['https://api.openai.com/v1', undefined, 'openai'],
  ['https://eu.api.openai.com/v1', undefined, 'openai'],
  ['https://API.OPENAI.COM/v1', undefined, 'openai'],
  ['http://127.0.0.1:8000/v1', 'openai', 'openai'],
  ['https://mine.openai.azure.com/openai', undefined, 'azure'],
  ['https://mine.openai.azure.us/openai/v1', undefined, 'azure'],
  ['https://mine.example/openai', 'azure', 'azure'],
  ['https://api.mistral.ai/v1', 'mistral', undefined],
  ['http://127.0.0.1:8000/v1', 'vllm', undefined],
  ['http://127.0.0.1:8000/v1', undefined, undefined],
  ['https://api.openai.com.evil.example/v1', undefined, undefined],
  ['https://notapi.openai.com/v1', undefined, undefined],
  ['https://mine.services.ai.azure.com/models', undefined, undefined],
  ['', undefined, undefined],
] as const)('the service at %s, of the preset %p, is %p’s', (baseUrl, preset, vendor) => {
  expect(vendorOf(baseUrl, preset)).toBe(vendor)
})
