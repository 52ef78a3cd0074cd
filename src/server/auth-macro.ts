import { Elysia } from 'elysia'
import type { Authorize } from '../access/authorize.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { exchangeOf } from './request-context.ts'

/**
 * Makes the `auth` macro: a route with `auth: true` gets an exchange whose principal is known. Where `authorize` throws, the route
 * is not run.
 *
 * @example
 * new Elysia().use(authMacro(authorize)).all('/v1/*', ({ exchange }) => exchange.caller, { auth: true, parse: 'none' })
 */
export const authMacro = (authorize: Authorize) =>
  new Elysia({ name: 'nexcode/auth-macro', seed: authorize }).macro({
    auth: {
      resolve({ request }): { exchange: Exchange } {
        const exchange = exchangeOf(request)
        exchange.identify(authorize(exchange))
        return { exchange }
      },
    },
  })
