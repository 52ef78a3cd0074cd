/**
 * How many workers NexCode, nginx and HAProxy are to have: `WORKERS` of the bench's environment, a number or `auto`; one each where
 * it is absent.
 */
export const WORKERS: string | undefined = process.env['WORKERS']
