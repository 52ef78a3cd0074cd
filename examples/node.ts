/**
 * Use NexCode with the official OpenAI library for JavaScript and TypeScript. Nothing is special but the base URL.
 *
 *     npm install openai
 *     node examples/node.ts       (from Node 22.18 on, which runs TypeScript as it is)
 *     npx bun examples/node.ts    (in this repository, whatever Node; anywhere else npx fetches Bun first)
 *
 * OPENAI_BASE_URL is where NexCode listens, with /v1 (default: http://localhost:8000/v1); OPENAI_API_KEY is your OpenAI
 * key, or NexCode's API token where REQUIRE_AUTH is on. The exit code is 1 if a step does not go as it should.
 */
import process from 'node:process'
import OpenAI from 'openai'

const baseURL = process.env['OPENAI_BASE_URL'] || 'http://localhost:8000/v1'
const apiKey = process.env['OPENAI_API_KEY'] || 'your-openai-api-key'

const chatModel = 'gpt-3.5-turbo'
// OpenAI serves text completions with instruct models only; a chat model gets a 404 there.
const textModel = 'gpt-3.5-turbo-instruct'

async function chatCompletion(client: OpenAI): Promise<void> {
  const response = await client.chat.completions.create({
    model: chatModel,
    messages: [
      { role: 'system', content: '你是一个助手' },
      { role: 'user', content: '你好' },
    ],
    temperature: 0.7,
    max_tokens: 1500,
  })
  print(response.choices[0]?.message.content ?? '')
  if (response.usage) print(`(${response.usage.prompt_tokens} + ${response.usage.completion_tokens} tokens)`)
}

async function textCompletion(client: OpenAI): Promise<void> {
  const response = await client.completions.create({
    model: textModel,
    prompt: '请解释：什么是网关？',
    temperature: 0.7,
    max_tokens: 200,
  })
  print((response.choices[0]?.text ?? '').trim())
}

async function streaming(client: OpenAI): Promise<void> {
  const stream = await client.chat.completions.create({
    model: chatModel,
    messages: [{ role: 'user', content: '用一句话介绍你自己' }],
    stream: true,
    stream_options: { include_usage: true },
  })
  let chunks = 0
  for await (const chunk of stream) {
    // The last chunk carries the usage and no choice.
    const text = chunk.choices[0]?.delta.content
    if (text) {
      chunks += 1
      process.stdout.write(text)
    }
    if (chunk.usage) print(`\n(${chunk.usage.total_tokens} tokens, in ${chunks} chunks)`)
  }
  if (chunks === 0) throw new Error('the stream ended without any text')
}

/** Errors are OpenAI's own: the same status, body and exception class as without NexCode. */
async function errorHandling(client: OpenAI): Promise<void> {
  try {
    await client.chat.completions.create({ model: 'unknown-model', messages: [{ role: 'user', content: '你好' }] })
  } catch (error) {
    if (!(error instanceof OpenAI.NotFoundError)) throw error
    print(`As expected: NotFoundError, status ${error.status}, code ${error.code}`)
    print(`Request id, to name this call by: ${error.requestID}`)
    return
  }
  throw new Error('a model that does not exist was served')
}

/** Says what a failed step means. The order matters: the special classes come first. */
function explain(error: unknown): string {
  if (error instanceof OpenAI.APIConnectionTimeoutError) return 'No answer in time.'
  if (error instanceof OpenAI.APIConnectionError) {
    return `Nobody answers at ${baseURL}. Is NexCode running? Start it with \`npm start\`, or \`npm run demo\`.`
  }
  if (error instanceof OpenAI.AuthenticationError) return `The key was refused; set OPENAI_API_KEY. ${error.message}`
  if (error instanceof OpenAI.RateLimitError) return `Too many requests, or the quota is used up. ${error.message}`
  if (error instanceof OpenAI.APIError) return `Request id ${error.requestID}: ${error.message}`
  return String(error)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

print(`NexCode at ${baseURL}`)
const client = new OpenAI({ apiKey, baseURL })
const steps = [
  ['1. Chat completion', chatCompletion],
  ['2. Text completion', textCompletion],
  ['3. Streaming', streaming],
  ['4. Error handling', errorHandling],
] as const
let failed = 0
for (const [heading, step] of steps) {
  print(`\n=== ${heading} ===`)
  try {
    await step(client)
  } catch (error) {
    // Each step is shown, whatever happened to the one before.
    failed += 1
    print(`FAILED. ${explain(error)}`)
  }
}
print(`\n${steps.length - failed} of ${steps.length} steps went as they should.`)
process.exitCode = failed === 0 ? 0 : 1
