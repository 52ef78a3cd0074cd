import { Elysia } from 'elysia'
import { type Authorize, type Principal, principalName } from '../access/authorize.ts'
import { exchangeOf } from './request-context.ts'

/**
 * Makes the `auth` macro: a route with `auth: true` gets a `principal`. Where `authorize` throws, the route is not run.
 *
 * @example
 * new Elysia().use(access(authorize)).all('/v1/*', ({ principal }) => principal.kind, { auth: true, parse: 'none' })
 */
export const authMacro = (authorize: Authorize) =>
  new Elysia({ name: 'nexcode/auth-macro', seed: authorize }).macro({
    auth: {
      resolve({ request }): { principal: Principal } {
        const exchange = exchangeOf(request)
        const principal = authorize(exchange)
        exchange.principal = principalName(principal)
        return { principal }
      },
    },
  })
