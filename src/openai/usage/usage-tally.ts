import { isJsonObject, type Json, type JsonObject } from '../../formats/json/json.ts'
import { estimatedUsage, isGuessed } from './estimated-usage.ts'
import { asSpoken, normalizeUsage } from './normalize-usage.ts'
import { mergeUsage, ownUsageIn } from './own-usage.ts'
import { costIn } from './told-cost.ts'
import { isImage, type ToolCalls, toolCallsIn, withToolCalls } from './tool-calls.ts'
import { addUsage, NO_USAGE, type ToldUsage, USAGE_FIELDS, type Usage } from './usage.ts'

/** Gathers what an answer tells of its usage while it passes, and how much of it has passed, in case it tells nothing. */
export interface UsageTally {
  /** Whether the answer is JSON, whatever its type says: files come as `application/octet-stream`. */
  readonly isJson?: boolean
  /** An event of a stream, or a whole JSON answer: all of it, or the members of it that can tell usage. */
  readonly add: (value: JsonObject) => void
  /** So many bytes of text have passed; 0: some of an answer that is no text. */
  readonly saw: (bytes: number) => void
  /** Has `count` called each time before it tells what it knows: that calls `saw` with text that has passed and is not counted yet. */
  readonly beforeTold: (count: () => void) => void
  /** Notes that what has passed is being read only now: it is encoded. */
  readonly waitFor: (reading: Promise<void>) => void
  /** Resolves once all that has passed is read; undefined: it is. To be awaited before `told` at the end of the answer. */
  readonly settled: () => Promise<void> | undefined
  /** All that is known so far; at the end of the answer, all that there is. */
  readonly told: () => ToldUsage
}

/** What is known before the answer. */
export interface TallyOptions {
  /** What the request alone says: its prompt, as estimated, the characters to be spoken, the images. It counts where the answer tells nothing. */
  readonly asked?: Partial<Usage>
}

/** A token is so many bytes of text, about: four letters of English, one and a third of Chinese. */
export const BYTES_PER_TOKEN = 4

/**
 * Makes the tally of one answer. Of all that is told, each field's last value counts (`mergeUsage`). Where nothing is told, what was written is a
 * quarter of the bytes of text that have passed, and 1 at the least, and what was read is what `asked` says; the result says that it is estimated.
 * An answer of which nothing has passed, or an error and no word, has used nothing.
 *
 * @example
 * exchange.tally = createUsageTally({ asked: { inputText: 900 } })
 */
export function createUsageTally(options: TallyOptions = {}): UsageTally {
  return new Tally(options)
}

class Tally implements UsageTally {
  readonly #options: TallyOptions
  /** As the answer writes it: of `usage`, and of servers' own members that tell the same. */
  #usage: JsonObject | undefined
  #own: JsonObject | undefined
  /** Whether only what was read is told so far, as Anthropic's streams begin. */
  #isBeginning = false
  #tools: ToolCalls | undefined
  /** What a model has used that wrote an image as text, beside the one that drew it. */
  #svg: JsonObject | undefined
  #images = 0
  #textBytes = 0
  #hasBegun = false
  /** Whether it is the report of a failure. */
  #hasFailed = false
  #counts: readonly (() => void)[] = []
  #late: Promise<void> | undefined
  #tier: string | undefined
  #model: string | undefined
  #object: string | undefined
  #status: string | undefined
  #id: string | undefined
  #isBackground = false

  constructor(options: TallyOptions) {
    this.#options = options
  }

  saw(bytes: number): void {
    this.#hasBegun = true
    this.#textBytes += bytes
  }

  beforeTold(count: () => void): void {
    this.#counts = [...this.#counts, count]
  }

  waitFor(reading: Promise<void>): void {
    this.#late = reading
  }

  settled(): Promise<void> | undefined {
    return this.#late
  }

