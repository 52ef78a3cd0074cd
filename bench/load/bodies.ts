/**
 * The bodies of all loads, made anew in each run from fixed seeds: the same bytes on every machine. Sizes are those of the JSON
 * text, ± 2 %. `bun bench/load/bodies.ts <name>` prints one.
 */
import { makeChinese, makeCode, makeProse, SeededRandom } from './random-text.ts'

/** A chat completion's members but for `model` and `stream`. */
export type Body = Readonly<Record<string, unknown>>

const KB = 1000
const MB = 1_000_000

const user = (content: unknown) => ({ role: 'user', content })
const jsonLength = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

/** The length of a usual question. */
export const QUESTION_BYTES = KB

/** One question of the given length, the same sentence over and over. */
export function makeQuestion(bytes = QUESTION_BYTES): Body {
  const sentence = 'Say it again, and this time with more words. '
  return { messages: [user(sentence.repeat(Math.ceil(bytes / sentence.length)).slice(0, bytes))] }
}

/** Cuts a text so that it takes about the given bytes in JSON. */
function fit(text: string, bytes: number): string {
  return text.slice(0, Math.floor((text.length * bytes) / jsonLength(text)))
}

/** One message with code in it: seven escapes in a hundred bytes (`\"`, `\n`, `\t`). */
function code(): Body {
  const instruction = 'Find the fault in this file and say how to mend it.\n\n'
  return { messages: [user(instruction + fit(makeCode(new SeededRandom(11), 100 * KB), 99_900))] }
}

function prose(): Body {
  return { messages: [user(fit(makeProse(new SeededRandom(12), 100 * KB), 99_900))], temperature: 0.7 }
}

function chinese(): Body {
  return { messages: [user(fit(makeChinese(new SeededRandom(13), 40 * KB), 99_900))], temperature: 0.7 }
}

function image(): Body {
  const random = new SeededRandom(14)
  const bytes = Buffer.from(Array.from({ length: 74_850 }, () => random.below(256)))
  const url = `data:image/jpeg;base64,${bytes.toString('base64')}`
  return {
    messages: [
      user([
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url } },
      ]),
    ],
  }
}

const PROPERTY_TYPES = ['string', 'integer', 'boolean', 'number'] as const

/** One property of a tool's parameters, as agents describe theirs. */
function makeProperty(random: SeededRandom): object {
  const description = makeProse(random, 40).trim()
  switch (random.below(5)) {
    case 0:
      return { type: 'string', enum: ['read', 'write', 'append', 'delete'], description }
    case 1:
      return { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 20, description }
    case 2:
      return {
        type: 'object',
        properties: { path: { type: 'string' }, line: { type: 'integer', minimum: 1 } },
        required: ['path'],
        additionalProperties: false,
      }
    default:
      return { type: random.pick(PROPERTY_TYPES), description }
  }
}

function makeTool(random: SeededRandom, index: number): object {
  const names = Array.from({ length: 3 + random.below(4) }, (_, at) => `argument_${at}`)
  return {
    type: 'function',
    function: {
      name: `workspace_tool_${index}`,
      description: makeProse(random, 90).trim(),
      parameters: {
        type: 'object',
        properties: Object.fromEntries(names.map((name) => [name, makeProperty(random)])),
        required: names.slice(0, 2),
        additionalProperties: false,
      },
      strict: true,
    },
  }
}

/** A short question with a hundred tools, about 1 KB of JSON schema each. */
function tools(): Body {
  const random = new SeededRandom(15)
  return { ...makeQuestion(), tools: Array.from({ length: 100 }, (_, index) => makeTool(random, index)) }
}

/** One step of an agent: what it says, the tool that it calls, and what the tool has answered, `resultLength` characters of code. */
function makeStep(random: SeededRandom, index: number, resultLength: number): object[] {
  const id = `call_${String(index).padStart(6, '0')}${random.below(1e9).toString(36)}`
  const call = { path: `src/${random.below(90)}/file-${index}.ts`, pattern: `"${random.below(900)}"`, limit: 20 }
  return [
    {
      role: 'assistant',
      content: random.below(3) === 0 ? null : makeProse(random, 60).trim(),
      tool_calls: [{ id, type: 'function', function: { name: 'workspace_tool_1', arguments: JSON.stringify(call) } }],
    },
    { role: 'tool', tool_call_id: id, content: makeCode(random, resultLength) },
  ]
}

/** Adds steps until the messages have the given size in JSON. */
function makeTranscript(random: SeededRandom, bytes: number, resultLength: (random: SeededRandom) => number): object[] {
  const messages: object[] = [
    { role: 'system', content: makeProse(random, 2000) },
    user('Mend the build, please. It says "cannot find module" since yesterday.'),
  ]
  let length = jsonLength(messages)
  for (let index = 0; length < bytes; index += 1) {
    const step = makeStep(random, index, resultLength(random))
    messages.push(...step)
    length += jsonLength(step)
  }
  return messages
}

/** Some 450 messages of 100 to 300 bytes: an agent's transcript with tool calls. */
function messages(): Body {
  return { messages: makeTranscript(new SeededRandom(16), 99_500, (random) => 20 + random.below(80)) }
}

/** What a coding agent sends late in its day: forty tools, and files of 1 to 8 KB read one after the other. */
function makeAgent(seed: number, bytes: number): Body {
  const random = new SeededRandom(seed)
  const some = Array.from({ length: 40 }, (_, index) => makeTool(random, index))
  const transcript = makeTranscript(random, bytes - jsonLength(some) - 2 * KB, () => 1000 + random.below(7000))
  return { messages: transcript, tools: some, max_completion_tokens: 16_384 }
}

const BODIES = {
  code,
  messages,
  tools,
  prose,
  chinese,
  image,
  agent1mb: () => makeAgent(17, MB),
  agent2mb: () => makeAgent(18, 2 * MB),
} as const satisfies Record<string, () => Body>

/** The name of a large body, which its scenario has too. */
export type BodyName = keyof typeof BODIES

/** The names of all large bodies. */
export const BODY_NAMES = Object.keys(BODIES) as readonly BodyName[]

const made = new Map<BodyName, Body>()

/** A large body of the given name, made when it is first asked for. */
export function bodyOf(name: BodyName): Body {
  const body = made.get(name) ?? BODIES[name]()
  made.set(name, body)
  return body
}

if (import.meta.main) process.stdout.write(JSON.stringify(bodyOf(process.argv[2] as BodyName)))
