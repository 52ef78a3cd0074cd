/** Who may call a server, as far as rules can name them. */
export interface Callers {
  /** The names of the tokens, in the order of their list; those without one have that of their digest. */
  readonly names: readonly string[]
  /** Whether one of the tokens is asked for. */
  readonly isRequired: boolean
  /** Whether the tokens are in a file, which may have others later. */
  readonly mayChange: boolean
  /** Whether the server can be reached from this machine only. */
  readonly isLoopback: boolean
}

/** Callers of whom nothing is known: nothing can be said of rules about them. */
export const ANY_CALLERS: Callers = { names: [], isRequired: false, mayChange: true, isLoopback: true }
