import { expect, test } from 'bun:test'
import type { JsonObject } from '../../../../src/formats/json/json.ts'
import type { ToldUsage } from '../../../../src/openai/usage/usage.ts'
import { usageInFrame } from '../../../../src/openai/usage/usage-in-frame.ts'
import { createUsageTally } from '../../../../src/openai/usage/usage-tally.ts'

function toldBy(value: JsonObject): ToldUsage {
  const tally = createUsageTally()
  tally.add(value)
  return tally.told()
}

test('a frame without usage is not parsed, and one that is no JSON tells nothing', () => {
  expect(usageInFrame('{"type":"response.output_text.delta","delta":"usage"}')).toBeUndefined()
  expect(usageInFrame('{"usage":null}')).toBeUndefined()
  expect(usageInFrame('"usage": {')).toBeUndefined()
})

test('a frame of any length tells its usage', () => {
  const tally = createUsageTally()
  const usage = { input_tokens: 7, output_tokens: 3, total_tokens: 10 }
  const output = [{ type: 'message', content: [{ type: 'output_text', text: 'x'.repeat(100_000) }] }]
  const text = JSON.stringify({ type: 'response.completed', response: { model: 'm', output, usage } })
  const value = usageInFrame(text)
  if (value !== undefined) tally.add(value)
  expect(tally.told()).toMatchObject({ usage: { inputText: 7, outputText: 3 }, model: 'm', isEstimated: false })
})

test('a batch tells what it is, how far it is, and the sum of its calls', () => {
  const usage = {
    input_tokens: 1117,
    input_tokens_details: { cached_tokens: 17 },
    output_tokens: 200,
    output_tokens_details: { reasoning_tokens: 50 },
    total_tokens: 1317,
  }
  const batch = { id: 'batch_1', object: 'batch', status: 'completed', model: 'gpt-5-2025-08-07', usage }
  expect(toldBy(batch)).toMatchObject({
    object: 'batch',
    status: 'completed',
    model: 'gpt-5-2025-08-07',
    usage: { inputText: 1100, inputCachedText: 17, outputText: 150, outputReasoning: 50 },
  })
})

const linesOf = async (file: string): Promise<readonly string[]> =>
  (await Bun.file(new URL(`../../../fixtures/usage/${file}`, import.meta.url)).text()).trimEnd().split('\n')

test('the messages of a realtime session tell the usage of each answer, and of each transcription', async () => {
  const told = (await linesOf('realtime.jsonl')).map((text) => {
    const value = usageInFrame(text)
    return value === undefined ? undefined : toldBy(value).usage
  })
  expect(told.map((usage) => usage !== undefined)).toEqual([false, false, true, true])
  expect(told[2]).toMatchObject({ seconds: 2, inputText: 0 })
  expect(told[3]).toMatchObject({
    ...{ inputText: 63, inputAudio: 5, inputCachedText: 56, inputCachedAudio: 8, outputText: 30, outputAudio: 91 },
  })
})
