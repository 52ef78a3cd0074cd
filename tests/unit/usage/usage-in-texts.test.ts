import { expect, test } from 'bun:test'
import { usageInFrame, usageOfObject, usageOfOutputLine } from '../../../src/usage/usage-in-texts.ts'
import { createUsageTally } from '../../../src/usage/usage-tally.ts'

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
  expect(usageOfObject(batch)).toMatchObject({
    object: 'batch',
    status: 'completed',
    model: 'gpt-5-2025-08-07',
    usage: { inputText: 1100, inputCachedText: 17, outputText: 150, outputReasoning: 50 },
  })
  expect(usageOfObject({ id: 'batch_1', object: 'batch', status: 'validating' })).toBeUndefined()
})

test('a line of an output file tells the usage of its call', () => {
  const body = {
    object: 'chat.completion',
    model: 'm',
    usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 },
  }
  const line = (response: unknown) => JSON.stringify({ id: 'batch_req_1', custom_id: 'a', response, error: null })
  expect(usageOfOutputLine(line({ status_code: 200, request_id: 'r', body }))?.usage).toMatchObject({
    inputText: 4,
    outputText: 2,
  })
  expect(usageOfOutputLine(line(null))).toBeUndefined()
  expect(usageOfOutputLine('')).toBeUndefined()
})

const linesOf = async (file: string): Promise<readonly string[]> =>
  (await Bun.file(new URL(`../../fixtures/usage/${file}`, import.meta.url)).text()).trimEnd().split('\n')

test('the messages of a realtime session tell the usage of each answer, and of each transcription', async () => {
  const told = (await linesOf('realtime.jsonl')).map((text) => {
    const value = usageInFrame(text)
    return value === undefined ? undefined : usageOfObject(value)?.usage
  })
  expect(told.map((usage) => usage !== undefined)).toEqual([false, false, true, true])
  expect(told[2]).toMatchObject({ seconds: 2, inputText: 0 })
  expect(told[3]).toMatchObject({
    ...{ inputText: 63, inputAudio: 5, inputCachedText: 56, inputCachedAudio: 8, outputText: 30, outputAudio: 91 },
  })
})

test('the lines of an output file tell the usage of each call that was made', async () => {
  const told = (await linesOf('batch-output.jsonl')).map((line) => usageOfOutputLine(line)?.usage)
  expect(told).toMatchObject([
    { inputText: 10, outputText: 4 },
    { inputText: 15, inputCachedText: 5, outputText: 6 },
    undefined,
  ])
})
