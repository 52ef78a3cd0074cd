import { until } from './until.ts'

/** Waits until so many calls have a place at the first upstream, which has a limit of calls at once, and so many wait for one. */
export async function untilPlaces(
  { url }: { readonly url: string },
  inFlight: number,
  queued: number,
  token = 'token-of-the-tests',
): Promise<void> {
  await until(async () => {
    const answer = await fetch(`${url}/ready`, { headers: { authorization: `Bearer ${token}` } })
    const { targets } = (await answer.json()) as { readonly targets: readonly Readonly<Record<string, number>>[] }
    return targets[0]?.['in_flight'] === inFlight && targets[0]['queued'] === queued
  })
}
