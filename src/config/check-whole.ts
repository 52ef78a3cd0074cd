import type { Config } from './config.ts'
import type { ConfigProblem } from './env-reader.ts'
import { ADMIN_KEY_ENV } from './sections/admin-key.ts'
import { LEDGER_CURE, LEDGER_ENV } from './sections/ledger.ts'
import { TOKEN_CURE, TOKENS_ENV } from './sections/tokens.ts'

/**
 * Finds problems that only the environment and the file together show: nobody who could be let in; a key that manages, without a ledger to
 * manage, or that is a caller's token as well; limits of no ledger; a ledger in the memory of several processes.
 *
 * @example
 * const problems = checkWhole(config)
 */
export function checkWhole({ adminKey, auth, workers, settings: { ledger } }: Config): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (auth.required && auth.tokens.length === 0 && ledger.store === undefined)
    problems.push({
      name: TOKENS_ENV.API_TOKEN.name,
      wrong: 'is missing, though REQUIRE_AUTH is true',
      cure: TOKEN_CURE,
      example: `API_TOKEN=${TOKENS_ENV.API_TOKEN.example}`,
    })
  if (adminKey !== undefined && ledger.store === undefined)
    problems.push({
      name: ADMIN_KEY_ENV.ADMIN_KEY.name,
      wrong: 'is set, and there is no ledger that it could manage',
      cure: LEDGER_CURE,
      example: `LEDGER=${LEDGER_ENV.LEDGER.example}`,
    })
  if (adminKey !== undefined && auth.tokens.some(({ token }) => token.reveal() === adminKey.reveal()))
    problems.push({
      name: ADMIN_KEY_ENV.ADMIN_KEY.name,
      wrong: 'is one of API_TOKEN, too: who manages calls no models, and who calls must not manage',
      cure: TOKEN_CURE,
      example: `ADMIN_KEY=${ADMIN_KEY_ENV.ADMIN_KEY.example}`,
    })
  if (ledger.limits !== undefined && ledger.store === undefined)
    problems.push({
      name: LEDGER_ENV.LIMITS.name,
      wrong: 'is set, and there is no ledger whose limits it could count',
      cure: LEDGER_CURE,
      example: `LEDGER=${LEDGER_ENV.LEDGER.example}`,
    })
  if (workers > 1 && ledger.store?.reveal() === 'memory')
    problems.push({
      name: LEDGER_ENV.LEDGER.name,
      wrong: 'is memory, which WORKERS can not share: each would have keys and budgets of its own',
      cure: 'Use sqlite:PATH, or WORKERS=1.',
      example: `LEDGER=${LEDGER_ENV.LEDGER.example}`,
    })
  return problems
}
