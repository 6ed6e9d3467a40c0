const TOLD: ReadonlySet<string> = new Set(['INVITE', 'CANCEL', 'REGISTER', 'REFER']);

/**
 * Whether what we send on of a method is told as an observation of its own: where it says more than what we received, because
 * of where it goes, or because we made it up.
 */
export const isTold = (method: string): boolean => TOLD.has(method);
