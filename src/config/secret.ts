/** The text that is printed in place of a secret. */
const REDACTED = '[redacted]'

/**
 * A key, a token, a password, or a text that may hold one. Every way to print it (a template string, `String()`, JSON, the log,
 * the runtime's inspection) gives `[redacted]`; only `reveal` gives its text.
 *
 * Every value that the configuration knows to be secret has this type, and keeps it up to the place that needs the text itself: the
 * headers of a call to an upstream, the comparison with a caller's token, a socket's TLS, a store's connection, the texts
 * to be masked. `tests/architecture.test.ts` has the list of those places.
 *
 * For rules about it: the class is nominal (it has a private field), so a value of it is told by its type, `Secret` of
 * `src/config/secret.ts`, and an opened one by the call `.reveal()`. Neither `===` nor a deep comparison can see the text: two
 * configurations are compared with `areSameConfigs`.
 *
 * @example
 * headers.set('authorization', `Bearer ${key.reveal()}`)
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  /** The runtime's inspection prints this (`util.inspect.custom`). */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED
  }
}
