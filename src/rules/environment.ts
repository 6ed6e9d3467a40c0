/** Values by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

// An escape, a reference, or the beginning of one that is not complete.
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\$\{/g;

/** A text refers to a variable that is not set, or not as it should. */
export class VariableError extends Error {
  override readonly name = 'VariableError';
}

/** Puts in the values of `${NAME}` and `${NAME:-default}`; `$${` stands for `${` itself. @throws VariableError */
export function substitute(text: string, environment: Environment): string {
  return text.replace(REFERENCE, (whole, name: string | undefined, fallback: string | undefined) => {
    if (whole === '$${') return '${';
    if (name === undefined)
      throw new VariableError('${NAME} or ${NAME:-default} is expected; $${ stands for ${ itself');
    const value = environment[name] ?? fallback;
    if (value === undefined) throw new VariableError(`the environment variable ${name} is not set`);
    return value;
  });
}

/** Whether a text refers to the environment, so that its value is not for showing. */
export const refersToEnvironment = (text: string): boolean => new RegExp(REFERENCE.source).test(text);
