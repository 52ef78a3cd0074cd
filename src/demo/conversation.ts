import { isJsonObject, type JsonObject, type JsonValue, objectsIn, textOf } from './json-value.ts'
import { countTokens } from './tokens.ts'

/** A request's messages as the simulated model reads them, whichever endpoint they came by. */
export interface Conversation {
  /** The last thing the user said, with pictures and files described in brackets. */
  readonly said: string
  /** Of that, the last text, without the reminders that agents put around it: what the user asks for now. */
  readonly asked: string
  /** The results of tools at the conversation's end, which are to be answered now. */
  readonly toolResults: readonly { readonly name: string; readonly text: string }[]
  readonly promptTokens: number
}

const pictureTokens = 85

/** Reads the `messages` of a chat completion. */
export function readMessages(messages: readonly JsonValue[]): Conversation {
  const turns = messages.filter(isJsonObject)
  const names = new Map<string, string>()
  for (const call of turns.flatMap((turn) => objectsIn(turn['tool_calls']))) {
    if (isJsonObject(call['function'])) names.set(textOf(call['id']), textOf(call['function']['name']))
  }
  const lastOther = turns.findLastIndex((turn) => turn['role'] !== 'tool')
  return {
    ...lastOf(turns),
    toolResults: turns.slice(lastOther + 1).map((turn) => ({
      name: names.get(textOf(turn['tool_call_id'])) ?? 'tool',
      text: contentText(turn['content']),
    })),
    promptTokens: turns.reduce((sum, turn) => sum + turnTokens(turn), 3),
  }
}

/** Reads the `input` of a response: a text, or items. */
export function readInput(input: JsonValue | undefined, instructions: string): Conversation {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : objectsIn(input)
  const names = new Map(
    items
      .filter((item) => item['type'] === 'function_call')
      .map((call) => [textOf(call['call_id']), textOf(call['name'])]),
  )
  const lastOther = items.findLastIndex((item) => item['type'] !== 'function_call_output')
  return {
    ...lastOf(items),
    toolResults: items.slice(lastOther + 1).map((item) => ({
      name: names.get(textOf(item['call_id'])) ?? 'tool',
      text: contentText(item['output']),
    })),
    promptTokens: items.reduce((sum, item) => sum + turnTokens(item), 3 + countTokens(instructions)),
  }
}

/** The user's last words in a body of any endpoint; empty where there are none. */
export function lastSaid(body: JsonObject): string {
  if (Array.isArray(body['messages'])) return saidBy(objectsIn(body['messages']))
  const { input, prompt } = body
  if (Array.isArray(input) && input.some(isJsonObject)) return saidBy(objectsIn(input))
  return [input ?? prompt ?? []].flat().map(textOf).join(' ')
}

function saidBy(turns: readonly JsonObject[]): string {
  return contentText(turns.findLast((turn) => turn['role'] === 'user')?.['content'])
}

/**
 * Texts that agents add by themselves, from tag to tag: `<system-reminder>`, `<environment_context>`, `<current_datetime>` and the
 * like.
 */
const REMINDER =
  /<((?:[a-z]+[-_])*(?:reminders?|context|instructions|details|datetime|info))\b[^>]*>[\s\S]*?<\/\1\s*>/gi
const TEXT_TYPES: ReadonlySet<string> = new Set(['text', 'input_text', 'output_text'])

function lastOf(turns: readonly JsonObject[]): Pick<Conversation, 'said' | 'asked'> {
  const content = turns.findLast((turn) => turn['role'] === 'user')?.['content']
  return { said: contentText(content), asked: askedIn(content) }
}

/** The last text that has something in it beside reminders. */
function askedIn(content: JsonValue | undefined): string {
  const texts =
    typeof content === 'string'
      ? [content]
      : objectsIn(content)
          .filter((part) => TEXT_TYPES.has(textOf(part['type'])))
          .map(partText)
  return texts.map((text) => text.replace(REMINDER, ' ').trim()).findLast((text) => text !== '') ?? ''
}

function turnTokens(turn: JsonObject): number {
  const parts = objectsIn(turn['content'])
  const pictures = parts.filter((part) => /image/.test(textOf(part['type']))).length
  const called = [turn['tool_calls'], turn['arguments'], turn['output']].filter((part) => part !== undefined)
  const calledTokens = called.reduce<number>((sum, part) => sum + countTokens(JSON.stringify(part)), 0)
  return 3 + countTokens(contentText(turn['content'])) + pictures * pictureTokens + calledTokens
}

function contentText(content: JsonValue | undefined): string {
  return typeof content === 'string' ? content : objectsIn(content).map(partText).join(' ')
}

function partText(part: JsonObject): string {
  const type = textOf(part['type'])
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return textOf(part['text'])
    case 'refusal':
      return textOf(part['refusal'])
    case 'image_url':
      return `[image: ${place(isJsonObject(part['image_url']) ? part['image_url']['url'] : part['image_url'])}]`
    case 'input_image':
      return `[image: ${place(part['image_url'] ?? part['file_id'])}]`
    case 'input_audio':
      return `[audio: ${isJsonObject(part['input_audio']) ? textOf(part['input_audio']['format']) : 'unknown'}]`
    case 'file':
    case 'input_file': {
      const file = isJsonObject(part['file']) ? part['file'] : part
      return `[file: ${place(file['filename'] ?? file['file_id'] ?? file['file_url'])}]`
    }
    default:
      return `[${type || 'part'}]`
  }
}

/** A data URL by its media type and size, anything else by its first characters. */
function place(url: JsonValue | undefined): string {
  const text = textOf(url)
  const [head = '', data = ''] = text.split(',', 2)
  if (!head.startsWith('data:')) return text.slice(0, 120) || 'unknown'
  const bytes = head.endsWith(';base64') ? Math.floor((data.replace(/=+$/, '').length * 3) / 4) : data.length
  return `${head.slice(5).split(';', 1)[0]}, ${bytes} bytes`
}
