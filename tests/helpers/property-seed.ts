import fc from 'fast-check'

// Loaded before each run of the tests (bunfig.toml). One seed, so that a run says the same each time: a case that nobody has seen
// before must not fail a change that has nothing to do with it. `PROPERTY_SEED=random` looks for such cases, `PROPERTY_SEED=<n>`
// meets one again.
const { PROPERTY_SEED: wanted = '20261125' } = process.env

if (wanted !== 'random') {
  const seed = Number(wanted)
  if (!Number.isInteger(seed)) throw new Error(`PROPERTY_SEED is '${wanted}': give a whole number, or 'random'.`)
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
}
