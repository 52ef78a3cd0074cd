import { expect, test } from 'bun:test'
import { NO_USAGE } from '../../../../src/openai/usage/usage.ts'
import { createUsageTally } from '../../../../src/openai/usage/usage-tally.ts'

test('an answer of which nothing has passed has used nothing', () => {
  const { usage, isEstimated } = createUsageTally({ asked: { inputText: 900 } }).told()
  expect({ usage, isEstimated }).toEqual({ usage: NO_USAGE, isEstimated: false })
})

test('an answer that is an error has used nothing; one that ends in an error has used what has passed', () => {
  const error = { error: { message: 'The engine is overloaded.', type: 'server_error' } }
  const tally = createUsageTally({ asked: { inputText: 900 } })
  tally.saw(0)
  tally.add(error)
  expect(tally.told()).toMatchObject({ usage: NO_USAGE, isEstimated: false })
  tally.saw(8)
  expect(tally.told()).toMatchObject({ usage: { inputText: 900, outputText: 2 }, isEstimated: true })
})

test('where nothing is told, the output is a quarter of the bytes that have passed, the prompt is what was asked, and the result says so', () => {
  const tally = createUsageTally({ asked: { inputText: 900 } })
  tally.saw(9)
  expect(tally.told()).toMatchObject({ usage: { inputText: 900, outputText: 3 }, isEstimated: true })
})

test('of a stream that says in each event what was used so far, the last counts, and nothing is added up', () => {
  const tally = createUsageTally()
  for (let tokens = 1; tokens <= 4; tokens += 1) {
    tally.saw(40)
    tally.add({ usage: { prompt_tokens: 20, completion_tokens: tokens, total_tokens: 20 + tokens } })
  }
  tally.add({ usage: null })
  expect(tally.told()).toMatchObject({ usage: { inputText: 20, outputText: 4 }, isEstimated: false })
})

test('a server between that says 0 at the end of a stream does not take back what its beginning told', () => {
  const tally = createUsageTally()
  const usage = { input_tokens: 25, cache_read_input_tokens: 100, output_tokens: 1 }
  tally.add({ type: 'message_start', message: { model: 'claude-x', usage } })
  tally.add({ type: 'message_delta', usage: { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 88 } })
  expect(tally.told()).toMatchObject({
    usage: { inputText: 25, inputCachedText: 100, outputText: 88 },
    isEstimated: false,
  })
})

test('a stream of Anthropic that breaks off is known for its prompt, and its output is estimated, never 1', () => {
  const tally = createUsageTally({ asked: { inputText: 5 } })
  tally.add({
    type: 'message_start',
    message: { model: 'claude-x', usage: { input_tokens: 25, cache_read_input_tokens: 100, output_tokens: 1 } },
  })
  tally.saw(400)
  expect(tally.told()).toMatchObject({
    usage: { inputText: 25, inputCachedText: 100, outputText: 100 },
    model: 'claude-x',
    isEstimated: true,
  })
  tally.add({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 88 } })
  expect(tally.told()).toMatchObject({
    usage: { inputText: 25, inputCachedText: 100, outputText: 88 },
    isEstimated: false,
  })
})

test('usage in x_groq counts only where no other comes', () => {
  const tally = createUsageTally()
  tally.add({
    choices: [],
    x_groq: { id: 'req_1', usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 } },
  })
  expect(tally.told().usage).toMatchObject({ inputText: 4, outputText: 2 })
  tally.add({ choices: [], usage: { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 } })
  expect(tally.told().usage).toMatchObject({ inputText: 4, outputText: 3 })
})

test('characters that were spoken are known from the request, and no estimate', () => {
  const tally = createUsageTally({ asked: { characters: 120 } })
  tally.saw(0)
  expect(tally.told()).toMatchObject({ usage: { characters: 120, outputText: 0 }, isEstimated: false })
})

test.each<readonly [string, string, Readonly<Record<string, number>>, number]>([
  ['xAI, where no total is told', 'grok-4', { prompt_tokens: 20, completion_tokens: 10, reasoning: 50 }, 60],
  [
    'xAI, where a total shows it',
    'grok-4',
    { prompt_tokens: 20, completion_tokens: 10, total_tokens: 80, reasoning: 50 },
    60,
  ],
  [
    'xAI by a server between that counts it in',
    'x-ai/grok-4',
    { prompt_tokens: 20, completion_tokens: 60, total_tokens: 80, reasoning: 50 },
    60,
  ],
  ['OpenAI, where no total is told', 'gpt-5', { prompt_tokens: 20, completion_tokens: 60, reasoning: 50 }, 60],
  [
    'Perplexity without citations',
    'sonar-reasoning',
    { prompt_tokens: 10, completion_tokens: 30, total_tokens: 40, reasoning_tokens: 50 },
    80,
  ],
  [
    'Perplexity with citations',
    'sonar-pro',
    { prompt_tokens: 10, completion_tokens: 30, total_tokens: 40, reasoning_tokens: 50, citation_tokens: 5 },
    85,
  ],
])('reasoning is part of what was written, and counted once: %s', (_who, model, { reasoning, ...usage }, written) => {
  const tally = createUsageTally()
  const details = reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }
  tally.add({ model, usage: { ...usage, ...details } })
  const { usage: told } = tally.told()
  expect([told.outputText + told.outputReasoning, told.outputReasoning > 0]).toEqual([written, true])
})

test('a verbose transcription tells its seconds as its duration, and others as their usage', () => {
  const verbose = createUsageTally({ asked: { seconds: 9 } })
  verbose.saw(40)
  verbose.add({ task: 'transcribe', language: 'english', duration: 8.47, text: 'The beach was busy.' })
  expect(verbose.told()).toMatchObject({ usage: { ...NO_USAGE, seconds: 9 }, isEstimated: false })
  const told = createUsageTally({ asked: { seconds: 100 } })
  told.saw(40)
  told.add({ text: 'The beach was busy.', task: 'transcribe', duration: 7.1, usage: { type: 'duration', seconds: 9 } })
  expect(told.told()).toMatchObject({ usage: { ...NO_USAGE, seconds: 9 }, isEstimated: false })
})

test('sounds and images whose answer tells nothing are what was asked for, and no words are added that would be billed instead', () => {
  for (const asked of [{ seconds: 3 }, { images: 1 }]) {
    const tally = createUsageTally({ asked })
    tally.saw(40)
    tally.add({ text: 'What was said.' })
    expect(tally.told()).toMatchObject({ usage: { ...NO_USAGE, ...asked }, isEstimated: true })
  }
})

test('what a stream of speech has written is spoken', () => {
  const tally = createUsageTally({ asked: { characters: 5, outputAudio: 7 } })
  tally.add({ type: 'speech.audio.done', usage: { input_tokens: 10, output_tokens: 100, total_tokens: 110 } })
  expect(tally.told()).toMatchObject({ usage: { ...NO_USAGE, inputText: 10, outputAudio: 100 }, isEstimated: false })
})
