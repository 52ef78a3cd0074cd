import { isJsonObject } from '../formats/json/json.ts'

/** An object that came from JSON. */
export type ParsedObject = Readonly<Record<string, unknown>>

/** A parameter that may differ from the received one. */
interface Slot {
  /** The name of the received member whose place it has; undefined: a new parameter. */
  readonly from: string | undefined
  readonly value: unknown
  /** The changes within `value`, if that is an object that has been looked into. */
  child: EditedObject | undefined
}

/**
 * A received object with the changes of rules over it. The received object itself is never changed.
 *
 * It holds values of JSON only, so undefined always means absent.
 *
 * @example
 * const edited = new EditedObject(body)
 * edited.set('temperature', 0.7)
 */
export class EditedObject {
  readonly base: ParsedObject
  /** The parameters by their present names; undefined: removed. */
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

  /** Gives the object under a name, to be edited; undefined: the value is no object. */
  child(name: string): EditedObject | undefined {
    const known = this.#slots.get(name)
    if (known?.child !== undefined) return known.child
    const value = this.get(name)
    if (!isJsonObject(value)) return undefined
    const child = new EditedObject(value)
    if (known === undefined) this.#slots.set(name, { from: name, value, child })
    else known.child = child
    return child
  }

  /** Sets the value of a name. It takes the place of the received value, or of the one set before. */
  set(name: string, value: unknown): void {
    const slot = this.#slots.get(name)
    const from = slot === undefined ? this.#placeOf(name) : slot.from
    this.#slots.set(name, { from, value, child: undefined })
  }

  /** Removes a name. */
  remove(name: string): void {
    this.#slots.set(name, undefined)
  }

  /** Moves a name's value to another name, whose own value is lost. */
  rename(name: string, to: string): void {
    const slot = this.#slots.get(name) ?? { from: this.#placeOf(name), value: this.get(name), child: undefined }
    this.#slots.set(name, undefined)
    this.#slots.set(to, slot)
  }

  /** Gives the name that a parameter was received with; undefined: a rule has set it. */
  nameSent(name: string): string | undefined {
    const slot = this.#slots.get(name)
    return slot === undefined ? this.#placeOf(name) : slot.from
  }

  /** Whether a value is the received one, apart from changes within it. */
  isAsSent(name: string): boolean {
    const slot = this.#slots.get(name)
    return slot === undefined || (slot.from !== undefined && slot.value === this.base[slot.from])
  }

  /** Gives the object with its changes: the received one itself, if nothing differs. */
  value(): ParsedObject {
    if (!this.#isChanged()) return this.base
    // Object.fromEntries takes `__proto__` for a name like any other.
    return Object.fromEntries(this.names().map((name) => [name, this.get(name)]))
  }

  /** Gives the members that were received and are removed, renamed or maybe changed, and the new ones. */
  changes(): ObjectChanges {
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

/** The differences of an edited object from the received one, by the received names. */
export interface ObjectChanges {
  /** Members that may have another name or value now. */
  readonly moved: ReadonlyMap<string, MovedValue>
  /** Names whose members are removed; some may not have been received at all. */
  readonly gone: ReadonlySet<string>
  /** Names that are new. */
  readonly added: readonly string[]
}

/** A received member that stays. */
export interface MovedValue {
  /** Its present name. */
  readonly name: string
  /** The received value, if only something within it may differ. */
  readonly child: EditedObject | undefined
}
