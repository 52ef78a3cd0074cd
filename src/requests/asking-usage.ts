import { applyEdits, changeMembers, type Edit, replaceValue } from '../formats/json/edit.ts'
import { isJsonObject } from '../formats/json/json.ts'
import type { JsonBody } from '../formats/json/json-body.ts'
import { type Member, membersOf, objectStart } from '../formats/json/members.ts'
import type { InnerModel } from '../openai/inner-models.ts'
import { editBody, type ModelName, type ModelReader, type OutgoingBody, outlineOf } from './outgoing-body.ts'

const OPTIONS = 'stream_options'
const INCLUDE = 'include_usage'
const UTF_8 = new TextDecoder()

/** A stream's request that asks for its usage, where its caller has not. */
export interface AskedUsage {
  /** The body to send instead. */
  readonly outgoing: OutgoingBody
  /** Whether the caller wants each event to tell the usage so far (vLLM's `continuous_usage_stats`), which servers do only where usage is asked for. */
  readonly isContinuous: boolean
}

/**
 * Makes the body of a chat or text completion that asks for the usage of its stream (`stream_options.include_usage`); undefined: it is no
 * stream, it asks already, or it can't be said what it asks for. All bytes but these stay as they are.
 *
 * @example
 * const asked = askUsage(request.outgoing)
 */
export function askUsage(outgoing: OutgoingBody): AskedUsage | undefined {
  const outline = outlineOf(outgoing)
  const isStream = isJsonObject(outline) && outline['stream'] === true
  if (!isStream && !outgoing.isChangedFor(undefined)) return undefined
  const text = outgoing.textFor(undefined)
  if (text === undefined) return undefined
  const members = membersOf(text)
  if (parsedMember(text, only(members, 'stream')) !== true) return undefined
  const options = only(members, OPTIONS)
  const value = parsedMember(text, options)
  const mayAsk =
    options === undefined ? !members.some(({ key }) => key === OPTIONS) : value === null || isJsonObject(value)
  if (!mayAsk || (isJsonObject(value) && value[INCLUDE] === true)) return undefined
  return {
    outgoing: new AskingBody(outgoing),
    isContinuous: isJsonObject(value) && value['continuous_usage_stats'] === true,
  }
}

/** The one member of a name; undefined: there is none, or several, of which each reader may take another. */
function only(members: readonly Member[], name: string): Member | undefined {
  const found = members.filter(({ key }) => key === name)
  return found.length === 1 ? found[0] : undefined
}

function parsedMember(text: Uint8Array, member: Member | undefined): unknown {
  if (member === undefined) return undefined
  try {
    return JSON.parse(UTF_8.decode(text.subarray(member.valueStart, member.valueEnd))) as unknown
  } catch {
    return undefined
  }
}

/** The edits that make a body ask for usage. */
function editsFor(text: Uint8Array): readonly Edit[] {
  const members = membersOf(text)
  const options = only(members, OPTIONS)
  const all = `{"${INCLUDE}":true}`
  if (options === undefined) {
    return changeMembers(objectStart(text), members, { removed: new Set(), inserted: [[OPTIONS, all]] })
  }
  if (!isJsonObject(parsedMember(text, options))) return [replaceValue(options, all)]
  const within = membersOf(text.subarray(0, options.valueEnd), options.valueStart)
  const include = within.filter(({ key }) => key === INCLUDE)
  if (include.length > 0) return include.map((member) => replaceValue(member, 'true'))
  return changeMembers(options.valueStart, within, { removed: new Set(), inserted: [[INCLUDE, 'true']] })
}

/** A body that also asks for usage. */
class AskingBody implements OutgoingBody {
  readonly isReplayable = true
  readonly #plain: OutgoingBody
  #last:
    | { readonly model: ModelName; readonly body: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> }
    | undefined

  constructor(plain: OutgoingBody) {
    this.#plain = plain
  }

  get model(): string | undefined {
    return this.#plain.model
  }

  get value(): unknown {
    return this.#plain.value
  }

  get partlyRead(): JsonBody | undefined {
    return this.#plain.partlyRead
  }

  get received(): OutgoingBody['received'] {
    return this.#plain.received
  }

  get inner(): readonly InnerModel[] {
    return this.#plain.inner
  }

  modelFor(target: ModelReader): ModelName {
    return this.#plain.modelFor(target)
  }

  isChangedFor(): boolean {
    return true
  }

  bodyFor(model: ModelName): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    // Several attempts at one target get the same bytes.
    if (this.#last === undefined || this.#last.model !== model) {
      const text = this.#text(model)
      this.#last = { model, body: editBody(text, editsFor(text)) }
    }
    return this.#last.body
  }

  textFor(model: ModelName): Uint8Array<ArrayBuffer> {
    const body = this.bodyFor(model)
    if (!(body instanceof Promise)) return body
    const text = this.#text(model)
    return applyEdits(text, editsFor(text))
  }

  letGo(): void {
    this.#plain.letGo()
  }

  #text(model: ModelName): Uint8Array<ArrayBuffer> {
    const text = this.#plain.textFor(model)
    if (text === undefined) throw new Error('A body that can be asked for usage has a text.')
    return text
  }
}
