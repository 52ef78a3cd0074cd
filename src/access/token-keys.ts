import { DEFAULT_PROJECT_ID, NO_LIMITS, tokenKeyId } from '../ledger/first-records.ts'
import { redactKey } from '../ledger/key-format.ts'
import type { KeyRecord } from '../ledger/records.ts'
import type { NamedToken } from './name-tokens.ts'

/**
 * Gives API tokens as keys of the default project, like those that the configuration file declares: they are in no ledger. Nobody knows
 * when they were made (`createdAt` is 0).
 *
 * @example
 * const [{ id }] = tokenKeys(nameTokens(config.auth.tokens, sha256), sha256)
 */
export function tokenKeys(tokens: readonly NamedToken[], sha256: (text: string) => Uint8Array): readonly KeyRecord[] {
  return tokens.map(({ name, token }) => ({
    kind: 'key',
    id: tokenKeyId(name),
    projectId: DEFAULT_PROJECT_ID,
    ownerId: '',
    name,
    digest: sha256(token.reveal()).toHex(),
    redacted: redactKey(token),
    createdAt: 0,
    limits: NO_LIMITS,
    metadata: {},
    managedBy: 'file',
  }))
}
