/** Thrown where something can't be measured on this machine; its message is the one line that is shown. */
export class Unavailable extends Error {}
