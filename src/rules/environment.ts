/** Values by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** A text refers to a variable that is not set. */
export class UnsetVariableError extends Error {
  override readonly name = 'UnsetVariableError';

  constructor(variable: string) {
    super(`the environment variable ${variable} is not set`);
  }
}

/** Puts in the values of `${NAME}` and `${NAME:-default}`; `$${` stands for `${` itself. @throws UnsetVariableError */
export function substitute(text: string, environment: Environment): string {
  return text.replace(REFERENCE, (whole, escape: string, name: string, fallback: string | undefined) => {
    if (escape !== '') return whole.slice(1);
    const value = environment[name] ?? fallback;
    if (value === undefined) throw new UnsetVariableError(name);
    return value;
  });
}

/** Whether a text refers to the environment, so that its value is not for showing. */
export const refersToEnvironment = (text: string): boolean => new RegExp(REFERENCE.source).test(text);
