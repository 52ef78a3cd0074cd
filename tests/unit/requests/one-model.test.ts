import { expect, test } from 'bun:test'
import type { JsonObject } from '../../../src/formats/json/json.ts'
import { JsonBody } from '../../../src/formats/json/json-body.ts'
import { isPlainCall } from '../../../src/requests/one-model.ts'

function isPlain(text: string): boolean {
  const value = JSON.parse(text) as JsonObject
  return isPlainCall(new JsonBody(new TextEncoder().encode(text), value), value)
}

test.each([
  ['{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"temperature":0.5,"stream":true,"user":null}', true],
  // A name that comes twice may hide what the other one says.
  ['{"model":"gpt-4o","messages":[],"stream":true,"stream":true}', false],
  ['{"model":"gpt-4o","messages":[],"model":"gpt-4o"}', false],
  ['{"model":["gpt-4o"],"messages":[]}', false],
  ['{"messages":[]}', false],
  ['{"model":"gpt-4o","messages":{"model":"o3"}}', false],
  ['{"model":"gpt-4o","messages":[],"user":{"model":"o3"}}', false],
  ['{"model":"gpt-4o","messages":[],"preset":"mine"}', false],
  ['{"model":"gpt-4o","messages":[],"Model":"o3"}', false],
  ['{"model":"gpt-4o","messages":[],"fallbacks":["o3"]}', false],
])('%s needs no more judgement: %p', (text, expected) => {
  expect(isPlain(text)).toBe(expected)
})
