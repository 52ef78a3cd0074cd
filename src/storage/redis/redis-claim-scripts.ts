import { SETTLING_MS } from '../remembered-claims.ts'

/**
 * The layout of a claim's value: its owner (32 digits of a digest, as in front of each value), its state (one letter), its token (36
 * characters), and the request's fingerprint. The lease is a key of its own, which the server takes away when its time is over.
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

/** Which register the server has, and whether that is so new that others may not have written their claims down again. */
export const REGISTER_KEYS = ['nexcode:register', 'nexcode:register:settling'] as const

/**
 * Gives which register it is: the server's run, and what was drawn when it was first met. A server that has begun anew or was emptied
 * has no mark, and one that has taken another's place has that one's, with which it does not know what came last. Where a server
 * does not tell its run, the mark alone tells. `mark`, `settling`: where the keys stand; `drawn`: something new.
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
/** Says which register it is. KEYS: the mark, and what tells that it is new. ARGV: something new. Gives how many keys the server has let go of, too. */
export const LOOK_FOR_ERA = `${ERA}
local info = redis.pcall('INFO', 'stats')
local evicted = type(info) == 'string' and string.match(info, 'evicted_keys:(%d+)') or '0'
return era(KEYS[1], KEYS[2], ARGV[1]) .. ' ' .. evicted`

/** KEYS: claim, lease. ARGV: token, claim, milliseconds of the lease, and of what is known after it. */
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
/** A lease without its claim is one whose claim the server has let go of, to make room. */
const STANDING = `
if not head then return lease and '${LETTERS.running}' or '${FREE}' end
if state == '${LETTERS.running}' and not lease then return '${LETTERS.lost}' .. rest end
return state .. rest
`
/** Says what stands there. */
export const LOOK = PRELUDE + STANDING
/** Takes a claim that nobody has. KEYS: the register's, too. ARGV: something new, too. */
export const TAKE = `${ERA}${PRELUDE}
era(KEYS[3], KEYS[4], ARGV[5])
local isOwn = state == '${LETTERS.running}' and token == ARGV[1]
if isOwn or (not head and (not lease or lease == ARGV[1])) then
  if not isOwn and redis.call('EXISTS', KEYS[4]) == 1 then return '${SETTLING}' end
  put()
  return '${TAKEN}'
end
${STANDING}`
/** Renews a claim, or writes it down where it is gone. */
export const RENEW = `${PRELUDE}
if not head or (state == '${LETTERS.running}' and token == ARGV[1]) then put() end`
/** Ends a claim. */
export const END = `${PRELUDE}
if head and token ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
if lease == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1`
/** Writes down how a claim ended, where nothing is known of it. */
export const RESTORE = `${PRELUDE}
if not head then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4]) end`
/** Gives a claim back. */
export const RELEASE = `${PRELUDE}
if state == '${LETTERS.running}' and token == ARGV[1] then redis.call('DEL', KEYS[1]) end
if lease == ARGV[1] then redis.call('DEL', KEYS[2]) end`

/** Whether what stands under a claim's key is one that somebody has. */
export function isRunning(claim: string): boolean {
  return claim[STATE_AT] === LETTERS.running
}

/** The part of a claim that says so. */
export const CLAIM_HEAD_CHARS = FINGERPRINT_AT
