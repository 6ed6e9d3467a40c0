/** A file that can't be read as a capture: says which and why. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';

  constructor(path: string, problem: string) {
    super(`${path === '-' ? 'standard input' : path}: ${problem}`);
  }
}
