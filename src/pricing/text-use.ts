import { callAt } from '../openai/endpoint-use.ts'
import { NO_USAGE, type Usage } from '../openai/usage/usage.ts'
import { answersOf, capOf, isGiven, type PlannedCall } from './planned-call.ts'
import type { ModelPrice } from './price.ts'
import { sketchInput } from './sketch-input.ts'
import { tokenSizesOf, tokensOfText } from './token-sizes.ts'
import { type ToolUse, toolUse } from './tool-use.ts'

/** What a model writes at most, where neither the call nor the price list says it. */
const OUTPUT_TOKENS_MAX = 16_384
/** The bytes of base64 of a document in a token of what is read in it: a page of text is packed, and read as an image, too. */
const FILE_BYTES = 3
/** Tokens that a server adds around a prompt. */
const AROUND = 16
/** Members by which a call goes on from a text that is not in it. */
const EARLIER = ['previous_response_id', 'conversation', 'prompt'] as const
/** So many tokens of an earlier text are assumed where nobody knows it. */
const EARLIER_TOKENS = 128_000
/** The most tokens of the image that a model for chats makes. */
const CHAT_IMAGE_TOKENS = 6_240

const NO_TOOLS: ToolUse = { webSearches: 0, fileSearches: 0, codeSessions: 0, tokens: 0 }

/** The most that a call of a model for texts may use: of chats, completions, responses, messages, embeddings. */
export function textUse(call: PlannedCall, price: ModelPrice | undefined): Usage {
  const isReadOnly = callAt(call.endpoint)?.isReadOnly === true
  const most = isReadOnly ? 0 : mostWritten(call, price) * answersOf(call)
  const speaks = isGiven(call, 'audio')
  const tools = isReadOnly ? NO_TOOLS : toolUse(call, price)
  const input = inputOf(call, price, tools.tokens)
  return {
    ...NO_USAGE,
    inputText: input.inputText,
    inputAudio: input.inputAudio,
    inputImage: input.inputImage,
    outputText: speaks ? 0 : most,
    outputAudio: speaks ? most : 0,
    outputImage: !isReadOnly && price?.prices.outputImage !== undefined ? CHAT_IMAGE_TOKENS : 0,
    webSearches: tools.webSearches,
    fileSearches: tools.fileSearches,
    codeSessions: tools.codeSessions,
  }
}

/** Whether the answer to a call for texts may be as long as its model can write. */
export function writesUncapped(call: Omit<PlannedCall, 'model'>): boolean {
  return capOf(call) === undefined && callAt(call.endpoint)?.isReadOnly !== true
}

function inputOf(
  call: PlannedCall,
  price: ModelPrice | undefined,
  ofTools: number,
): { inputText: number; inputAudio: number; inputImage: number } {
  const sizes = tokenSizesOf(call.model)
  const sketch = sketchInput(call)
  const earlier = call.endpoint.startsWith('responses') && EARLIER.some((name) => isGiven(call, name))
  const text =
    tokensOfText(sketch.textBytes, sketch.shares, sizes) +
    Math.ceil(sketch.fileBytes / FILE_BYTES) +
    AROUND +
    ofTools +
    (earlier ? (call.earlierTokens ?? EARLIER_TOKENS) : 0)
  // Base64 is a third longer than its bytes, of which no format for sounds has less than 1,000 a second.
  const inputAudio = Math.ceil((sketch.audioBytes / 1333) * sizes.audioSecond)
  return { inputText: withinContext(text, price), inputAudio, inputImage: sketch.images * sizes.image }
}

/** No more can be read than the context holds. A bound that is not above that of the long price is no bound, but a mistake of the list. */
function withinContext(tokens: number, price: ModelPrice | undefined): number {
  const most = price?.contextTokensMax
  const long = price?.longContext?.[0]?.aboveTokens ?? 0
  return most === undefined || most <= long ? tokens : Math.min(tokens, most)
}

/** The most that one answer has: what the call allows, or is expected where it allows all, and the model can. */
function mostWritten(call: PlannedCall, price: ModelPrice | undefined): number {
  const cap = capOf(call)
  const limit = price?.outputTokensMax === 0 ? undefined : price?.outputTokensMax
  const most = cap ?? call.outputExpected ?? limit ?? OUTPUT_TOKENS_MAX
  return limit === undefined ? most : Math.min(most, limit)
}
