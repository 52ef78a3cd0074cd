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
