import { SETTLING_MS } from '../remembered-claims.ts'

/**
 * The layout of a claim's value: its owner (32 digits of a digest, as in front of each value), its state (one letter), its token (36
 * characters), and the request's fingerprint. The lease is a key of its own, which the server removes when it expires.
 */
export const TAG_CHARS = 32
const STATE_AT = TAG_CHARS
const TOKEN_AT = STATE_AT + 1
/** The token's length. */
export const TOKEN_CHARS = 36
const FINGERPRINT_AT = TOKEN_AT + TOKEN_CHARS

/** The states' letters. */
export const LETTERS = { running: 'R', answered: 'A', unkept: 'U', lost: 'L' } as const
/** The reply of `TAKE` where the claim is the asker's now. */
export const TAKEN = 'T'
/** The scripts' reply where there is no claim. */
export const FREE = 'F'
/** The reply of `TAKE` where the register is too new. */
export const SETTLING = 'S'

/** The keys of the register's mark, and of the flag that it is new: other processes may not have restored their claims yet. */
export const REGISTER_KEYS = ['nexcode:register', 'nexcode:register:settling'] as const

/**
 * Gives the register's identity: the server's run id, and a random text drawn at the first contact. A server that was restarted or
 * emptied has no mark. A replica that has taken over has the former server's mark, but may lack its last writes. Where a server does
 * not tell its run id, the mark alone decides. `mark`, `settling`: the keys; `drawn`: a new random text.
 */
const ERA = `
local function era(mark, settling, drawn)
  local info = redis.pcall('INFO', 'server')
  local run = (type(info) == 'string' and string.match(info, 'run_id:(%x+)') or '-') .. ' '
  local known = redis.call('GET', mark)
  if known and string.sub(known, 1, #run) == run then return known end
  redis.call('SET', mark, run .. drawn)
  redis.call('SET', settling, '1', 'PX', ${SETTLING_MS})
  return run .. drawn
end
`
/** Gives the register's identity and the number of evicted keys. KEYS: the mark, and the flag that it is new. ARGV: a new random text. */
export const LOOK_FOR_ERA = `${ERA}
local info = redis.pcall('INFO', 'stats')
local evicted = type(info) == 'string' and string.match(info, 'evicted_keys:(%d+)') or '0'
return era(KEYS[1], KEYS[2], ARGV[1]) .. ' ' .. evicted`

/** KEYS: claim, lease. ARGV: token, claim, milliseconds of the lease, and of the claim's own life. */
const PRELUDE = `
local head = redis.call('GET', KEYS[1])
local lease = redis.call('GET', KEYS[2])
local state = head and string.sub(head, ${STATE_AT + 1}, ${STATE_AT + 1})
local token = head and string.sub(head, ${TOKEN_AT + 1}, ${TOKEN_AT + TOKEN_CHARS})
local rest = head and string.sub(head, ${TOKEN_AT + 1}) or ''
local function put()
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
end
`
/** A lease without its claim means that the server has evicted the claim, to make room. */
const STANDING = `
if not head then return lease and '${LETTERS.running}' or '${FREE}' end
if state == '${LETTERS.running}' and not lease then return '${LETTERS.lost}' .. rest end
return state .. rest
`
/** Gives the state of a claim. */
export const LOOK = PRELUDE + STANDING
/** Takes a free claim. KEYS: also the register's. ARGV: also a new random text. */
export const TAKE = `${ERA}${PRELUDE}
era(KEYS[3], KEYS[4], ARGV[5])
local isOwn = state == '${LETTERS.running}' and token == ARGV[1]
if isOwn or (not head and (not lease or lease == ARGV[1])) then
  if not isOwn and redis.call('EXISTS', KEYS[4]) == 1 then return '${SETTLING}' end
  put()
  return '${TAKEN}'
end
${STANDING}`
/** Renews a claim, or writes it again where it is gone. */
export const RENEW = `${PRELUDE}
if not head or (state == '${LETTERS.running}' and token == ARGV[1]) then put() end`
/** Ends a claim. */
export const END = `${PRELUDE}
if head and token ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
if lease == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1`
/** Writes a claim's end, where the server knows nothing of the claim. */
export const RESTORE = `${PRELUDE}
if not head then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4]) end`
/** Gives a claim back. */
export const RELEASE = `${PRELUDE}
if state == '${LETTERS.running}' and token == ARGV[1] then redis.call('DEL', KEYS[1]) end
if lease == ARGV[1] then redis.call('DEL', KEYS[2]) end`

/** Whether a claim's value says that it is running. */
export function isRunning(claim: string): boolean {
  return claim[STATE_AT] === LETTERS.running
}

/** The length of a claim's head: owner, state and token. It is enough for `isRunning`. */
export const CLAIM_HEAD_CHARS = FINGERPRINT_AT
