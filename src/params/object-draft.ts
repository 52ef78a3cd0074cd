import { isJsonObject } from '../formats/json/json.ts'

/** An object that came from JSON. */
export type ParsedObject = Readonly<Record<string, unknown>>

/** A parameter that may differ from what came. */
interface Slot {
  /** The name of the member that it came as and whose place it has; undefined: a new one. */
  readonly from: string | undefined
  readonly value: unknown
  /** What becomes of `value`, where that is an object that has been looked into. */
  child: ObjectDraft | undefined
}

/**
 * An object as it is to go out: what came, and over it what rules have changed. What came is never touched.
 *
 * Values of JSON only, so that undefined always means: absent.
 *
 * @example
 * const draft = new ObjectDraft(body)
 * draft.set('temperature', 0.7)
 */
export class ObjectDraft {
  readonly base: ParsedObject
  /** By the name that they have now; undefined: gone. */
  readonly #slots = new Map<string, Slot | undefined>()

  constructor(base: ParsedObject) {
    this.base = base
  }

  /** Gives the value of a name as it is now. */
  get(name: string): unknown {
    const slot = this.#slots.get(name)
    if (slot !== undefined) return slot.child === undefined ? slot.value : slot.child.value()
    return !this.#slots.has(name) && Object.hasOwn(this.base, name) ? this.base[name] : undefined
  }

  /** Gives the names that are there now. */
  names(): string[] {
    if (this.#slots.size === 0) return Object.keys(this.base)
    const names = Object.keys(this.base).filter((name) => !this.#slots.has(name))
    for (const [name, slot] of this.#slots) if (slot !== undefined) names.push(name)
    return names
  }

  /** Gives the draft of the object that a name has as its value; undefined where that is none. */
  child(name: string): ObjectDraft | undefined {
    const known = this.#slots.get(name)
    if (known?.child !== undefined) return known.child
    const value = this.get(name)
    if (!isJsonObject(value)) return undefined
    const child = new ObjectDraft(value)
    if (known === undefined) this.#slots.set(name, { from: name, value, child })
    else known.child = child
    return child
  }

  /** Gives a name a value. Where it came with another, or was there a moment ago, the new one takes the place of that. */
  set(name: string, value: unknown): void {
    const slot = this.#slots.get(name)
    const from = slot === undefined ? this.#placeOf(name) : slot.from
    this.#slots.set(name, { from, value, child: undefined })
  }

  /** Takes a name out. */
  remove(name: string): void {
    this.#slots.set(name, undefined)
  }

  /** Moves what a name has to another, which loses what it had. */
  rename(name: string, to: string): void {
    const slot = this.#slots.get(name) ?? { from: this.#placeOf(name), value: this.get(name), child: undefined }
    this.#slots.set(name, undefined)
    this.#slots.set(to, slot)
  }

  /** Gives the name that a parameter came with; undefined where it did not come, but was put in. */
  nameSent(name: string): string | undefined {
    const slot = this.#slots.get(name)
    return slot === undefined ? this.#placeOf(name) : slot.from
  }

  /** Whether a value is what came, apart from changes within it. */
  isAsSent(name: string): boolean {
    const slot = this.#slots.get(name)
    return slot === undefined || (slot.from !== undefined && slot.value === this.base[slot.from])
  }

  /** Gives the object as it is now: the one that came, where nothing differs. */
  value(): ParsedObject {
    if (!this.#isChanged()) return this.base
    // Object.fromEntries takes `__proto__` for a name like any other.
    return Object.fromEntries(this.names().map((name) => [name, this.get(name)]))
  }

  /** What came and is gone, or has another name or maybe another value now; and what is new. */
  changes(): DraftChanges {
    const moved = new Map<string, MovedValue>()
    const added: string[] = []
    for (const [name, slot] of this.#slots) {
      if (slot === undefined) continue
      if (slot.from === undefined) added.push(name)
      else moved.set(slot.from, { name, child: this.isAsSent(name) ? slot.child : undefined })
    }
    const gone = new Set<string>()
    for (const name of this.#slots.keys()) if (!moved.has(name)) gone.add(name)
    return { moved, gone, added }
  }

  #isChanged(): boolean {
    for (const [name, slot] of this.#slots) {
      if (slot === undefined ? Object.hasOwn(this.base, name) : this.get(name) !== this.base[name]) return true
    }
    return false
  }

  #placeOf(name: string): string | undefined {
    if (!Object.hasOwn(this.base, name)) return undefined
    for (const slot of this.#slots.values()) if (slot?.from === name) return undefined
    return name
  }
}

/** How a draft differs from what came, by the names that came. */
export interface DraftChanges {
  /** What may have another name or value now. */
  readonly moved: ReadonlyMap<string, MovedValue>
  /** Names whose members go; some may not have come at all. */
  readonly gone: ReadonlySet<string>
  /** Names that are new. */
  readonly added: readonly string[]
}

/** A member that came and stays. */
export interface MovedValue {
  /** What it is called now. */
  readonly name: string
  /** The draft of the object that came as its value, where only something within that may differ. */
  readonly child: ObjectDraft | undefined
}
