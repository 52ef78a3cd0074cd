import { describe, expect, test } from 'bun:test'
import { affinityOf } from '../../../../src/routing/targets/affinity.ts'

const SYSTEM = { role: 'system', content: 'You are terse.' }
const HELLO = { role: 'user', content: 'Hello' }
const ANSWER = { role: 'assistant', content: 'Hi.' }

describe('the affinity of a body', () => {
  test('is its prompt_cache_key, else its user, whatever it says besides', () => {
    expect(affinityOf({ prompt_cache_key: 'k', user: 'u', messages: [HELLO] })).toBe('k')
    expect(affinityOf({ prompt_cache_key: '', user: 'u', messages: [HELLO] })).toBe('u')
    expect(affinityOf({ prompt_cache_key: 5, user: 'u' })).toBe('u')
  })

  test('is the beginning of its messages, up to and with the first of a user', () => {
    const beginning = affinityOf({ messages: [SYSTEM, HELLO] })
    expect(beginning).toBe(JSON.stringify([SYSTEM, HELLO]))
    expect(affinityOf({ user: '', messages: [SYSTEM, HELLO, ANSWER, HELLO] })).toBe(beginning ?? '')
    expect(affinityOf({ messages: [SYSTEM, { role: 'user', content: 'Bye' }] })).not.toBe(beginning ?? '')
    expect(affinityOf({ messages: [SYSTEM] })).toBe(JSON.stringify([SYSTEM]))
  })

  test('does not depend on the model or on any parameter', () => {
    expect(affinityOf({ model: 'a', temperature: 1, messages: [HELLO] })).toBe(
      affinityOf({ model: 'b', messages: [HELLO], stream: true }) ?? '',
    )
  })

  test('is cut at 4,096 characters, which are those that the whole would begin with', () => {
    const long = [
      { role: 'system', content: `a "quoted" ${'x'.repeat(3000)}` },
      { role: 'user', content: 'y'.repeat(1e6) },
    ]
    const affinity = affinityOf({ messages: long })
    expect(affinity).toHaveLength(4096)
    expect(JSON.stringify(long).startsWith(affinity ?? '-')).toBe(true)
  })

  test('is that of parts as well: an image of megabytes is not written out', () => {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(5_000_000)}` } }
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] }]
    expect(JSON.stringify(messages).startsWith(affinityOf({ messages }) ?? '-')).toBe(true)
  })

  test('of a response is that of its instructions and first input', () => {
    const affinity = affinityOf({ instructions: 'Be terse.', input: 'Hello' })
    expect(affinity).toBe('["Be terse.","Hello"]')
    expect(affinityOf({ input: 'Hello' })).toBe('[null,"Hello"]')
    expect(affinityOf({ instructions: 'Be terse.' })).toBe('["Be terse.",null]')
    expect(affinityOf({ instructions: 'Be terse.', input: [SYSTEM, HELLO, ANSWER] })).toBe(
      JSON.stringify(['Be terse.', [SYSTEM, HELLO]]),
    )
    expect(affinityOf({ input: ['some', 'texts'] })).toBe('[null,["some","texts"]]')
  })

  test('of a prompt is its first 1,024 characters', () => {
    expect(affinityOf({ prompt: 'Once upon a time' })).toBe('Once upon a time')
    expect(affinityOf({ prompt: 'x'.repeat(5000) })).toHaveLength(1024)
    expect(affinityOf({ prompt: ['a', 'b'] })).toBe('["a","b"]')
    expect(affinityOf({ prompt: Array.from({ length: 100_000 }, () => 7) })).toHaveLength(1024)
  })

  test.each([
    undefined,
    null,
    'text',
    [HELLO],
    {},
    { messages: [], input: [], prompt: [] },
    { messages: 'x', input: 5, prompt: {}, instructions: '' },
    { user: '', prompt: '' },
  ])('is nothing where there is nothing to go by: %j', (body) => {
    expect(affinityOf(body)).toBeUndefined()
  })

  test('takes messages as they come, also what is none', () => {
    expect(affinityOf({ messages: [null, 5, HELLO, ANSWER] })).toBe(JSON.stringify([null, 5, HELLO]))
  })
})
