import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml';
import { OptionError, type OptionProblem } from '../options.ts';
import { type Environment, refersToEnvironment, substitute, VariableError } from './environment.ts';

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
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true });
    this.#refuse(this.#syntaxProblems());
    this.#refuse([...this.#checkAliases(), ...this.#putInEnvironment(environment)]);
    this.value = this.#toValue();
  }

  /** A mistake at a path; with `key`, at that key of the mapping there. */
  problem(path: Path, text: string, key?: string): OptionProblem {
    return this.#problemAt(this.#offsetOf(path, key), formatPath(key === undefined ? path : [...path, key]), text);
  }

  /** The line in which the value at a path begins, from 1. */
  line(path: Path): number {
    return this.problem(path, '').line;
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

  /** What is no YAML: of the errors that one mistake brings about in a line, the first. */
  #syntaxProblems(): OptionProblem[] {
    const { errors, warnings } = this.#document;
    const problems = [...errors, ...warnings].map((error) => {
      const pair = error.code === 'DUPLICATE_KEY' ? this.#pathOfKey(error.pos[0]) : '';
      return this.#problemAt(error.pos[0], pair, explain(error));
    });
    return problems.filter(({ line }, i) => problems.findIndex((other) => other.line === line) === i);
  }

  #pathOfKey(offset: number): string {
    let path = '';
    visit(this.#document, {
      Pair: (_, pair, ancestors) => {
        if (!isScalar(pair.key) || pair.key.range?.[0] !== offset) return undefined;
        path = pathOf([...ancestors, pair]);
        return visit.BREAK;
      },
    });
    return path;
  }

  #checkAliases(): OptionProblem[] {
    const problems: OptionProblem[] = [];
    visit(this.#document, {
      Alias: (_, alias, ancestors) => {
        if (alias.resolve(this.#document)) return;
        const text = 'a name that an anchor (&name) gave before is expected; text that begins with * has to be quoted';
        problems.push(this.#problemAt(alias.range?.[0] ?? 0, pathOf([...ancestors, alias]), text));
      },
    });
    return problems;
  }

  /** Numbers that YAML would change (0003) keep their text; strings get the environment's values. */
  #putInEnvironment(environment: Environment): OptionProblem[] {
    const problems: OptionProblem[] = [];
    visit(this.#document, {
      Scalar: (key, node, ancestors) => {
        if (typeof node.value === 'number' && node.source !== undefined && node.source !== String(node.value))
          node.value = node.source;
        if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
        this.#substitute(node as Scalar<string>, pathOf([...ancestors, node]), environment, problems);
      },
    });
    return problems;
  }

  #substitute(node: Scalar<string>, path: string, environment: Environment, problems: OptionProblem[]): void {
    if (refersToEnvironment(node.value)) this.#hidden.add(node);
    try {
      node.value = substitute(node.value, environment);
    } catch (error) {
      if (!(error instanceof VariableError)) throw error;
      problems.push(this.#problemAt(node.range?.[0] ?? 0, path, error.message));
    }
  }

  /** An option or a section with nothing behind it, as when all of it is commented out, is one that is left out. */
  #toValue(): unknown {
    const leaveOut = (_: unknown, value: unknown): unknown => (value === null ? undefined : value);
    try {
      const value: unknown = this.#document.toJS({ maxAliasCount: 100, reviver: leaveOut });
      return value ?? {};
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

const SYNTAX: { readonly [code: string]: string } = {
  DUPLICATE_KEY: 'given twice',
  NON_STRING_KEY: 'the name of an option is expected',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  MULTIPLE_DOCS: 'a second document begins here, one is expected',
  TAG_RESOLVE_FAILED: 'text that begins with ! has to be quoted',
};

/** The parser's words without the piece of the file that some of them end with: it may be a secret. */
const explain = ({ code, message }: YAMLError): string => SYNTAX[code] ?? firstLine(message).split(': ', 1)[0]!;

/** The path of the last of a node and its ancestors. */
const pathOf = (nodes: readonly unknown[]): string =>
  formatPath(
    nodes.flatMap((node, i): (string | number)[] => {
      const parent = nodes[i - 1];
      if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : [];
      return isSeq(parent) ? [parent.items.indexOf(node)] : [];
    }),
  );

const firstLine = (message: string): string => message.split('\n', 1)[0]!;

/** `callEvents[0].url` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
