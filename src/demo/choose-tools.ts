import type { Conversation } from './conversation.ts'
import { isJsonObject, type JsonObject, type JsonValue, objectsIn, textOf } from './json-value.ts'
import { readBoolean } from './read-field.ts'
import { invalidValue } from './refusals.ts'
import { schemaInstance } from './schema-instance.ts'

/** A call of a function that the simulated model makes; `arguments` is JSON. */
export interface FunctionCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/**
 * The functions that the simulated model calls for this request; none where it answers with text.
 *
 * A function is called where `tool_choice` names it or requires one, or where the user's last text contains its name; what agents
 * put around that in tags, such as `<system-reminder>`, does not count. Its arguments are made from its parameters' schema. Once a
 * tool's result is there, it is answered with text.
 *
 * @throws SimulatedError 400 where `tool_choice` names or requires what `tools` does not offer.
 */
export function chooseCalls(body: JsonObject, conversation: Conversation, seed: string): FunctionCall[] {
  const choice = readChoice(body['tool_choice'])
  const tools = objectsIn(body['tools'])
  const offered = tools
    .filter((tool) => tool['type'] === 'function')
    // Chat completions nest the function, responses do not.
    .map((tool) => (isJsonObject(tool['function']) ? tool['function'] : tool))
  for (const name of choice.only ?? []) {
    if (offered.some((tool) => tool['name'] === name)) continue
    throw invalidValue('tool_choice', `tool choice '${name}' not found in 'tools' parameter.`)
  }
  const allowed = offered.filter((tool) => choice.only?.includes(textOf(tool['name'])) ?? true)
  if (choice.mode === 'required' && tools.length === 0) {
    throw invalidValue('tool_choice', "'tool_choice' is only allowed when 'tools' are specified.")
  }
  if (choice.mode === 'none' || conversation.toolResults.length > 0) return []

  const named = allowed.filter((tool) => mentions(conversation.asked, textOf(tool['name'])))
  const called = named.length === 0 && choice.mode === 'required' ? allowed.slice(0, 1) : named
  const atOnce = readBoolean(body, 'parallel_tool_calls', true)
  return called.slice(0, atOnce ? called.length : 1).map((tool, index) => ({
    id: `call_simulated_${seed}_${index}`,
    name: textOf(tool['name']),
    arguments: JSON.stringify(isJsonObject(tool['parameters']) ? schemaInstance(tool['parameters']) : {}),
  }))
}

interface Choice {
  readonly mode: 'none' | 'auto' | 'required'
  readonly only?: readonly string[]
}

function readChoice(given: JsonValue | undefined): Choice {
  if (given === 'none' || given === 'required') return { mode: given }
  if (!isJsonObject(given)) return { mode: 'auto' }
  if (given['type'] === 'function') return { mode: 'required', only: [nameOf(given)] }
  if (given['type'] !== 'allowed_tools') return { mode: 'auto' }
  const list = isJsonObject(given['allowed_tools']) ? given['allowed_tools'] : given
  const only = objectsIn(list['tools'])
    .filter((tool) => tool['type'] === 'function')
    .map(nameOf)
  return { mode: list['mode'] === 'required' ? 'required' : 'auto', only }
}

function nameOf(tool: JsonObject): string {
  return textOf(isJsonObject(tool['function']) ? tool['function']['name'] : tool['name'])
}

/** Whether the text contains the name as a word of its own, so that a tool `add` is not called by an `address`. */
function mentions(text: string, name: string): boolean {
  const escaped = name.replace(/[^\w]/g, '\\$&')
  return name !== '' && new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`).test(text)
}
