// Runs the official Anthropic library for Node, in Node, against a gateway: SDK (the path of its index.mjs), BASE_URL, TOKEN (what the
// gateway takes). Prints one line of JSON, as anthropic_cases.py does: what each case gave, by its name.
import process from 'node:process'

const { SDK, BASE_URL: baseURL, TOKEN: token } = process.env
const { default: Anthropic, APIError } = await import(SDK)

const HELLO = { max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] }
const TOOLS = [{ name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }]

const client = (options) => new Anthropic({ baseURL, maxRetries: 0, ...options })
const mine = client({ apiKey: token, authToken: null })
const ask = (model, more = {}, by = mine) => by.messages.create({ model, ...HELLO, ...more })

async function raised(call) {
  try {
    await call
  } catch (thrown) {
    if (!(thrown instanceof APIError)) throw thrown
    return [thrown.constructor.name, thrown.status ?? null, thrown.error.error.type]
  }
  return null
}

const plain = await ask('claude-a')
const bearer = await ask('claude-a', {}, client({ apiKey: null, authToken: token }))
const streamed = mine.messages.stream({ model: 'claude-a', ...HELLO })
const called = await ask('claude-a', { tools: TOOLS })
const counted = await mine.messages.countTokens({ model: 'claude-a', messages: HELLO.messages })
const models = []
for await (const one of mine.models.list()) models.push([one.id, one.display_name, one.type])
const cut = await raised(mine.messages.stream({ model: 'claude-cut', ...HELLO }).finalMessage())

process.stdout.write(
  JSON.stringify({
    create: [plain.content[0].text, plain.model, plain.usage.input_tokens, plain._request_id],
    bearer: bearer.content[0].text,
    stream: [await streamed.finalText(), (await streamed.finalMessage()).usage.output_tokens],
    tools: [called.stop_reason, called.content[0].name, called.content[0].input],
    count: counted.input_tokens,
    models,
    'wrong key': await raised(ask('claude-a', {}, client({ apiKey: 'wrong', authToken: null }))),
    'unknown model': await raised(ask('claude-z')),
    limited: await raised(ask('claude-limited')),
    unreachable: await raised(ask('claude-gone')),
    cut: [cut !== null, cut?.[2]],
  }),
)
