import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import type { Usage } from '../../openai/usage/usage.ts'
import type { HeardInSession } from '../../pricing/planned-call.ts'

/** The least bytes of text in a token, and the bytes of base64 of a second of sound: those of the narrowest format, and of the usual one. */
const BYTES_PER_TOKEN = 2
const [NARROW_SECOND, PCM_SECOND] = [10_667, 64_000]
/** A second of what a user says is 10 tokens. */
const TOKENS_A_SECOND = 10
/** What is held for what a user goes on to say after a response by itself is provided for: five minutes. */
const AHEAD_TOKENS = 3_000
const [NO_SOUND, SOME_IMAGE] = [{ text: 0, audio: 0, images: 0 }, /"input_image"/]

/** What has been sent in a session since a moment. */
interface Sent {
  readonly text: number
  readonly audio: number
  readonly images: number
}

/**
 * What a realtime session has been told and has heard, as far as it decides what a response can cost. What a client asks for counts at once
 * where it makes responses dearer; else what the upstream says that the session is.
 */
export class SessionState {
  /** As the upstream calls it, where the session says that itself. */
  model: string | undefined = undefined
  /** The model that writes down what users say; undefined: none does, or it is not known. */
  transcriber: string | undefined = undefined
  /** The most tokens of a response; undefined: as many as the model can. */
  cap: number | undefined = undefined
  /** Whether the upstream makes responses by itself, when a user has spoken. */
  respondsByItself = true
  #speaks = true
  #isOpen = false
  #secondBytes = NARROW_SECOND
  #known: Sent = NO_SOUND
  #sent: Sent = NO_SOUND

  /** An event of the client goes on. */
  send(payload: Uint8Array, isSound: boolean, text?: string): void {
    const { text: words, audio, images } = this.#sent
    const { byteLength } = payload
    this.#sent = isSound
      ? { text: words, audio: audio + Math.ceil((byteLength / this.#secondBytes) * TOKENS_A_SECOND), images }
      : {
          text: words + Math.ceil(byteLength / BYTES_PER_TOKEN),
          audio,
          images: images + (text !== undefined && SOME_IMAGE.test(text) ? 1 : 0),
        }
  }

  /** The client asks for other settings. */
  ask(session: Json | undefined): void {
    if (!isJsonObject(session)) return
    const { cap } = this
    const [wanted, speaks, turns] = [capOf(session), speaksBy(session), respondsBy(session)]
    if (wanted !== undefined && (wanted === 'inf' || (cap !== undefined && wanted > cap)))
      this.cap = wanted === 'inf' ? undefined : wanted
    if (speaks === true) this.#speaks = true
    if (turns === true) this.respondsByItself = true
    this.#open(session)
  }

  /** The upstream says what the session is. */
  tell(session: Json | undefined): void {
    if (!isJsonObject(session)) return
    const { model } = session
    const [cap, speaks, turns] = [capOf(session), speaksBy(session), respondsBy(session)]
    if (typeof model === 'string') this.model = model
    if (cap !== undefined) this.cap = cap === 'inf' ? undefined : cap
    if (speaks !== undefined) this.#speaks = speaks
    if (turns !== undefined) this.respondsByItself = turns
    const scribe = inputOf(session)?.['transcription'] ?? session['input_audio_transcription']
    if (isJsonObject(scribe) && typeof scribe['model'] === 'string') this.transcriber = scribe['model']
    const format = inputOf(session)?.['format'] ?? session['input_audio_format']
    const name = isJsonObject(format) ? format['type'] : format
    if (typeof name === 'string') this.#secondBytes = /pcm(?:16)?$/.test(name) ? PCM_SECOND : NARROW_SECOND
    this.#open(session)
  }

  /** A response has been made of all that was heard; `before`: what had been sent when it began. */
  heard(usage: Usage, before: Sent): void {
    const text = usage.inputText + usage.inputCachedText + usage.outputText + usage.outputReasoning
    const audio = usage.inputAudio + usage.inputCachedAudio + usage.outputAudio
    // A response beside the conversation has read less than the session has heard.
    if (text + audio < this.#known.text + this.#known.audio) return
    this.#known = { text, audio, images: this.#known.images + before.images }
    const { text: words, audio: sounds, images } = this.#sent
    this.#sent = { text: words - before.text, audio: sounds - before.audio, images: images - before.images }
  }

  get sent(): Sent {
    return this.#sent
  }

  /** What a response reads that begins now; `isAhead`: or when the user has spoken on. */
  reading(response: Json | undefined, isAhead: boolean): HeardInSession {
    const own = isJsonObject(response) ? response : {}
    const [known, sent] = [this.#known, this.#sent]
    return {
      text: known.text + sent.text,
      audio: known.audio + sent.audio + (isAhead ? AHEAD_TOKENS : 0),
      images: known.images + sent.images,
      isOpen: this.#isOpen || isFromElsewhere(own),
      speaks: speaksBy(own) ?? this.#speaks,
    }
  }

  /** The most tokens of a response; undefined: as many as the model can. */
  capFor(response: Json | undefined): number | undefined {
    const own = isJsonObject(response) ? capOf(response) : undefined
    return own === undefined ? this.cap : own === 'inf' ? undefined : own
  }

  #open(session: JsonObject): void {
    this.#isOpen ||= isFromElsewhere(session)
  }
}

/** Whether a session or a response reads what does not pass here: a stored prompt, what a server of tools gives. */
function isFromElsewhere({ prompt, tools }: JsonObject): boolean {
  const hasPrompt = prompt !== undefined && prompt !== null
  return hasPrompt || (Array.isArray(tools) && tools.some((tool) => isJsonObject(tool) && tool['type'] === 'mcp'))
}

function capOf(one: JsonObject): number | 'inf' | undefined {
  const cap = one['max_output_tokens'] ?? one['max_response_output_tokens']
  return cap === 'inf' || (typeof cap === 'number' && cap >= 1) ? cap : undefined
}

function speaksBy(one: JsonObject): boolean | undefined {
  const kinds = one['output_modalities'] ?? one['modalities']
  return Array.isArray(kinds) ? kinds.includes('audio') : undefined
}

/** Whether a session says that it makes responses by itself; undefined: it says nothing of it. */
function respondsBy(session: JsonObject): boolean | undefined {
  const input = inputOf(session)
  const told = input !== undefined && Object.hasOwn(input, 'turn_detection') ? input : session
  if (!Object.hasOwn(told, 'turn_detection')) return undefined
  const detection = told['turn_detection']
  return isJsonObject(detection) && detection['create_response'] !== false
}

function inputOf({ audio }: JsonObject): JsonObject | undefined {
  const input = isJsonObject(audio) ? audio['input'] : undefined
  return isJsonObject(input) ? input : undefined
}
