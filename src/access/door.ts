import type { Config } from '../config/config.ts'
import type { Secret } from '../config/secret.ts'
import type { ApiToken } from '../config/sections/token-list.ts'
import type { KeyRecord } from '../ledger/records.ts'
import type { Keys } from './admit-key.ts'
import { type Authorize, createAuthorize } from './authorize.ts'
import { lendsToLocal } from './local-caller.ts'
import { nameTokens } from './name-tokens.ts'
import { tokenKeys } from './token-keys.ts'

/** Whom the environment lets in. */
export interface AdmittedCallers {
  readonly tokens: readonly ApiToken[]
  /** The key that manages the ledger; undefined: only those in the ledger do. */
  readonly adminKey: Secret | undefined
}

/** What all requests pass: it goes by the callers in force. */
export interface Door {
  readonly authorize: Authorize
  /** The key that manages, as it is now. */
  readonly adminKey: () => Secret | undefined
  /** The API tokens that callers may present now, as keys of the default project. */
  readonly tokenKeys: () => readonly KeyRecord[]
  /** Lets in the holders of these tokens, and of this key, from now on; requests under way go on. */
  readonly admit: (callers: AdmittedCallers) => void
}

/** The dependencies of the door. */
export interface DoorDeps {
  readonly config: Pick<Config, 'server' | 'auth' | 'adminKey'>
  /** Whether no key is spent because only cassettes answer. */
  readonly isFree: boolean
  readonly sha256: (text: string) => Uint8Array
  /** The keys of the ledger; undefined: there is none. */
  readonly keys: Keys | undefined
}

/**
 * Makes the door of a server, by its configuration at first.
 *
 * @example
 * const { authorize, admit } = createDoor({ config, isFree: false, sha256, keys: books?.directory })
 */
export function createDoor({ config, isFree, sha256, keys }: DoorDeps): Door {
  let { adminKey } = config
  const doorFor = (tokens: readonly ApiToken[]): Authorize =>
    createAuthorize({
      ...config.auth,
      lendsToLocal: lendsToLocal(config),
      corsOrigins: config.server.corsOrigins,
      ...{ tokens, isFree, sha256, keys, adminKey },
    })
  // A token that nobody has to present is no key of ours: it goes upstream as it came.
  const keysFor = (tokens: readonly ApiToken[]): readonly KeyRecord[] =>
    keys === undefined || !config.auth.required ? [] : tokenKeys(nameTokens(tokens, sha256), sha256)
  let authorize = doorFor(config.auth.tokens)
  let known = keysFor(config.auth.tokens)
  return {
    authorize: (request) => authorize(request),
    adminKey: () => adminKey,
    tokenKeys: () => known,
    admit(callers) {
      adminKey = callers.adminKey
      authorize = doorFor(callers.tokens)
      known = keysFor(callers.tokens)
    },
  }
}
