import { readAnyBytes } from '../formats/bytes/byte-string.ts'
import { toolPrice } from './cost-of.ts'
import { givenNumber, isGiven, type PlannedCall } from './planned-call.ts'
import type { ModelPrice } from './price.ts'

/** What the upstream's own tools may add to a call. */
export interface ToolUse {
  readonly webSearches: number
  readonly fileSearches: number
  readonly codeSessions: number
  /** Tokens that are read because of them: what they are called by, and what they find. */
  readonly tokens: number
}

/** The calls of a tool, where the call does not limit them. */
const CALLS = 10
/** The tokens that a search has read, about, and those that a server adds to a prompt with any tools. */
const FOUND_TOKENS = 8000
const TOLD_TOKENS = 700
const ALWAYS_SEARCHES = /search|^sonar|deep-research/
const WEB_SEARCH = /"type"\s*:\s*"web_search/
const FILE_SEARCH = /"type"\s*:\s*"file_search/
const IMAGES = /"type"\s*:\s*"image_generation/
const CODE = /"type"\s*:\s*"code_(?:interpreter|execution)/

/** The most that the upstream's own tools may add to a call. A search of a model that always searches is part of its own prompt. */
export function toolUse(call: PlannedCall, price: ModelPrice | undefined): ToolUse {
  const tools = toolsOf(call)
  const calls = givenNumber(call, 'max_tool_calls') ?? CALLS
  const always = isGiven(call, 'web_search_options') || ALWAYS_SEARCHES.test(call.model) ? 1 : 0
  const web = WEB_SEARCH.test(tools) ? calls : 0
  const file = FILE_SEARCH.test(tools) ? calls : 0
  return {
    webSearches: countsIf(price, 'webSearch', Math.max(always, web)),
    fileSearches: countsIf(price, 'fileSearch', file),
    codeSessions: countsIf(price, 'codeSession', CODE.test(tools) ? 1 : 0),
    tokens: tools === '' ? 0 : TOLD_TOKENS + (web + file) * FOUND_TOKENS,
  }
}

/**
 * Whether a tool of the upstream's may draw images in a call that writes words: another model draws them, whose images have no price here.
 *
 * @example
 * if (mayDraw({ ...planned, model })) throw notPriced('image_generation', upstream)
 */
export function mayDraw(call: PlannedCall): boolean {
  return call.endpoint === 'responses' && IMAGES.test(toolsOf(call))
}

/** What has no price is not held: whether it is called at all is not known, and the call would be refused for it. */
function countsIf(price: ModelPrice | undefined, tool: Parameters<typeof toolPrice>[2], count: number): number {
  return price === undefined || toolPrice(price, price.prices, tool) === undefined ? 0 : count
}

/** The text that has the call's tools in it: where they have not been read, all of the body. */
function toolsOf(call: PlannedCall): string {
  const { tools } = call.members
  if (!isGiven(call, 'tools')) return ''
  if (Array.isArray(tools)) return tools.length === 0 ? '' : JSON.stringify(tools)
  return call.body === undefined ? ' ' : readAnyBytes(call.body)
}
