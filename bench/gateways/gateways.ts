import { bareBun } from './bare-bun.ts'
import { bareElysia } from './bare-elysia.ts'
import type { Gateway } from './gateway.ts'
import { haproxy } from './haproxy.ts'
import { litellm } from './litellm.ts'
import { nexcode } from './nexcode.ts'
import { nginx } from './nginx.ts'
import { portkey } from './portkey.ts'
import { tensorzero } from './tensorzero.ts'

/** All that can be measured, in the order of the report. */
export const GATEWAYS: readonly Gateway[] = [nexcode, bareBun, bareElysia, nginx, haproxy, tensorzero, portkey, litellm]