  add(value: JsonObject): void {
    this.#hasBegun = true
    const { type, response, message, delta, error } = value
    if (isJsonObject(error)) this.#hasFailed = true
    this.#addFacts(value)
    if (isJsonObject(response)) {
      this.#addFacts(response)
      this.#addUsage(response['usage'])
      if (Array.isArray(response['output'])) this.#tools = toolCallsIn(response['output'] as readonly Json[])
    }
    if (isJsonObject(message) && type === 'message_start') {
      this.#addFacts(message)
      this.#isBeginning = isJsonObject(message['usage'])
      if (isJsonObject(message['usage'])) this.#merge(message['usage'])
    }
    if (type === 'message-end' && isJsonObject(delta)) this.#addUsage(delta['usage'])
    if (Array.isArray(value['output'])) this.#tools = toolCallsIn(value['output'] as readonly Json[])
    this.#addImages(value)
    const told = value['usage'] ?? value['usageMetadata']
    this.#addUsage(type === 'speech.audio.done' ? asSpoken(told) : told)
    if (isJsonObject(value['svg_usage'])) this.#svg = value['svg_usage']
    const own = this.#usage === undefined ? ownUsageIn(value) : undefined
    if (own !== undefined) this.#own = mergeUsage(this.#own ?? {}, own)
  }

  told(): ToldUsage {
    for (const count of this.#counts) count()
    const raw = this.#usage ?? this.#own
    const usage = this.#counted(raw)
    // Images without a usage are billed one by one, whatever was asked.
    const isTold = raw === undefined ? this.#images > 0 : !this.#isBeginning && !this.#isEmpty(usage)
    if (isTold || !this.#hasBegun || this.#isRefused(raw)) {
      return this.#told(usage, raw === undefined ? undefined : costIn(raw), false)
    }
    const asked = this.#isBeginning ? {} : (this.#options.asked ?? {})
    const estimated = estimatedUsage(usage, asked, Math.ceil(this.#textBytes / BYTES_PER_TOKEN))
    return this.#told(estimated, undefined, isGuessed(estimated))
  }

  #told(usage: Usage, cost: number | undefined, isEstimated: boolean): ToldUsage {
    return {
      usage,
      cost,
      isEstimated,
      tier: this.#tier,
      model: this.#model,
      object: this.#object,
      id: this.#id,
      status: this.#status,
      isBackground: this.#isBackground,
    }
  }

  #counted(raw: JsonObject | undefined): Usage {
    const told = raw === undefined ? NO_USAGE : normalizeUsage(raw, this.#model)
    const usage = this.#withImages(this.#tools === undefined ? told : withToolCalls(told, this.#tools))
    return this.#svg === undefined ? usage : addUsage(usage, normalizeUsage(this.#svg))
  }

  /** Whether a usage says that nothing was used, though text has passed: some servers have no counts, and say 0. */
  #isEmpty(usage: Usage): boolean {
    return this.#textBytes > 0 && USAGE_FIELDS.every((field) => usage[field] === 0)
  }

  /** Whether an error is all that has come: nothing was made of the request. */
  #isRefused(raw: JsonObject | undefined): boolean {
    return raw === undefined && this.#hasFailed && this.#textBytes === 0
  }

  #addFacts(value: JsonObject): void {
    const { model, modelVersion, service_tier: tier, object, status, id } = value
    const name = model ?? modelVersion
    if (typeof name === 'string') this.#model = name
    if (typeof tier === 'string') this.#tier = tier
    if (typeof object === 'string') this.#object = object
    if (typeof status === 'string') this.#status = status
    if (typeof id === 'string') this.#id = id
    if (value['background'] === true) this.#isBackground = true
  }

  #addUsage(usage: Json | undefined): void {
    if (!isJsonObject(usage)) return
    this.#isBeginning = false
    this.#merge(usage)
  }

  #merge(usage: JsonObject): void {
    this.#usage = mergeUsage(this.#usage ?? {}, usage)
    // Anthropic tells the tier with the usage.
    if (typeof usage['service_tier'] === 'string') this.#tier = usage['service_tier']
  }

  #addImages({ type, data }: JsonObject): void {
    if (type === 'image_generation.completed' || type === 'image_edit.completed') {
      this.#images += 1
    } else if (Array.isArray(data) && data.some(isImage)) {
      this.#images = data.filter(isImage).length
    }
  }

  /** The tokens that an image was written with are its own, where the answer does not say of what kind they are. */
  #withImages(usage: Usage): Usage {
    if (this.#images === 0) return usage
    const images = { ...usage, images: this.#images }
    return usage.outputImage === 0 ? { ...images, outputImage: usage.outputText, outputText: 0 } : images
  }
}
