import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Scalar, visit } from 'yaml';
import { OptionError, type OptionProblem } from '../options.ts';
import { type Environment, refersToEnvironment, substitute, UnsetVariableError } from './environment.ts';

export type Path = readonly (string | number)[];

/** A YAML file, read: its value, and where in the text every part of it stands. */
export class YamlSource {
  /** The value, with the environment's values in it. */
  readonly value: unknown;
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #file: string;
  readonly #hidden = new Set<unknown>();

  /** @throws OptionError for text that is no YAML, for anchors that run wild and for unset environment variables. */
  constructor(file: string, text: string, environment: Environment) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    this.#refuse(this.#document.errors.map(({ message, pos }) => this.#problemAt(pos[0], '', firstLine(message))));
    this.#refuse(this.#putInEnvironment(environment));
    this.value = this.#toValue();
  }

  /** A mistake at a path; with `key`, at that key of the mapping there. */
  problem(path: Path, text: string, key?: string): OptionProblem {
    return this.#problemAt(this.#offsetOf(path, key), formatPath(key === undefined ? path : [...path, key]), text);
  }

  /** Whether the value at a path came from the environment. */
  isHidden(path: Path): boolean {
    return this.#hidden.has(this.#nodeAt(path));
  }

  #refuse(problems: OptionProblem[]): void {
    if (problems.length > 0) throw new OptionError(this.#file, problems);
  }

  #problemAt(offset: number, path: string, text: string): OptionProblem {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col), path, text };
  }

  /** Numbers that YAML would change (0003) keep their text; strings get the environment's values. */
  #putInEnvironment(environment: Environment): OptionProblem[] {
    const problems: OptionProblem[] = [];
    visit(this.#document, {
      Scalar: (key, node) => {
        if (typeof node.value === 'number' && node.source !== undefined && node.source !== String(node.value))
          node.value = node.source;
        if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
        this.#substitute(node as Scalar<string>, environment, problems);
      },
    });
    return problems;
  }

  #substitute(node: Scalar<string>, environment: Environment, problems: OptionProblem[]): void {
    if (refersToEnvironment(node.value)) this.#hidden.add(node);
    try {
      node.value = substitute(node.value, environment);
    } catch (error) {
      if (!(error instanceof UnsetVariableError)) throw error;
      problems.push(this.#problemAt(node.range?.[0] ?? 0, '', error.message));
    }
  }

  #toValue(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 100 }) ?? {};
    } catch (error) {
      throw new OptionError(this.#file, [this.#problemAt(0, '', firstLine((error as Error).message))]);
    }
  }

  /** Where the value at a path stands, or the nearest part of it that is there. */
  #offsetOf(path: Path, key: string | undefined): number {
    const own = key === undefined ? undefined : findPair(this.#nodeAt(path), key);
    if (isScalar(own?.key) && own.key.range) return own.key.range[0];
    for (let length = path.length; length >= 0; length--) {
      const node = this.#nodeAt(path.slice(0, length));
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }

  /** Keys are compared as text: YAML reads `603:` as a number. */
  #nodeAt(path: Path): unknown {
    let node: unknown = this.#document.contents;
    for (const part of path) node = isSeq(node) ? node.items[Number(part)] : findPair(node, String(part))?.value;
    return node;
  }
}

const findPair = (node: unknown, key: string) =>
  isMap(node) ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key) : undefined;

const firstLine = (message: string): string => message.split('\n', 1)[0]!;

/** `callEvents[0].url` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
