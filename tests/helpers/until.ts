const LOOK_MS = 10

/** Resolves once a condition holds that no event tells of; it is looked for again and again. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(LOOK_MS)
}
