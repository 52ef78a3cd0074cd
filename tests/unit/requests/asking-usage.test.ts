import { expect, test } from 'bun:test'
import { JsonBody } from '../../../src/formats/json/json-body.ts'
import { askUsage } from '../../../src/requests/asking-usage.ts'
import { JsonOutgoingBody } from '../../../src/requests/json-outgoing-body.ts'

const NONE = { isChanged: false } as const

function bodyOf(text: string): JsonOutgoingBody {
  return new JsonOutgoingBody(new JsonBody(new TextEncoder().encode(text), JSON.parse(text)), 'm', [], NONE)
}

async function asking(text: string, model?: string): Promise<string | undefined> {
  const body = askUsage(bodyOf(text))?.outgoing.bodyFor(model)
  return body === undefined ? undefined : new TextDecoder().decode((await body) as Uint8Array)
}

test('a stream that does not ask for its usage is made to, and every other byte stays', async () => {
  expect(await asking('{ "model": "m",  "stream": true }')).toBe(
    '{"stream_options":{"include_usage":true}, "model": "m",  "stream": true }',
  )
})

test('other options of a stream stay, also beside a usage that is not wanted', async () => {
  expect(await asking('{"stream":true,"stream_options":{"include_obfuscation":false}}')).toBe(
    '{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
  )
  expect(await asking('{"stream":true,"stream_options":{"a":{"b":1}, "include_usage":false }}')).toBe(
    '{"stream":true,"stream_options":{"a":{"b":1}, "include_usage":true }}',
  )
  expect(await asking('{"stream":true,"stream_options":{}}')).toBe(
    '{"stream":true,"stream_options":{"include_usage":true}}',
  )
  expect(await asking('{"stream":true,"stream_options":null}')).toBe(
    '{"stream":true,"stream_options":{"include_usage":true}}',
  )
})

test('a request that asks already, is no stream, or says something else there goes on as it came', async () => {
  for (const text of [
    '{"stream":true,"stream_options":{"include_usage":true}}',
    '{"stream":false}',
    '{"model":"m"}',
    '{"stream":"true"}',
    '{"stream":true,"stream_options":"all"}',
    '{"stream":true,"stream_options":{},"stream_options":{"include_usage":true}}',
    '{"stream":true,"stream":false}',
    '[true]',
  ]) {
    expect(await asking(text)).toBeUndefined()
  }
})

test('the name of a target’s model is put in beside that', async () => {
  expect(await asking('{"model":"m","stream":true}', 'own')).toBe(
    '{"stream_options":{"include_usage":true},"model":"own","stream":true}',
  )
})

test('that each event is to tell usage is noted, for it does so only where usage is asked for', () => {
  const text = '{"stream":true,"stream_options":{"continuous_usage_stats":true}}'
  expect(askUsage(bodyOf(text))?.isContinuous).toBe(true)
  expect(askUsage(bodyOf('{"stream":true}'))?.isContinuous).toBe(false)
})
