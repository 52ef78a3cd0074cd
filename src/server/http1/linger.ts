/**
 * How long a peer that has everything may take to close, in milliseconds: one that meets a closed connection while it
 * writes takes that for the outcome, and closing first could reset what it has not read.
 */
export const LINGER_MS = 2_000
