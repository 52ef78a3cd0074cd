/** The errors of a store that can be read but not written, by code or message, each with its meaning and its cure. */
const REASONS: readonly (readonly [says: RegExp, means: string])[] = [
  [/^(?:SQLITE_FULL|ENOSPC|EDQUOT)/, 'the disk is full: make room on it'],
  [
    /^(?:SQLITE_IOERR_(?:WRITE|FSYNC|TRUNCATE|SHMSIZE|SHMMAP)|EFBIG)/,
    'the disk takes no more: see whether it is full, or fails',
  ],
  [
    /^(?:SQLITE_READONLY|SQLITE_PERM|EROFS|EACCES|EPERM)/,
    'it may not be written to: give this user the right, for its folder too',
  ],
  [/^OOM /, 'its memory is used up: raise its maxmemory, or set a maxmemory-policy that evicts'],
  [/^READONLY /, 'it is a replica, which may not be written to: name its primary'],
  [/^MISCONF /, 'it can’t write to its own disk: its log says why'],
]

/**
 * Says why a store takes nothing though it can be read, and what to do; undefined: the error says something else.
 *
 * @example
 * const why = whyTakesNothing(cause) // 'the disk is full: make room on it'
 */
export function whyTakesNothing(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  const code = 'code' in cause ? String(cause.code) : ''
  return REASONS.find(([says]) => says.test(code) || says.test(cause.message))?.[1]
}
