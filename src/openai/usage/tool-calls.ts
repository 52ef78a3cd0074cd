import { isJsonObject, type Json } from '../../formats/json/json.ts'
import type { Usage } from './usage.ts'

/** How often the upstream's own tools were called. */
export type ToolCalls = Pick<Usage, 'webSearches' | 'fileSearches' | 'codeSessions' | 'images'>

/** Adds calls of tools to a usage. Where it tells searches itself, those count. */
export function withToolCalls(usage: Usage, calls: ToolCalls): Usage {
  return { ...usage, ...calls, webSearches: Math.max(usage.webSearches, calls.webSearches) }
}

/**
 * Counts the calls of the upstream's own tools among the items of a response, which are billed beside its tokens: searches (not the pages that
 * they open), searches in files, containers that ran code, and images (OpenAI specification, `OutputItem`).
 *
 * @example
 * toolCallsIn(response.output) // { webSearches: 2, fileSearches: 0, codeSessions: 1, images: 0 }
 */
export function toolCallsIn(output: readonly Json[]): ToolCalls {
  let webSearches = 0
  let fileSearches = 0
  let images = 0
  const containers = new Set<Json | undefined>()
  for (const item of output) {
    if (!isJsonObject(item)) continue
    const { type, action } = item
    if (type === 'web_search_call') {
      const did = isJsonObject(action) ? action['type'] : undefined
      if (did === undefined || did === 'search') webSearches += 1
    } else if (type === 'file_search_call') fileSearches += 1
    else if (type === 'code_interpreter_call') containers.add(item['container_id'])
    else if (type === 'image_generation_call') images += 1
  }
  return { webSearches, fileSearches, codeSessions: containers.size, images }
}

/** Whether an item of an answer's `data` is an image (OpenAI specification, `Image`). */
export function isImage(one: Json): boolean {
  return isJsonObject(one) && (typeof one['b64_json'] === 'string' || typeof one['url'] === 'string')
}
