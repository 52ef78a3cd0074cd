import { Elysia } from 'elysia'
import { type Authorize, type Principal, principalName } from '../access/authorize.ts'
import { exchangeOf } from './request-context.ts'

/**
 * The `auth` macro: a route with `auth: true` gets a `principal`, or is not run at all.
 *
 * @example
 * new Elysia().use(access(authorize)).all('/v1/*', ({ principal }) => principal.kind, { auth: true, parse: 'none' })
 */
export const authMacro = (authorize: Authorize) =>
  new Elysia({ name: 'nexcode/access', seed: authorize }).macro({
    auth: {
      resolve({ request }): { principal: Principal } {
        const exchange = exchangeOf(request)
        const principal = authorize(exchange)
        exchange.principal = principalName(principal)
        return { principal }
      },
    },
  })
